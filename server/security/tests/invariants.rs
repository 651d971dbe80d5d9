//! The ten invariants of §12.1, each on random worlds. Those about stored effects are asked of
//! the decisions that guard the effects.

use fastrand::Rng;
use orgservice_security::*;

use crate::reference::{self, Authenticated, Record, Sharee, User, Who, World};
use crate::worlds::{
    chance, for_worlds, random_privileges, random_record, random_rights, random_sharee, record_id,
    unit_id, user_id,
};

const WORLDS: u64 = 30_000;

/// Every decision that A on behalf of B, or alone if they are one, meets in a world: per record
/// and right.
fn decisions(world: &World, a: usize, b: usize) -> Vec<Result<(), Denial>> {
    let (tree, a, b) = (world.tree(), world.user(a), world.user(b));
    let caller = Caller::on_behalf_of(&a, &b);
    let mut decisions = Vec::new();
    for (place, record) in world.records.iter().enumerate() {
        let shares = world.shares(record);
        let facts = world.facts(record_id(place), record, &shares);
        decisions.extend(Right::ALL.map(|right| caller.decide(&tree, right, &facts)));
    }
    decisions
}

/// Asserts that no decision allowed `before` is refused `after`, and returns how many were
/// refused and are allowed now.
fn only_more(before: &[Result<(), Denial>], after: &[Result<(), Denial>]) -> usize {
    for (before, after) in before.iter().zip(after) {
        assert!(
            before.is_err() || after.is_ok(),
            "allowed before, now {after:?}"
        );
    }
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.is_err() && after.is_ok())
        .count()
}

fn user(rng: &mut Rng, world: &World) -> usize {
    rng.usize(..world.users.len())
}

#[test]
fn invariant_01_impersonation_never_widens_the_impersonated_user() {
    for_worlds("invariant 1", WORLDS, |rng, world| {
        let (a, b) = (user(rng, &world), user(rng, &world));
        only_more(&decisions(&world, a, b), &decisions(&world, b, b));
    });
}

#[test]
fn invariant_02_only_the_possession_of_the_impersonator_matters() {
    for_worlds("invariant 2", WORLDS, |rng, mut world| {
        let (a, b) = (user(rng, &world), user(rng, &world));
        if a == b {
            return;
        }
        let before = decisions(&world, a, b);
        let possessed: Vec<Privilege> = world.user(a).privileges().map(|(p, _)| p).collect();

        // The same privileges at other depths, from elsewhere, without any team.
        let unit = rng.usize(..world.units.len());
        let mut privileges = Vec::new();
        for privilege in possessed {
            let depths = match privilege {
                Privilege::Misc(_) => &PrivilegeDepth::ALL,
                Privilege::Table(code, right) => {
                    let mut tables = world.tables.iter();
                    tables
                        .find(|table| table.code == code)
                        .unwrap()
                        .depths(right)
                }
            };
            privileges.push((privilege, depths[rng.usize(..depths.len())]));
        }
        let role = world.add_role(unit, rng.bool(), privileges);
        let mode = world.users[a].mode;
        world.users[a] = User {
            unit,
            mode,
            roles: vec![role],
            teams: vec![],
        };
        // Another owner for what A owned, other shares for A.
        world.users.push(User {
            unit,
            mode,
            roles: vec![],
            teams: vec![],
        });
        let stranger = Who::User(world.users.len() - 1);
        for record in &mut world.records {
            if record.owner == Some(Who::User(a)) {
                record.owner = Some(stranger);
            }
            record
                .shares
                .retain(|(sharee, _)| *sharee != Sharee::Who(Who::User(a)));
            if record.owner.is_some() && rng.bool() {
                record
                    .shares
                    .push((Sharee::Who(Who::User(a)), AccessRights::ALL_RECORD_RIGHTS));
            }
        }
        assert_eq!(decisions(&world, a, b), before);
    });
}

#[test]
fn invariant_03_an_administrator_on_behalf_of_a_user_is_that_user() {
    for_worlds("invariant 3", WORLDS, |rng, mut world| {
        let b = user(rng, &world);
        let administrator = world.add_administrator();
        let outcomes = |decisions: Vec<Result<(), Denial>>| {
            decisions
                .into_iter()
                .map(|decided| decided.map_err(|denial| denial.kind))
        };
        let alone = outcomes(decisions(&world, b, b));
        assert!(outcomes(decisions(&world, administrator, b)).eq(alone));

        // So is a trusted host (IM-4), to the letter but for the side.
        let principal = world.user(b);
        let host = Caller::trusted_host_for(&principal);
        let (tree, record) = (world.tree(), &world.records[0]);
        let shares = world.shares(record);
        let facts = world.facts(record_id(0), record, &shares);
        for right in Right::ALL {
            let alone = Caller::direct(&principal).decide(&tree, right, &facts);
            let side = PrincipalRole::Impersonated;
            let expected = alone.map_err(|denial| Denial { side, ..denial });
            assert_eq!(host.decide(&tree, right, &facts), expected);
        }
    });
}

