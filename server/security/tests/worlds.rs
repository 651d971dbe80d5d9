//! From the reference's plain lists to the facts the crate reads, and worlds made at random.

use std::sync::Arc;

use fastrand::Rng;
use orgservice_security::*;
use uuid::Uuid;

use crate::reference::{Record, Role, Sharee, Team, Unit, User, Who, World};

/// A distinct id per kind and place. Multiplying by an odd number keeps ids distinct and mixes
/// their order, so that nothing can rely on ids being sorted like the lists.
fn id(kind: u128, place: usize) -> Uuid {
    let plain = kind << 64 | (place as u128 + 1);
    Uuid::from_u128(plain.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

pub fn unit_id(place: usize) -> BusinessUnitId {
    BusinessUnitId(id(1, place))
}

pub fn user_id(place: usize) -> UserId {
    UserId(id(2, place))
}

pub fn team_id(place: usize) -> TeamId {
    TeamId(id(3, place))
}

pub fn role_id(place: usize) -> RoleId {
    RoleId(id(4, place))
}

pub fn record_id(place: usize) -> Uuid {
    id(5, place)
}

pub fn owner_of(who: Who) -> Owner {
    match who {
        Who::User(user) => Owner::User(user_id(user)),
        Who::Team(team) => Owner::Team(team_id(team)),
    }
}

impl World {
    pub fn tree(&self) -> BusinessUnitTree {
        let units = self.units.iter().enumerate();
        BusinessUnitTree::new(units.map(|(place, unit)| (unit_id(place), unit.parent.map(unit_id))))
    }

    /// All roles, each in the one [`Arc`] that everybody who holds it shares.
    pub fn role_facts(&self) -> Vec<Arc<RoleFacts>> {
        let roles = self.roles.iter().enumerate();
        let facts = roles.map(|(place, role)| RoleFacts {
            id: role_id(place),
            business_unit: unit_id(role.unit),
            member_inheritance: role.is_inherited,
            privileges: role.privileges.as_slice().into(),
        });
        facts.map(Arc::new).collect()
    }

    fn team_facts(&self, place: usize, roles: &[Arc<RoleFacts>]) -> TeamFacts {
        let team = &self.teams[place];
        TeamFacts {
            id: team_id(place),
            business_unit: unit_id(team.unit),
            enabled: !self.units[team.unit].disabled,
            holds_roles: team.holds_roles,
            roles: team
                .roles
                .iter()
                .map(|role| Arc::clone(&roles[*role]))
                .collect(),
        }
    }

    pub fn user_facts(&self, place: usize, roles: &[Arc<RoleFacts>]) -> UserFacts {
        let user = &self.users[place];
        let teams = user.teams.iter();
        UserFacts {
            id: user_id(place),
            business_unit: unit_id(user.unit),
            access_mode: user.mode,
            roles: user
                .roles
                .iter()
                .map(|role| Arc::clone(&roles[*role]))
                .collect(),
            teams: teams
                .map(|team| Arc::new(self.team_facts(*team, roles)))
                .collect(),
        }
    }

    pub fn compiler(&self) -> PrincipalCompiler<impl Fn(ObjectTypeCode) -> bool> {
        PrincipalCompiler::new(|code| {
            self.tables
                .iter()
                .any(|table| table.code == code && table.administrative)
        })
    }

    pub fn principal(&self, who: Who) -> Principal {
        let roles = self.role_facts();
        match who {
            Who::Team(team) => Principal::for_team(&self.team_facts(team, &roles)),
            Who::User(user) => self.compiler().user(&self.user_facts(user, &roles)),
        }
    }

    pub fn user(&self, place: usize) -> Principal {
        self.principal(Who::User(place))
    }

    /// The record's shares as the crate reads them.
    pub fn shares(&self, record: &Record) -> Vec<Share> {
        let shares = record.shares.iter();
        shares
            .map(|(sharee, rights)| Share {
                principal: match sharee {
                    Sharee::Organization => SharePrincipal::Organization,
                    Sharee::Who(who) => owner_of(*who).into(),
                },
                rights: *rights,
            })
            .collect()
    }

    /// The record as the crate reads it.
    pub fn facts<'a>(&self, id: Uuid, record: &Record, shares: &'a [Share]) -> RecordFacts<'a> {
        RecordFacts {
            table: self.tables[record.table],
            id: Some(id),
            owner: record.owner.map(owner_of),
            business_unit: record.unit.map(unit_id),
            shares,
        }
    }

    /// Adds a role copy in a unit.
    pub fn add_role(
        &mut self,
        unit: usize,
        is_inherited: bool,
        privileges: Vec<(Privilege, PrivilegeDepth)>,
    ) -> usize {
        self.roles.push(Role {
            unit,
            is_inherited,
            privileges,
        });
        self.roles.len() - 1
    }

    /// Adds a user with every table privilege of the world and the right to impersonate, all at
    /// the highest depth: a System Administrator.
    pub fn add_administrator(&mut self) -> usize {
        let tables = self.tables.iter();
        let mut privileges: Vec<_> = tables
            .flat_map(|table| {
                let rights = table.privileges();
                rights.map(|right| (Privilege::Table(table.code, right), PrivilegeDepth::Global))
            })
            .collect();
        let act = Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER);
        privileges.push((act, PrivilegeDepth::Global));
        let role = self.add_role(0, true, privileges);
        let mode = AccessMode::ReadWrite;
        self.users.push(User {
            unit: 0,
            mode,
            roles: vec![role],
            teams: vec![],
        });
        self.users.len() - 1
    }
}

