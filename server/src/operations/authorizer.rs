//! The questions operations ask of the decision: which privilege, which right on which record.
//!
//! Nothing is decided here: every answer is `orgservice_security`'s. This file brings the facts,
//! names the refusal, and keeps the list of what was asked for ExplainAccess.

use orgservice_security::{
    AccessRights, Denial, Ground, Owner, Privilege, RecordFacts, RecordScope, Right,
    SharePrincipal, TableOwnership, access_rights, may_own, requirements,
};
use uuid::Uuid;

use super::work::Work;
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::{AccessGround, AccessRequirement, EntityReference, ScopeDescription, Value},
    snapshot::owner_reference,
    storage::record::Record,
};

/// What was asked so far, in order, while a call is explained.
#[derive(Debug, Default)]
pub struct Trace {
    /// The requirements.
    pub requirements: Vec<AccessRequirement>,
    /// The rows a query would see.
    pub scope: Option<ScopeDescription>,
}

/// Which rows of a table a query may show.
#[derive(Debug)]
pub enum RowAccess {
    /// Those the scope admits.
    Scope(Box<RecordScope>),
    /// All: `privilege` and its companions are open to every authenticated user (PR-2).
    Everyone,
    /// Those whose related records the subject may read: intersections and shares (PR-2).
    Related,
}

