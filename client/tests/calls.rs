//! Every method reaches its RPC with its metadata, and answers become types.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use orgservice::v1;
use orgservice_client::{
    AccessRight, AccessRights, Code, Entity, EntityReference, InTable, Money, OrganizationRequest,
    Principal, PrincipalRole, PrivilegeDepth, QueryByAttribute, QueryExpression, QueryPlanKind,
    TypedEntity, Value, column, fault_code, fetch_xml,
};
use prost::Message as _;
use support::{Fake, denied_fault};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x1D);

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(logical_name = "account")]
struct Account {
    #[entity(primary_id)]
    accountid: Option<Uuid>,
    name: String,
    revenue: Option<Money>,
    #[entity(lookup = "contact")]
    primarycontactid: Option<Uuid>,
    #[entity(column = "telephone1")]
    phone: Option<String>,
    #[entity(row_version)]
    version: Option<u64>,
}

#[tokio::test]
async fn every_method_reaches_its_rpc() {
    let fake = Fake::default();
    let service = fake.client();
    let account = || ID.in_table("account");
    let contacts = || [ID.in_table("contact")];

    service.create(Entity::new("account")).await.unwrap();
    let _: Account = service.retrieve(ID).await.unwrap();
    service.retrieve_entity(account(), ["name"]).await.unwrap();
    service
        .update(Entity::new("account").with_id(ID))
        .await
        .unwrap();
    service
        .upsert(Entity::new("account").with_id(ID))
        .await
        .unwrap();
    service
        .delete(account())
        .if_row_version_matches()
        .await
        .unwrap();
    service
        .associate(account(), "account_primary_contact", contacts())
        .await
        .unwrap();
    service
        .disassociate(account(), "account_primary_contact", contacts())
        .await
        .unwrap();
    service
        .assign(account(), Principal::team(ID))
        .await
        .unwrap();
    service
        .share(account(), ID, AccessRights::READ)
        .await
        .unwrap();
    service
        .modify_share(account(), ID, AccessRights::WRITE)
        .await
        .unwrap();
    service.unshare(account(), ID).await.unwrap();
    service
        .retrieve_multiple(fetch_xml("<fetch/>"))
        .await
        .unwrap();
    service
        .execute(OrganizationRequest::new("WhoAmI"))
        .await
        .unwrap();
    service
        .execute_multiple([OrganizationRequest::new("WhoAmI")])
        .await
        .unwrap();
    service
        .execute_transaction([OrganizationRequest::new("WhoAmI")])
        .await
        .unwrap();
    service.who_am_i().await.unwrap();
    service.explain_access().await.unwrap();
    service.create_token(ID, "label").await.unwrap();
    service.list_tokens().user(ID).await.unwrap();
    service.revoke_token(ID).await.unwrap();
    service.server_info().await.unwrap();

    let seen = fake.seen();
    let methods: Vec<_> = seen.iter().map(|seen| seen.method).collect();
    assert_eq!(
        methods,
        [
            "create",
            "retrieve",
            "retrieve",
            "update",
            "upsert",
            "delete",
            "associate",
            "disassociate",
            "assign",
            "share",
            "modify_share",
            "unshare",
            "retrieve_multiple",
            "execute",
            "execute_multiple",
            "execute_transaction",
            "who_am_i",
            "explain_access",
            "create_token",
            "list_tokens",
            "revoke_token",
            "retrieve_server_info",
        ]
    );
    assert!(
        seen.iter()
            .all(|seen| seen.authorization.as_deref() == Some("Bearer secret"))
    );
    assert!(
        seen.iter()
            .all(|seen| seen.caller_id.is_none() && seen.caller_object_id.is_none())
    );

    // The SDK puts an id on what the server remembers, and on nothing else (GO-2).
    let with_id: Vec<_> = seen
        .iter()
        .filter(|seen| !seen.request_id.is_empty())
        .map(|seen| seen.method)
        .collect();
    assert_eq!(
        with_id,
        [
            "create",
            "update",
            "upsert",
            "delete",
            "associate",
            "disassociate",
            "assign",
            "share",
            "modify_share",
            "unshare",
            "execute",
            "execute_multiple",
            "execute_transaction",
        ]
    );
}

