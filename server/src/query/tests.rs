#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

//! Queries against a map in memory, and against an evaluator that knows nothing of plans.

mod binding;
mod differential;
mod pages;
mod plans;

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
