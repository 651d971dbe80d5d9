//! Definitions, directory and compiled principals of one moment, swapped as a whole.
//!
//! A request loads it once, so table definitions and rights come from the same commit as the data
//! it reads. Compiled principals are cached inside the snapshot: a cache keyed by version that
//! nobody ever has to invalidate (TX-3).

use std::{fmt, sync::Arc};

use orgservice_security::{
    Denial, DenialKind, ObjectTypeCode, Owner, Principal, PrincipalCompiler, Privilege,
    SharePrincipal, TeamId, UserId, authorize_impersonation,
};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::{
    directory::{Directory, RoleCache, SYSTEM_USER},
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{Definitions, TableDefinition},
    model::EntityReference,
};

/// What every request needs to know beside the records themselves.
#[derive(Debug)]
pub struct Snapshot {
    /// Number of changes to the directory so far; equal to the store's own count.
    version: u64,
    definitions: Arc<Definitions>,
    directory: Directory,
    principals: Cache<UserId, Arc<Principal>>,
    compiler: Mutex<Compiler>,
}

/// Makes principals, users with the same roles sharing most of it.
struct Compiler {
    roles: RoleCache,
    principals: PrincipalCompiler<Box<dyn Fn(ObjectTypeCode) -> bool + Send>>,
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiler")
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// A snapshot of a version.
    pub fn new(version: u64, definitions: Arc<Definitions>, directory: Directory) -> Self {
        let principals = Cache::new(limits::PRINCIPAL_CACHE_ENTRIES);
        let tables = Arc::clone(&definitions);
        let administrative: Box<dyn Fn(ObjectTypeCode) -> bool + Send> = Box::new(move |code| {
            tables
                .table_by_code(code)
                .is_some_and(|table| table.facts.administrative)
        });
        let compiler = Mutex::new(Compiler {
            roles: RoleCache::default(),
            principals: PrincipalCompiler::new(administrative),
        });
        Snapshot {
            version,
            definitions,
            directory,
            principals,
            compiler,
        }
    }

    /// The next version: this one with the directory changed by `edit`.
    pub fn changed(&self, version: u64, edit: impl FnOnce(&Definitions, &mut Directory)) -> Self {
        let mut directory = self.directory.clone();
        edit(&self.definitions, &mut directory);
        Snapshot::new(version, Arc::clone(&self.definitions), directory)
    }

    /// Number of changes to the directory so far.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Tables and relationships.
    pub fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// Users, teams, roles and business units.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What the decision knows of a user, compiled once per snapshot.
    ///
    /// # Errors
    /// `UserNotMemberOfOrg` when there is no such user.
    pub fn principal(&self, user: UserId) -> Result<Arc<Principal>> {
        if let Some(principal) = self.principals.get(&user) {
            return Ok(principal);
        }
        let principal = Arc::new(self.compile(user).ok_or_else(|| {
            Fault::new(
                FaultCode::UserNotMemberOfOrg,
                format!("user {user} does not exist"),
            )
        })?);
        self.principals.insert(user, Arc::clone(&principal));
        Ok(principal)
    }

    fn compile(&self, user: UserId) -> Option<Principal> {
        if user == SYSTEM_USER {
            return Some(Principal::system(user));
        }
        let mut compiler = self.compiler.lock();
        let facts = self.directory.user_facts(user, &mut compiler.roles)?;
        Some(compiler.principals.user(&facts))
    }

    /// IM-3: a role assigned directly to the user holds prvActOnBehalfOfAnotherUser.
    ///
    /// # Errors
    /// `PrivilegeDenied` with the finer reason `CannotActOnBehalfOfAnotherUser`.
    pub fn require_impersonation(&self, user: UserId) -> Result<()> {
        let principal = self.principal(user)?;
        authorize_impersonation(&principal).map_err(|denial| {
            self.refuse(&denial, None)
                .detail("reason", "CannotActOnBehalfOfAnotherUser")
        })
    }

