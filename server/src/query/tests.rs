#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

//! Queries against a map in memory, and against an evaluator that knows nothing of plans.

mod differential;

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use orgservice_security::{
    AccessRights, BusinessUnitId, Owner, RecordFacts, RecordScope, Right, Share, SharePrincipal,
    UserId,
};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    BoundQuery, QueryContext, RowFilter, bind,
    execute::{Bounds, execute_within},
    plan::{Surroundings, plans},
};
use crate::{
    directory,
    fault::{FaultCode, Result},
    limits,
    metadata::{
        DateTimeBehavior, Definitions, DefinitionsBuilder, TableDefinition,
        column::{
            boolean, choice, choices, date_time, decimal, integer, lookup, memo, money, text,
        },
        table,
    },
    model::{
        ColumnSet, ConditionExpression, ConditionOperator as Op, EntityCollection, EntityReference,
        FilterExpression, LogicalOperator, OrderExpression, OrderType, PagingInfo, Query,
        QueryByAttribute, QueryExpression, Value,
    },
    records::{Currency, Lookups},
    storage::{
        Direction, KeyRange, ReadView, StorageError, index, keys,
        record::{Record, StoredOwner},
        share::ShareRow,
    },
};

/// A store of ordered keys.
#[derive(Clone, Default)]
struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

impl ReadView for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        Ok(self.0.get(key).map(|value| Bytes::copy_from_slice(value)))
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let bounds = (
            Bound::Included(range.start.clone()),
            Bound::Excluded(range.end.clone()),
        );
        let pairs = self.0.range(bounds);
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| {
            (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))
        };
        Ok(match direction {
            Direction::Forward => pairs.take(limit).map(copy).collect(),
            Direction::Backward => pairs.rev().take(limit).map(copy).collect(),
        })
    }
}

/// Tables and rows.
struct World {
    definitions: Definitions,
    store: Map,
    names: BTreeMap<Uuid, String>,
    shares: BTreeMap<Uuid, Vec<Share>>,
}

const ORGANIZATION: Uuid = Uuid::from_u128(0xabcd);
const SUBJECT: Uuid = Uuid::from_u128(0x5e1f);
const KEY: [u8; 32] = [9; 32];

impl Lookups for World {
    fn primary_name(&self, _: &str, id: Uuid) -> Option<String> {
        self.names.get(&id).cloned()
    }

    fn currency(&self, _: Uuid) -> Option<Currency> {
        None
    }

    fn base_currency(&self) -> Option<Currency> {
        None
    }

    fn organization_id(&self) -> Uuid {
        ORGANIZATION
    }
}

impl World {
    fn new() -> Self {
        let thing = table("new_thing")
            .primary_name(text("Name", 200))
            .column(text("Code", 4000).indexed())
            .column(text("Remark", 100))
            .column(integer("Size", -1_000, 1_000).indexed())
            .column(integer("Weight", -1_000, 1_000))
            .column(decimal("Rate", 4).indexed())
            .column(choice("Kind", &[(1, "zebra"), (2, "Ant"), (3, "mole")]))
            .column(boolean("Good", false))
            .column(lookup("AccountRef", &["account"]))
            .column(date_time("Seen", DateTimeBehavior::UserLocal).indexed())
            .column(memo("Notes", 10_000))
            .column(money("Price", 0))
            .column(choices("Tags", &[(1, "a"), (2, "b")]))
            .column(date_time("Day", DateTimeBehavior::DateOnly));
        World {
            definitions: DefinitionsBuilder::system().table(thing).build().unwrap(),
            store: Map::default(),
            names: BTreeMap::new(),
            shares: BTreeMap::new(),
        }
    }

    fn table(&self) -> &Arc<TableDefinition> {
        self.definitions.table("new_thing").unwrap()
    }

    fn number(&self, column: &str) -> u16 {
        self.table().column(column).unwrap().number
    }

    fn put(&mut self, id: u128, record: Record) {
        let id = Uuid::from_u128(id);
        let otc = self.table().code.0;
        let entries = index::entries(&self.table().keys(), id, &record);
        self.store.0.extend(entries);
        self.store
            .0
            .insert(keys::record(otc, id), record.encode().unwrap());
    }

    fn row(&mut self, id: u128, columns: &[(&str, Value)]) {
        let columns = columns
            .iter()
            .map(|(name, value)| (self.number(name), value.clone()));
        let record: Record = columns.collect();
        self.put(id, record);
    }