#[test]
fn invariant_04_on_behalf_of_oneself_is_no_impersonation() {
    for_worlds("invariant 4", WORLDS, |rng, world| {
        let user = world.user(user(rng, &world));
        let same = user.clone();
        let caller = Caller::on_behalf_of(&user, &same);
        assert!(caller.impersonated().is_none());
        assert_eq!(caller.authenticated().map(Principal::id), Some(user.id()));
        let (tree, record) = (world.tree(), &world.records[0]);
        let shares = world.shares(record);
        let facts = world.facts(record_id(0), record, &shares);
        for right in Right::ALL {
            let alone = Caller::direct(&user).decide(&tree, right, &facts);
            assert_eq!(caller.decide(&tree, right, &facts), alone);
        }
    });
}

#[test]
fn invariant_05_more_roles_memberships_and_shares_never_refuse() {
    let gained = std::cell::Cell::new(0);
    for_worlds("invariant 5", WORLDS, |rng, mut world| {
        let (a, b) = (user(rng, &world), user(rng, &world));
        let before = decisions(&world, a, b);
        let who = if rng.bool() { a } else { b };
        match rng.u32(..3) {
            0 => {
                let privileges = random_privileges(rng, &world.tables);
                let role = world.add_role(rng.usize(..world.units.len()), rng.bool(), privileges);
                world.users[who].roles.push(role);
            }
            1 => world.users[who].teams.push(rng.usize(..world.teams.len())),
            _ => {
                let share = (random_sharee(rng, &world), random_rights(rng));
                world.records[0].shares.push(share);
            }
        }
        gained.set(gained.get() + only_more(&before, &decisions(&world, a, b)));
    });
    assert!(
        gained.get() > WORLDS as usize / 10,
        "{} gained",
        gained.get()
    );
}

#[test]
fn invariant_06_a_query_shows_exactly_what_retrieve_allows() {
    for_worlds("invariant 6", WORLDS, |rng, mut world| {
        for _ in 0..9 {
            let record = random_record(rng, &world);
            world.records.push(record);
        }
        let (a, b) = (user(rng, &world), user(rng, &world));
        let (tree, first, second) = (world.tree(), world.user(a), world.user(b));
        let caller = Caller::on_behalf_of(&first, &second);
        for (place, table) in world.tables.iter().enumerate() {
            let scope = caller.record_scope(&tree, *table, Right::Read);
            let of_table = |record: &&Record| record.table == place;
            let rows = world.records.iter().filter(of_table).filter(|record| {
                let shares = world.shares(record);
                let facts = world.facts(record_id(0), record, &shares);
                scope.as_ref().is_ok_and(|scope| scope.admits(&facts))
            });
            let pair = Authenticated::Other(a);
            let readable = world.records.iter().filter(of_table).filter(|record| {
                reference::allow(&world, pair, Who::User(b), Right::Read, record).is_ok()
            });
            assert!(rows.eq(readable));
        }
    });
}

/// GrantAccess on the plain model of shares: the decision of §5, then SH-3. A refusal returns
/// before anything is written.
fn grant_access(
    world: &mut World,
    (a, b): (usize, usize),
    place: usize,
    sharee: Sharee,
    mask: AccessRights,
) -> Result<(), Denial> {
    let record = &world.records[place];
    let shares = world.shares(record);
    let facts = world.facts(record_id(place), record, &shares);
    let rights: Vec<Right> = requirements::SHARE
        .iter()
        .copied()
        .chain(requirements::rights_given(mask))
        .collect();
    let (first, second) = (world.user(a), world.user(b));
    Caller::on_behalf_of(&first, &second).decide_all(&world.tree(), &rights, &facts)?;
    let row = world.records[place]
        .shares
        .iter_mut()
        .find(|(with, _)| *with == sharee);
    match row {
        Some((_, rights)) => *rights |= mask,
        None => world.records[place].shares.push((sharee, mask)),
    }
    Ok(())
}

