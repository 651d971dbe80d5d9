//! What holds while others write: no stale right (TX-3), no torn page, no lost update (TX-1, TX-4).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use orgservice::v1::{EntityReference, Query, QueryExpression, query};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::support::{
    client::{Client, entity_of, rows_of},
    values::{columns, everything, record, request, retrieve, retrieve_multiple, transaction},
    world::{Fixture, World},
};

/// Times a right is taken away and given back.
const ROUNDS: usize = 40;

/// Connections that try it at once.
const CONNECTIONS: usize = 4;

fn fixture(text: &str) -> Fixture {
    toml::from_str(text).unwrap()
}

/// A client on a connection of its own.
async fn connect(world: &World, user: &str) -> Client {
    let channel: Channel = Endpoint::from_shared(world.server.address.clone())
        .unwrap()
        .connect()
        .await
        .unwrap();
    Client::new(channel, world.token(user))
}

/// Writes in one transaction, over and over, until it is told to stop.
async fn keep_writing(
    writer: Client,
    records: Vec<EntityReference>,
    stop: Arc<AtomicBool>,
) -> usize {
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let value = written.to_string();
        let updates = records.iter().map(|reference| {
            let id = reference.id.parse().unwrap();
            let target = record("account", id, [("telephone1", value.as_str().into())]);
            request("Update", [("Target", target.into())])
        });
        writer.run(transaction(updates, false)).await;
        written += 1;
    }
    written
}

/// Invariant 7: a revocation that was answered holds for every request that starts afterwards, on
/// every connection, while other commits go on; and so does what is given back.
#[tokio::test(flavor = "multi_thread")]
async fn tx_3_no_right_outlives_its_revocation_on_any_connection() {
    let world = World::build(&fixture(
        r#"
        users.ann = { in = "SALES", roles = ["account[R:u, W:u]"] }
        users.ben = { in = "SALES", roles = ["account[CRW:u]"] }
        records.rec = { owner = "ann" }
        records.other = { owner = "ben" }
        "#,
    ))
    .await;
    let role = world
        .server
        .organization
        .snapshot()
        .directory()
        .roles_of_user(orgservice_security::UserId(world.id("ann")))
        .next()
        .unwrap()
        .root;
    let privilege = world.id("prvReadAccount");
    let mut readers = Vec::new();
    for _ in 0..CONNECTIONS {
        readers.push(connect(&world, "ann").await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(keep_writing(
        connect(&world, "ben").await,
        vec![world.reference("other")],
        Arc::clone(&stop),
    ));
    let role_privilege = orgservice::v1::Entity {
        logical_name: "RolePrivilege".to_owned(),
        attributes: [
            (
                "PrivilegeId".to_owned(),
                crate::support::values::guid(privilege),
            ),
            ("Depth".to_owned(), 0.into()),
        ]
        .into(),
        ..orgservice::v1::Entity::default()
    };
    let taken = request(
        "RemovePrivilegeRole",
        [
            ("RoleId", crate::support::values::guid(role.0)),
            ("PrivilegeId", crate::support::values::guid(privilege)),
        ],
    );
    let given = request(
        "AddPrivilegesRole",
        [
            ("RoleId", crate::support::values::guid(role.0)),
            (
                "Privileges",
                crate::support::values::list([role_privilege.into()]),
            ),
        ],
    );
    for round in 0..ROUNDS {
        let revoked = round % 2 == 0;
        let change = if revoked { &taken } else { &given };
        world.administrator.run(change.clone()).await;
        let mut tries = JoinSet::new();
        for reader in readers.clone() {
            let target = retrieve(world.reference("rec"), columns(["name"]));
            tries.spawn(async move { reader.execute(target).await });
        }
        for outcome in tries.join_all().await {
            match outcome {
                Ok(_) => assert!(!revoked, "round {round}: a revoked right was honoured"),
                Err(refusal) => {
                    assert!(revoked, "round {round}: {refusal}");
                    assert_eq!(refusal.name(), "PrivilegeDenied", "round {round}");
                }
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0, "nothing else was committed");
}

/// Invariant 5: a page shows all of a transaction or nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn tx_1_a_page_never_shows_half_a_transaction() {
    let world = World::build(&fixture(
        r#"
        users.ben = { in = "SALES", roles = ["account[CRW:u]"] }
        records.a = { owner = "ben" }
        records.b = { owner = "ben" }
        records.c = { owner = "ben" }
        records.d = { owner = "ben" }
        "#,
    ))
    .await;
    let records: Vec<EntityReference> = ["a", "b", "c", "d"]
        .map(|name| world.reference(name))
        .into();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(keep_writing(
        connect(&world, "ben").await,
        records,
        Arc::clone(&stop),
    ));
    let reader = connect(&world, "ben").await;
    let all: Query = query::Query::QueryExpression(QueryExpression {
        entity_name: "account".to_owned(),
        column_set: Some(columns(["telephone1"])),
        ..QueryExpression::default()
    })
    .into();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < ROUNDS {
        let results = reader.run(retrieve_multiple(all.clone())).await;
        let values: Vec<_> = rows_of(&results)
            .iter()
            .map(|row| row.attributes.get("telephone1").cloned())
            .collect();
        assert_eq!(values.len(), 4);
        assert!(
            values.iter().all(|value| *value == values[0]),
            "half a transaction: {values:?}"
        );
        seen.insert(format!("{:?}", values[0]));
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    assert_eq!(
        rows_of(&reader.run(retrieve_multiple(everything("account"))).await).len(),
        4
    );
}

/// TX-4: updates of the same record that collide are run again by the server; none is lost, and row
/// versions only grow.
#[tokio::test(flavor = "multi_thread")]
async fn tx_4_colliding_updates_all_happen() {
    let world = World::build(&fixture(
        r#"
        users.ben = { in = "SALES", roles = ["account[CRW:u]"] }
        records.rec = { owner = "ben" }
        "#,
    ))
    .await;
    let mut writers = JoinSet::new();
    for writer in 0..CONNECTIONS {
        let client = connect(&world, "ben").await;
        let id = world.id("rec");
        let columns = ["telephone1", "accountnumber", "description", "websiteurl"];
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let value = round.to_string();
                let target = record("account", id, [(columns[writer], value.as_str().into())]);
                client
                    .run(request("Update", [("Target", target.into())]))
                    .await;
            }
        });
    }
    writers.join_all().await;
    let results = connect(&world, "ben")
        .await
        .run(retrieve(
            world.reference("rec"),
            columns(["telephone1", "accountnumber", "description", "websiteurl"]),
        ))
        .await;
    let last = (ROUNDS - 1).to_string();
    for column in ["telephone1", "accountnumber", "description", "websiteurl"] {
        let value = entity_of(&results).attributes.get(column).cloned();
        assert_eq!(value, Some(last.as_str().into()), "{column}");
    }
}