#[tokio::test]
async fn options_travel_with_the_call() {
    let fake = Fake::default();
    fake.client()
        .create(Entity::new("account"))
        .tag("import")
        .suppress_duplicate_detection(false)
        .option("SolutionUniqueName", "core")
        .bypass_custom_sync()
        .await
        .unwrap();
    let options = fake.seen().remove(0).options;
    assert_eq!(options.tag, "import");
    assert_eq!(options.suppress_duplicate_detection, Some(false));
    assert_eq!(
        options.parameters["SolutionUniqueName"],
        v1::Value::from("core")
    );
    assert_eq!(
        options
            .bypass_business_logic_execution()
            .collect::<Vec<_>>(),
        [v1::BypassLogic::CustomSync]
    );
}

#[tokio::test]
async fn typed_retrieve_asks_for_the_columns_of_the_type() {
    let fake = Fake::default();
    let account: Account = fake.client().retrieve(ID).await.unwrap();
    assert_eq!(account.accountid, Some(ID));
    assert_eq!(account.name, "Contoso");
    assert_eq!(
        fake.columns(),
        [
            "accountid",
            "name",
            "revenue",
            "primarycontactid",
            "telephone1"
        ]
    );
}

#[test]
fn derived_types_convert_strictly() {
    let record = Entity::new("account")
        .with_id(ID)
        .set("name", "Contoso")
        .with_row_version(7);
    let account = Account::from_entity(
        record
            .clone()
            .set("primarycontactid", ID.in_table("contact"))
            .set("telephone1", "1"),
    )
    .unwrap();
    assert_eq!(account.primarycontactid, Some(ID));
    assert_eq!(account.phone.as_deref(), Some("1"));
    assert_eq!(account.version, Some(7));
    // What it says, it says the same way again, with null for what is not there.
    assert_eq!(
        account.to_entity(),
        record
            .clone()
            .set("revenue", Value::Null)
            .set("primarycontactid", ID.in_table("contact"))
            .set("telephone1", "1")
    );

    let error = |entity: Entity| Account::from_entity(entity).unwrap_err().to_string();
    assert_eq!(
        error(Entity::new("account")),
        "column `name`: expected String, found no value"
    );
    assert_eq!(
        error(record.clone().set("revenue", 5)),
        "column `revenue`: expected Money, found Integer"
    );
    assert_eq!(
        error(record.set("primarycontactid", ID.in_table("account"))),
        "column `primarycontactid`: expected EntityReference to contact, found EntityReference to \
         account"
    );
    assert_eq!(
        error(Entity::new("contact")),
        "expected a record of account, found a record of contact"
    );
}

#[test]
fn a_change_sends_what_changed() {
    let contoso = Account {
        accountid: Some(ID),
        name: "Contoso".into(),
        revenue: Some(Money::new(5)),
        primarycontactid: None,
        phone: None,
        version: Some(7),
    };
    let base = Entity::new("account").with_id(ID).with_row_version(7);
    assert_eq!(contoso.changed(|_| {}), base);
    assert_eq!(
        contoso.changed(|account| {
            account.revenue = None;
            account.primarycontactid = Some(ID);
            account.name = "Contoso".into();
        }),
        base.clone()
            .set("revenue", Value::Null)
            .set("primarycontactid", ID.in_table("contact"))
    );
    // The id and the version say which record is meant; an edit of them moves nothing.
    assert_eq!(
        contoso.changed(|account| {
            account.accountid = None;
            account.version = None;
        }),
        base
    );
}

#[tokio::test]
async fn answers_become_types() {
    let fake = Fake::default();
    let service = fake.client();

    let upserted = service
        .upsert(Entity::new("account"))
        .caller_id(ID)
        .await
        .unwrap();
    assert!(upserted.record_created);
    assert_eq!(upserted.target, EntityReference::new("account", ID));

    let echoed = service
        .execute(OrganizationRequest::new("Echo").set("TeamId", ID))
        .await
        .unwrap();
    assert_eq!(echoed.response_name, "Echo");
    assert_eq!(echoed.get::<Uuid>("TeamId").unwrap(), ID);

    let batch = service
        .execute_multiple([])
        .continue_on_error()
        .await
        .unwrap();
    assert!(batch.is_faulted);
    assert!(batch.items[0].outcome.is_ok());
    let fault = batch.items[1].outcome.as_ref().unwrap_err();
    assert_eq!(fault.code, fault_code::PRIVILEGE_DENIED);
    assert_eq!(fault.side, Some(PrincipalRole::Impersonated));

    let explanation = service.explain_access().tables(["account"]).await.unwrap();
    assert!(!explanation.allowed);
    let need = &explanation.requirements[0];
    assert_eq!(need.right, Some(AccessRight::Delete));
    assert_eq!(need.lacking, Some(PrincipalRole::Impersonated));
    assert_eq!(need.depth_needed, Some(PrivilegeDepth::Unknown(77)), "GE-3");

    let query = QueryByAttribute::new("account").equal("name", "Contoso");
    let (_, plan) = service
        .retrieve_multiple(&query)
        .explain_plan()
        .await
        .unwrap();
    assert_eq!(
        (plan.plan_kind, plan.rows_read),
        (Some(QueryPlanKind::Unknown(99)), 3)
    );

    let token = service.create_token(ID, "t").await.unwrap();
    assert_eq!(token.token, "shown once");
    assert!(!format!("{token:?}").contains("shown once"));
    assert_eq!(service.list_tokens().user(ID).await.unwrap()[0].user_id, ID);
    assert_eq!(
        service.server_info().await.unwrap().limits["page_rows_max"],
        "5000"
    );
}

