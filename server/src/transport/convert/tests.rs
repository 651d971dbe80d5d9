//! Round trips, and every input that is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bytes::Bytes;
use orgservice::v1::value::Kind;
use orgservice_security::AccessRights;
use rust_decimal::Decimal;

use super::*;
use crate::model::*;

const WRITER: Writer = Writer {
    activity_id: Uuid::from_u128(7),
};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn relationship(role: Option<EntityRole>) -> Relationship {
    Relationship {
        schema_name: "account_parent_account".into(),
        primary_entity_role: role,
    }
}

fn expression() -> QueryExpression {
    QueryExpression {
        entity_name: "account".into(),
        column_set: ColumnSet::of(["name"]),
        criteria: FilterExpression {
            operator: LogicalOperator::Or,
            conditions: vec![ConditionExpression {
                entity_name: String::new(),
                attribute_name: "name".into(),
                operator: ConditionOperator::BEGINS_WITH,
                values: vec!["Con".into()],
                compare_columns: true,
            }],
            filters: vec![FilterExpression::default()],
        },
        orders: vec![OrderExpression {
            attribute_name: "name".into(),
            order_type: OrderType::Descending,
        }],
        page_info: Some(PagingInfo {
            page_number: 2,
            count: 50,
            return_total_record_count: true,
            paging_cookie: Some("cookie".into()),
        }),
        top_count: Some(3),
        distinct: true,
        link_entity_count: 0,
    }
}

/// One value of every kind that a request may hold.
fn every_kind() -> Vec<Value> {
    let reference = EntityReference {
        key_attributes: [("accountnumber".to_owned(), Value::from("A-1"))].into(),
        row_version: Some(12),
        ..EntityReference::new("account", id(1))
    };
    let record = Entity {
        row_version: Some(u64::MAX),
        key_attributes: [("accountnumber".to_owned(), Value::from("A-1"))].into(),
        related_entities: vec![RelatedEntities {
            relationship: relationship(Some(EntityRole::Referenced)),
            entities: EntityCollection {
                entity_name: "account".into(),
                entities: vec![Entity::new("account").with("name", "child")],
                total_record_count: -1,
                ..EntityCollection::default()
            },
        }],
        ..Entity::new("account")
            .with_id(id(1))
            .with("name", "Contoso")
            .with("fax", Value::Null)
    };
    let request = OrganizationRequest {
        request_id: Some(id(2)),
        ..OrganizationRequest::new("Create").with("Target", record.clone())
    };
    vec![
        Value::Null,
        Value::Boolean(true),
        Value::Integer(-5),
        Value::BigInt(i64::MIN),
        Value::Double(47.6),
        Value::Decimal(Decimal::new(1250, 2)),
        Value::Money(Decimal::new(-500_000, 2)),
        Value::String("Contoso".into()),
        Value::DateTime("2017-01-01T00:00:00.5Z".parse().unwrap()),
        Value::Guid(id(3)),
        Value::OptionSet(1),
        Value::OptionSets(vec![3, 1]),
        Value::EntityReference(reference.clone()),
        Value::EntityReferences(vec![reference.clone(), EntityReference::default()]),
        Value::Entity(Box::new(record.clone())),
        Value::Entities(Box::new(EntityCollection {
            entity_name: "account".into(),
            entities: vec![record],
            total_record_count: -1,
            ..EntityCollection::default()
        })),
        Value::Aliased(Box::new(AliasedValue {
            entity_logical_name: "contact".into(),
            attribute_logical_name: "fullname".into(),
            value: Value::from("Ann"),
        })),
        Value::Bytes(Bytes::from_static(b"\x00\xff")),
        Value::BooleanManagedProperty(true),
        Value::PrincipalAccess(PrincipalAccess {
            principal: reference,
            access_mask: AccessRights::all(),
        }),
        Value::List(vec![Value::Integer(1), Value::List(vec![Value::Null])]),
        Value::ColumnSet(ColumnSet {
            all_columns: true,
            columns: vec!["entityimage".into()],
        }),
        Value::Relationship(relationship(Some(EntityRole::Referencing))),
        Value::Query(Box::new(Query::Expression(expression()))),
        Value::Query(Box::new(Query::FetchXml("<fetch/>".into()))),
        Value::Query(Box::new(Query::ByAttribute(QueryByAttribute {
            entity_name: "account".into(),
            attributes: vec!["name".into()],
            values: vec![Value::Null],
            top_count: Some(1),
            ..QueryByAttribute::default()
        }))),
        Value::Request(Box::new(request)),
        Value::Response(Box::new(
            OrganizationResponse::new("Create").with("id", id(4)),
        )),
    ]
}

