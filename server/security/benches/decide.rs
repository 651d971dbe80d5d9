//! What one decision costs. Prints the median nanoseconds per decision, over batches of a mixed
//! set of records, for the goals that the project sets itself: 500 ns at most for any decision,
//! and no more than 1.5 times as much with fifty roles as with one.
//!
//! `cargo bench -p orgservice-security`
#![allow(missing_docs, clippy::unwrap_used, reason = "a measuring program")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use fastrand::Rng;
use orgservice_security::*;
use uuid::Uuid;

/// Decisions per timed batch: long enough to make the clock's own cost vanish.
const BATCH: usize = 1_000;
const BATCHES: usize = 1_001;
const TABLES: u32 = 120;
/// Of the table all measured decisions are about.
const ACCOUNT: TableFacts = TableFacts::new(ObjectTypeCode(60), TableOwnership::UserOwned);

fn id(rng: &mut Rng) -> Uuid {
    Uuid::from_u128(rng.u128(..))
}

/// Median nanoseconds per call of `decide`, which is given the number of the call.
fn median(mut decide: impl FnMut(usize) -> bool) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for call in 0..BATCH {
                black_box(decide(black_box(call)));
            }
            start.elapsed().as_nanos() as f64 / BATCH as f64
        })
        .collect();
    batches.sort_unstable_by(f64::total_cmp);
    batches[BATCHES / 2]
}

fn role(rng: &mut Rng, unit: BusinessUnitId, tables: u32, depth: PrivilegeDepth) -> Arc<RoleFacts> {
    let all = (0..tables).map(|n| ObjectTypeCode(60 + n * 7));
    let privileges =
        all.flat_map(|table| Right::ALL.map(|right| (Privilege::Table(table, right), depth)));
    Arc::new(RoleFacts {
        id: RoleId(id(rng)),
        business_unit: unit,
        member_inheritance: true,
        privileges: privileges.collect(),
    })
}

fn user(unit: BusinessUnitId, rng: &mut Rng, roles: Vec<Arc<RoleFacts>>) -> UserFacts {
    UserFacts {
        id: UserId(id(rng)),
        business_unit: unit,
        access_mode: AccessMode::ReadWrite,
        roles,
        teams: vec![],
    }
}

fn compiled(facts: &UserFacts) -> Principal {
    Principal::for_user(facts, |_| false)
}

