//! Where a query looks: filter first, scope first, or the whole table.
//!
//! Every way finds a superset of the rows; whatever is found is judged again on the record. So a
//! plan decides about time only, never about the result: that is what the differential test checks.
//!
//! Costs are keys that a way is expected to read, from rules of thumb rather than from statistics:
//! what matters is that a lookup beats a user's own records, and both beat the table.

use std::{fmt, ops::Bound};

use orgservice_security::{RecordScope, SharePrincipal};
use uuid::Uuid;

use super::{
    bind::BoundQuery,
    filter::{Comparison, Literal, Operand, Test, TextMatcher},
    order::{BoundOrder, ID_BYTES, NULL_FIRST, NULL_LAST},
};
use crate::{
    limits::MERGED_RANGES_MAX,
    metadata::{ColumnSource, ColumnType, TableDefinition},
    model::{EntityReference, Value},
    storage::{
        Direction, KeyRange,
        index_value::{index_range, index_text_range},
        keys,
    },
};

/// Keys to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// These records.
    Ids(Vec<Uuid>),
    /// Ranges that are each in id order, merged into one.
    Merge(Vec<KeyRange>),
    /// One range of a column's index, in value order.
    Index(KeyRange),
}

/// How the keys become rows in the order of the query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// They are in id order, and that is what is asked for.
    ById(Direction),
    /// They are in the order of one column; rows without value, which no index holds, come from
    /// `nulls` before (ascending) or after (descending) them.
    ByValue {
        operand: Operand,
        descending: bool,
        nulls: Option<Vec<KeyRange>>,
    },
    /// All of them are read, the first ones of the order kept.
    Sorted,
}

/// One way to answer a query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What is read.
    pub access: Access,
    /// In which order it comes out.
    pub delivery: Delivery,
    /// Expected number of keys read.
    pub cost: u64,
    /// What led to it.
    reason: Reason,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Reason {
    Links,
    Filter(String),
    Order(String),
    Scope,
    Table,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Links => f.write_str("links of the record")?,
            Reason::Filter(column) => write!(f, "filter first by `{column}`")?,
            Reason::Order(column) => write!(f, "index of `{column}`")?,
            Reason::Scope => f.write_str("scope first")?,
            Reason::Table => f.write_str("table scan")?,
        }
        if let Access::Merge(ranges) = &self.access
            && ranges.len() != 1
        {
            write!(f, " ({} ranges merged)", ranges.len())?;
        }
        match &self.delivery {
            Delivery::ById(_) => f.write_str(", in id order")?,
            Delivery::ByValue { nulls: None, .. } => f.write_str(", in index order")?,
            Delivery::ByValue { .. } => f.write_str(", in index order, nulls apart")?,
            Delivery::Sorted => f.write_str(", sorted")?,
        }
        write!(f, ", about {} keys", self.cost)
    }
}

/// Records that one value of an indexed column is expected to have.
const ROWS_PER_VALUE: u64 = 50;
/// Records that one user or team is expected to own.
const ROWS_PER_OWNER: u64 = 1_000;
/// Records that are expected to be shared with one principal.
const ROWS_PER_SHARING: u64 = 100;
/// Records that one business unit is expected to have.
const ROWS_PER_UNIT: u64 = 20_000;
/// Records that a range of an index is expected to hold.
const ROWS_PER_RANGE: u64 = 50_000;
/// Records of a table.
const ROWS_PER_TABLE: u64 = 1_000_000;
/// Rows read for one that a filter keeps.
const READ_PER_FILTERED: u64 = 10;
/// Rows read for one that the caller's scope admits, when the scope did not lead to it.
const READ_PER_ADMITTED: u64 = 50;

/// What a plan depends on beside the query.
pub struct Surroundings<'a> {
    /// The caller's scope, where rows are judged by one.
    pub scope: Option<&'a RecordScope>,
    /// The organization, a principal that records are shared with.
    pub organization_id: Uuid,
    /// Rows needed.
    pub wanted: u64,
    /// Position to continue after.
    pub after: Option<&'a [u8]>,
}