#[tokio::test]
async fn what_the_server_says_about_the_call() {
    let fake = Fake::default();
    let call = fake.client().who_am_i().caller_id(ID);
    let (me, info) = call.send_with_info().await.unwrap();
    assert_eq!(me.user_id, ID);
    assert_eq!(info.effective_user_id, Some(ID));
    assert_eq!(info.request_id.as_deref(), Some("0190"));
    assert_eq!(info.remaining_time, Some(Duration::from_millis(1500)));
    assert_eq!(info.remaining_requests, None);
}

/// A denial as the server sends it (grpc 10): code, side and privilege are read, not searched for.
#[tokio::test]
async fn faults_are_read_from_the_details() {
    let metadata = [
        ("errorCode", "-2147220960"),
        ("table", "account"),
        ("privilege", "prvDeleteAccount"),
        ("principalRole", "impersonated"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut details = ErrorDetails::with_error_info("PRIVILEGE_DENIED", "orgservice", metadata);
    details.add_bad_request_violation("target.attributes[name]", "is wrong");
    details.set_request_info("0190", "");
    let message = "user (impersonated) lacks prvDeleteAccount";
    let mut status = Status::with_error_details(Code::PermissionDenied, message, details);

    for own_detail in [false, true] {
        if own_detail {
            let mut inner = tonic_types::pb::Status::decode(status.details()).unwrap();
            inner.details.push(prost_types::Any {
                type_url: "type.googleapis.com/orgservice.v1.OrganizationServiceFault".into(),
                value: v1::OrganizationServiceFault {
                    faulted_request_index: Some(0),
                    ..denied_fault()
                }
                .encode_to_vec(),
            });
            let details = inner.encode_to_vec().into();
            status = Status::with_details(Code::PermissionDenied, message, details);
        }
        let fake = Fake::default();
        fake.fail([status.clone()]);
        let call = fake.client().delete(ID.in_table("account")).caller_id(ID);
        let error = call.await.unwrap_err();
        assert!(error.is_privilege_denied() && error.is_permission_denied());
        assert!(!error.is_access_denied() && !error.is_not_found() && !error.is_retryable());
        let fault = error.fault().unwrap();
        assert_eq!(fault.code, fault_code::PRIVILEGE_DENIED);
        assert_eq!(fault.reason, "PRIVILEGE_DENIED");
        assert_eq!(fault.message, message);
        assert_eq!(fault.side, Some(PrincipalRole::Impersonated));
        assert_eq!(fault.privilege.as_deref(), Some("prvDeleteAccount"));
        assert_eq!(fault.detail("table"), Some("account"));
        assert_eq!(fault.violations[0].field, "target.attributes[name]");
        assert_eq!(fault.request_id.as_deref(), Some("0190"));
        assert_eq!(fault.faulted_request_index, own_detail.then_some(0));
        assert_eq!(fault.name, if own_detail { "PrivilegeDenied" } else { "" });
    }
}

/// A proxy's status has no details of ours: it is an error of the way, not the server's word.
#[tokio::test]
async fn a_foreign_status_is_no_fault() {
    let fake = Fake::default();
    for (status, unknown_outcome) in [
        (Status::unauthenticated("who are you?"), false),
        (Status::unimplemented("no such service"), false),
        (Status::internal("oops"), true),
        (
            Status::with_error_details(
                Code::PermissionDenied,
                "blocked",
                ErrorDetails::with_error_info("BLOCKED", "proxy.example", []),
            ),
            false,
        ),
    ] {
        fake.fail([status.clone()]);
        let error = fake
            .client()
            .create(Entity::new("account"))
            .await
            .unwrap_err();
        assert!(error.fault().is_none());
        assert_eq!(error.is_outcome_unknown(), unknown_outcome, "{status:?}");
    }
}

/// A table of `pages` rows answered `count` at a time, by page number and cookie.
fn serve(fake: &Fake, rows: usize) {
    fake.answer_queries(move |request| {
        let form = request.query.clone().unwrap().query.unwrap();
        let v1::query::Query::QueryExpression(query) = form else {
            panic!("expected an expression")
        };
        let columns = query.column_set.unwrap_or_default().columns;
        assert_eq!(
            columns,
            [
                "accountid",
                "name",
                "revenue",
                "primarycontactid",
                "telephone1"
            ]
        );
        let page = query.page_info.unwrap();
        let number = usize::try_from(page.page_number.max(1)).unwrap();
        let cookie = if number == 1 {
            String::new()
        } else {
            format!("after page {}", number - 1)
        };
        assert_eq!(page.paging_cookie, cookie);
        let count = usize::try_from(page.count).unwrap();
        let first = (number - 1) * count;
        let last = rows.min(first + count);
        v1::EntityCollection {
            entities: (first..last)
                .map(|row| {
                    Entity::new("account")
                        .set("name", format!("row {row}"))
                        .into()
                })
                .collect(),
            more_records: last < rows,
            paging_cookie: format!("after page {number}"),
            ..Default::default()
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_stream_reads_all_pages_and_survives_cuts() {
    let fake = Fake::default();
    serve(&fake, 7);
    let query = QueryExpression::new("account")
        .filter(column("statecode").equal(0))
        .page_size(3);
    let mut stream = fake.client().stream::<Account>(&query).caller_id(ID);
    let mut names = Vec::new();
    let mut errors = 0;
    loop {
        if names.len() == 3 && errors == 0 {
            // One cut more than the retry policy bears, while the second page is read.
            fake.fail(std::iter::repeat_n(Status::unavailable("cut"), 6));
        }
        match stream.try_next().await {
            Ok(Some(account)) => names.push(account.name),
            Ok(None) => break,
            Err(error) => {
                assert!(error.is_retryable());
                errors += 1;
            }
        }
    }
    assert_eq!(
        names,
        (0..7).map(|row| format!("row {row}")).collect::<Vec<_>>()
    );
    assert_eq!(errors, 1, "asking again resumes at the same page");
    assert!(stream.try_next().await.unwrap().is_none());
    assert!(
        fake.seen()
            .iter()
            .all(|seen| seen.caller_id == Some(ID.to_string()))
    );
}

#[tokio::test]
async fn a_refusal_ends_a_stream() {
    use tokio_stream::StreamExt as _;

    let fake = Fake::default();
    serve(&fake, 7);
    let query = QueryExpression::of::<Account>().page_size(3);
    let mut stream = fake.client().stream::<Account>(&query);
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    let denied = ErrorDetails::with_error_info("USER_DISABLED", "orgservice", []);
    fake.fail([Status::with_error_details(
        Code::PermissionDenied,
        "disabled",
        denied,
    )]);
    assert!(
        stream
            .next()
            .await
            .unwrap()
            .unwrap_err()
            .is_permission_denied()
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn fetch_xml_is_paged_inside_its_text() {
    let fake = Fake::default();
    fake.answer_queries(|request| {
        let Some(v1::query::Query::FetchXml(text)) = request.query.clone().unwrap().query else {
            panic!("expected FetchXML")
        };
        let second = text.contains("page='2'") && text.contains("paging-cookie='&lt;c/&gt;'");
        assert_eq!(second, text.contains("page="), "{text}");
        v1::EntityCollection {
            entities: vec![Entity::new("account").set("second", second).into()],
            more_records: !second,
            paging_cookie: "<c/>".into(),
            ..Default::default()
        }
    });
    let query = fetch_xml("<fetch count='1'><entity name='account'/></fetch>");
    let mut stream = fake.client().stream::<Entity>(&query);
    let mut pages = Vec::new();
    while let Some(row) = stream.try_next().await.unwrap() {
        pages.push(row.get::<bool>("second").unwrap());
    }
    assert_eq!(pages, [false, true]);
}