impl Work<'_> {
    /// Step 8 for several rights on one table, in order.
    ///
    /// # Errors
    /// `PrivilegeDenied` naming who lacks which privilege.
    pub fn require(&self, table: &TableDefinition, rights: &[Right]) -> Result<()> {
        for &right in rights {
            let privilege = Privilege::Table(table.facts.code, right);
            self.require_privilege(privilege, Some(table))?;
        }
        Ok(())
    }

    /// Step 8 for one privilege.
    ///
    /// # Errors
    /// `PrivilegeDenied`.
    pub fn require_privilege(
        &self,
        privilege: Privilege,
        table: Option<&TableDefinition>,
    ) -> Result<()> {
        let decision = self.principals().pair().require(privilege);
        self.note(privilege, None, decision.as_ref().err(), Vec::new);
        decision.map_err(|denial| self.snapshot().refuse(&denial, table))
    }

    /// Step 8 as a question: whether both users possess the privileges of several rights.
    pub fn holds(&self, table: &TableDefinition, rights: &[Right]) -> bool {
        let pair = self.principals().pair();
        pair.require_rights(table.facts.code, rights).is_ok()
    }

    /// whoever hands out privileges holds them.
    ///
    /// # Errors
    /// `PrivilegeDenied` for the first one that is lacking.
    pub fn require_all(&self, privileges: impl IntoIterator<Item = Privilege>) -> Result<()> {
        for privilege in privileges {
            self.require_privilege(privilege, None)?;
        }
        Ok(())
    }

    /// Step 10 for several rights on one stored record, in order.
    ///
    /// # Errors
    /// `unManagedIdsAccessDenied` naming the right and the depth that would have reached it.
    pub fn access(
        &self,
        table: &TableDefinition,
        id: Uuid,
        record: &Record,
        rights: &[Right],
    ) -> Result<()> {
        let facts = self.facts(table, id, record);
        self.access_facts(table, &facts, rights)
    }

    /// Step 10 on facts, stored or prospective.
    ///
    /// # Errors
    /// `unManagedIdsAccessDenied`.
    pub fn access_facts(
        &self,
        table: &TableDefinition,
        facts: &RecordFacts<'_>,
        rights: &[Right],
    ) -> Result<()> {
        if self.trace.is_some() {
            return self.explain_access(table, facts, rights);
        }
        self.principals()
            .pair()
            .access_loading_shares(self.directory().tree(), rights, facts, || {
                self.shares_of(table, facts).map_err(Refusal::Fault)
            })
            .map_err(|refusal| self.refusal(refusal, table))
    }

    /// Steps 8 and 10 as a question: whether the subject may, for cascades that skip (CA-1, CA-4).
    ///
    /// # Errors
    /// What the store says.
    pub fn may(
        &self,
        table: &TableDefinition,
        id: Uuid,
        record: &Record,
        rights: &[Right],
    ) -> Result<bool> {
        let pair = self.principals().pair();
        if pair.require_rights(table.facts.code, rights).is_err() {
            return Ok(false);
        }
        let facts = self.facts(table, id, record);
        let decision = pair.access_loading_shares(self.directory().tree(), rights, &facts, || {
            self.shares_of(table, &facts).map_err(Refusal::Fault)
        });
        match decision {
            Ok(()) => Ok(true),
            Err(Refusal::Denial(_)) => Ok(false),
            Err(Refusal::Fault(fault)) => Err(fault),
        }
    }

    /// Every right a principal has on a record, for that principal alone (SH-7).
    ///
    /// # Errors
    /// `unManagedinvalidprincipal` when there is no such principal; what the store says.
    pub fn rights_of(
        &self,
        principal: Owner,
        table: &TableDefinition,
        id: Uuid,
        record: &Record,
    ) -> Result<AccessRights> {
        let principal = self.snapshot().owner_principal(principal).ok_or_else(|| {
            Fault::new(
                FaultCode::InvalidPrincipal,
                format!(
                    "{} names no principal",
                    owner_reference(principal).logical_name
                ),
            )
            .violation("Principal", "no such principal")
        })?;
        let facts = self.facts(table, id, record);
        let shares = self.shares_of(table, &facts)?;
        Ok(access_rights(
            &principal,
            self.directory().tree(),
            &facts.with_shares(&shares),
        ))
    }

    /// OW-4: the owner-to-be possesses the table's Read privilege.
    ///
    /// # Errors
    /// `TargetPrincipalLacksReadPrivilege`.
    pub fn require_may_own(&self, owner: Owner, table: &TableDefinition) -> Result<()> {
        let principal = self.snapshot().owner_principal(owner);
        let decision = match &principal {
            Some(principal) => may_own(principal, table.facts.code),
            None => Err(Denial::lacks(
                orgservice_security::PrincipalRole::Owner,
                owner.uuid(),
                Privilege::Table(table.facts.code, Right::Read),
            )),
        };
        decision.map_err(|denial| {
            let privilege = self.snapshot().privilege_name(denial.privilege);
            Fault::new(
                FaultCode::TargetPrincipalLacksReadPrivilege,
                format!("the owner {} lacks {privilege}", owner.uuid()),
            )
            .detail("principalId", owner.uuid())
            .detail("principalRole", denial.side.name())
            .detail("privilege", privilege)
            .detail("table", &table.logical_name)
        })
    }

    /// Which rows of a table the subject sees (AC-6): the Read privilege first, then the filter.
    ///
    /// Tables without privileges of their own show a row by the records it belongs to (PR-2).
    ///
    /// # Errors
    /// `PrivilegeDenied`.
    pub fn row_access(&self, table: &TableDefinition) -> Result<RowAccess> {
        if table.ownership() != TableOwnership::None {
            self.require(table, requirements::RETRIEVE)?;
            let scope = self
                .principals()
                .pair()
                .record_scope(self.directory().tree(), table.facts, Right::Read)
                .map_err(|denial| self.snapshot().refuse(&denial, Some(table)))?;
            if let Some(trace) = &self.trace {
                trace.borrow_mut().scope = Some(self.describe_scope(&scope));
            }
            return Ok(RowAccess::Scope(Box::new(scope)));
        }
        Ok(match &*table.logical_name {
            "privilege" | "privilegeobjecttypecodes" => RowAccess::Everyone,
            _ => RowAccess::Related,
        })
    }

    /// Step 8 for a Retrieve; tables without privileges of their own ask nothing here (PR-2).
    ///
    /// # Errors
    /// `PrivilegeDenied`.
    pub fn require_read(&self, table: &TableDefinition) -> Result<()> {
        match table.ownership() {
            TableOwnership::None => Ok(()),
            _ => self.require(table, requirements::RETRIEVE),
        }
    }

    /// Step 10 for a Retrieve: the Read right, or what stands for it on a table without privileges.
    ///
    /// # Errors
    /// `unManagedIdsAccessDenied`.
    pub fn access_row(&self, table: &TableDefinition, id: Uuid, record: &Record) -> Result<()> {
        if table.ownership() != TableOwnership::None {
            return self.access(table, id, record, requirements::RETRIEVE);
        }
        let shown = match self.row_access(table)? {
            RowAccess::Everyone => true,
            _ => self.related_readable(table, id, record)?,
        };
        if shown {
            return Ok(());
        }
        Err(Fault::new(
            FaultCode::AccessDenied,
            format!(
                "the records that {} {id} belongs to are not readable",
                table.logical_name
            ),
        )
        .detail("principalId", self.subject())
        .record(&table.logical_name, id))
    }

    /// PR-2: an intersection shows to whoever may read both records it joins, a share to whoever may
    /// read its record.
    ///
    /// # Errors
    /// What the store says.
    pub fn related_readable(
        &self,
        table: &TableDefinition,
        _id: Uuid,
        record: &Record,
    ) -> Result<bool> {
        for (end, id) in related_ends(table, record) {
            let Some(end) = end.and_then(|end| self.definitions().table(&end).cloned()) else {
                return Ok(false);
            };
            let readable = match (end.ownership(), self.find(&end, id)?) {
                (_, None) => false,
                (TableOwnership::None, Some(_)) => true,
                (_, Some(record)) => self.may(&end, id, &record, requirements::RETRIEVE)?,
            };
            if !readable {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the real caller (and the impersonated user, if any) holds the System Administrator
    /// role (`grpc.md` 3.3).
    ///
    /// # Errors
    /// `PrivilegeDenied` with metadata `role`.
    pub fn require_administrator(&self) -> Result<()> {
        let caller = self.caller();
        let sides = [
            (
                caller.authenticated,
                if caller.impersonated.is_some() {
                    "impersonator"
                } else {
                    "caller"
                },
            ),
            (caller.impersonated, "impersonated"),
        ];
        for (user, side) in sides {
            let Some(user) = user else { continue };
            if !self.directory().is_system_administrator(user) {
                return Err(Fault::new(
                    FaultCode::PrivilegeDenied,
                    format!("user {user} ({side}) lacks the role System Administrator"),
                )
                .detail("principalId", user)
                .detail("principalRole", side)
                .detail("role", "System Administrator"));
            }
        }
        Ok(())
    }

    fn shares_of(
        &self,
        table: &TableDefinition,
        facts: &RecordFacts<'_>,
    ) -> Result<Vec<orgservice_security::Share>> {
        match facts.id {
            Some(id) => self.shares(table, id),
            None => Ok(Vec::new()),
        }
    }

    fn refusal(&self, refusal: Refusal, table: &TableDefinition) -> Fault {
        match refusal {
            Refusal::Denial(denial) => self.snapshot().refuse(&denial, Some(table)),
            Refusal::Fault(fault) => fault,
        }
    }

    /// The same decision, right by right, with the grounds written down.
    fn explain_access(
        &self,
        table: &TableDefinition,
        facts: &RecordFacts<'_>,
        rights: &[Right],
    ) -> Result<()> {
        let shares = self.shares_of(table, facts)?;
        let facts = facts.with_shares(&shares);
        let pair = self.principals().pair();
        let tree = self.directory().tree();
        for &right in rights {
            let decision = pair.access(tree, right, &facts);
            let record = EntityReference {
                logical_name: table.logical_name.to_string(),
                id: facts.id,
                ..EntityReference::default()
            };
            let privilege = Privilege::Table(table.facts.code, right);
            self.note(privilege, Some(record), decision.as_ref().err(), || {
                pair.explain(tree, right, &facts).grounds
            });
            decision.map_err(|denial| self.snapshot().refuse(&denial, Some(table)))?;
        }
        Ok(())
    }

    fn note(
        &self,
        privilege: Privilege,
        record: Option<EntityReference>,
        denial: Option<&Denial>,
        grounds: impl FnOnce() -> Vec<Ground>,
    ) {
        let Some(trace) = &self.trace else { return };
        let subject_depth = self.principals().pair().depth(privilege);
        let grounds = grounds()
            .into_iter()
            .map(|ground| self.describe_ground(&ground))
            .collect();
        trace.borrow_mut().requirements.push(AccessRequirement {
            privilege: self.snapshot().privilege_name(privilege).to_owned(),
            right: match privilege {
                Privilege::Table(_, right) => Some(right),
                Privilege::Misc(_) => None,
            },
            record,
            granted: denial.is_none(),
            lacking: denial.map(|denial| denial.side),
            depth_held: denial.map_or(subject_depth, |denial| denial.depth_held),
            depth_needed: denial.and_then(|denial| denial.depth_needed),
            grounds,
        });
    }

    fn describe_ground(&self, ground: &Ground) -> AccessGround {
        AccessGround {
            kind: ground.kind,
            role: ground.role.map(|role| self.named("role", role.0)),
            holder: ground.holder.map(|holder| {
                let reference = owner_reference(holder);
                self.named(&reference.logical_name, holder.uuid())
            }),
            business_unit: ground
                .business_unit
                .map(|unit| self.named("businessunit", unit.0)),
            share_principal: ground
                .share_principal
                .map(|principal| self.describe_principal(principal)),
        }
    }

    fn describe_scope(&self, scope: &RecordScope) -> ScopeDescription {
        ScopeDescription {
            all: scope.all,
            owners: scope
                .owners
                .iter()
                .map(|&owner| {
                    let reference = owner_reference(owner);
                    self.named(&reference.logical_name, owner.uuid())
                })
                .collect(),
            business_units: scope
                .business_units
                .iter()
                .map(|unit| self.named("businessunit", unit.0))
                .collect(),
            shared_with: scope
                .shared_with
                .iter()
                .map(|&principal| self.describe_principal(principal))
                .collect(),
        }
    }

    fn describe_principal(&self, principal: SharePrincipal) -> EntityReference {
        let reference = self.snapshot().share_reference(principal);
        match reference.id {
            Some(id) => self.named(&reference.logical_name, id),
            None => reference,
        }
    }

    fn named(&self, table: &str, id: Uuid) -> EntityReference {
        EntityReference {
            name: self.directory().name(table, id),
            ..EntityReference::new(table, id)
        }
    }
}

/// The records that a row of a table without privileges belongs to: table and id of each.
fn related_ends(table: &TableDefinition, record: &Record) -> Vec<(Option<String>, Uuid)> {
    let id = |column: &str| match table
        .column(column)
        .and_then(|column| record.get(column.number))
    {
        Some(Value::Guid(id)) => Some(*id),
        Some(Value::EntityReference(reference)) => reference.id,
        _ => None,
    };
    if let Some((left, right)) = &table.intersect {
        // The id columns of an intersect table are named after the tables they point at.
        return [left, right]
            .into_iter()
            .map(|column| {
                let target = column.strip_suffix("id").map(str::to_owned);
                (target, id(column).unwrap_or_default())
            })
            .collect();
    }
    let object = match table
        .column("objecttypecode")
        .and_then(|column| record.get(column.number))
    {
        Some(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    vec![(object, id("objectid").unwrap_or_default())]
}

/// Why a decision did not allow: a denial, or the store could not tell.
enum Refusal {
    Denial(Denial),
    Fault(Fault),
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Refusal::Denial(denial)
    }
}