/// A chance of `percent` in a hundred.
pub fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

fn pick_table(rng: &mut Rng, code: u32) -> TableFacts {
    use TableOwnership::{BusinessOwned, OrganizationOwned, UserOwned};
    let plain = ObjectTypeCode(code);
    let mut table = match rng.u32(0..16) {
        0..10 => TableFacts::new(plain, UserOwned),
        10..12 => TableFacts::new(plain, OrganizationOwned),
        12..14 => TableFacts::new(plain, BusinessOwned),
        14 => TableFacts::new(ObjectTypeCode::ORGANIZATION, TableOwnership::None),
        _ if code == 1 => TableFacts::new(ObjectTypeCode::BUSINESS_UNIT, BusinessOwned),
        _ => TableFacts::new(ObjectTypeCode::ROLE, BusinessOwned),
    };
    table.administrative = chance(rng, 30);
    table
}

pub fn random_privileges(rng: &mut Rng, tables: &[TableFacts]) -> Vec<(Privilege, PrivilegeDepth)> {
    let mut privileges = Vec::new();
    for table in tables {
        let density = rng.u32(40..95);
        for right in table.privileges() {
            if chance(rng, density) {
                let depths = table.depths(right);
                // Low depths more often: a Global grant hides everything else.
                let depth = depths[rng.usize(..depths.len()).min(rng.usize(..depths.len()))];
                privileges.push((Privilege::Table(table.code, right), depth));
            }
        }
    }
    if chance(rng, 30) {
        let act = Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER);
        privileges.push((act, PrivilegeDepth::Global));
    }
    rng.shuffle(&mut privileges);
    privileges
}

/// Up to `most` of `count` places, without repetition.
fn some(rng: &mut Rng, count: usize, most: usize) -> Vec<usize> {
    let wanted = rng.usize(0..=most.min(count));
    rng.choose_multiple(0..count, wanted)
}

pub fn random_sharee(rng: &mut Rng, world: &World) -> Sharee {
    match rng.u32(0..8) {
        0 => Sharee::Organization,
        1..4 => Sharee::Who(Who::Team(rng.usize(..world.teams.len()))),
        _ => Sharee::Who(Who::User(rng.usize(..world.users.len()))),
    }
}

pub fn random_rights(rng: &mut Rng) -> AccessRights {
    AccessRights::from_bits_truncate(rng.u32(..)) & AccessRights::ALL_RECORD_RIGHTS
}

