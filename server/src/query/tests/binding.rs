//! What conditions mean, and what is refused before anything is read.

use super::*;

#[test]
fn ex_64_equality_ignores_case_and_only_ne_is_true_on_null() {
    let world = cities();
    assert_eq!(world.ids(&one("remark", Op::EQUAL, "REDMOND")), [1, 2]);
    assert_eq!(world.ids(&one("remark", Op::NOT_EQUAL, "Redmond")), [3]);
    assert_eq!(world.ids(&one("remark", Op::NOT_IN, "Redmond")), []);
}

#[test]
fn fi_3_what_is_true_on_null() {
    let world = cities();
    let text = |operator| world.ids(&one("remark", operator, "x")).contains(&3);
    for (operator, expected) in [
        (Op::EQUAL, false),
        (Op::NOT_EQUAL, true),
        (Op::GREATER_THAN, false),
        (Op::LESS_EQUAL, false),
        (Op::LIKE, false),
        (Op::NOT_LIKE, true),
        (Op::BEGINS_WITH, false),
        (Op::DOES_NOT_BEGIN_WITH, true),
        (Op::ENDS_WITH, false),
        (Op::DOES_NOT_END_WITH, true),
        (Op::CONTAINS, false),
        (Op::DOES_NOT_CONTAIN, true),
        (Op::IN, false),
        (Op::NOT_IN, false),
    ] {
        assert_eq!(text(operator), expected, "{operator:?}");
    }
    for (operator, expected) in [(Op::BETWEEN, vec![1, 2]), (Op::NOT_BETWEEN, vec![])] {
        let query = such(vec![condition(
            "remark",
            operator,
            vec!["a".into(), "z".into()],
        )]);
        assert_eq!(world.ids(&query), expected, "{operator:?}");
    }
    assert_eq!(
        world.ids(&such(vec![condition("remark", Op::NULL, vec![])])),
        [3]
    );
    assert_eq!(
        world.ids(&such(vec![condition("remark", Op::NOT_NULL, vec![])])),
        [1, 2]
    );
}

#[test]
fn fi_1_an_empty_filter_is_true_and_filters_nest() {
    let mut world = numbered(10);
    world.row(11, &[]);
    let mut query = things();
    assert_eq!(world.ids(&query).len(), 11);
    query.criteria.operator = LogicalOperator::Or;
    assert_eq!(world.ids(&query).len(), 11, "an Or without parts");
    query.criteria.conditions = vec![condition("size", Op::NULL, vec![])];
    query.criteria.filters = vec![FilterExpression {
        conditions: vec![
            condition("size", Op::GREATER_EQUAL, vec![2.into()]),
            condition("size", Op::LESS_THAN, vec![4.into()]),
        ],
        ..FilterExpression::default()
    }];
    assert_eq!(world.ids(&query), [2, 3, 9, 10, 11]);
}

#[test]
fn fi_5_columns_are_compared_with_columns_of_their_type() {
    let mut world = World::new();
    world.row(1, &[("name", "Max".into()), ("remark", "MAX".into())]);
    world.row(2, &[("name", "Max".into()), ("remark", "Moritz".into())]);
    world.row(3, &[("name", "Max".into())]);
    let compare = |operator, other: &str| {
        let mut condition = condition("name", operator, vec![other.into()]);
        condition.compare_columns = true;
        such(vec![condition])
    };
    assert_eq!(world.ids(&compare(Op::EQUAL, "remark")), [1]);
    assert_eq!(world.ids(&compare(Op::NOT_EQUAL, "remark")), [2, 3]);
    assert_eq!(world.ids(&compare(Op::LESS_THAN, "remark")), [2]);
    let invalid = FaultCode::QueryBuilderInvalidConditionOperator;
    assert_eq!(world.refused(&compare(Op::EQUAL, "size")).0, invalid);
    assert_eq!(world.refused(&compare(Op::LIKE, "remark")).0, invalid);
    let unknown = world.refused(&compare(Op::EQUAL, "nothing"));
    assert_eq!(unknown.0, FaultCode::QueryBuilderNoAttribute);
}

#[test]
fn fi_6_operators_take_their_number_of_values() {
    let world = World::new();
    for (operator, values) in [
        (Op::EQUAL, vec![]),
        (Op::EQUAL, vec![1.into(), 2.into()]),
        (Op::NULL, vec![1.into()]),
        (Op::BETWEEN, vec![1.into()]),
        (Op::IN, vec![]),
    ] {
        let refused = world.refused(&such(vec![condition("size", operator, values)]));
        let field = "query.query_expression.criteria.conditions[0].values".to_owned();
        assert_eq!(
            refused,
            (FaultCode::QueryBuilderBadCondition, field),
            "{operator:?}"
        );
    }
    let (code, field) = world.refused(&one("size", Op::EQUAL, Value::Null));
    assert_eq!(code, FaultCode::QueryBuilderBadCondition);
    assert_eq!(
        field,
        "query.query_expression.criteria.conditions[0].values[0]"
    );
}

