//! A million random worlds, in which deciding, filtering, explaining and the reference must agree.

use std::collections::BTreeMap;

use fastrand::Rng;
use orgservice_security::*;

use crate::reference::{self, Authenticated, Outcome, Who};
use crate::worlds::{self, NameSeed, chance, owner_of, record_id};

const WORLDS: u64 = 1_000_000;
const THREADS: u64 = 2;

/// How often each outcome was met: a comparison of nothing but refusals would prove nothing.
type Tally = BTreeMap<String, u64>;

#[test]
fn decide_scope_explain_and_reference_agree() {
    let seed = worlds::seed("properties");
    let mut tally = Tally::new();
    std::thread::scope(|scope| {
        let share = WORLDS / THREADS;
        let parts: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut tally = Tally::new();
                    for seed in seed + thread * share..seed + (thread + 1) * share {
                        let _guard = NameSeed("properties", seed);
                        compare(&mut Rng::with_seed(seed), &mut tally);
                    }
                    tally
                })
            })
            .collect();
        for part in parts {
            for (outcome, count) in part.join().unwrap() {
                *tally.entry(outcome).or_default() += count;
            }
        }
    });
    println!("{tally:#?}");
    let total: u64 = tally.values().sum();
    assert_eq!(total, 9 * WORLDS, "three records, three callers");
    for outcome in [
        "allow caller",
        "allow pair",
        "PrivilegeDenied Caller",
        "PrivilegeDenied Impersonator",
        "PrivilegeDenied Impersonated",
        "AccessDenied Caller",
        "AccessDenied Impersonated",
    ] {
        let met = tally.get(outcome).copied().unwrap_or_default();
        assert!(met > total / 50, "{outcome}: {met} of {total}");
    }
}

fn compare(rng: &mut Rng, tally: &mut Tally) {
    let world = worlds::random(rng);
    let tree = world.tree();
    let (a, b) = (
        rng.usize(..world.users.len()),
        rng.usize(..world.users.len()),
    );
    // One compiler for all users: those with the same roles share what is compiled of them.
    let (roles, mut compiler) = (world.role_facts(), world.compiler());
    let principals = [a, b].map(|user| compiler.user(&world.user_facts(user, &roles)));
    let callers = [
        (
            Caller::direct(&principals[0]),
            Authenticated::Subject,
            Who::User(a),
        ),
        (
            Caller::on_behalf_of(&principals[0], &principals[1]),
            Authenticated::Other(a),
            Who::User(b),
        ),
        (
            Caller::trusted_host_for(&principals[1]),
            Authenticated::TrustedHost,
            Who::User(b),
        ),
    ];
    let right = Right::ALL[rng.usize(..Right::ALL.len())];

    for (place, record) in world.records.iter().enumerate() {
        let shares = world.shares(record);
        let facts = world.facts(record_id(place), record, &shares);
        for (caller, authenticated, subject) in &callers {
            let expected = reference::allow(&world, *authenticated, *subject, right, record);
            let decided = caller.decide(&tree, right, &facts);
            assert_eq!(
                outcome(decided),
                expected,
                "decide {right} on {facts:?} in {world:#?}"
            );

            let scope = caller.record_scope(&tree, facts.table, right);
            let admitted = scope.as_ref().is_ok_and(|scope| scope.admits(&facts));
            assert_eq!(
                admitted,
                expected.is_ok(),
                "scope of {right} on {facts:?} in {world:#?}"
            );
            if let Ok(scope) = &scope {
                let by_parts = scope.admits_without_shares(facts.owner, facts.business_unit)
                    || shares.iter().any(|share| {
                        share.rights.contains(right.flag()) && scope.admits_share(share.principal)
                    });
                assert_eq!(
                    by_parts, admitted,
                    "{scope:?} asked in parts about {facts:?}"
                );
            }

            let explained = caller.explain(&tree, right, &facts);
            assert_eq!(
                explained.granted,
                expected.is_ok(),
                "{explained:?} in {world:#?}"
            );
            assert_eq!(explained.lacking, expected.err().map(|(_, side)| side));
            let alone = reference::allow(&world, Authenticated::Subject, *subject, right, record);
            assert_eq!(
                !explained.grounds.is_empty(),
                alone.is_ok(),
                "{explained:?} in {world:#?}"
            );

            // Reading shares only when they are needed changes nothing.
            let mut loads = 0;
            let lazily = caller
                .require_rights(facts.table.code, &[right])
                .and_then(|()| {
                    caller.access_loading_shares(&tree, &[right], &facts.with_shares(&[]), || {
                        loads += 1;
                        Ok::<_, Denial>(&shares)
                    })
                });
            assert_eq!(lazily, decided);
            assert!(loads <= 1);

            *tally.entry(name(expected, *authenticated)).or_default() += 1;
        }
    }

    // A principal by itself: now and then a team, which may own and receive shares too.
    let who = if chance(rng, 30) {
        Who::Team(rng.usize(..world.teams.len()))
    } else {
        Who::User(a)
    };
    let principal = world.principal(who);
    assert_eq!(principal.owner(), owner_of(who));
    for record in &world.records {
        let shares = world.shares(record);
        let facts = world.facts(record_id(0), record, &shares);
        let rights = access_rights(&principal, &tree, &facts);
        assert_eq!(
            rights,
            reference::access_rights(&world, who, record),
            "{who:?} in {world:#?}"
        );
        let explained = Caller::direct(&principal).explain(&tree, right, &facts);
        assert_eq!(explained.granted, rights.contains(right.flag()));
        assert_eq!(
            !explained.grounds.is_empty(),
            explained.granted,
            "{who:?} in {world:#?}"
        );
    }
    possession(&world, who, &principal);
}