#[test]
fn every_kind_survives_both_ways() {
    for value in every_kind() {
        let wire = WRITER.value(value.clone());
        assert_eq!(value::read_value(wire, Depth::full()).unwrap(), value);
    }
}

#[test]
fn every_kind_of_the_domain_has_its_own_kind_on_the_wire() {
    let mut wire: Vec<_> = every_kind()
        .into_iter()
        .chain([Value::Fault(Box::new(Fault::unexpected("x")))])
        .map(|value| std::mem::discriminant(&WRITER.value(value).kind.unwrap()))
        .collect();
    let queries = 2; // Three of the values are queries.
    wire.dedup();
    assert_eq!(wire.len(), 29 - queries);
}

#[test]
fn what_is_output_only_is_ignored_on_input() {
    let wire = v1::Entity {
        formatted_values: [("name".to_owned(), "Contoso!".to_owned())].into(),
        attributes: [(
            "parentaccountid".to_owned(),
            v1::Value::from(v1::EntityReference {
                name: "a name".into(),
                ..v1::EntityReference::default()
            }),
        )]
        .into(),
        ..v1::Entity::default()
    };
    let record = entity::read_entity(wire, Depth::full()).unwrap();
    assert!(record.formatted_values.is_empty());
    let Value::EntityReference(reference) = &record.attributes["parentaccountid"] else {
        panic!()
    };
    assert_eq!(reference.name, None);
    let page = v1::EntityCollection {
        more_records: true,
        total_record_count: 9,
        paging_cookie: "x".into(),
        ..v1::EntityCollection::default()
    };
    let page = entity::read_collection(page, Depth::full()).unwrap();
    assert!(!page.more_records && page.paging_cookie.is_none());
}

/// The code and the path of the one violation of a refused request.
fn refused(request: impl Message) -> (FaultCode, String) {
    let fault = request.read().unwrap_err();
    let [violation] = fault.body().violations.as_slice() else {
        panic!("{fault}")
    };
    assert!(fault.body().message.contains(&violation.field), "{fault}");
    (fault.code(), violation.field.clone())
}

fn create(value: v1::Value) -> v1::CreateRequest {
    let target = v1::Entity {
        logical_name: "account".into(),
        attributes: [("telephone1".to_owned(), value)].into(),
        ..v1::Entity::default()
    };
    v1::CreateRequest {
        target: Some(target),
        options: None,
    }
}

fn kind(kind: Kind) -> v1::Value {
    kind.into()
}