/// A small organization with everything in it that a decision can depend on. Small, because
/// coincidences (own team, same unit, both shared) are what goes wrong.
pub fn random(rng: &mut Rng) -> World {
    let mut world = World::default();
    for place in 0..rng.usize(1..=6) {
        let parent = (place > 0).then(|| rng.usize(..place));
        world.units.push(Unit {
            parent,
            disabled: chance(rng, 12),
        });
    }
    world.tables = vec![pick_table(rng, 1), pick_table(rng, 2)];
    if world.tables[0].code == world.tables[1].code {
        world.tables.truncate(1);
    }
    let units = world.units.len();
    for _ in 0..rng.usize(1..=4) {
        let unit = rng.usize(..units);
        let privileges = random_privileges(rng, &world.tables);
        world.add_role(unit, rng.bool(), privileges);
    }
    for _ in 0..rng.usize(1..=3) {
        let roles = some(rng, world.roles.len(), 2);
        let holds_roles = chance(rng, 75);
        world.teams.push(Team {
            unit: rng.usize(..units),
            holds_roles,
            roles,
        });
    }
    for _ in 0..rng.usize(2..=3) {
        let mode = match rng.u32(0..12) {
            0 => AccessMode::Administrative,
            1 => AccessMode::Read,
            2 => AccessMode::NonInteractive,
            _ => AccessMode::ReadWrite,
        };
        let roles = some(rng, world.roles.len(), 2);
        let teams = some(rng, world.teams.len(), 2);
        world.users.push(User {
            unit: rng.usize(..units),
            mode,
            roles,
            teams,
        });
    }
    for _ in 0..3 {
        let record = random_record(rng, &world);
        world.records.push(record);
    }
    world
}

pub fn random_record(rng: &mut Rng, world: &World) -> Record {
    let table = rng.usize(..world.tables.len());
    let any_unit = rng.usize(..world.units.len());
    let mut record = Record {
        table,
        owner: None,
        unit: None,
        shares: Vec::new(),
    };
    match world.tables[table].ownership {
        TableOwnership::UserOwned => {
            let (owner, home) = if chance(rng, 35) {
                let team = rng.usize(..world.teams.len());
                (Who::Team(team), world.teams[team].unit)
            } else {
                let user = rng.usize(..world.users.len());
                (Who::User(user), world.users[user].unit)
            };
            record.owner = Some(owner);
            // Mostly the owner's unit, else ownership across business units (§9.4).
            record.unit = Some(if chance(rng, 75) { home } else { any_unit });
            for _ in 0..rng.usize(0..=2) {
                // Create among the bits, which no share is given and no decision may heed.
                let rights = AccessRights::from_bits_truncate(rng.u32(..));
                record.shares.push((random_sharee(rng, world), rights));
            }
        }
        TableOwnership::BusinessOwned => record.unit = Some(any_unit),
        TableOwnership::OrganizationOwned | TableOwnership::None => {}
    }
    record
}

/// The seed of a run: from `ORGSERVICE_SEED`, else new. World number n of a run has the seed of
/// the run plus n, so a failure is repeated by giving the world's seed.
pub fn seed(test: &str) -> u64 {
    let given = std::env::var("ORGSERVICE_SEED").ok();
    let seed = given.map_or_else(
        || fastrand::u64(..u64::MAX / 2),
        |seed| seed.parse().unwrap(),
    );
    println!("{test}: ORGSERVICE_SEED={seed}");
    seed
}

/// Runs a check on `count` random worlds; a failure names the seed of its world.
pub fn for_worlds(test: &str, count: u64, check: impl Fn(&mut Rng, World)) {
    let seed = seed(test);
    for seed in seed..seed + count {
        let _guard = NameSeed(test, seed);
        let mut rng = Rng::with_seed(seed);
        let world = random(&mut rng);
        check(&mut rng, world);
    }
}

/// Prints the seed of the world in which a check panics.
pub struct NameSeed<'a>(pub &'a str, pub u64);

impl Drop for NameSeed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}: failed in the world of ORGSERVICE_SEED={}",
                self.0, self.1
            );
        }
    }
}
