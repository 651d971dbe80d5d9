//! [`Work`]: one request's unit of work — its view or transaction, its snapshot, its caller.
//!
//! Operations read and write records only through it, and every question of access goes through its
//! `require` and `access` (see `authorizer.rs`), so that one record of what was asked exists.

use std::{
    cell::RefCell,
    ops::{Bound, ControlFlow},
    sync::Arc,
    time::Instant,
};

use jiff::Timestamp;
use orgservice_security::{BusinessUnitId, Owner, RecordFacts, TableOwnership, UserId};
use uuid::Uuid;

use super::authorizer::Trace;
use crate::{
    caller::{Caller, Principals},
    clock::IdSource,
    directory::{self, Directory},
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{Definitions, TableDefinition},
    model::{EntityReference, Value},
    snapshot::Snapshot,
    storage::{
        Direction, KeyRange, ReadView, Savepoint, StorageError, Store, Transaction, index,
        index_value::index_range,
        keys,
        record::{Record, StoredOwner},
    },
};

/// What every unit of work of one server shares.
pub struct Environment<'a> {
    /// Hands out row versions.
    pub store: &'a dyn Store,
    /// Hands out ids.
    pub ids: &'a dyn IdSource,
    /// Signs paging cookies (PG-4).
    pub cookie_key: &'a [u8; 32],
    /// The time that everything in this unit of work is stamped with.
    pub now: Timestamp,
    /// When the client stops waiting (GO-4).
    pub deadline: Option<Instant>,
}

/// A view for reading, or a transaction.
pub enum Unit<'a> {
    /// One consistent view.
    View(Box<dyn ReadView + 'a>),
    /// A unit of work whose writes become visible together.
    Transaction(Box<dyn Transaction + 'a>),
}

/// One request at work.
pub struct Work<'a> {
    environment: Environment<'a>,
    unit: Unit<'a>,
    snapshot: Arc<Snapshot>,
    caller: Caller,
    principals: Principals,
    security_touched: bool,
    /// Changed records so far, bounded by `cascade_rows_max` per request.
    cascaded: usize,
    pub(super) trace: Option<RefCell<Trace>>,
}

impl<'a> Work<'a> {
    /// Starts work for a caller: steps 1 to 4 of `security.md` 12 at this snapshot.
    ///
    /// # Errors
    /// As [`Caller::admit`].
    pub fn start(
        environment: Environment<'a>,
        unit: Unit<'a>,
        snapshot: Arc<Snapshot>,
        caller: Caller,
    ) -> Result<Self> {
        let principals = caller.admit(&snapshot)?;
        Ok(Work {
            environment,
            unit,
            snapshot,
            caller,
            principals,
            security_touched: false,
            cascaded: 0,
            trace: None,
        })
    }

    /// The same work, recording every requirement instead of running the message (GA-2).
    pub fn explaining(mut self) -> Self {
        self.trace = Some(RefCell::default());
        self
    }

    /// Whether the call is only being explained.
    pub fn is_explaining(&self) -> bool {
        self.trace.is_some()
    }