/// AC-1, IM-3 and OW-4 of one principal.
fn possession(world: &reference::World, who: Who, principal: &Principal) {
    let mut listed = 0;
    for table in &world.tables {
        for right in Right::ALL {
            let privilege = Privilege::Table(table.code, right);
            let depth = reference::highest_depth(world, who, privilege);
            assert_eq!(
                principal.depth(privilege),
                depth,
                "{privilege} of {who:?} in {world:#?}"
            );
            listed += u32::from(depth.is_some());
        }
        let read = Privilege::Table(table.code, Right::Read);
        let owns = may_own(principal, table.code).is_ok();
        assert_eq!(owns, reference::possesses(world, who, read));
    }
    let act = MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER;
    listed += u32::from(reference::possesses(world, who, Privilege::Misc(act)));
    assert_eq!(principal.privileges().count() as u32, listed);
    if let Who::User(user) = who {
        let may = authorize_impersonation(principal).is_ok();
        assert_eq!(may, reference::may_act_on_behalf(world, user));
    }
}

/// The depth that a refusal says is needed is right: set in every role of the subject and of its
/// teams, it reaches the record, and a lower one does not.
#[test]
fn the_depth_needed_is_the_lowest_that_reaches() {
    let refused = std::cell::Cell::new(0_u64);
    worlds::for_worlds("depth needed", 200_000, |rng, world| {
        let user = rng.usize(..world.users.len());
        let (tree, principal) = (world.tree(), world.user(user));
        let record = &world.records[0];
        let (table, shares) = (world.tables[record.table], world.shares(record));
        let facts = world.facts(record_id(0), record, &shares);
        let right = Right::ALL[rng.usize(..Right::ALL.len())];
        let Err(denial) = Caller::direct(&principal).access(&tree, right, &facts) else {
            return;
        };
        if denial.kind == DenialKind::PrivilegeDenied {
            return;
        }
        assert_eq!(denial.record, Some(record_id(0)));
        let privilege = Privilege::Table(table.code, right);
        assert_eq!(
            denial.depth_held,
            reference::highest_depth(&world, Who::User(user), privilege)
        );
        assert!(denial.depth_needed.is_some(), "{denial:?}");
        for depth in table.depths(right) {
            let mut raised = world.clone();
            for (held, at) in raised
                .roles
                .iter_mut()
                .flat_map(|role| &mut role.privileges)
            {
                if *held == privilege {
                    *at = *depth;
                }
            }
            let reached = reference::acc(&raised, Who::User(user), right, record);
            assert_eq!(
                reached,
                Some(*depth) >= denial.depth_needed,
                "{denial:?} in {world:#?}"
            );
        }
        refused.set(refused.get() + 1);
    });
    assert!(refused.get() > 5_000, "{} refused", refused.get());
}

pub fn outcome(decided: Result<(), Denial>) -> Outcome {
    decided.map_err(|denial| (denial.kind, denial.side))
}

fn name(outcome: Outcome, authenticated: Authenticated) -> String {
    match (outcome, authenticated) {
        (Ok(()), Authenticated::Subject) => "allow caller".into(),
        (Ok(()), _) => "allow pair".into(),
        (Err((kind, side)), _) => format!("{kind:?} {side:?}"),
    }
}