    fn share(&mut self, id: u128, principal: Uuid, rights: AccessRights) {
        let id = Uuid::from_u128(id);
        let otc = self.table().code.0;
        let row = ShareRow {
            id: Uuid::from_u128(1),
            explicit: rights.bits(),
            changed_on: Timestamp::UNIX_EPOCH,
            contributions: Vec::new(),
        };
        let share = keys::share(otc, id, principal);
        self.store.0.insert(share, row.encode().unwrap());
        let mask = rights.bits().to_be_bytes().to_vec();
        self.store
            .0
            .insert(keys::shared_with(principal, otc, id), mask);
        let principal = SharePrincipal::User(UserId(principal));
        self.shares
            .entry(id)
            .or_default()
            .push(Share { principal, rights });
    }

    fn run_with(
        &self,
        filter: &dyn RowFilter,
        query: &Query,
        bounds: Bounds,
    ) -> Result<EntityCollection> {
        let bound = bind(&self.definitions, query, "query")?;
        self.execute(filter, &bound, bounds)
    }

    fn execute(
        &self,
        filter: &dyn RowFilter,
        bound: &BoundQuery,
        bounds: Bounds,
    ) -> Result<EntityCollection> {
        let context = QueryContext {
            view: &self.store,
            lookups: self,
            filter,
            cookie_key: &KEY,
            subject: SUBJECT,
            check_deadline: &|| Ok(()),
        };
        execute_within(&context, bound, bounds)
    }

    fn run(&self, query: &QueryExpression) -> Result<EntityCollection> {
        self.run_with(&Everything, &Query::Expression(query.clone()), BOUNDS)
    }

    fn ids(&self, query: &QueryExpression) -> Vec<u128> {
        ids(&self.run(query).unwrap())
    }

    fn refused(&self, query: &QueryExpression) -> (FaultCode, String) {
        let fault = self.run(query).unwrap_err();
        let field = fault.body().violations.first().map(|v| v.field.clone());
        (fault.code(), field.unwrap_or_default())
    }

    /// The plan that is chosen, without its cost.
    fn plan(&self, query: &QueryExpression, scope: Option<&RecordScope>) -> String {
        let bound = bind(
            &self.definitions,
            &Query::Expression(query.clone()),
            "query",
        )
        .unwrap();
        let around = Surroundings {
            scope,
            organization_id: ORGANIZATION,
            wanted: 51,
            after: None,
        };
        let plan = plans(&bound, &bound.orders, &around).remove(0).to_string();
        plan.split(", about").next().unwrap().to_owned()
    }
}

const BOUNDS: Bounds = Bounds {
    keys_scanned: 100_000,
    total_count: 5_000,
    plan: 0,
};

/// Everybody sees everything.
struct Everything;

impl RowFilter for Everything {
    fn scope(&self) -> Option<&RecordScope> {
        None
    }

    fn admits(&self, _: Uuid, _: &Record) -> Result<bool> {
        Ok(true)
    }
}

/// A caller's scope, as operations apply it.
struct Scoped<'a> {
    world: &'a World,
    scope: RecordScope,
}

impl RowFilter for Scoped<'_> {
    fn scope(&self) -> Option<&RecordScope> {
        Some(&self.scope)
    }

    fn admits(&self, id: Uuid, record: &Record) -> Result<bool> {
        let facts = RecordFacts {
            table: self.world.table().facts,
            id: Some(id),
            owner: record.owner.map(directory::owner),
            business_unit: record.business_unit.map(BusinessUnitId),
            shares: self.world.shares.get(&id).map_or(&[], Vec::as_slice),
        };
        Ok(self.scope.admits(&facts))
    }
}

fn scope(owners: &[Uuid], units: &[Uuid], shared_with: &[Uuid]) -> RecordScope {
    let mut scope = RecordScope {
        right: Right::Read,
        all: false,
        owners: owners.iter().map(|&id| Owner::User(UserId(id))).collect(),
        business_units: units.iter().map(|&id| BusinessUnitId(id)).collect(),
        shared_with: shared_with
            .iter()
            .map(|&id| SharePrincipal::User(UserId(id)))
            .collect(),
    };
    scope.owners.sort();
    scope.business_units.sort();
    scope.shared_with.sort();
    scope
}