/// Every sensible way, cheapest first; there is always one.
pub fn plans(query: &BoundQuery, orders: &[BoundOrder], around: &Surroundings<'_>) -> Vec<Plan> {
    let planner = Planner {
        query,
        orders,
        around,
    };
    let mut plans = planner.all();
    plans.sort_by_key(|plan| plan.cost);
    plans
}

struct Planner<'a> {
    query: &'a BoundQuery,
    orders: &'a [BoundOrder],
    around: &'a Surroundings<'a>,
}

impl Planner<'_> {
    fn all(&self) -> Vec<Plan> {
        let table = &*self.query.table;
        if let Some(links) = &self.query.links {
            let access = Access::Merge(vec![links.clone()]);
            return vec![self.in_id_order(Reason::Links, access, ROWS_PER_VALUE)];
        }
        let whole = || Access::Merge(vec![keys::record_range(table.code.0)]);
        let mut plans = vec![self.in_id_order(Reason::Table, whole(), ROWS_PER_TABLE)];
        let scope = self.scope_ranges();
        if let Some((ranges, rows)) = &scope {
            let access = Access::Merge(ranges.clone());
            plans.push(self.in_id_order(Reason::Scope, access, *rows));
        }
        let required = self.query.filter.required();
        for &(operand, test) in &required {
            if let Some((access, rows)) = equality(table, operand, test) {
                let reason = Reason::Filter(name(table, operand));
                plans.push(self.in_id_order(reason, access, rows));
            }
        }
        let mut ranges: Vec<(Operand, KeyRange)> = Vec::new();
        for &(operand, test) in &required {
            let Some(range) = range(table, operand, test) else {
                continue;
            };
            match ranges.iter_mut().find(|(known, _)| *known == operand) {
                Some((_, known)) => *known = intersection(known, &range),
                None => ranges.push((operand, range)),
            }
        }
        let nulls = || match &scope {
            Some((ranges, rows)) if *rows < ROWS_PER_TABLE => (ranges.clone(), *rows),
            _ => (vec![keys::record_range(table.code.0)], ROWS_PER_TABLE),
        };
        plans.extend(self.in_value_order(&required, &ranges, nulls));
        for (operand, range) in ranges {
            plans.push(Plan {
                access: Access::Index(range),
                delivery: Delivery::Sorted,
                cost: 2 * ROWS_PER_RANGE,
                reason: Reason::Filter(name(table, operand)),
            });
        }
        plans
    }

    /// A way whose keys come in id order: good as it is, or to be sorted.
    fn in_id_order(&self, reason: Reason, access: Access, rows: u64) -> Plan {
        let primary = self.query.table.primary_id;
        let delivery = match self.orders {
            [] => Delivery::ById(Direction::Forward),
            [only] if only.operand.column == primary && only.descending => {
                Delivery::ById(Direction::Backward)
            }
            _ => Delivery::Sorted,
        };
        let cost = match delivery {
            Delivery::Sorted => 2 * rows,
            _ => rows.min(self.expected(&reason)),
        };
        Plan {
            access,
            delivery,
            cost,
            reason,
        }
    }

    /// Keys read until enough rows are found, if every key is as likely as any other: what led to
    /// the way holds for all of its keys, the rest for some.
    fn expected(&self, reason: &Reason) -> u64 {
        let mut keys = self.around.wanted;
        let is_met = match &self.query.filter {
            filter if filter.is_trivial() => true,
            filter => matches!(reason, Reason::Filter(_)) && filter.is_single(),
        };
        if !is_met {
            keys = keys.saturating_mul(READ_PER_FILTERED);
        }
        let is_scoped = matches!(reason, Reason::Scope);
        if !is_scoped && self.around.scope.is_some_and(|scope| !scope.all) {
            keys = keys.saturating_mul(READ_PER_ADMITTED);
        }
        keys
    }

    /// AC-3 as ranges: what the owners own, what the units have, what is shared.
    fn scope_ranges(&self) -> Option<(Vec<KeyRange>, u64)> {
        let scope = self.around.scope.filter(|scope| !scope.all)?;
        let stored = self.query.table.keys();
        if !stored.owned && !scope.owners.is_empty()
            || !stored.has_business_unit && !scope.business_units.is_empty()
        {
            return None;
        }
        let parts = scope.owners.len() + scope.business_units.len() + scope.shared_with.len();
        if parts > MERGED_RANGES_MAX {
            return None;
        }
        let owned = scope
            .owners
            .iter()
            .map(|owner| keys::by_owner_range(stored.otc, owner.uuid()));
        let of_units = scope
            .business_units
            .iter()
            .map(|unit| keys::by_business_unit_range(stored.otc, unit.0));
        let shared = scope.shared_with.iter().map(|principal| {
            let id = match principal {
                SharePrincipal::User(user) => user.0,
                SharePrincipal::Team(team) => team.0,
                SharePrincipal::Organization => self.around.organization_id,
            };
            keys::shared_with_range(id, stored.otc)
        });
        let ranges = owned.chain(of_units).chain(shared).collect();
        let rows = ROWS_PER_OWNER * scope.owners.len() as u64
            + ROWS_PER_UNIT * scope.business_units.len() as u64
            + ROWS_PER_SHARING * scope.shared_with.len() as u64;
        Some((ranges, rows))
    }

    /// The index of the only order, if it has one.
    fn in_value_order(
        &self,
        required: &[(Operand, &Test)],
        ranges: &[(Operand, KeyRange)],
        nulls: impl FnOnce() -> (Vec<KeyRange>, u64),
    ) -> Option<Plan> {
        let table = &*self.query.table;
        let &[
            BoundOrder {
                operand,
                descending,
            },
        ] = self.orders
        else {
            return None;
        };
        let is_choice = matches!(
            table.columns.get(operand.column)?.kind,
            ColumnType::Picklist { .. } | ColumnType::State { .. } | ColumnType::Status { .. }
        );
        if is_choice {
            // Ordered by label, indexed by number.
            return None;
        }
        let index = index_of(table, operand)?;
        let narrowed = ranges.iter().find(|(known, _)| *known == operand);
        let rows = if narrowed.is_some() {
            ROWS_PER_RANGE
        } else {
            ROWS_PER_TABLE
        };
        let range = match narrowed {
            Some((_, range)) => range.clone(),
            None => keys::prefix_range(index_head(table, index)),
        };
        let excludes_null = required
            .iter()
            .any(|(known, test)| *known == operand && test.excludes_null());
        let reason = Reason::Order(name(table, operand));
        let mut cost = rows.min(self.expected(&reason));
        let mut null_ranges = None;
        if !excludes_null {
            let (ranges, rows) = nulls();
            // Rows without value are met first in ascending order, unless the page is behind them.
            let is_behind = self
                .around
                .after
                .is_some_and(|after| after.first() != Some(&NULL_FIRST));
            if !descending && !is_behind {
                cost = cost.saturating_add(rows);
            }
            null_ranges = Some(ranges);
        }
        Some(Plan {
            access: Access::Index(range),
            delivery: Delivery::ByValue {
                operand,
                descending,
                nulls: null_ranges,
            },
            cost,
            reason,
        })
    }
}