#[test]
fn invariant_07_a_refused_share_changes_nothing() {
    let refused = std::cell::Cell::new(0_u64);
    let granted = std::cell::Cell::new(0_u64);
    for_worlds("invariant 7", WORLDS, |rng, mut world| {
        let pair = (user(rng, &world), user(rng, &world));
        let (sharee, mask) = (random_sharee(rng, &world), random_rights(rng));
        let before = world.clone();
        let asked = requirements::SHARE
            .iter()
            .copied()
            .chain(requirements::rights_given(mask));
        let allowed = asked.into_iter().all(|right| {
            let record = &before.records[0];
            let subject = Who::User(pair.1);
            reference::allow(
                &before,
                Authenticated::Other(pair.0),
                subject,
                right,
                record,
            )
            .is_ok()
        });
        let outcome = grant_access(&mut world, pair, 0, sharee, mask);
        assert_eq!(outcome.is_ok(), allowed);
        if outcome.is_err() {
            assert_eq!(world, before);
            refused.set(refused.get() + 1);
        } else {
            granted.set(granted.get() + 1);
        }
    });
    assert!(refused.get() > 0 && granted.get() > 0);
}

#[test]
fn invariant_08_granting_and_revoking_restores_every_decision() {
    let changed = std::cell::Cell::new(0_u64);
    for_worlds("invariant 8", WORLDS, |rng, mut world| {
        let administrator = world.add_administrator();
        let pairs: Vec<(usize, usize)> = (0..world.users.len())
            .flat_map(|a| (0..world.users.len()).map(move |b| (a, b)))
            .collect();
        let all = |world: &World| -> Vec<_> {
            pairs
                .iter()
                .flat_map(|(a, b)| decisions(world, *a, *b))
                .collect()
        };
        let place = rng.usize(..world.records.len());
        let sharee = random_sharee(rng, &world);
        world.records[place]
            .shares
            .retain(|(with, _)| *with != sharee);
        let before = all(&world);
        let table = world.tables[world.records[place].table];
        if table.ownership != TableOwnership::UserOwned {
            return;
        }
        let mask = random_rights(rng);
        let pair = (administrator, administrator);
        grant_access(&mut world, pair, place, sharee, mask).unwrap();
        let during = all(&world);
        changed.set(changed.get() + u64::from(during != before));
        world.records[place]
            .shares
            .retain(|(with, _)| *with != sharee);
        assert_eq!(all(&world), before);
    });
    assert!(
        changed.get() > WORLDS / 20,
        "{} shares had an effect",
        changed.get()
    );
}

#[test]
fn invariant_09_raising_a_depth_never_refuses() {
    let gained = std::cell::Cell::new(0);
    for_worlds("invariant 9", WORLDS, |rng, mut world| {
        let (a, b) = (user(rng, &world), user(rng, &world));
        let before = decisions(&world, a, b);
        let tables = world.tables.clone();
        for (privilege, depth) in world.roles.iter_mut().flat_map(|role| &mut role.privileges) {
            let Privilege::Table(code, right) = privilege else {
                continue;
            };
            let table = tables.iter().find(|table| table.code == *code).unwrap();
            let above = table.depths(*right).iter().find(|above| *above > depth);
            if let Some(above) = above.filter(|_| chance(rng, 50)) {
                *depth = *above;
            }
        }
        gained.set(gained.get() + only_more(&before, &decisions(&world, a, b)));
    });
    assert!(
        gained.get() > WORLDS as usize / 20,
        "{} gained",
        gained.get()
    );
}

#[test]
fn invariant_10_who_lacks_the_privilege_learns_nothing_of_records() {
    for_worlds("invariant 10", WORLDS, |rng, world| {
        let (a, b) = (user(rng, &world), user(rng, &world));
        let (tree, first, second) = (world.tree(), world.user(a), world.user(b));
        let caller = Caller::on_behalf_of(&first, &second);
        let right = Right::ALL[rng.usize(..Right::ALL.len())];
        let record = &world.records[0];
        let table = world.tables[record.table];
        let privilege = Privilege::Table(table.code, right);
        let shares = world.shares(record);
        let real = world.facts(record_id(0), record, &shares);
        // Another record, as different as can be.
        let own = RecordFacts {
            table,
            id: Some(record_id(1)),
            owner: Some(Owner::User(user_id(b))),
            business_unit: Some(unit_id(world.users[b].unit)),
            shares: &[Share {
                principal: SharePrincipal::Organization,
                rights: AccessRights::ALL_RECORD_RIGHTS,
            }],
        };
        let both = reference::possesses(&world, Who::User(a), privilege)
            && reference::possesses(&world, Who::User(b), privilege);
        let before_any_record = caller.require(privilege);
        assert_eq!(before_any_record.is_ok(), both);
        for facts in [&real, &own] {
            let decided = caller.decide(&tree, right, facts);
            match before_any_record {
                Err(refusal) => assert_eq!(decided, Err(refusal)),
                Ok(()) => assert!(
                    decided
                        .err()
                        .is_none_or(|denial| denial.kind == DenialKind::AccessDenied)
                ),
            }
        }
    });
}