fn owned(owner: Uuid, unit: Uuid) -> Record {
    let mut record = Record::default();
    record.owner = Some(StoredOwner::User(owner));
    record.business_unit = Some(unit);
    record
}

fn ids(rows: &EntityCollection) -> Vec<u128> {
    rows.entities
        .iter()
        .map(|row| row.id.unwrap().as_u128())
        .collect()
}

fn things() -> QueryExpression {
    QueryExpression {
        entity_name: "new_thing".into(),
        ..QueryExpression::default()
    }
}

fn condition(column: &str, operator: Op, values: Vec<Value>) -> ConditionExpression {
    ConditionExpression {
        entity_name: String::new(),
        attribute_name: column.into(),
        operator,
        values,
        compare_columns: false,
    }
}

fn such(conditions: Vec<ConditionExpression>) -> QueryExpression {
    let criteria = FilterExpression {
        conditions,
        ..FilterExpression::default()
    };
    QueryExpression {
        criteria,
        ..things()
    }
}

fn one(column: &str, operator: Op, value: impl Into<Value>) -> QueryExpression {
    such(vec![condition(column, operator, vec![value.into()])])
}

fn by(column: &str, order_type: OrderType) -> OrderExpression {
    OrderExpression {
        attribute_name: column.into(),
        order_type,
    }
}

fn paged(query: QueryExpression, page_number: i32, count: i32) -> QueryExpression {
    let paging = PagingInfo {
        page_number,
        count,
        ..PagingInfo::default()
    };
    QueryExpression {
        page_info: Some(paging),
        ..query
    }
}

fn next(query: &QueryExpression, page: &EntityCollection) -> QueryExpression {
    let mut query = query.clone();
    let paging = query.page_info.as_mut().unwrap();
    paging.page_number += 1;
    paging.paging_cookie.clone_from(&page.paging_cookie);
    query
}

fn cities() -> World {
    let mut world = World::new();
    world.row(1, &[("remark", "Redmond".into())]);
    world.row(2, &[("remark", "redmond".into())]);
    world.row(3, &[]);
    world
}

fn numbered(count: u128) -> World {
    let mut world = World::new();
    for id in 1..=count {
        let size = i32::try_from(id % 7).unwrap();
        world.row(id, &[("size", size.into()), ("weight", (-size).into())]);
    }
    world
}

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

#[test]
fn ex_66_pages_follow_each_other_by_cookie() {
    let world = numbered(12);
    let first = paged(things(), 1, 5);
    let page = world.run(&first).unwrap();
    assert_eq!(ids(&page), [1, 2, 3, 4, 5]);
    assert!(page.more_records && page.paging_cookie.is_some());
    let second = next(&first, &page);
    let page = world.run(&second).unwrap();
    assert_eq!(ids(&page), [6, 7, 8, 9, 10]);
    assert!(page.more_records);
    let page = world.run(&next(&second, &page)).unwrap();
    assert_eq!(ids(&page), [11, 12]);
    assert!(!page.more_records && page.paging_cookie.is_none());

    let exact = world.run(&paged(things(), 3, 4)).unwrap();
    assert_eq!(
        (ids(&exact), exact.more_records),
        (vec![9, 10, 11, 12], false),
        "simple paging"
    );
    assert_eq!(ids(&world.run(&paged(things(), 4, 4)).unwrap()), []);
}

#[test]
fn pg_2_rows_deleted_or_inserted_before_the_cursor_do_not_shift_pages() {
    let mut world = numbered(6);
    let first = paged(things(), 1, 3);
    let page = world.run(&first).unwrap();
    let otc = world.table().code.0;
    world.store.0.remove(&keys::record(otc, Uuid::from_u128(3)));
    world.row(0, &[]);
    world.row(7, &[]);
    assert_eq!(ids(&world.run(&next(&first, &page)).unwrap()), [4, 5, 6]);
}

#[test]
fn ex_67_top_and_paging_exclude_each_other() {
    let world = numbered(12);
    let mut query = things();
    query.top_count = Some(5);
    let page = world.run(&query).unwrap();
    assert_eq!((ids(&page).len(), page.more_records), (5, false));
    query.orders = vec![by("weight", OrderType::Ascending)];
    assert_eq!(world.ids(&query), [6, 5, 12, 4, 11]);
    assert_eq!(
        world.refused(&paged(query, 1, 0)).0,
        FaultCode::InvalidArgument
    );
}