    /// Signs paging cookies (PG-4).
    pub fn cookie_key(&self) -> &'a [u8; 32] {
        self.environment.cookie_key
    }

    /// The pair (A, B).
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// S.
    pub fn subject(&self) -> UserId {
        self.caller.subject()
    }

    /// What the decision knows of both users, as of now.
    pub fn principals(&self) -> &Principals {
        &self.principals
    }

    /// Definitions and directory, this work's own changes included.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Tables and relationships.
    pub fn definitions(&self) -> &Arc<Definitions> {
        self.snapshot.definitions()
    }

    /// Users, teams, roles and units, this work's own changes included.
    pub fn directory(&self) -> &Directory {
        self.snapshot.directory()
    }

    /// The time everything is stamped with.
    pub fn now(&self) -> Timestamp {
        self.environment.now
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        self.environment.ids.next()
    }

    /// Whether a write changed the directory.
    pub fn security_touched(&self) -> bool {
        self.security_touched
    }

    /// The transaction or view itself, for commit.
    pub fn into_parts(self) -> (Unit<'a>, Arc<Snapshot>, bool) {
        (self.unit, self.snapshot, self.security_touched)
    }

    /// Stops work whose client no longer waits (GO-4).
    ///
    /// # Errors
    /// `UnExpected` with reason of a passed deadline; nothing of the transaction is kept.
    pub fn check_deadline(&self) -> Result<()> {
        match self.environment.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Fault::deadline_passed()),
            _ => Ok(()),
        }
    }

    /// What reads go through.
    pub fn view(&self) -> &dyn ReadView {
        match &self.unit {
            Unit::View(view) => &**view,
            Unit::Transaction(transaction) => &**transaction,
        }
    }

    /// What writes go through.
    ///
    /// # Errors
    /// `UnExpected` when a message that was declared as reading tries to write.
    pub fn transaction(&mut self) -> Result<&mut (dyn Transaction + 'a)> {
        match &mut self.unit {
            Unit::Transaction(transaction) => Ok(&mut **transaction),
            Unit::View(_) => Err(Fault::unexpected("a reading message tried to write")),
        }
    }

    /// Marks a point to go back to.
    ///
    /// # Errors
    /// As [`Work::transaction`].
    pub fn savepoint(&mut self) -> Result<Mark> {
        let snapshot = Arc::clone(&self.snapshot);
        let touched = self.security_touched;
        Ok(Mark {
            savepoint: self.transaction()?.savepoint(),
            snapshot,
            touched,
        })
    }

    /// Forgets every write since the mark.
    ///
    /// # Errors
    /// As [`Work::transaction`].
    pub fn rollback_to(&mut self, mark: Mark) -> Result<()> {
        self.transaction()?.rollback_to(mark.savepoint);
        self.snapshot = mark.snapshot;
        self.security_touched = mark.touched;
        self.principals = self.caller.admit(&self.snapshot)?;
        Ok(())
    }

    /// Steps 5 and 6 again, before the next request of a batch (`security.md` 12).
    ///
    /// # Errors
    /// As [`Caller::admit`].
    pub fn readmit(&mut self) -> Result<()> {
        self.principals = self.caller.admit(&self.snapshot)?;
        self.cascaded = 0;
        Ok(())
    }

    /// Counts one more record that this request changes beside its target.
    ///
    /// # Errors
    /// `InvalidOperation` (reason LIMIT_EXCEEDED) above `cascade_rows_max` (CA-6).
    pub fn count_cascaded(&mut self) -> Result<()> {
        self.cascaded += 1;
        if self.cascaded > limits::CASCADE_ROWS_MAX {
            return Err(Fault::limit_exceeded(
                "cascade_rows_max",
                limits::CASCADE_ROWS_MAX,
            ));
        }
        self.check_deadline()
    }

    /// The table of a logical name.
    ///
    /// # Errors
    /// `QueryBuilderNoEntity` (G-2).
    pub fn table(&self, name: &str, field: &str) -> Result<Arc<TableDefinition>> {
        self.definitions().require_table(name, field).cloned()
    }

    /// A record, if it exists.
    ///
    /// # Errors
    /// What the store says.
    pub fn find(&self, table: &TableDefinition, id: Uuid) -> Result<Option<Record>> {
        let key = keys::record(table.code.0, id);
        match self.view().get(&key)? {
            Some(bytes) => Ok(Some(Record::decode(&key, &bytes)?)),
            None => Ok(None),
        }
    }

    /// A record that has to exist.
    ///
    /// # Errors
    /// `ObjectDoesNotExist` naming table and id (G-3).
    pub fn load(&self, table: &TableDefinition, id: Uuid) -> Result<Record> {
        self.find(table, id)?
            .ok_or_else(|| missing(&table.logical_name, id))
    }

    /// The id a reference names.
    ///
    /// # Errors
    /// `InvalidArgument` without an id; `EntityKeyNotDefined` when an alternate key is used, since
    /// no table has one yet.
    pub fn id_of(&self, reference: &EntityReference, field: &str) -> Result<Uuid> {
        if let Some(id) = reference.id {
            return Ok(id);
        }
        if let Some(column) = reference.key_attributes.keys().next() {
            return Err(key_not_defined(&reference.logical_name, column, field));
        }
        Err(Fault::invalid_argument(
            format!("{field}.id"),
            format!("`{field}` names no record: its id is missing"),
        ))
    }

    /// What the decision needs to know of a stored record, without its shares.
    pub fn facts(
        &self,
        table: &TableDefinition,
        id: Uuid,
        record: &Record,
    ) -> RecordFacts<'static> {
        facts(
            table,
            Some(id),
            record.owner.map(directory::owner),
            record.business_unit,
        )
    }

    /// Visits every pair of a range.
    ///
    /// # Errors
    /// What the store or the visitor says.
    pub fn scan_all(
        &self,
        mut range: KeyRange,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), StorageError>,
    ) -> Result<()> {
        loop {
            let page = self
                .view()
                .scan(&range, Direction::Forward, SCAN_PAGE_ROWS)?;
            for (key, value) in &page {
                visit(key, value)?;
            }
            match page.last() {
                Some((last, _)) if page.len() == SCAN_PAGE_ROWS => {
                    range.start = keys::successor(last)
                }
                _ => return Ok(()),
            }
        }
    }

    /// Visits the ids of records whose indexed lookup points at `parent`, until the visitor breaks
    /// off; there may be any number of them, so the deadline is looked at with every page.
    ///
    /// # Errors
    /// What the store or the visitor says; `DeadlinePassed` (GO-4).
    pub fn visit_children(
        &self,
        table: &TableDefinition,
        lookup: u16,
        parent: Uuid,
        mut visit: impl FnMut(Uuid) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let reference = Value::EntityReference(EntityReference::new("", parent));
        let index = table
            .indexes
            .iter()
            .find(|index| index.columns.first() == Some(&lookup))
            .ok_or_else(|| {
                Fault::unexpected(format!(
                    "lookup {lookup} of `{}` has no index",
                    table.logical_name
                ))
            })?;
        let mut range = index_range(
            table.code.0,
            index.number,
            &[reference],
            Bound::Unbounded,
            Bound::Unbounded,
        );
        loop {
            self.check_deadline()?;
            let page = self
                .view()
                .scan(&range, Direction::Forward, SCAN_PAGE_ROWS)?;
            for (key, _) in &page {
                if visit(keys::parse_index(key)?.2)?.is_break() {
                    return Ok(());
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == SCAN_PAGE_ROWS => {
                    range.start = keys::successor(last)
                }
                _ => return Ok(()),
            }
        }
    }

    /// Stores a record with its index entries and takes it over into the directory; gives it a new
    /// row version.
    ///
    /// # Errors
    /// What the store says.
    pub fn put(
        &mut self,
        table: &TableDefinition,
        id: Uuid,
        before: Option<&Record>,
        mut after: Record,
    ) -> Result<Record> {
        after.row_version = self.environment.store.next_row_version();
        let encoded = after.encode()?;
        self.write_index(table, id, before, Some(&after))?;
        self.transaction()?
            .put(keys::record(table.code.0, id), encoded);
        self.touch(table, id, Some(&after));
        Ok(after)
    }

    /// Removes a record with its index entries and shares.
    ///
    /// # Errors
    /// What the store says.
    pub fn remove(&mut self, table: &TableDefinition, id: Uuid, before: &Record) -> Result<()> {
        for (principal, _) in self.share_rows(table, id)? {
            self.put_share(table, id, principal, None)?;
        }
        self.remove_row(table, id, before)
    }

    pub(super) fn remove_row(
        &mut self,
        table: &TableDefinition,
        id: Uuid,
        before: &Record,
    ) -> Result<()> {
        self.write_index(table, id, Some(before), None)?;
        self.transaction()?.delete(keys::record(table.code.0, id));
        self.touch(table, id, None);
        Ok(())
    }

    fn write_index(
        &mut self,
        table: &TableDefinition,
        id: Uuid,
        before: Option<&Record>,
        after: Option<&Record>,
    ) -> Result<()> {
        let changes = index::record_changes(&table.keys(), id, before, after);
        let transaction = self.transaction()?;
        for change in changes {
            change.apply(transaction);
        }
        Ok(())
    }

    /// Takes a changed record over into this work's own directory, so that the next decision of the
    /// same unit of work already knows it (XT-3).
    fn touch(&mut self, table: &TableDefinition, id: Uuid, record: Option<&Record>) {
        if Directory::covers(&table.logical_name) {
            self.change_directory(|definitions, directory| {
                directory.apply(definitions, table, id, record);
            });
        }
    }

    /// Changes this work's own directory.
    pub fn change_directory(&mut self, edit: impl FnOnce(&Definitions, &mut Directory)) {
        let version = self.snapshot.version() + u64::from(!self.security_touched);
        self.snapshot = Arc::new(self.snapshot.changed(version, edit));
        self.security_touched = true;
    }
}

