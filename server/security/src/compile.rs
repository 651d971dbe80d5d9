//! Roles compiled into grants: one small [`Reach`] per privilege, so that a decision costs two
//! look-ups whether a user has one role or fifty (AC-0, AC-1, U-3).
//!
//! Most privileges of a user come from the same roles and share one reach. Most users have the
//! same roles as others of their business unit, and share everything compiled from them: what is
//! compiled names neither the user nor his business unit.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::principal::{Principal, RoleFacts, UserFacts};
use crate::reach::{Part, Reach};
use crate::types::{
    AccessMode, MiscPrivilege, ObjectTypeCode, Privilege, PrivilegeDepth, Right, RoleId, TeamId,
};

/// Makes principals of users, those with the same roles, teams and access mode sharing one
/// compiled form. With many users this saves most of the memory, and keeps what decisions read in
/// the processor's cache.
///
/// Roles are told apart by the [`Arc`] they come in, which the compiled form keeps alive. A role
/// that changes comes in a new one, so nothing stale is ever found; but what belonged to the old
/// one is only freed with the compiler. Keep one per snapshot of the directory.
pub struct PrincipalCompiler<F> {
    administrative: F,
    known: FxHashMap<Sources, Arc<Compiled>>,
}

/// What a compiled form depends on: the access mode, and the roles by address with their holders.
type Sources = (AccessMode, Vec<(Option<TeamId>, usize)>);

impl<F: Fn(ObjectTypeCode) -> bool> PrincipalCompiler<F> {
    /// A compiler; `administrative` tells which tables are administration tables (U-3).
    pub fn new(administrative: F) -> Self {
        Self {
            administrative,
            known: FxHashMap::default(),
        }
    }

    /// A user with its direct roles and those of its enabled role-holding teams (AC-0), masked by
    /// its access mode (U-3).
    pub fn user(&mut self, user: &UserFacts) -> Principal {
        let teams = user
            .teams
            .iter()
            .filter(|team| team.enabled && team.holds_roles);
        let through_teams = teams.flat_map(|team| {
            let roles = team.roles.iter();
            roles.map(|role| Assignment {
                role: Arc::clone(role),
                team: Some(team.id),
            })
        });
        let direct = user.roles.iter().map(Assignment::direct);
        let assignments: Vec<Assignment> = direct.chain(through_teams).collect();
        let sources = assignments.iter();
        let sources = sources
            .map(|held| (held.team, Arc::as_ptr(&held.role).addr()))
            .collect();
        let compiled = self
            .known
            .entry((user.access_mode, sources))
            .or_insert_with(|| {
                let counts = |privilege| match (user.access_mode, privilege) {
                    (AccessMode::Read, Privilege::Table(_, right)) => right == Right::Read,
                    (AccessMode::Administrative, Privilege::Table(table, _)) => {
                        (self.administrative)(table)
                    }
                    _ => true,
                };
                Arc::new(Compiled::new(assignments, counts))
            });
        Principal::with(user, Arc::clone(compiled))
    }
}

/// The grants of a principal, by privilege.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// Sorted; the table of each line of `lines`.
    tables: Vec<ObjectTypeCode>,
    /// Per right the index into `reaches`, or [`ABSENT`].
    lines: Vec<[u32; Right::ALL.len()]>,
    /// Sorted, each with its highest depth.
    misc: Vec<(MiscPrivilege, PrivilegeDepth)>,
    /// Sorted; those held through a role given directly.
    direct_misc: Vec<MiscPrivilege>,
    /// Each distinct reach once.
    reaches: Vec<Reach>,
    /// What it was compiled from, kept to explain decisions.
    assignments: Vec<Assignment>,
}

const ABSENT: u32 = u32::MAX;

/// A role and who holds it: the principal itself or one of its teams.
#[derive(Debug)]
pub(crate) struct Assignment {
    role: Arc<RoleFacts>,
    team: Option<TeamId>,
}

impl Assignment {
    /// A role given to the principal itself.
    pub(crate) fn direct(role: &Arc<RoleFacts>) -> Self {
        Self {
            role: Arc::clone(role),
            team: None,
        }
    }