    /// The fault of a denial: who lacked what, by name (`security.md` 11).
    ///
    /// `table` is the record's own table; the denial itself knows the one whose privileges guard it,
    /// which for activities is another.
    pub fn refuse(&self, denial: &Denial, table: Option<&TableDefinition>) -> Fault {
        let catalog = self.definitions.privileges();
        let privilege = catalog.name(denial.privilege);
        let side = denial.side.name();
        let mut fault = match denial.kind {
            DenialKind::PrivilegeDenied => Fault::new(
                FaultCode::PrivilegeDenied,
                format!("user {} ({side}) lacks {privilege}", denial.principal),
            ),
            DenialKind::AccessDenied => {
                let right = denial.right.map_or("access", |right| right.name());
                let reach = match (denial.depth_held, denial.depth_needed) {
                    (Some(held), Some(needed)) => {
                        format!(": {privilege} is held at {held}, {needed} is needed")
                    }
                    _ => String::new(),
                };
                Fault::new(
                    FaultCode::AccessDenied,
                    format!(
                        "user {} ({side}) has no {right} access to the record{reach}",
                        denial.principal
                    ),
                )
            }
        };
        fault = fault
            .detail("privilege", privilege)
            .detail("principalId", denial.principal)
            .detail("principalRole", side);
        if let Some(right) = denial.right {
            fault = fault.detail("right", right.name());
        }
        if let Some(held) = denial.depth_held {
            fault = fault.detail("depthHeld", held);
        }
        if let Some(needed) = denial.depth_needed {
            fault = fault.detail("depthNeeded", needed);
        }
        let own_table = table.map(|table| Arc::clone(&table.logical_name));
        let guarded = || {
            denial
                .table
                .and_then(|code| self.definitions.table_by_code(code))
                .map(|table| Arc::clone(&table.logical_name))
        };
        if let Some(name) = own_table.or_else(guarded) {
            fault = fault.detail("table", name);
        }
        if let Some(id) = denial.record {
            fault = fault.detail("id", id);
        }
        fault
    }

    /// What the decision knows of a user or team as the owner or receiver of something.
    pub fn owner_principal(&self, owner: Owner) -> Option<Arc<Principal>> {
        match owner {
            Owner::User(id) => {
                self.directory.user(id)?;
                self.principal(id).ok()
            }
            Owner::Team(id) => {
                let mut compiler = self.compiler.lock();
                let facts = self.directory.team_facts(id, &mut compiler.roles)?;
                Some(Arc::new(Principal::for_team(&facts)))
            }
        }
    }

    /// A principal of a share as a reference.
    pub fn share_reference(&self, principal: SharePrincipal) -> EntityReference {
        match principal {
            SharePrincipal::User(UserId(id)) => EntityReference::new("systemuser", id),
            SharePrincipal::Team(TeamId(id)) => EntityReference::new("team", id),
            SharePrincipal::Organization => {
                EntityReference::new("organization", self.directory.organization().id)
            }
        }
    }

    /// The principal of a share row, by its id alone.
    pub fn share_principal(&self, id: Uuid) -> SharePrincipal {
        if self.directory.organization().id == id {
            SharePrincipal::Organization
        } else if self.directory.team(TeamId(id)).is_some() {
            SharePrincipal::Team(TeamId(id))
        } else {
            SharePrincipal::User(UserId(id))
        }
    }

    /// The name of a privilege (`prvReadAccount`).
    pub fn privilege_name(&self, privilege: Privilege) -> &str {
        self.definitions.privileges().name(privilege)
    }
}

/// An owner as a reference.
pub fn owner_reference(owner: Owner) -> EntityReference {
    match owner {
        Owner::User(UserId(id)) => EntityReference::new("systemuser", id),
        Owner::Team(TeamId(id)) => EntityReference::new("team", id),
    }
}
