//! The shipped tables (`messages.md` 7), one file per family.
//!
//! A table's own columns are numbered from 100 in the order in which they are declared, and stored
//! records hold those numbers: add columns at the end only, and never remove one. The snapshot
//! beside the tests pins every number.
//!
//! Indexes are few on purpose, because each key costs every write about 20 microseconds. Each
//! business lookup has one (it *is* "the children of a parent", for cascades and Associate), and so
//! do primary names and the columns by which people and machines are found from outside:
//! `account.accountnumber`, `systemuser.azureactivedirectoryobjectid`, `systemuser.domainname` and
//! the like. Stamps (`createdby`), `statecode` and derived owner columns have none; the
//! store keeps owner and business unit in keyspaces 02 and 03 anyway.

mod activities;
pub mod columns;
mod customers;
mod organization;
mod principals;
mod roles;

use super::table::TableBuilder;

/// Every shipped table.
pub(super) fn tables() -> Vec<TableBuilder> {
    [
        organization::tables(),
        principals::tables(),
        roles::tables(),
        customers::tables(),
        activities::tables(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