/// The first byte of positions in the rows without value.
pub fn null_mark(descending: bool) -> u8 {
    if descending { NULL_LAST } else { NULL_FIRST }
}

/// Length of what stands before the values in an index key.
pub fn index_head_length() -> usize {
    index_range(0, 0, &[], Bound::Unbounded, Bound::Unbounded)
        .start
        .len()
}

/// The value part of an index key.
pub fn index_values(key: &[u8]) -> &[u8] {
    key.get(index_head_length()..key.len().saturating_sub(ID_BYTES))
        .unwrap_or_default()
}

fn index_head(table: &TableDefinition, index: u16) -> Vec<u8> {
    index_range(table.code.0, index, &[], Bound::Unbounded, Bound::Unbounded).start
}

fn name(table: &TableDefinition, operand: Operand) -> String {
    table
        .columns
        .get(operand.column)
        .map_or_else(String::new, |column| column.name.to_string())
}

/// The number of the index that orders by one column alone.
fn index_of(table: &TableDefinition, operand: Operand) -> Option<u16> {
    let column = table.columns.get(operand.column)?;
    if operand.name || column.source != ColumnSource::Stored {
        return None;
    }
    table
        .indexes
        .iter()
        .find(|index| !index.unique && index.columns == [column.number])
        .map(|index| index.number)
}