fn main() {
    let mut rng = Rng::with_seed(7);
    let units: Vec<BusinessUnitId> = (0..1_000).map(|_| BusinessUnitId(id(&mut rng))).collect();
    // Four levels below the root, ten units under each of the upper ones.
    let parent = |place: usize| (place > 0).then(|| units[(place - 1) / 10]);
    let tree = BusinessUnitTree::new((0..units.len()).map(|place| (units[place], parent(place))));
    let home = units[3];

    let one = role(&mut rng, home, TABLES, PrivilegeDepth::Deep);
    let of_one = user(home, &mut rng, vec![one]);
    // Fifty roles, half of them through ten teams all over the organization.
    let depths = [
        PrivilegeDepth::Basic,
        PrivilegeDepth::Local,
        PrivilegeDepth::Deep,
    ];
    let roles = (0..25)
        .map(|n| role(&mut rng, home, TABLES, depths[n % 3]))
        .collect();
    let mut of_fifty = user(home, &mut rng, roles);
    of_fifty.id = of_one.id;
    for _ in 0..10 {
        let unit = units[rng.usize(100..units.len())];
        let roles = (0..3)
            .map(|n| role(&mut rng, unit, TABLES, depths[n]))
            .take(3)
            .collect();
        of_fifty.teams.push(Arc::new(TeamFacts {
            id: TeamId(id(&mut rng)),
            business_unit: unit,
            enabled: true,
            holds_roles: true,
            roles,
        }));
    }
    let start = Instant::now();
    let fifty = compiled(&of_fifty);
    let compile = start.elapsed();
    let one = compiled(&of_one);
    let role_of_delegate = role(&mut rng, units[500], TABLES, PrivilegeDepth::Basic);
    let delegate = compiled(&user(units[500], &mut rng, vec![role_of_delegate]));

    // A quarter owned, a quarter below the unit, a quarter elsewhere, a quarter shared.
    let shares: Vec<[Share; 2]> = (0..256)
        .map(|_| {
            let principal = SharePrincipal::User(UserId(id(&mut rng)));
            let own = SharePrincipal::User(of_one.id);
            [principal, own].map(|principal| Share {
                principal,
                rights: AccessRights::READ,
            })
        })
        .collect();
    let records: Vec<RecordFacts<'_>> = (0..256_usize)
        .map(|n| {
            let below = tree.subtree(home);
            let far = units[rng.usize(..units.len())];
            let stranger = Owner::User(UserId(id(&mut rng)));
            let (owner, unit) = match n % 4 {
                0 => (Owner::User(of_one.id), home),
                1 => (stranger, below[rng.usize(..below.len())]),
                _ => (stranger, far),
            };
            let facts = RecordFacts::of_owner(ACCOUNT, Some(id(&mut rng)), owner, unit);
            if n % 4 == 3 {
                facts.with_shares(&shares[n])
            } else {
                facts
            }
        })
        .collect();
    let record = |call: usize| &records[call % records.len()];
    let decide =
        |caller: &Caller<'_>, call| caller.decide(&tree, Right::Read, record(call)).is_ok();

    let direct = Caller::direct(&one);
    let pair = Caller::on_behalf_of(&delegate, &one);
    let direct_fifty = Caller::direct(&fifty);
    let pair_fifty = Caller::on_behalf_of(&delegate, &fifty);
    let scope = direct.record_scope(&tree, ACCOUNT, Right::Read).unwrap();
    let scope_fifty = direct_fifty
        .record_scope(&tree, ACCOUNT, Right::Read)
        .unwrap();

    let one_role = median(|call| decide(&direct, call));
    let fifty_roles = median(|call| decide(&direct_fifty, call));
    println!("decide, 1 role                     {one_role:7.1} ns");
    println!("decide, 50 roles in 11 units       {fifty_roles:7.1} ns");
    println!(
        "  against 1 role                   {:7.2}",
        fifty_roles / one_role
    );
    println!(
        "on behalf of, 1 role               {:7.1} ns",
        median(|call| decide(&pair, call))
    );
    println!(
        "on behalf of, 50 roles             {:7.1} ns",
        median(|call| decide(&pair_fifty, call))
    );
    println!(
        "scope admits, 1 role               {:7.1} ns",
        median(|c| scope.admits(record(c)))
    );
    println!(
        "scope admits, 50 roles             {:7.1} ns",
        median(|call| scope_fifty.admits(record(call)))
    );
    let make_scope = |caller: &Caller<'_>| caller.record_scope(&tree, ACCOUNT, Right::Read).is_ok();
    println!(
        "record scope of {:3} units          {:7.1} ns",
        scope.business_units.len(),
        { median(|_| make_scope(&direct)) }
    );
    println!(
        "compiling 50 roles, once           {:7.1} us",
        compile.as_nanos() as f64 / 1e3
    );

    // Users in random order: ten stay in the processor's cache, many do not.
    let shared = role(&mut rng, home, 20, PrivilegeDepth::Deep);
    let mut few = 0.0;
    for count in [10, 1_000, 100_000] {
        let mut compiler = PrincipalCompiler::new(|_| false);
        let users: Vec<Principal> = (0..count)
            .map(|_| compiler.user(&user(home, &mut rng, vec![Arc::clone(&shared)])))
            .collect();
        let order: Vec<usize> = (0..1 << 16).map(|_| rng.usize(..count)).collect();
        let mut next = 0;
        let cost = median(|call| {
            next = (next + 1) % order.len();
            decide(&Caller::direct(&users[order[next]]), call)
        });
        if count == 10 {
            few = cost;
        }
        println!(
            "decide, one of {count:6} users       {cost:7.1} ns  ({:.2})",
            cost / few
        );
    }
}