#[test]
fn fi_8_lookups_compare_ids_and_their_names_have_columns_of_their_own() {
    let mut world = World::new();
    let (a, b) = (Uuid::from_u128(0xa), Uuid::from_u128(0xb));
    world.names = [(a, "Contoso".to_owned()), (b, "Fabrikam".to_owned())].into();
    world.row(
        1,
        &[("accountref", EntityReference::new("account", a).into())],
    );
    world.row(
        2,
        &[("accountref", EntityReference::new("account", b).into())],
    );
    world.row(3, &[]);
    assert_eq!(world.ids(&one("accountref", Op::EQUAL, a)), [1]);
    let reference = EntityReference::new("account", b);
    assert_eq!(world.ids(&one("accountref", Op::EQUAL, reference)), [2]);
    assert_eq!(world.ids(&one("accountrefname", Op::EQUAL, "CONTOSO")), [1]);
    assert_eq!(
        world.ids(&one("accountrefname", Op::NOT_LIKE, "con%")),
        [2, 3]
    );
    let (code, field) = world.refused(&one("accountref", Op::EQUAL, "Contoso"));
    assert_eq!(code, FaultCode::InvalidArgument);
    assert_eq!(
        field,
        "query.query_expression.criteria.conditions[0].values[0]"
    );
    let (code, _) = world.refused(&one("accountref", Op::LIKE, "Contoso"));
    assert_eq!(code, FaultCode::QueryBuilderInvalidConditionOperator);
    assert_eq!(
        world.refused(&one("sizename", Op::EQUAL, 1)).0,
        FaultCode::QueryBuilderNoAttribute
    );
}

#[test]
fn values_are_checked_against_the_type_of_their_column() {
    let world = World::new();
    let moment = Value::DateTime(Timestamp::UNIX_EPOCH);
    for (column, value) in [
        ("size", "1".into()),
        ("size", Value::BigInt(1)),
        ("good", 1.into()),
        ("name", 1.into()),
        ("seen", "2020-01-01".into()),
        ("kind", "Ant".into()),
        ("rate", Value::Double(1.0)),
        ("new_thingid", "x".into()),
        ("ownerid", 1.into()),
        ("price", Value::Double(1.0)),
    ] {
        let fault = world.run(&one(column, Op::EQUAL, value)).unwrap_err();
        assert_eq!(fault.code(), FaultCode::InvalidArgument, "{column}");
        assert_eq!(fault.body().details["column"], column);
    }
    for (column, value) in [
        ("rate", 1.into()),
        ("price", Value::Decimal(Decimal::ONE)),
        ("price", 1.into()),
        ("kind", 1.into()),
        ("kind", Value::OptionSet(1)),
        ("versionnumber", 1.into()),
        ("seen", moment),
    ] {
        assert_eq!(world.ids(&one(column, Op::EQUAL, value)), [], "{column}");
    }
    for (column, operator) in [
        ("tags", Op::EQUAL),
        ("good", Op::GREATER_THAN),
        ("accountref", Op::LESS_THAN),
        ("size", Op::LIKE),
        ("seen", Op::BEGINS_WITH),
    ] {
        let (code, field) = world.refused(&one(column, operator, 1));
        assert_eq!(
            code,
            FaultCode::QueryBuilderInvalidConditionOperator,
            "{column}"
        );
        assert_eq!(
            field,
            "query.query_expression.criteria.conditions[0].operator"
        );
    }
}

#[test]
fn dt_1_a_date_is_compared_without_its_time() {
    let mut world = World::new();
    let day: Timestamp = "2026-03-11T00:00:00Z".parse().unwrap();
    world.row(1, &[("day", Value::DateTime(day))]);
    let noon: Timestamp = "2026-03-11T12:00:00Z".parse().unwrap();
    assert_eq!(
        world.ids(&one("day", Op::EQUAL, Value::DateTime(noon))),
        [1]
    );
}

#[test]
fn g_2_names_are_checked_and_the_fault_names_the_path() {
    let world = World::new();
    let mut query = things();
    query.entity_name = "New_thing".into();
    let table = "query.query_expression.entity_name".to_owned();
    assert_eq!(
        world.refused(&query),
        (FaultCode::QueryBuilderNoEntity, table)
    );
    let unknown = FaultCode::QueryBuilderNoAttribute;
    let mut query = things();
    query.column_set = ColumnSet::of(["name", "nmae"]);
    let path = "query.query_expression.column_set.columns[1]".to_owned();
    assert_eq!(world.refused(&query), (unknown, path));
    let mut query = things();
    query.orders = vec![by("nothing", OrderType::Ascending)];
    let path = "query.query_expression.orders[0].attribute_name".to_owned();
    assert_eq!(world.refused(&query), (unknown, path));
    let mut query = things();
    let nested = such(vec![condition("nothing", Op::NULL, vec![])]).criteria;
    query.criteria.filters = vec![FilterExpression::default(), nested];
    let path = "query.query_expression.criteria.filters[1].conditions[0].attribute_name";
    assert_eq!(world.refused(&query), (unknown, path.to_owned()));
}