/// A condition that names its values: their keys, and how many there may be.
fn equality(table: &TableDefinition, operand: Operand, test: &Test) -> Option<(Access, u64)> {
    if operand.name {
        return None;
    }
    let values: Vec<Value> = match test {
        Test::Compare(Comparison::Equal, literal) => vec![literal.value.clone()],
        Test::OneOf {
            literals,
            negated: false,
        } => literals
            .iter()
            .map(|literal| literal.value.clone())
            .collect(),
        Test::PointsAt { id, .. } => vec![Value::Guid(*id)],
        _ => return None,
    };
    let column = table.columns.get(operand.column)?;
    let ids = || -> Vec<Uuid> {
        let ids = values.iter().filter_map(|value| match value {
            Value::Guid(id) => Some(*id),
            _ => None,
        });
        ids.collect()
    };
    let count = values.len() as u64;
    if column.source == ColumnSource::PrimaryId {
        let mut ids = ids();
        ids.sort_unstable();
        ids.dedup();
        return Some((Access::Ids(ids), count));
    }
    if values.len() > MERGED_RANGES_MAX {
        return None;
    }
    let stored = table.keys();
    let otc = stored.otc;
    let (ranges, rows): (Vec<KeyRange>, u64) = match column.source {
        ColumnSource::Owner | ColumnSource::OwningUser | ColumnSource::OwningTeam
            if stored.owned =>
        {
            (
                ids()
                    .into_iter()
                    .map(|id| keys::by_owner_range(otc, id))
                    .collect(),
                ROWS_PER_OWNER,
            )
        }
        ColumnSource::BusinessUnit if stored.has_business_unit => {
            let of_units = ids()
                .into_iter()
                .map(|id| keys::by_business_unit_range(otc, id));
            (of_units.collect(), ROWS_PER_UNIT)
        }
        _ => {
            let index = index_of(table, operand)?;
            let is_lookup = matches!(column.kind, ColumnType::Lookup { .. });
            let equal = values.into_iter().map(|value| {
                let value = match value {
                    Value::Guid(id) if is_lookup => {
                        Value::EntityReference(EntityReference::new("", id))
                    }
                    other => other,
                };
                index_range(otc, index, &[value], Bound::Unbounded, Bound::Unbounded)
            });
            (equal.collect(), ROWS_PER_VALUE)
        }
    };
    Some((Access::Merge(ranges), rows * count))
}

/// A condition that bounds a value: a range of the column's index.
fn range(table: &TableDefinition, operand: Operand, test: &Test) -> Option<KeyRange> {
    let index = index_of(table, operand)?;
    let between = |lower: Bound<&Literal>, upper: Bound<&Literal>| {
        let value = |literal: &'_ Literal| literal.value.clone();
        let (lower, upper) = (lower.map(value), upper.map(value));
        index_range(table.code.0, index, &[], lower.as_ref(), upper.as_ref())
    };
    let beginning =
        |text: &str| (!text.is_empty()).then(|| index_text_range(table.code.0, index, &[], text));
    match test {
        Test::Compare(comparison, literal) => match comparison {
            Comparison::Equal => Some(between(Bound::Included(literal), Bound::Included(literal))),
            Comparison::NotEqual => None,
            Comparison::Greater => Some(between(Bound::Excluded(literal), Bound::Unbounded)),
            Comparison::GreaterEqual => Some(between(Bound::Included(literal), Bound::Unbounded)),
            Comparison::Less => Some(between(Bound::Unbounded, Bound::Excluded(literal))),
            Comparison::LessEqual => Some(between(Bound::Unbounded, Bound::Included(literal))),
        },
        Test::Between {
            from,
            to,
            negated: false,
        } => Some(between(Bound::Included(from), Bound::Included(to))),
        Test::Text {
            matcher: TextMatcher::Like(pattern),
            negated: false,
        } => beginning(&pattern.beginning()),
        Test::Text {
            matcher: TextMatcher::BeginsWith(text),
            negated: false,
        } => beginning(text),
        _ => None,
    }
}

fn intersection(a: &KeyRange, b: &KeyRange) -> KeyRange {
    KeyRange {
        start: a.start.clone().max(b.start.clone()),
        end: a.end.clone().min(b.end.clone()),
    }
}
