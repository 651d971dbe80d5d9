//! The fixture of §13 and its notation: `account[CRWPT:l, D:u]` is a role, `Delegate` the role of
//! that name. Every question is put to the crate and to the reference, which must agree.

use orgservice_security::*;

use crate::properties::outcome;
use crate::reference::{
    self, Authenticated, Outcome, Record, Sharee, Team, Unit, User, Who, World,
};
use crate::worlds::{owner_of, record_id, unit_id};

pub const ROOT: usize = 0;
pub const SALES: usize = 1;
pub const NORTH: usize = 2;
pub const SOUTH: usize = 3;
pub const SVC: usize = 4;
pub const SVC1: usize = 5;

const ACCOUNT: usize = 0;
const CONTACT: usize = 1;
const RATE: usize = 2;
pub const TABLES: [(&str, TableFacts); 3] = [
    (
        "account",
        TableFacts::new(ObjectTypeCode(1), TableOwnership::UserOwned),
    ),
    (
        "contact",
        TableFacts::new(ObjectTypeCode(2), TableOwnership::UserOwned),
    ),
    (
        "x_rate",
        TableFacts::new(ObjectTypeCode(10_000), TableOwnership::OrganizationOwned),
    ),
];

/// The outcomes of §13 by their short names.
pub const ALLOW: Outcome = Ok(());
/// Privilege denied, nobody impersonated.
pub const PD: Outcome = Err((DenialKind::PrivilegeDenied, PrincipalRole::Caller));
/// Privilege denied, because the impersonator lacks it.
pub const PD_IMPERSONATOR: Outcome =
    Err((DenialKind::PrivilegeDenied, PrincipalRole::Impersonator));
/// Privilege denied, because the impersonated user lacks it.
pub const PD_IMPERSONATED: Outcome =
    Err((DenialKind::PrivilegeDenied, PrincipalRole::Impersonated));
/// Access denied, nobody impersonated.
pub const AD: Outcome = Err((DenialKind::AccessDenied, PrincipalRole::Caller));
/// Access denied to the impersonated user.
pub const AD_IMPERSONATED: Outcome = Err((DenialKind::AccessDenied, PrincipalRole::Impersonated));

/// `ROOT ⟶ {SALES ⟶ {NORTH, SOUTH}, SVC ⟶ {SVC1}}` and whoever a test adds.
pub struct Fixture {
    pub world: World,
}

impl Fixture {
    pub fn new() -> Self {
        let parents = [
            None,
            Some(ROOT),
            Some(SALES),
            Some(SALES),
            Some(ROOT),
            Some(SVC),
        ];
        let units = parents.map(|parent| Unit {
            parent,
            disabled: false,
        });
        let tables = TABLES.map(|(_, table)| table);
        Self {
            world: World {
                units: units.into(),
                tables: tables.into(),
                ..World::default()
            },
        }
    }