#[test]
fn ex_68_the_total_is_counted_on_demand_up_to_its_limit() {
    let world = numbered(60);
    let total = |query: &QueryExpression| {
        let bounds = Bounds {
            total_count: 50,
            ..BOUNDS
        };
        let query = Query::Expression(query.clone());
        let page = world.run_with(&Everything, &query, bounds).unwrap();
        (
            page.total_record_count,
            page.total_record_count_limit_exceeded,
        )
    };
    let mut query = paged(one("size", Op::LESS_EQUAL, 4), 1, 7);
    assert_eq!(total(&query), (-1, false), "PG-6");
    query.page_info.as_mut().unwrap().return_total_record_count = true;
    assert_eq!(total(&query), (44, false));
    query.criteria = FilterExpression::default();
    assert_eq!(total(&query), (50, true));
}

#[test]
fn pg_4_a_cookie_is_good_for_its_table_filter_and_order_only() {
    let world = numbered(12);
    let first = paged(one("size", Op::LESS_THAN, 5), 1, 3);
    let page = world.run(&first).unwrap();
    let mut other_columns = next(&first, &page);
    other_columns.column_set = ColumnSet::all();
    other_columns.page_info.as_mut().unwrap().count = 4;
    assert!(world.run(&other_columns).is_ok());

    let refused = |change: &dyn Fn(&mut QueryExpression)| {
        let mut query = next(&first, &page);
        change(&mut query);
        world.refused(&query)
    };
    let field = "query.query_expression.page_info.paging_cookie".to_owned();
    let wrong = (FaultCode::QueryBuilderPagingOrderBy, field.clone());
    assert_eq!(
        refused(&|q| q.orders = vec![by("size", OrderType::Ascending)]),
        wrong
    );
    assert_eq!(
        refused(&|q| q.criteria.conditions[0].values[0] = 6.into()),
        wrong
    );
    assert_eq!(
        refused(&|q| q.criteria.conditions[0].operator = Op::LESS_EQUAL),
        wrong
    );
    assert_eq!(
        refused(&|q| q.criteria = FilterExpression::default()),
        wrong
    );
    assert_eq!(
        refused(&|q| {
            q.entity_name = "account".into();
            q.criteria = FilterExpression::default();
        }),
        wrong
    );
    let malformed = (FaultCode::QueryBuilderInvalidPagingCookie, field);
    let set = |cookie: String| {
        refused(&|q| q.page_info.as_mut().unwrap().paging_cookie = Some(cookie.clone()))
    };
    assert_eq!(set("<cookie page=\"1\"/>".into()), malformed);
    let mut changed = page.paging_cookie.clone().unwrap();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    assert_eq!(set(changed), malformed);
}

#[test]
fn pg_5_page_zero_is_one_and_negative_is_refused() {
    let world = numbered(5);
    assert_eq!(world.ids(&paged(things(), 0, 2)), [1, 2]);
    let (code, field) = world.refused(&paged(things(), -1, 2));
    assert_eq!(code, FaultCode::QueryBuilderValueGreaterThanZero);
    assert_eq!(field, "query.query_expression.page_info.page_number");
}

#[test]
fn or_2_choices_order_by_label_and_lookups_by_name() {
    let mut world = World::new();
    let account = |id| Value::from(EntityReference::new("account", Uuid::from_u128(id)));
    for (id, name) in [(0xa, "zulu"), (0xb, "Alpha"), (0xc, "mike")] {
        world.names.insert(Uuid::from_u128(id), name.to_owned());
    }
    for (id, kind) in [(1, 1), (2, 2), (3, 3)] {
        world.row(
            id,
            &[
                ("kind", Value::OptionSet(kind)),
                ("accountref", account(9 + id)),
            ],
        );
    }
    world.row(4, &[]);
    for column in ["kind", "accountref"] {
        let mut query = things();
        query.orders = vec![by(column, OrderType::Ascending)];
        assert_eq!(
            world.ids(&query),
            [4, 2, 3, 1],
            "{column}: OR-3, nulls first"
        );
        query.orders = vec![by(column, OrderType::Descending)];
        assert_eq!(
            world.ids(&query),
            [1, 3, 2, 4],
            "{column}: OR-3, nulls last"
        );
    }
    let mut query = things();
    query.orders = vec![by("tags", OrderType::Ascending)];
    assert_eq!(world.refused(&query).0, FaultCode::InvalidArgument);
}

