//! Who may do what: the access decision of the organization service.
//!
//! This crate is pure. It knows users, teams, roles, business units, records and shares as plain
//! facts that somebody else read, and answers with a value; it reads no store, keeps no state and
//! cannot fail. Rule ids such as AC-3 are those of the security specification.
//!
//! # The model in one line
//!
//! > allow(op) ⇔ for every requirement (privilege *p*, right *r*, record *x*) of op:
//! > *p* ∈ poss(A) **and** *p* ∈ poss(S) **and** acc(S, *r*, *x*)
//!
//! A is the *authenticated user*, who holds the token; B the *impersonated user*, whom `caller-id`
//! names; S the *subject*: B when impersonating, else A. **Possession** is having a privilege from
//! any role at any depth, and is asked of both. **Access** is reaching the record by depth,
//! ownership or a share, and is asked of the subject alone.
//!
//! # Delegation
//!
//! Acting on behalf of another user follows from that line (IM-9 to IM-11):
//!
//! - *No privilege is gained.* G(A, B) = poss(A) ∩ poss(B): a delegate who lacks Delete cannot
//!   delete, however much the other may.
//! - *The depth is that of B*, and may be higher or lower than A's own. A's depth, ownership,
//!   business unit and shares play no part: a record that A could open alone is refused if B does
//!   not reach it, and one that only B reaches is open if A has the bare privilege.
//! - Therefore acting on behalf never widens B, and an administrator on behalf of B is exactly B.
//!
//! # Access to a record
//!
//! On user-owned tables any one of four roads suffices (AC-3): a Global grant; owning the record,
//! oneself or through a team, with a grant whose holder makes it count; the record's business unit
//! being the anchor of a Local grant or in the subtree of a Deep one; a share with the right.
//! Create knows the first three, asked of the record to be (AC-5). On business-owned tables the
//! business unit decides, on organization-owned ones possession does (AC-4).
//!
//! The rule stands once, in `rule.rs`. [`Caller::decide`] asks it of all grants of a subject,
//! [`RecordScope`] is it as a row filter, [`Caller::explain`] asks it of each grant by itself.
//!
//! # Reading order
//!
//! `types.rs`, `table.rs`, `record.rs` and `business_units.rs` are the words; `principal.rs`,
//! `compile.rs` and `reach.rs` make grants of roles; `rule.rs` is the rule; `caller.rs` the pair of users;
//! `decide.rs`, `scope.rs` and `explain.rs` the three questions; [`requirements`] says what each
//! operation asks.
//!
//! # Example: a level raised, and a level lowered
//!
//! A delegate at business unit level acts for a user at organization level, and the other way
//! round. The level is that of the impersonated user; Delete, which the delegate lacks, stays
//! refused.
//!
//! ```
//! use std::sync::Arc;
//!
//! use orgservice_security::*;
//! use uuid::Uuid;
//!
//! let [root, sales, service] = [1, 2, 3].map(|n| BusinessUnitId(Uuid::from_u128(n)));
//! let tree = BusinessUnitTree::new(
//!     [(root, None), (sales, Some(root)), (service, Some(root))].into_iter(),
//! );
//! let account = TableFacts::new(ObjectTypeCode(1), TableOwnership::UserOwned);
//! let user = |id: u128, depth, rights: &[Right]| {
//!     let privileges = rights.iter().map(|right| (Privilege::Table(account.code, *right), depth));
//!     let role = RoleFacts {
//!         id: RoleId(Uuid::from_u128(100 + id)),
//!         business_unit: sales,
//!         member_inheritance: true,
//!         privileges: privileges.collect(),
//!     };
//!     let facts = UserFacts {
//!         id: UserId(Uuid::from_u128(id)),
//!         business_unit: sales,
//!         access_mode: AccessMode::ReadWrite,
//!         roles: vec![Arc::new(role)],
//!         teams: vec![],
//!     };
//!     Principal::for_user(&facts, |_| false)
//! };
//! let some = [Right::Create, Right::Read, Right::Write, Right::Append, Right::AppendTo];
//! let owner = Owner::User(UserId(Uuid::from_u128(99)));
//! let of_service = RecordFacts::of_owner(account, None, owner, service);
//! let of_sales = RecordFacts::of_owner(account, None, owner, sales);
//!
//! // The delegate reaches its business unit, the impersonated user the organization.
//! let a = user(10, PrivilegeDepth::Local, &some);
//! let b = user(11, PrivilegeDepth::Global, &Right::ALL);
//! let alone = Caller::direct(&a).decide(&tree, Right::Write, &of_service);
//! assert_eq!(alone.unwrap_err().kind, DenialKind::AccessDenied);
//! let pair = Caller::on_behalf_of(&a, &b);
//! assert!(pair.decide(&tree, Right::Write, &of_service).is_ok());
//! let delete = pair.decide(&tree, Right::Delete, &of_service).unwrap_err();
//! assert_eq!(delete.kind, DenialKind::PrivilegeDenied);
//! assert_eq!(delete.side, PrincipalRole::Impersonator);
//!
//! // The delegate reaches the organization, the impersonated user its business unit.
//! let a = user(12, PrivilegeDepth::Global, &some);
//! let b = user(13, PrivilegeDepth::Local, &Right::ALL);
//! assert!(Caller::direct(&a).decide(&tree, Right::Write, &of_service).is_ok());
//! let pair = Caller::on_behalf_of(&a, &b);
//! assert!(pair.decide(&tree, Right::Write, &of_sales).is_ok());
//! let denial = pair.decide(&tree, Right::Write, &of_service).unwrap_err();
//! assert_eq!(denial.kind, DenialKind::AccessDenied);
//! assert_eq!(denial.side, PrincipalRole::Impersonated);
//! assert_eq!(denial.depth_held, Some(PrivilegeDepth::Local));
//! assert_eq!(denial.depth_needed, Some(PrivilegeDepth::Global));
//! ```

mod business_units;
mod caller;
mod compile;
mod decide;
mod denial;
mod explain;
mod principal;
mod reach;
mod record;
pub mod requirements;
mod rule;
mod scope;
mod table;
mod types;

pub use business_units::BusinessUnitTree;
pub use caller::{Caller, authorize_impersonation, may_own};
pub use compile::PrincipalCompiler;
pub use decide::access_rights;
pub use denial::{Denial, DenialKind, PrincipalRole};
pub use explain::{Explanation, Ground, GroundKind, PrivilegeMatrix};
pub use principal::{Principal, RoleFacts, TeamFacts, UserFacts};
pub use reach::Grant;
pub use record::{Owner, RecordFacts, Share, SharePrincipal};
pub use scope::RecordScope;
pub use table::{TableFacts, TableOwnership};
pub use types::{
    AccessMode, AccessRights, BusinessUnitId, MiscPrivilege, ObjectTypeCode, OrganizationId,
    Privilege, PrivilegeDepth, RecordId, Right, RoleId, TeamId, UserId,
};