    /// Reads `account[CRW:u, D:l] Delegate`.
    pub fn privileges(notation: &str) -> Vec<(Privilege, PrivilegeDepth)> {
        let mut privileges = Vec::new();
        for role in notation
            .split_inclusive([']'])
            .flat_map(|part| part.split("Delegate "))
        {
            let role = role.trim();
            if role.is_empty() || role == "Delegate" {
                continue;
            }
            let (name, grants) = role.trim_end_matches(']').split_once('[').unwrap();
            let (_, table) = TABLES.iter().find(|(table, _)| *table == name).unwrap();
            for grant in grants.split(", ") {
                let (letters, depth) = grant.split_once(':').unwrap();
                let depth = match depth {
                    "u" => PrivilegeDepth::Basic,
                    "l" => PrivilegeDepth::Local,
                    "d" => PrivilegeDepth::Deep,
                    "o" => PrivilegeDepth::Global,
                    other => panic!("no depth {other}"),
                };
                for letter in letters.chars() {
                    let mut rights = Right::ALL.into_iter();
                    let right = rights.find(|right| right.letter() == letter).unwrap();
                    privileges.push((Privilege::Table(table.code, right), depth));
                }
            }
        }
        if notation.contains("Delegate") {
            let act = Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER);
            privileges.push((act, PrivilegeDepth::Global));
        }
        privileges
    }

    pub fn user(&mut self, unit: usize, notation: &str) -> usize {
        let mut roles = Vec::new();
        if !notation.is_empty() {
            roles.push(self.world.add_role(unit, true, Self::privileges(notation)));
        }
        let mode = AccessMode::ReadWrite;
        self.world.users.push(User {
            unit,
            mode,
            roles,
            teams: vec![],
        });
        self.world.users.len() - 1
    }

    /// Gives a user one more role.
    pub fn give(&mut self, user: usize, notation: &str) {
        let unit = self.world.users[user].unit;
        let role = self.world.add_role(unit, true, Self::privileges(notation));
        self.world.users[user].roles.push(role);
    }

    /// An owner team with one role, or without.
    pub fn team(
        &mut self,
        unit: usize,
        notation: &str,
        is_inherited: bool,
        members: &[usize],
    ) -> usize {
        let mut roles = Vec::new();
        if !notation.is_empty() {
            roles.push(
                self.world
                    .add_role(unit, is_inherited, Self::privileges(notation)),
            );
        }
        self.world.teams.push(Team {
            unit,
            holds_roles: true,
            roles,
        });
        let team = self.world.teams.len() - 1;
        for member in members {
            self.world.users[*member].teams.push(team);
        }
        team
    }

    pub fn access_team(&mut self, unit: usize, members: &[usize]) -> usize {
        let team = self.team(unit, "", true, members);
        self.world.teams[team].holds_roles = false;
        team
    }

    fn add(&mut self, table: usize, owner: Option<Who>) -> usize {
        let unit = owner.map(|owner| match owner {
            Who::User(user) => self.world.users[user].unit,
            Who::Team(team) => self.world.teams[team].unit,
        });
        self.world.records.push(Record {
            table,
            owner,
            unit,
            shares: vec![],
        });
        self.world.records.len() - 1
    }

    /// `rec(user)`: an account owned by a user.
    pub fn rec(&mut self, user: usize) -> usize {
        self.add(ACCOUNT, Some(Who::User(user)))
    }

    pub fn rec_of_team(&mut self, team: usize) -> usize {
        self.add(ACCOUNT, Some(Who::Team(team)))
    }

    pub fn contact(&mut self, user: usize) -> usize {
        self.add(CONTACT, Some(Who::User(user)))
    }

    pub fn rate(&mut self) -> usize {
        self.add(RATE, None)
    }

    pub fn share(&mut self, record: usize, with: Who, rights: AccessRights) {
        self.world.records[record]
            .shares
            .push((Sharee::Who(with), rights));
    }

    /// A user alone.
    pub fn ask(&self, user: usize, right: Right, record: usize) -> Outcome {
        self.denial(user, user, &[right], record)
            .map_err(|denial| (denial.kind, denial.side))
    }

    /// A user alone, several rights on one record.
    pub fn ask_all(&self, user: usize, rights: &[Right], record: usize) -> Result<(), Denial> {
        self.denial(user, user, rights, record)
    }

    /// `a` on behalf of `b`, the right to do so included (IM-3).
    pub fn on_behalf(&self, a: usize, b: usize, right: Right, record: usize) -> Outcome {
        self.denial(a, b, &[right], record)
            .map_err(|denial| (denial.kind, denial.side))
    }

    /// `a` on behalf of `b`, with everything that a refusal tells.
    pub fn denial(
        &self,
        a: usize,
        b: usize,
        rights: &[Right],
        record: usize,
    ) -> Result<(), Denial> {
        let world = &self.world;
        let (first, second) = (world.user(a), world.user(b));
        let id = record_id(record);
        let record = &world.records[record];
        let shares = world.shares(record);
        let facts = world.facts(id, record, &shares);
        let may = if a == b {
            Ok(())
        } else {
            authorize_impersonation(&first)
        };
        let caller = Caller::on_behalf_of(&first, &second);
        let decided = may.and_then(|()| caller.decide_all(&world.tree(), rights, &facts));
        if a != b {
            assert_eq!(may.is_ok(), reference::may_act_on_behalf(world, a));
        }
        if let ([right], Ok(())) = (rights, may) {
            let pair = Authenticated::Other(a);
            let expected = reference::allow(world, pair, Who::User(b), *right, record);
            assert_eq!(outcome(decided), expected, "the reference");
        }
        decided
    }

    /// A trusted identity without a user row on behalf of `b` (IM-4).
    pub fn host(&self, b: usize, right: Right, record: usize) -> Outcome {
        let world = &self.world;
        let second = world.user(b);
        let record = &world.records[record];
        let facts = world.facts(record_id(0), record, &[]);
        outcome(Caller::trusted_host_for(&second).decide(&world.tree(), right, &facts))
    }

    /// Who `a` is when a member of the trusted group: IM-3 is not asked, the rest is (IM-4).
    pub fn trusted(&self, a: usize, b: usize, right: Right, record: usize) -> Outcome {
        let world = &self.world;
        let (first, second) = (world.user(a), world.user(b));
        let record = &world.records[record];
        let facts = world.facts(record_id(0), record, &[]);
        outcome(Caller::on_behalf_of(&first, &second).decide(&world.tree(), right, &facts))
    }

    /// The rows of account that RetrieveMultiple shows `a` on behalf of `b`.
    pub fn rows(&self, a: usize, b: usize, table: usize) -> Result<usize, Denial> {
        let world = &self.world;
        let (tree, first, second) = (world.tree(), world.user(a), world.user(b));
        let caller = Caller::on_behalf_of(&first, &second);
        let scope = caller.record_scope(&tree, world.tables[table], Right::Read)?;
        let records = world.records.iter().filter(|record| record.table == table);
        Ok(records
            .filter(|record| {
                let shares = world.shares(record);
                scope.admits(&world.facts(record_id(0), record, &shares))
            })
            .count())
    }

    /// Whether `user` may create an account owned by `owner` (AC-5).
    pub fn create_for(&mut self, user: usize, owner: Who) -> Outcome {
        let prospective = self.add(ACCOUNT, Some(owner));
        let outcome = self.ask(user, Right::Create, prospective);
        self.world.records.pop();
        outcome
    }

    /// Whether `who` may own accounts (OW-4).
    pub fn may_own(&self, who: Who) -> bool {
        let principal = self.world.principal(who);
        let refusal = may_own(&principal, TABLES[ACCOUNT].1.code).err();
        if let Some(refusal) = refusal {
            assert_eq!(
                (refusal.side, refusal.principal),
                (PrincipalRole::Owner, owner_of(who).uuid())
            );
        }
        refusal.is_none()
    }

    pub fn re_parent(&mut self, unit: usize, parent: usize) {
        assert!(!self.world.tree().would_loop(unit_id(unit), unit_id(parent)));
        self.world.units[unit].parent = Some(parent);
    }
}