    /// What the role containing a privilege at `depth` yields: its own grant and, held by a team
    /// and with member inheritance, the Basic one of the member (AC-0, R-5).
    fn parts(&self, depth: PrivilegeDepth) -> impl Iterator<Item = Part> {
        let own = Part {
            depth,
            team: self.team,
            anchor: Some(self.role.business_unit),
        };
        let inherits = self.team.is_some() && self.role.member_inheritance;
        let inherited = Part {
            depth: PrivilegeDepth::Basic,
            team: None,
            anchor: None,
        };
        std::iter::once(own).chain(inherits.then_some(inherited))
    }
}

impl Compiled {
    /// Compiles what `counts`.
    pub(crate) fn new(assignments: Vec<Assignment>, counts: impl Fn(Privilege) -> bool) -> Self {
        // (privilege, depth, index of the assignment), grouped by privilege.
        let mut held = Vec::new();
        for (index, assignment) in assignments.iter().enumerate() {
            let privileges = assignment.role.privileges.iter();
            let counted = privileges.filter(|(privilege, _)| counts(*privilege));
            held.extend(counted.map(|(privilege, depth)| (*privilege, (*depth, index))));
        }
        held.sort_unstable();
        held.dedup();

        let mut compiled = Self::default();
        // Privileges that come from the same roles at the same depths reach equally far.
        let mut known: FxHashMap<Vec<(PrivilegeDepth, usize)>, u32> = FxHashMap::default();
        let mut sources = Vec::new();
        for group in held.chunk_by(|(a, _), (b, _)| a == b) {
            sources.clear();
            sources.extend(group.iter().map(|(_, source)| *source));
            match group[0].0 {
                Privilege::Table(table, right) => {
                    let reach = match known.get(&sources) {
                        Some(reach) => *reach,
                        None => {
                            let parts = sources
                                .iter()
                                .flat_map(|(depth, index)| assignments[*index].parts(*depth));
                            let reach = compiled.reaches.len() as u32;
                            compiled.reaches.push(Reach::of(parts));
                            known.insert(sources.clone(), reach);
                            reach
                        }
                    };
                    if compiled.tables.last() != Some(&table) {
                        compiled.tables.push(table);
                        compiled.lines.push([ABSENT; Right::ALL.len()]);
                    }
                    if let Some(line) = compiled.lines.last_mut() {
                        line[right.index()] = reach;
                    }
                }
                Privilege::Misc(misc) => {
                    let depths = sources.iter().map(|(depth, _)| *depth);
                    compiled
                        .misc
                        .extend(depths.max().map(|depth| (misc, depth)));
                    let mut teams = sources.iter().map(|(_, index)| assignments[*index].team);
                    if teams.any(|team| team.is_none()) {
                        compiled.direct_misc.push(misc);
                    }
                }
            }
        }
        compiled.assignments = assignments;
        compiled
    }

    pub(crate) fn reach(&self, table: ObjectTypeCode, right: Right) -> Option<&Reach> {
        let line = self.tables.binary_search(&table).ok()?;
        // `ABSENT` is no index of `reaches`.
        self.reaches.get(self.lines[line][right.index()] as usize)
    }

    pub(crate) fn misc_depth(&self, misc: MiscPrivilege) -> Option<PrivilegeDepth> {
        let place = self
            .misc
            .binary_search_by_key(&misc, |(misc, _)| *misc)
            .ok()?;
        Some(self.misc[place].1)
    }

    pub(crate) fn privileges(&self) -> impl Iterator<Item = (Privilege, PrivilegeDepth)> {
        let of_tables = self
            .tables
            .iter()
            .zip(&self.lines)
            .flat_map(|(table, line)| {
                Right::ALL.into_iter().filter_map(|right| {
                    let reach = self.reaches.get(line[right.index()] as usize)?;
                    Some((Privilege::Table(*table, right), reach.depth()))
                })
            });
        let misc = self
            .misc
            .iter()
            .map(|(misc, depth)| (Privilege::Misc(*misc), *depth));
        of_tables.chain(misc)
    }

    pub(crate) fn holds_directly(&self, misc: MiscPrivilege) -> bool {
        self.direct_misc.binary_search(&misc).is_ok()
    }

    pub(crate) fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Every part that the roles yield for a privilege, masked or not.
    pub(crate) fn parts(&self, privilege: Privilege) -> impl Iterator<Item = (RoleId, Part)> {
        self.assignments.iter().flat_map(move |assignment| {
            let contained = assignment.role.privileges.iter();
            contained
                .filter(move |(contained, _)| *contained == privilege)
                .flat_map(|(_, depth)| assignment.parts(*depth))
                .map(|part| (assignment.role.id, part))
        })
    }
}