#[test]
fn gex_5_every_bad_value_is_refused_at_its_path() {
    let here = "target.attributes[telephone1]";
    let invalid = FaultCode::InvalidArgument;
    let reference = |reference| kind(Kind::EntityReference(Box::new(reference)));
    let cases = [
        (v1::Value::default(), invalid, String::new()),
        (kind(Kind::NullValue(1)), invalid, String::new()),
        (kind(Kind::DoubleValue(f64::NAN)), invalid, String::new()),
        (
            kind(Kind::DoubleValue(f64::NEG_INFINITY)),
            invalid,
            String::new(),
        ),
        (
            kind(Kind::DecimalValue("1e5".into())),
            invalid,
            String::new(),
        ),
        (
            kind(Kind::MoneyValue(v1::Money::default())),
            invalid,
            String::new(),
        ),
        (
            kind(Kind::DecimalValue("9".repeat(40))),
            FaultCode::DecimalValueOutOfRange,
            "".into(),
        ),
        (
            prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            }
            .into(),
            FaultCode::InvalidDateTime,
            String::new(),
        ),
        (kind(Kind::GuidValue("".into())), invalid, String::new()),
        (kind(Kind::GuidValue("x".into())), invalid, String::new()),
        (kind(Kind::Fault(Box::default())), invalid, String::new()),
        (
            reference(v1::EntityReference {
                id: "x".into(),
                ..Default::default()
            }),
            invalid,
            ".entity_reference.id".into(),
        ),
        (
            reference(v1::EntityReference {
                row_version: "-1".into(),
                ..Default::default()
            }),
            invalid,
            ".entity_reference.row_version".into(),
        ),
        (
            reference(v1::EntityReference {
                key_attributes: [("code".to_owned(), v1::Value::default())].into(),
                ..Default::default()
            }),
            invalid,
            ".entity_reference.key_attributes[code]".into(),
        ),
        (
            vec![v1::Value::null(), v1::Value::default()].into(),
            invalid,
            ".list.values[1]".into(),
        ),
        (
            v1::Relationship {
                primary_entity_role: 3,
                ..Default::default()
            }
            .into(),
            invalid,
            ".relationship.primary_entity_role".into(),
        ),
        (
            v1::PrincipalAccess {
                access_rights: vec![1, 0],
                ..Default::default()
            }
            .into(),
            FaultCode::InvalidAccessRights,
            ".principal_access.access_rights[1]".into(),
        ),
        (v1::Query::default().into(), invalid, ".query".into()),
        (
            v1::AliasedValue::default().into(),
            invalid,
            ".aliased_value.value".into(),
        ),
        (
            v1::AliasedValue {
                value: Some(Box::new(
                    v1::AliasedValue {
                        value: Some(Box::new(v1::Value::null())),
                        ..Default::default()
                    }
                    .into(),
                )),
                ..Default::default()
            }
            .into(),
            invalid,
            ".aliased_value.value".into(),
        ),
        (
            v1::Entity {
                related_entities: vec![v1::RelatedEntities::default()],
                ..Default::default()
            }
            .into(),
            invalid,
            ".entity.related_entities[0].relationship".into(),
        ),
        (
            v1::OrganizationRequest {
                request_id: "1".into(),
                ..Default::default()
            }
            .into(),
            invalid,
            ".organization_request.request_id".into(),
        ),
        (
            v1::OrganizationResponse {
                results: [("id".to_owned(), v1::Value::default())].into(),
                ..Default::default()
            }
            .into(),
            invalid,
            ".organization_response.results[id]".into(),
        ),
    ];
    for (value, code, path) in cases {
        assert_eq!(refused(create(value)), (code, format!("{here}{path}")));
    }
}

#[test]
fn values_nest_up_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| {
        (1..levels).fold(v1::Value::null(), |inner, _| v1::Value::from(vec![inner]))
    };
    assert!(create(nested(limits::VALUE_DEPTH_MAX)).read().is_ok());
    let fault = create(nested(limits::VALUE_DEPTH_MAX + 1))
        .read()
        .unwrap_err();
    assert_eq!(fault.body().details["limit"], "value_depth_max");
    // The decoder's own bound is another one: a hand-made tree must not reach the end of the stack.
    assert!(create(nested(2_000)).read().is_err());
}

fn query(form: v1::query::Query) -> v1::RetrieveMultipleRequest {
    v1::RetrieveMultipleRequest {
        query: Some(form.into()),
        ..Default::default()
    }
}

fn expression_query(expression: v1::QueryExpression) -> v1::RetrieveMultipleRequest {
    query(v1::query::Query::QueryExpression(expression))
}