/// Rows read per step of a scan.
const SCAN_PAGE_ROWS: usize = 500;

/// A point in a unit of work to go back to.
pub struct Mark {
    savepoint: Savepoint,
    snapshot: Arc<Snapshot>,
    touched: bool,
}

/// What the decision needs to know of a record, stored or prospective, without its shares.
pub fn facts(
    table: &TableDefinition,
    id: Option<Uuid>,
    owner: Option<Owner>,
    business_unit: Option<Uuid>,
) -> RecordFacts<'static> {
    RecordFacts {
        table: table.facts,
        id,
        owner,
        business_unit: business_unit.map(BusinessUnitId),
        shares: &[],
    }
}

/// An owner as it is stored.
pub fn stored_owner(owner: Owner) -> StoredOwner {
    match owner {
        Owner::User(id) => StoredOwner::User(id.0),
        Owner::Team(id) => StoredOwner::Team(id.0),
    }
}

/// `ObjectDoesNotExist` for a record (G-3).
pub fn missing(table: &str, id: Uuid) -> Fault {
    Fault::new(
        FaultCode::ObjectDoesNotExist,
        format!("{table} {id} does not exist"),
    )
    .record(table, id)
}

/// `EntityKeyNotDefined`: the columns are no alternate key (CR-11).
pub fn key_not_defined(table: &str, column: &str, field: &str) -> Fault {
    let description = format!("`{column}` is no alternate key of table `{table}`");
    Fault::new(FaultCode::EntityKeyNotDefined, description.clone())
        .detail("table", table)
        .violation(format!("{field}.key_attributes[{column}]"), description)
}

/// Whether a table's records have an owner that can be assigned and shared (SH-1).
pub fn user_owned(table: &TableDefinition) -> bool {
    table.ownership() == TableOwnership::UserOwned
}