#[test]
fn or_4_ties_are_broken_by_the_primary_key_in_either_direction() {
    let world = numbered(16);
    for (column, direction, expected) in [
        ("size", OrderType::Ascending, [7, 14, 1, 8, 15]),
        ("size", OrderType::Descending, [6, 13, 5, 12, 4]),
        ("weight", OrderType::Ascending, [6, 13, 5, 12, 4]),
        ("new_thingid", OrderType::Descending, [16, 15, 14, 13, 12]),
    ] {
        let mut query = paged(things(), 1, 5);
        query.orders = vec![by(column, direction)];
        assert_eq!(world.ids(&query), expected, "{column} {direction:?}");
    }
}

#[test]
fn rt_1_rows_are_projected() {
    let mut world = World::new();
    world.row(1, &[("name", "X".into()), ("kind", Value::OptionSet(2))]);
    let mut query = things();
    let row = world.run(&query).unwrap().entities.remove(0);
    assert_eq!(
        row.attributes.keys().collect::<Vec<_>>(),
        ["new_thingid"],
        "EX-65"
    );
    query.column_set = ColumnSet::of(["name", "kind", "remark"]);
    let row = world.run(&query).unwrap().entities.remove(0);
    assert_eq!(
        row.attributes.keys().collect::<Vec<_>>(),
        ["kind", "name", "new_thingid"]
    );
    assert_eq!(row.formatted_values["kind"], "Ant");
}

#[test]
fn a_page_that_runs_out_of_keys_comes_back_short_and_goes_on() {
    let mut world = numbered(1_000);
    world.row(2_000, &[("size", 77.into()), ("weight", 77.into())]);
    let run = |query: &QueryExpression, keys_scanned| {
        let bounds = Bounds {
            keys_scanned,
            ..BOUNDS
        };
        world.run_with(&Everything, &Query::Expression(query.clone()), bounds)
    };
    let mut query = paged(one("weight", Op::EQUAL, 77), 1, 5);
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = run(&query, 300).unwrap();
        found.extend(ids(&page));
        pages += 1;
        if !page.more_records {
            break;
        }
        query = next(&query, &page);
    }
    assert_eq!((found, pages), (vec![2_000], 4));

    // Simple paging takes what is left to skip along.
    let mut query = paged(things(), 3, 100);
    let page = run(&query, 250).unwrap();
    assert_eq!((ids(&page).len(), page.more_records), (50, true));
    query = next(&query, &page);
    assert_eq!(ids(&run(&query, 250).unwrap())[..3], [251, 252, 253]);
    let mut query = paged(things(), 6, 100);
    let page = run(&query, 250).unwrap();
    assert_eq!((ids(&page).len(), page.more_records), (0, true));
    query = next(&query, &page);
    query = next(&query, &run(&query, 250).unwrap());
    assert_eq!(ids(&run(&query, 250).unwrap())[0], 501);

    // What has to be sorted as a whole is refused rather than sorted in part.
    let mut query = things();
    query.orders = vec![by("weight", OrderType::Ascending)];
    let fault = run(&query, 300).unwrap_err();
    assert_eq!(fault.code(), FaultCode::LimitExceeded);
    assert_eq!(fault.body().details["limit"], "page_keys_scanned_max");
}