fn condition(operator: i32) -> v1::RetrieveMultipleRequest {
    expression_query(v1::QueryExpression {
        criteria: Some(v1::FilterExpression {
            conditions: vec![v1::ConditionExpression {
                operator,
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    })
}

#[test]
fn gex_9_an_unknown_operator_is_never_no_filter() {
    let path = "query.query_expression.criteria.conditions[0].operator";
    for number in [999, -1, 0, 90] {
        assert_eq!(
            refused(condition(number)),
            (FaultCode::InvalidArgument, path.to_owned())
        );
    }
}

#[test]
fn gq_6_operators_are_the_numbers_of_the_sdk() {
    for (wire, sdk) in [(1, 0), (55, 54), (89, 88)] {
        let (request, _) = condition(wire).read().unwrap();
        let Value::Query(query) = &request.parameters["Query"] else {
            panic!()
        };
        let Query::Expression(expression) = query.as_ref() else {
            panic!()
        };
        assert_eq!(
            expression.criteria.conditions[0].operator,
            ConditionOperator(sdk)
        );
    }
}

#[test]
fn ge_2_unknown_enum_numbers_and_forms_are_refused() {
    let order = |order| {
        expression_query(v1::QueryExpression {
            orders: vec![order],
            ..Default::default()
        })
    };
    let prefix = "query.query_expression";
    let cases = [
        (
            expression_query(v1::QueryExpression {
                criteria: Some(v1::FilterExpression {
                    filter_operator: 3,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            FaultCode::InvalidArgument,
            format!("{prefix}.criteria.filter_operator"),
        ),
        (
            order(v1::OrderExpression {
                order_type: 3,
                ..Default::default()
            }),
            FaultCode::InvalidArgument,
            format!("{prefix}.orders[0].order_type"),
        ),
        (
            order(v1::OrderExpression {
                alias: "a".into(),
                ..Default::default()
            }),
            FaultCode::InvalidArgument,
            format!("{prefix}.orders[0].alias"),
        ),
        (
            order(v1::OrderExpression {
                entity_name: "a".into(),
                ..Default::default()
            }),
            FaultCode::QueryBuilderAliasDoesNotExist,
            format!("{prefix}.orders[0].entity_name"),
        ),
        (
            v1::RetrieveMultipleRequest {
                query: Some(Default::default()),
                ..Default::default()
            },
            FaultCode::InvalidArgument,
            "query".to_owned(),
        ),
    ];
    for (request, code, path) in cases {
        assert_eq!(refused(request), (code, path));
    }
    let behavior = v1::UpdateRequest {
        concurrency_behavior: 4,
        ..Default::default()
    };
    assert_eq!(refused(behavior).1, "concurrency_behavior");
    let bypass = |number| v1::WhoAmIRequest {
        options: Some(v1::RequestOptions {
            bypass_business_logic_execution: vec![1, number],
            ..Default::default()
        }),
    };
    for number in [0, 3] {
        assert_eq!(
            refused(bypass(number)).1,
            "options.bypass_business_logic_execution[1]"
        );
    }
}

#[test]
fn filters_nest_up_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| {
        let criteria = (1..levels).fold(v1::FilterExpression::default(), |inner, _| {
            v1::FilterExpression {
                filters: vec![inner],
                ..Default::default()
            }
        });
        expression_query(v1::QueryExpression {
            criteria: Some(criteria),
            ..Default::default()
        })
    };
    assert!(nested(limits::FILTER_DEPTH_MAX).read().is_ok());
    let fault = nested(limits::FILTER_DEPTH_MAX + 1).read().unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidArgument);
    assert_eq!(fault.body().details["limit"], "filter_depth_max");
}

#[test]
fn joins_are_counted_wherever_they_stand() {
    let filter = v1::FilterExpression {
        any_all_filter_link_entity: Some(Box::default()),
        filters: vec![v1::FilterExpression {
            any_all_filter_link_entity: Some(Box::default()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let (request, _) = expression_query(v1::QueryExpression {
        link_entities: vec![v1::LinkEntity::default()],
        criteria: Some(filter),
        ..Default::default()
    })
    .read()
    .unwrap();
    let Value::Query(query) = &request.parameters["Query"] else {
        panic!()
    };
    let Query::Expression(expression) = query.as_ref() else {
        panic!()
    };
    assert_eq!(expression.link_entity_count, 3);
}

#[test]
fn gr_2_a_typed_request_is_the_bag_that_execute_takes() {
    let target = v1::EntityReference {
        logical_name: "account".into(),
        id: id(1).to_string(),
        ..Default::default()
    };
    let other = v1::EntityReference {
        logical_name: "contact".into(),
        ..target.clone()
    };
    let principal_access = v1::PrincipalAccess {
        principal: Some(other.clone()),
        access_rights: vec![v1::AccessRight::Read.into(), v1::AccessRight::Read.into()],
    };
    let (domain, domain_other) = (
        EntityReference::new("account", id(1)),
        EntityReference::new("contact", id(1)),
    );
    let access = Value::PrincipalAccess(PrincipalAccess {
        principal: domain_other.clone(),
        access_mask: AccessRights::READ,
    });
    let bag = |request: (OrganizationRequest, RequestOptions)| request.0;
    let expected = |name: &str| OrganizationRequest::new(name).with("Target", domain.clone());

    let request = v1::DeleteRequest {
        target: Some(target.clone()),
        concurrency_behavior: v1::ConcurrencyBehavior::IfRowVersionMatches.into(),
        options: None,
    };
    assert_eq!(
        bag(request.read().unwrap()),
        expected("Delete").with("ConcurrencyBehavior", 1)
    );

    let request = v1::AssignRequest {
        target: Some(target.clone()),
        assignee: Some(other.clone()),
        options: None,
    };
    assert_eq!(
        bag(request.read().unwrap()),
        expected("Assign").with("Assignee", domain_other.clone())
    );

    let request = v1::ShareRequest {
        target: Some(target.clone()),
        principal_access: Some(principal_access.clone()),
        options: None,
    };
    let granted = expected("GrantAccess").with("PrincipalAccess", access.clone());
    assert_eq!(bag(request.read().unwrap()), granted);

    let request = v1::ModifyShareRequest {
        target: Some(target.clone()),
        principal_access: Some(principal_access),
        options: None,
    };
    assert_eq!(
        bag(request.read().unwrap()),
        expected("ModifyAccess").with("PrincipalAccess", access)
    );

    let request = v1::UnshareRequest {
        target: Some(target.clone()),
        revokee: Some(other.clone()),
        options: None,
    };
    let revoked = expected("RevokeAccess").with("Revokee", domain_other.clone());
    assert_eq!(bag(request.read().unwrap()), revoked);

    let request = v1::AssociateRequest {
        target: Some(target.clone()),
        relationship: Some(v1::Relationship {
            schema_name: "account_parent_account".into(),
            primary_entity_role: 0,
        }),
        related_entities: vec![other],
        options: None,
    };
    let associated = expected("Associate")
        .with("Relationship", Value::Relationship(relationship(None)))
        .with(
            "RelatedEntities",
            Value::EntityReferences(vec![domain_other]),
        );
    assert_eq!(bag(request.read().unwrap()), associated);

    let request = v1::RetrieveRequest {
        target: Some(target),
        related_entities_query: vec![v1::RelatedEntitiesQuery {
            relationship: Some(v1::Relationship {
                schema_name: "account_parent_account".into(),
                primary_entity_role: 0,
            }),
            query: Some(v1::query::Query::FetchXml("<fetch/>".into()).into()),
        }],
        ..Default::default()
    };
    let entry = RelatedEntitiesQuery {
        relationship: relationship(None),
        query: Query::FetchXml("<fetch/>".into()),
    };
    let retrieved = expected("Retrieve")
        .with("ColumnSet", Value::ColumnSet(ColumnSet::default()))
        .with("RelatedEntitiesQuery", Value::List(vec![entry.into()]));
    assert_eq!(bag(request.read().unwrap()), retrieved);
}

#[test]
fn gr_2_what_is_missing_is_left_to_the_core() {
    let (request, _) = v1::CreateRequest::default().read().unwrap();
    assert_eq!(request, OrganizationRequest::new("Create"));
    let (request, _) = v1::RetrieveMultipleRequest::default().read().unwrap();
    assert_eq!(request, OrganizationRequest::new("RetrieveMultiple"));
}

#[test]
fn options_travel_under_their_sdk_names() {
    let options = v1::RequestOptions {
        request_id: id(9).to_string(),
        suppress_duplicate_detection: Some(false),
        bypass_business_logic_execution: vec![1, 2],
        tag: "import".into(),
        parameters: [("SolutionUniqueName".to_owned(), v1::Value::from("Core"))].into(),
    };
    let read = read_options(Some(options.clone())).unwrap();
    assert_eq!(read.request_id, Some(id(9)));
    let expected = [
        (
            "BypassBusinessLogicExecution",
            Value::from("CustomSync,CustomAsync"),
        ),
        ("SolutionUniqueName", Value::from("Core")),
        ("SuppressDuplicateDetection", Value::from(false)),
        ("tag", Value::from("import")),
    ];
    assert!(
        read.parameters
            .into_iter()
            .eq(expected.map(|(name, value)| (name.to_owned(), value)))
    );
    assert_eq!(read_options(None).unwrap(), RequestOptions::default());

    let twice = v1::RequestOptions {
        parameters: [("tag".to_owned(), v1::Value::from("other"))].into(),
        ..options
    };
    assert_eq!(
        read_options(Some(twice)).unwrap_err().path,
        "options.parameters[tag]"
    );
}

#[test]
fn go_2_two_different_request_ids_are_refused() {
    let execute = |inner: &str, outer: &str| v1::ExecuteRequest {
        request: Some(v1::OrganizationRequest {
            request_name: "WhoAmI".into(),
            request_id: inner.into(),
            ..Default::default()
        }),
        options: Some(v1::RequestOptions {
            request_id: outer.into(),
            ..Default::default()
        }),
    };
    let (a, b) = (id(1).to_string(), id(2).to_string());
    assert_eq!(refused(execute(&a, &b)).1, "request.request_id");
    for (inner, outer) in [(a.as_str(), a.as_str()), (&a, ""), ("", &a)] {
        let (request, options) = execute(inner, outer).read().unwrap();
        assert_eq!(
            (request.request_id, options.request_id),
            (Some(id(1)), Some(id(1)))
        );
    }
    assert_eq!(refused(v1::ExecuteRequest::default()).1, "request");
}

#[test]
fn a_batch_names_the_request_that_cannot_be_read() {
    let bad = v1::OrganizationRequest {
        parameters: [("Target".to_owned(), v1::Value::default())].into(),
        ..Default::default()
    };
    let requests = vec![v1::OrganizationRequest::default(), bad];
    let path = "requests[1].parameters[Target]";
    let multiple = v1::ExecuteMultipleRequest {
        requests: requests.clone(),
        ..Default::default()
    };
    assert_eq!(refused(multiple).1, path);
    let transaction = v1::ExecuteTransactionRequest {
        requests,
        ..Default::default()
    };
    assert_eq!(refused(transaction).1, path);
}

#[test]
fn gx_3_outcomes_of_a_batch_are_data() {
    let item = |index: i32| Entity::new("ExecuteMultipleResponseItem").with("RequestIndex", index);
    let response = OrganizationResponse::new("Create").with("id", id(5));
    let fault = Fault::new(FaultCode::PrivilegeDenied, "no").detail("privilege", "prvReadAccount");
    let answer = OrganizationResponse::new("ExecuteMultiple")
        .with("IsFaulted", true)
        .with(
            "Responses",
            Value::List(vec![
                item(0)
                    .with("Response", Value::Response(Box::new(response)))
                    .into(),
                item(2).with("Fault", Value::Fault(Box::new(fault))).into(),
            ]),
        );
    let answer = v1::ExecuteMultipleRequest::write(answer, WRITER).unwrap();
    assert!(answer.is_faulted);
    let [first, second] = answer.responses.as_slice() else {
        panic!()
    };
    assert_eq!(first.response.as_ref().unwrap().response_name, "Create");
    assert!(first.fault.is_none() && second.response.is_none());
    let fault = second.fault.as_ref().unwrap();
    assert_eq!(
        (second.request_index, fault.error_code),
        (2, -2_147_220_960)
    );
    assert_eq!(
        fault.error_details["privilege"],
        v1::Value::from("prvReadAccount")
    );
    assert_eq!(fault.activity_id, WRITER.activity_id.to_string());
}

#[test]
fn answers_of_the_core_become_those_of_the_rpcs() {
    let answer = OrganizationResponse::new("Create").with("id", id(5));
    assert_eq!(
        v1::CreateRequest::write(answer, WRITER).unwrap().id,
        id(5).to_string()
    );

    let answer = OrganizationResponse::new("Upsert")
        .with("RecordCreated", true)
        .with("Target", EntityReference::new("account", id(5)));
    let answer = v1::UpsertRequest::write(answer, WRITER).unwrap();
    assert!(answer.record_created && answer.target.unwrap().id == id(5).to_string());

    let page = EntityCollection {
        entity_name: "account".into(),
        entities: vec![Entity::new("account").with_id(id(1))],
        more_records: true,
        paging_cookie: Some("next".into()),
        total_record_count: 5_000,
        total_record_count_limit_exceeded: true,
    };
    let answer = OrganizationResponse::new("RetrieveMultiple")
        .with("EntityCollection", Value::Entities(Box::new(page)));
    let page = v1::RetrieveMultipleRequest::write(answer, WRITER)
        .unwrap()
        .entity_collection
        .unwrap();
    assert!(page.more_records && page.total_record_count_limit_exceeded);
    assert_eq!(
        (page.paging_cookie.as_str(), page.total_record_count),
        ("next", 5_000)
    );

    let broken = OrganizationResponse::new("Create").with("id", "not a guid");
    let fault = v1::CreateRequest::write(broken, WRITER).unwrap_err();
    assert_eq!(fault.code(), FaultCode::UnExpected);
}
