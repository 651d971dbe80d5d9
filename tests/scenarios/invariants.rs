//! The invariants of `security.md` 12.1 over the socket, in worlds made by chance.
//!
//! ExplainAccess tells the verdicts, since asking changes nothing; Retrieve and RetrieveMultiple are
//! called as well, so that what is told is what happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use fastrand::Rng;
use orgservice::v1::{OrganizationRequest, PrivilegeMatrix};
use uuid::Uuid;

use crate::support::{
    client::{Client, rows_of},
    notation,
    values::{columns, everything, record, request, retrieve, retrieve_multiple, share},
    world::{Fixture, World},
};

const UNITS: [&str; 6] = ["ROOT", "SALES", "NORTH", "SOUTH", "SVC", "SVC1"];
const USERS: [&str; 4] = ["u0", "u1", "u2", "u3"];
const RECORDS: usize = 6;

/// What users might do with a record, and the letters of what they need for it.
const OPERATIONS: [(&str, &str); 5] = [
    ("Retrieve", "R"),
    ("Update", "W"),
    ("Delete", "D"),
    ("Assign", "GWR"),
    ("GrantAccess", "SR"),
];

/// A world as a scenario file would write it.
fn fixture(random: &mut Rng) -> Fixture {
    let mut text = String::new();
    let mut line = |text_of: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{text_of}");
    };
    line(format_args!(
        r#"users.adm = {{ in = "ROOT", roles = ["System Administrator"] }}"#
    ));
    for user in USERS {
        let unit = random.choice(UNITS).unwrap();
        let (one, two) = (rights(random), rights(random));
        line(format_args!(
            r#"users.{user} = {{ in = "{unit}", roles = ["Delegate", "{one}", "{two}"] }}"#
        ));
    }
    // An owner whom everybody may be given records by and who can have them.
    line(format_args!(
        r#"users.heir = {{ in = "SALES", roles = ["account[R:u]"] }}"#
    ));
    for team in ["t0", "t1"] {
        let unit = random.choice(UNITS).unwrap();
        let member = random.choice(USERS).unwrap();
        let (inherited, contained) = (random.bool(), rights(random));
        line(format_args!(
            r#"teams.{team} = {{ in = "{unit}", inherited = {inherited}, roles = ["{contained}"], members = ["{member}"] }}"#
        ));
    }
    let principals = ["u0", "u1", "u2", "u3", "t0", "t1"];
    let mut shares = Vec::new();
    for at in 0..RECORDS {
        let owner = random.choice(principals).unwrap();
        line(format_args!(r#"records.r{at} = {{ owner = "{owner}" }}"#));
        let receiver = random.choice(principals).unwrap();
        if receiver != owner && random.bool() {
            let given = random
                .choice(["R", "RW", "RWS", "RD", "RWGS", "W"])
                .unwrap();
            shares.push(format!(r#""r{at} with {receiver}: {given}""#));
        }
    }
    line(format_args!("shares = [{}]", shares.join(", ")));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Some rights on accounts, each at a depth of its own; `contact` so that no role is empty.
fn rights(random: &mut Rng) -> String {
    let mut groups = Vec::new();
    for right in "CRWDGS".chars() {
        if random.u8(..3) > 0 {
            let depth = random.choice(['u', 'l', 'd', 'o']).unwrap();
            groups.push(format!("{right}:{depth}"));
        }
    }
    match groups.is_empty() {
        true => "contact[R:u]".to_owned(),
        false => format!("contact[R:u], account[{}]", groups.join(", ")),
    }
}

fn operation(world: &World, name: &str, target: &str) -> OrganizationRequest {
    let reference = world.reference(target);
    match name {
        "Retrieve" => retrieve(reference, columns([])),
        "Update" => {
            let target = record("account", world.id(target), [("telephone1", "1".into())]);
            request("Update", [("Target", target.into())])
        }
        "Delete" => request("Delete", [("Target", reference.into())]),
        "Assign" => request(
            "Assign",
            [
                ("Target", reference.into()),
                ("Assignee", world.reference("heir").into()),
            ],
        ),
        _ => share(
            "GrantAccess",
            reference,
            world.reference("heir"),
            &notation::access_rights("R"),
        ),
    }
}

/// The fault that a call of a pair would meet, and what both users possess.
struct Verdict {
    fault: String,
    possessed: BTreeMap<char, bool>,
}

impl Verdict {
    fn allowed(&self) -> bool {
        self.fault.is_empty()
    }

    fn possesses(&self, letters: &str) -> bool {
        letters.chars().all(|letter| self.possessed[&letter])
    }
}

async fn ask(
    client: &Client,
    pair: (Uuid, Option<Uuid>),
    request: &OrganizationRequest,
) -> Verdict {
    let explanation = client.explain(Some(pair), Some(request.clone())).await;
    let explanation = explanation.unwrap();
    Verdict {
        fault: explanation
            .fault
            .map(|fault| fault.error_name)
            .unwrap_or_default(),
        possessed: possessed(&explanation.authenticated.unwrap_or_default()),
    }
}

/// Which rights on accounts a user possesses at any depth.
fn possessed(matrix: &PrivilegeMatrix) -> BTreeMap<char, bool> {
    let row = matrix.rows.iter().find(|row| row.table_name == "account");
    let row = row.expect("a row of the call's table");
    [
        ('R', row.read),
        ('W', row.write),
        ('D', row.delete),
        ('G', row.assign),
        ('S', row.share),
    ]
    .map(|(letter, depth)| (letter, depth != 0))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invariants_hold_in_worlds_made_by_chance() {
    let seed = std::env::var("SCENARIO_SEED").ok();
    let by_hand = seed.is_some();
    let seeds: Vec<u64> = match seed {
        Some(seed) => vec![seed.parse().expect("a number")],
        None => vec![1, 2, fastrand::u64(3..)],
    };
    let mut met = BTreeSet::new();
    for seed in seeds {
        println!("SCENARIO_SEED={seed}");
        let mut random = Rng::with_seed(seed);
        let world = World::build(&fixture(&mut random)).await;
        let before = world.server.content_hash();
        for caller in USERS {
            for user in USERS {
                invariants_of_a_pair(&world, seed, caller, user, &mut met).await;
            }
        }
        assert_eq!(world.server.content_hash(), before, "seed {seed}");
    }
    // Worlds in which nothing is refused, or nothing allowed, show nothing.
    let every = ["", "PrivilegeDenied", "unManagedIdsAccessDenied"].map(str::to_owned);
    assert!(by_hand || met == every.into(), "{met:?}");
}

async fn invariants_of_a_pair(
    world: &World,
    seed: u64,
    caller: &str,
    user: &str,
    met: &mut BTreeSet<String>,
) {
    let administrator = &world.administrator;
    let (a, b, adm) = (world.id(caller), world.id(user), world.id("adm"));
    let mut readable = Vec::new();
    for at in 0..RECORDS {
        let name = format!("r{at}");
        for (message, letters) in OPERATIONS {
            let call = operation(world, message, &name);
            let place = format!("seed {seed}: {caller} for {user}: {message} {name}");
            let pair = ask(administrator, (a, Some(b)), &call).await;
            let alone = ask(administrator, (b, None), &call).await;
            met.insert(pair.fault.clone());
            if a == b {
                // 4: acting for oneself is acting.
                assert_eq!(pair.fault, alone.fault, "{place}");
            } else {
                // 1, 2 and IM-11: as far as B reaches, if A possesses it at any depth.
                let expected = alone.allowed() && pair.possesses(letters);
                assert_eq!(pair.allowed(), expected, "{place}: {}", pair.fault);
                // 10: nothing is told of records to whoever lacks the privilege.
                if !pair.possesses(letters) {
                    assert_eq!(pair.fault, "PrivilegeDenied", "{place}");
                }
            }
            // 3: a system administrator adds nothing and takes nothing.
            let by_adm = ask(administrator, (adm, Some(b)), &call).await;
            assert_eq!(by_adm.fault, alone.fault, "{place}, by an administrator");
            if message == "Retrieve" {
                let client = world.client(caller).on_behalf_of(b);
                let called = client.execute(call).await.err();
                let fault = called.map(|refusal| refusal.name().to_owned());
                assert_eq!(fault.unwrap_or_default(), pair.fault, "{place}");
                if pair.allowed() {
                    readable.push(name.clone());
                }
            }
        }
    }
    // 6: a query shows exactly what Retrieve allows.
    let client = world.client(caller).on_behalf_of(b);
    match client
        .execute(retrieve_multiple(everything("account")))
        .await
    {
        Ok(rows) => {
            let mut shown: Vec<_> = rows_of(&rows)
                .iter()
                .map(|row| world.name_of(&row.id))
                .collect();
            shown.sort();
            assert_eq!(shown, readable, "seed {seed}: {caller} for {user}");
        }
        Err(refusal) => {
            assert_eq!(refusal.name(), "PrivilegeDenied", "seed {seed}: {refusal}");
            assert!(readable.is_empty(), "seed {seed}: {caller} for {user}");
        }
    }
}