#[test]
fn ac_6_only_visible_rows_are_found_counted_and_paged() {
    let mut world = World::new();
    let (me, other, unit) = (
        Uuid::from_u128(0x11),
        Uuid::from_u128(0x12),
        Uuid::from_u128(0x21),
    );
    for id in 1..=30 {
        let owner = if id % 5 == 0 { me } else { other };
        let unit = if id % 7 == 0 {
            unit
        } else {
            Uuid::from_u128(0x22)
        };
        let record = owned(owner, unit);
        world.put(id, record);
    }
    world.share(2, me, AccessRights::READ);
    world.share(3, me, AccessRights::WRITE);
    let scoped = |scope| Scoped {
        world: &world,
        scope,
    };
    let run = |filter: &Scoped<'_>, plan| {
        let mut query = paged(things(), 1, 100);
        query.page_info.as_mut().unwrap().return_total_record_count = true;
        let query = Query::Expression(query);
        let page = world
            .run_with(filter, &query, Bounds { plan, ..BOUNDS })
            .unwrap();
        assert_eq!(page.total_record_count, page.entities.len() as i64);
        ids(&page)
    };
    for plan in 0..3 {
        assert_eq!(
            run(&scoped(scope(&[me], &[], &[])), plan),
            [5, 10, 15, 20, 25, 30]
        );
        assert_eq!(
            run(&scoped(scope(&[], &[unit], &[])), plan),
            [7, 14, 21, 28]
        );
        assert_eq!(
            run(&scoped(scope(&[], &[], &[me])), plan),
            [2],
            "the right counts"
        );
        assert_eq!(
            run(&scoped(scope(&[me], &[unit], &[me])), plan),
            [2, 5, 7, 10, 14, 15, 20, 21, 25, 28, 30]
        );
        assert_eq!(run(&scoped(scope(&[], &[], &[])), plan), []);
    }
}

#[test]
fn rt_7_a_query_is_restricted_to_what_is_related() {
    let mut world = World::new();
    let account = Uuid::from_u128(0xa);
    for id in 1..=6 {
        let target = if id % 2 == 0 { "account" } else { "contact" };
        world.row(
            id,
            &[("accountref", EntityReference::new(target, account).into())],
        );
    }
    let (left, linked) = (Uuid::from_u128(0xe), 77);
    for (from, to) in [(left, 2), (left, 5), (Uuid::from_u128(0xf), 3), (left, 99)] {
        let key = keys::link(linked, from, Uuid::from_u128(to));
        world.store.0.insert(key, Uuid::nil().as_bytes().to_vec());
    }
    let run = |restrict: &dyn Fn(BoundQuery) -> BoundQuery| {
        let mut query = things();
        query.orders = vec![by("new_thingid", OrderType::Descending)];
        let bound = bind(&world.definitions, &Query::Expression(query), "query").unwrap();
        ids(&world
            .execute(&Everything, &restrict(bound), BOUNDS)
            .unwrap())
    };
    let lookup = world.number("accountref");
    assert_eq!(
        run(&|query| query.pointing_at(lookup, &"account".into(), account)),
        [6, 4, 2]
    );
    assert_eq!(run(&|query| query.only(Some(Uuid::from_u128(3)))), [3]);
    assert_eq!(run(&|query| query.only(None)), []);
    assert_eq!(
        run(&|query| query.linked(keys::link_range(linked, left))),
        [5, 2]
    );
}

#[test]
fn the_cheapest_way_is_taken() {
    let world = World::new();
    let id = Uuid::from_u128(1);
    let all = RecordScope {
        all: true,
        ..scope(&[], &[], &[])
    };
    let own = scope(&[id], &[], &[id]);
    let ordered = |mut query: QueryExpression, column, direction| {
        query.orders = vec![by(column, direction)];
        query
    };
    let up = OrderType::Ascending;
    for (query, scope, expected) in [
        (things(), &all, "table scan, in id order"),
        (things(), &own, "scope first (2 ranges merged), in id order"),
        (
            one("new_thingid", Op::EQUAL, id),
            &all,
            "filter first by `new_thingid`, in id order",
        ),
        (
            one("accountref", Op::EQUAL, id),
            &own,
            "filter first by `accountref`, in id order",
        ),
        (
            one("ownerid", Op::EQUAL, id),
            &all,
            "filter first by `ownerid`, in id order",
        ),
        (
            ordered(one("accountref", Op::EQUAL, id), "name", up),
            &own,
            "filter first by `accountref`, sorted",
        ),
        (
            ordered(things(), "name", up),
            &own,
            "scope first (2 ranges merged), sorted",
        ),
        (
            ordered(things(), "name", OrderType::Descending),
            &all,
            "index of `name`, in index order, nulls apart",
        ),
        (
            ordered(one("name", Op::BEGINS_WITH, "a"), "name", up),
            &all,
            "index of `name`, in index order",
        ),
        (ordered(things(), "remark", up), &all, "table scan, sorted"),
        (
            ordered(one("size", Op::GREATER_THAN, 3), "remark", up),
            &all,
            "filter first by `size`, sorted",
        ),
    ] {
        assert_eq!(world.plan(&query, Some(scope)), expected, "{query:?}");
    }
}