#[test]
fn what_is_not_built_is_named() {
    let world = World::new();
    let refused = |query: Query| {
        let fault = world.run_with(&Everything, &query, BOUNDS).unwrap_err();
        assert_eq!(fault.code(), FaultCode::NotImplemented);
        fault.body().details["message"].clone()
    };
    let expression = |change: fn(&mut QueryExpression)| {
        let mut query = things();
        change(&mut query);
        refused(Query::Expression(query))
    };
    assert_eq!(
        expression(|q| q.distinct = true),
        "RetrieveMultiple: distinct"
    );
    assert_eq!(
        expression(|q| q.link_entity_count = 1),
        "RetrieveMultiple: link entities"
    );
    assert_eq!(
        refused(Query::FetchXml("<fetch/>".into())),
        "RetrieveMultiple: FetchXML"
    );
    let query = one("seen", Op(25), Value::DateTime(Timestamp::UNIX_EPOCH));
    assert_eq!(refused(Query::Expression(query)), "RetrieveMultiple: On");
    let query = one("seen", Op(999), 1);
    assert_eq!(
        refused(Query::Expression(query)),
        "RetrieveMultiple: operator 999"
    );
    let mut query = one("name", Op::EQUAL, "x");
    query.criteria.conditions[0].entity_name = "link".into();
    assert_eq!(
        world.refused(&query).0,
        FaultCode::QueryBuilderAliasDoesNotExist
    );
}

#[test]
fn ex_76_too_many_conditions_values_filters_and_orders_name_the_bound() {
    let world = World::new();
    let null = condition("size", Op::NULL, vec![]);
    assert!(
        world
            .run(&such(vec![null.clone(); limits::QUERY_CONDITIONS_MAX]))
            .is_ok()
    );
    let query = such(vec![null.clone(); limits::QUERY_CONDITIONS_MAX + 1]);
    assert_eq!(world.refused(&query).0, FaultCode::TooManyConditionsInQuery);

    let values = |count| such(vec![condition("size", Op::IN, vec![1.into(); count])]);
    assert!(world.run(&values(limits::CONDITION_VALUES_MAX)).is_ok());
    let limit_of = |query: &QueryExpression| {
        let fault = world.run(query).unwrap_err();
        assert_eq!(fault.code(), FaultCode::LimitExceeded);
        fault.body().details["limit"].clone()
    };
    assert_eq!(
        limit_of(&values(limits::CONDITION_VALUES_MAX + 1)),
        "condition_values_max"
    );

    let nested = |depth| {
        let mut query = things();
        for _ in 1..depth {
            let inner = std::mem::take(&mut query.criteria);
            query.criteria.filters = vec![inner];
        }
        query
    };
    assert!(world.run(&nested(limits::FILTER_DEPTH_MAX)).is_ok());
    assert_eq!(
        limit_of(&nested(limits::FILTER_DEPTH_MAX + 1)),
        "filter_depth_max"
    );

    let mut query = things();
    query.orders = vec![by("size", OrderType::Ascending); limits::QUERY_ORDERS_MAX + 1];
    assert_eq!(limit_of(&query), "query_orders_max");
}

#[test]
fn query_by_attribute_is_equality_of_all_columns() {
    let mut world = numbered(20);
    world.row(21, &[("weight", (-3).into())]);
    let query = |attributes: &[&str], values: Vec<Value>| {
        Query::ByAttribute(QueryByAttribute {
            entity_name: "new_thing".into(),
            attributes: attributes.iter().map(|&name| name.to_owned()).collect(),
            values,
            ..QueryByAttribute::default()
        })
    };
    let run = |query: Query| world.run_with(&Everything, &query, BOUNDS);
    let both = query(&["size", "weight"], vec![3.into(), (-3).into()]);
    assert_eq!(ids(&run(both).unwrap()), [3, 10, 17]);
    let null = query(&["size", "weight"], vec![Value::Null, (-3).into()]);
    assert_eq!(ids(&run(null).unwrap()), [21]);
    let code = |query| run(query).unwrap_err().code();
    assert_eq!(
        code(query(&[], vec![])),
        FaultCode::QueryBuilderByAttributeNonEmpty
    );
    assert_eq!(
        code(query(&["size"], vec![1.into(), 2.into()])),
        FaultCode::QueryBuilderByAttributeMismatch
    );
    let fault = run(query(&["size"], vec!["x".into()])).unwrap_err();
    assert_eq!(
        fault.body().violations[0].field,
        "query.query_by_attribute.values[0]"
    );
}
