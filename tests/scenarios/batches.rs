//! Worked examples of batches: what is whole, what goes on, what is bounded.

use orgservice::v1::{self, OrganizationRequest, value::Kind};
use uuid::Uuid;

use super::contract::{DOORS, count, create, kind, update, world};
use crate::support::{
    client::Refusal,
    values::{columns, entity, record, reference, retrieve, transaction},
};

/// Six accounts to create, of which the third and the fifth are wrong.
fn six() -> Vec<OrganizationRequest> {
    let requests = (0..6).map(|at| match at {
        2 | 4 => create(entity("account", [("nosuchcolumn", "x".into())])),
        _ => create(entity("account", [("name", "x".into())])),
    });
    requests.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_49_what_execute_multiple_goes_on_with_and_tells() {
    let world = world("").await;
    let client = &world.administrator;
    let mut rows = 0;
    for (continue_on_error, return_responses, items, created) in [
        (true, true, vec![0, 1, 2, 3, 4, 5], 4),
        (false, true, vec![0, 1, 2], 2),
        (true, false, vec![2, 4], 4),
        (false, false, vec![2], 2),
    ] {
        let message = v1::ExecuteMultipleRequest {
            requests: six(),
            continue_on_error,
            return_responses,
            options: None,
        };
        let answer = client
            .service()
            .execute_multiple(client.request(message))
            .await
            .unwrap();
        let answer = answer.into_inner();
        assert!(answer.is_faulted);
        let indexes: Vec<_> = answer
            .responses
            .iter()
            .map(|item| item.request_index)
            .collect();
        assert_eq!(indexes, items);
        for item in &answer.responses {
            let wrong = [2, 4].contains(&item.request_index);
            assert_eq!(
                (item.fault.is_some(), item.response.is_some()),
                (wrong, !wrong)
            );
            if let Some(fault) = &item.fault {
                assert_eq!(fault.error_name, "QueryBuilderNoAttribute");
                assert_eq!(fault.error_details["column"], "nosuchcolumn".into());
            }
        }
        rows += created;
        assert_eq!(count(client, "account").await, rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_50_a_batch_is_bounded() {
    let world = world("").await;
    let client = &world.administrator;
    let before = world.server.content_hash();
    let message = v1::ExecuteMultipleRequest {
        requests: vec![create(entity("account", [("name", "x".into())])); 1001],
        continue_on_error: true,
        ..v1::ExecuteMultipleRequest::default()
    };
    let answer = client
        .service()
        .execute_multiple(client.request(message))
        .await;
    let refusal = Refusal::of(&answer.unwrap_err());
    assert_eq!(refusal.name(), "InvalidArgument", "{refusal}");
    assert_eq!(refusal.metadata["maxBatchSize"], "1000");
    assert_eq!(refusal.fault.error_details["MaxBatchSize"], "1000".into());
    assert_eq!(world.server.content_hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_51_a_transaction_is_whole_or_nothing() {
    let world = world("records.ghost = { missing = true }").await;
    let before = world.server.content_hash();
    for door in DOORS {
        let batch = transaction(
            [
                create(entity("account", [("name", "A".into())])),
                update(record("account", world.id("ghost"), [("name", "B".into())])),
            ],
            true,
        );
        let refusal = world.administrator.send(door, batch).await.unwrap_err();
        assert_eq!(refusal.name(), "ObjectDoesNotExist", "{refusal}");
        assert_eq!(refusal.fault.faulted_request_index, Some(1));
        assert_eq!(world.server.content_hash(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xt_1_a_transaction_that_succeeds_answers_in_order() {
    let world = world("").await;
    for door in DOORS {
        let id = Uuid::now_v7();
        let account = record("account", id, [("name", "A".into())]);
        let batch = transaction(
            [
                create(account),
                // Its own earlier writes are there to see (XT-3).
                update(record("account", id, [("name", "B".into())])),
                retrieve(reference("account", id), columns(["name"])),
            ],
            true,
        );
        let results = world.administrator.send(door, batch).await.unwrap();
        let Kind::List(responses) = kind(&results, "Responses") else {
            panic!("{results:?}")
        };
        let names: Vec<_> = responses
            .values
            .iter()
            .map(|response| match &response.kind {
                Some(Kind::OrganizationResponse(response)) => response.response_name.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["Create", "Update", "Retrieve"]);
    }
}
