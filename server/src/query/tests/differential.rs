//! Random queries over random rows: every plan, page by page, against an evaluator that filters and
//! sorts all rows and shares no code with the plans, the bound filter or the order keys.

use std::cmp::Ordering;

use super::*;
use crate::model::collation_key;

const USERS: [Uuid; 3] = [
    Uuid::from_u128(0x11),
    Uuid::from_u128(0x12),
    Uuid::from_u128(0x13),
];
const UNITS: [Uuid; 2] = [Uuid::from_u128(0x21), Uuid::from_u128(0x22)];
const ACCOUNTS: [(u128, &str); 4] = [(0xa, "Zoo"), (0xb, "apple"), (0xc, "Ärger"), (0xd, "apple")];

/// Short texts that meet in case, accents, trailing spaces and beginnings, and long ones that meet
/// beyond what an index key holds.
fn any_text(rng: &mut fastrand::Rng) -> String {
    if rng.u8(..10) == 0 {
        return "x".repeat(255) + rng.choice(["", "a", "ab", "abc"]).unwrap();
    }
    let letters = ["a", "A", "b", "é", "e", " ", "_", "%", ""];
    (0..rng.usize(..4))
        .map(|_| *rng.choice(&letters).unwrap())
        .collect()
}

fn any_value(rng: &mut fastrand::Rng, column: &str) -> Value {
    match column {
        "name" | "code" | "remark" | "notes" => any_text(rng).into(),
        "size" | "weight" => rng.i32(-3..4).into(),
        "rate" => Value::Decimal(Decimal::new(rng.i64(-3..4), rng.u32(..2))),
        "kind" => Value::OptionSet(rng.i32(1..4)),
        "good" => rng.bool().into(),
        "accountref" => {
            let (id, _) = ACCOUNTS[rng.usize(..ACCOUNTS.len())];
            EntityReference::new("account", Uuid::from_u128(id)).into()
        }
        "seen" => Value::DateTime(Timestamp::from_second(rng.i64(-3..4)).unwrap()),
        "ownerid" => EntityReference::new("systemuser", USERS[rng.usize(..USERS.len())]).into(),
        "owningbusinessunit" => {
            EntityReference::new("businessunit", UNITS[rng.usize(..UNITS.len())]).into()
        }
        "new_thingid" => Uuid::from_u128(rng.u128(1..60)).into(),
        other => panic!("{other}"),
    }
}

const STORED: [&str; 10] = [
    "name",
    "code",
    "remark",
    "size",
    "weight",
    "rate",
    "kind",
    "good",
    "accountref",
    "seen",
];
const FILTERED: [&str; 14] = [
    "name",
    "code",
    "remark",
    "size",
    "weight",
    "rate",
    "kind",
    "good",
    "accountref",
    "seen",
    "ownerid",
    "owningbusinessunit",
    "new_thingid",
    "accountrefname",
];

fn any_world(rng: &mut fastrand::Rng) -> (World, Vec<(u128, Record)>) {
    let mut world = World::new();
    world.names = ACCOUNTS
        .iter()
        .map(|&(id, n)| (Uuid::from_u128(id), n.to_owned()))
        .collect();
    let mut rows = Vec::new();
    for id in 1..=rng.u128(0..60) {
        if rng.u8(..6) == 0 {
            continue;
        }
        let owner = USERS[rng.usize(..USERS.len())];
        let mut record = owned(owner, UNITS[rng.usize(..UNITS.len())]);
        for column in STORED {
            if rng.u8(..4) > 0 {
                record.set(world.number(column), any_value(rng, column));
            }
        }
        world.put(id, record.clone());
        if rng.u8(..5) == 0 {
            let rights = if rng.bool() {
                AccessRights::READ
            } else {
                AccessRights::WRITE
            };
            world.share(id, USERS[rng.usize(..USERS.len())], rights);
        }
        rows.push((id, record));
    }
    (world, rows)
}

fn any_condition(rng: &mut fastrand::Rng) -> ConditionExpression {
    let column = FILTERED[rng.usize(..FILTERED.len())];
    let of = if column == "accountrefname" {
        "name"
    } else {
        column
    };
    let is_text = ["name", "code", "remark"].contains(&of);
    let is_ordered =
        is_text || ["size", "weight", "rate", "kind", "seen", "new_thingid"].contains(&of);
    let mut operators = vec![
        Op::EQUAL,
        Op::EQUAL,
        Op::NOT_EQUAL,
        Op::NULL,
        Op::NOT_NULL,
        Op::IN,
        Op::NOT_IN,
    ];
    if is_ordered {
        operators.extend([
            Op::GREATER_THAN,
            Op::GREATER_EQUAL,
            Op::LESS_THAN,
            Op::LESS_EQUAL,
            Op::BETWEEN,
            Op::NOT_BETWEEN,
        ]);
    }
    if is_text {
        operators.extend([
            Op::LIKE,
            Op::NOT_LIKE,
            Op::BEGINS_WITH,
            Op::DOES_NOT_BEGIN_WITH,
            Op::ENDS_WITH,
            Op::DOES_NOT_END_WITH,
            Op::CONTAINS,
            Op::DOES_NOT_CONTAIN,
        ]);
    }
    let operator = operators[rng.usize(..operators.len())];
    let count = match operator {
        Op::NULL | Op::NOT_NULL => 0,
        Op::IN | Op::NOT_IN => rng.usize(1..4),
        Op::BETWEEN | Op::NOT_BETWEEN => 2,
        _ => 1,
    };
    condition(
        column,
        operator,
        (0..count).map(|_| any_value(rng, of)).collect(),
    )
}

fn any_filter(rng: &mut fastrand::Rng, depth: u32) -> FilterExpression {
    let operator = if rng.u8(..3) == 0 {
        LogicalOperator::Or
    } else {
        LogicalOperator::And
    };
    let conditions = (0..rng.usize(..3)).map(|_| any_condition(rng)).collect();
    let nested = if depth == 0 { 0 } else { rng.usize(..2) };
    let filters = (0..nested).map(|_| any_filter(rng, depth - 1)).collect();
    FilterExpression {
        operator,
        conditions,
        filters,
    }
}

fn any_orders(rng: &mut fastrand::Rng) -> Vec<OrderExpression> {
    let columns = [
        "name",
        "name",
        "code",
        "size",
        "size",
        "rate",
        "seen",
        "remark",
        "kind",
        "good",
        "accountref",
        "ownerid",
        "new_thingid",
    ];
    (0..rng.usize(..3))
        .map(|_| {
            let direction = if rng.bool() {
                OrderType::Ascending
            } else {
                OrderType::Descending
            };
            by(columns[rng.usize(..columns.len())], direction)
        })
        .collect()
}

/// The value of a column as this evaluator sees it.
fn value(world: &World, id: u128, record: &Record, column: &str) -> Option<Value> {
    match column {
        "new_thingid" => Some(Uuid::from_u128(id).into()),
        "ownerid" => record.owner.map(|owner| owner.id().into()),
        "owningbusinessunit" => record.business_unit.map(Value::Guid),
        "accountrefname" => match value(world, id, record, "accountref")? {
            Value::Guid(account) => world.names.get(&account).map(|name| name.as_str().into()),
            other => panic!("{other:?}"),
        },
        stored => match record.get(world.number(stored))? {
            Value::EntityReference(reference) => reference.id.map(Value::Guid),
            other => Some(other.clone()),
        },
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => collation_key(a).cmp(&collation_key(b)),
        (Value::Integer(a) | Value::OptionSet(a), Value::Integer(b) | Value::OptionSet(b)) => {
            a.cmp(b)
        }
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Guid(a), Value::Guid(b)) => a.to_string().cmp(&b.to_string()),
        (Value::Guid(_), Value::EntityReference(b)) => compare(a, &b.id.unwrap().into()),
        other => panic!("{other:?}"),
    }
}

/// `like` by its definition. No trimming: only eq and ne ignore trailing spaces.
fn like(text: &str, pattern: &str) -> bool {
    fn rest(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', pattern)) => (0..=text.len()).any(|at| rest(&text[at..], pattern)),
            Some((&c, pattern)) => text
                .split_first()
                .is_some_and(|(&t, text)| (c == '_' || c == t) && rest(text, pattern)),
        }
    }
    let chars = |text: &str| plain(text).chars().collect::<Vec<_>>();
    rest(&chars(text), &chars(pattern))
}

/// The letters of [`any_text`] without case and accents.
fn plain(text: &str) -> String {
    text.to_lowercase().replace(['é'], "e").replace(['ä'], "a")
}

fn test(world: &World, id: u128, record: &Record, condition: &ConditionExpression) -> bool {
    let found = value(world, id, record, &condition.attribute_name);
    let operator = condition.operator;
    let Some(found) = found else {
        return [
            Op::NULL,
            Op::NOT_EQUAL,
            Op::NOT_LIKE,
            Op::DOES_NOT_BEGIN_WITH,
            Op::DOES_NOT_END_WITH,
            Op::DOES_NOT_CONTAIN,
        ]
        .contains(&operator);
    };
    let with = |at: usize| compare(&found, &condition.values[at]);
    let texts = || match (&found, &condition.values[0]) {
        (Value::String(text), Value::String(part)) => (plain(text), plain(part)),
        other => panic!("{other:?}"),
    };
    let any_equal = || (0..condition.values.len()).any(|at| with(at).is_eq());
    match operator {
        Op::NULL => false,
        Op::NOT_NULL => true,
        Op::EQUAL => with(0).is_eq(),
        Op::NOT_EQUAL => with(0).is_ne(),
        Op::GREATER_THAN => with(0).is_gt(),
        Op::GREATER_EQUAL => with(0).is_ge(),
        Op::LESS_THAN => with(0).is_lt(),
        Op::LESS_EQUAL => with(0).is_le(),
        Op::BETWEEN => with(0).is_ge() && with(1).is_le(),
        Op::NOT_BETWEEN => !(with(0).is_ge() && with(1).is_le()),
        Op::IN => any_equal(),
        Op::NOT_IN => !any_equal(),
        Op::LIKE => like(&texts().0, &texts().1),
        Op::NOT_LIKE => !like(&texts().0, &texts().1),
        Op::BEGINS_WITH => texts().0.starts_with(&texts().1),
        Op::DOES_NOT_BEGIN_WITH => !texts().0.starts_with(&texts().1),
        Op::ENDS_WITH => texts().0.ends_with(&texts().1),
        Op::DOES_NOT_END_WITH => !texts().0.ends_with(&texts().1),
        Op::CONTAINS => texts().0.contains(&texts().1),
        Op::DOES_NOT_CONTAIN => !texts().0.contains(&texts().1),
        other => panic!("{other:?}"),
    }
}

fn holds(world: &World, id: u128, record: &Record, filter: &FilterExpression) -> bool {
    let mut parts: Vec<bool> = filter
        .conditions
        .iter()
        .map(|condition| test(world, id, record, condition))
        .collect();
    parts.extend(
        filter
            .filters
            .iter()
            .map(|filter| holds(world, id, record, filter)),
    );
    match filter.operator {
        LogicalOperator::Or => parts.is_empty() || parts.contains(&true),
        LogicalOperator::And => !parts.contains(&false),
    }
}

/// What a column is ordered by; `None` is null.
fn ordered_by(world: &World, id: u128, record: &Record, column: &str) -> Option<Value> {
    let found = match column {
        "accountref" => value(world, id, record, "accountrefname"),
        // The owners have no names here.
        "ownerid" => None,
        other => value(world, id, record, other),
    };
    match found? {
        Value::OptionSet(kind) => Some(["", "zebra", "Ant", "mole"][kind as usize].into()),
        // Longer than an index key: arbitrary but fixed among those that agree so far.
        Value::String(text) => Some(text.into()),
        other => Some(other),
    }
}

fn sort(world: &World, rows: &mut [(u128, Record)], orders: &[OrderExpression]) {
    rows.sort_by(|(a_id, a), (b_id, b)| {
        for order in orders {
            let column = &order.attribute_name;
            let ordering = match (
                ordered_by(world, *a_id, a, column),
                ordered_by(world, *b_id, b, column),
            ) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(a), Some(b)) => compare(&a, &b),
            };
            let ordering = match order.order_type {
                OrderType::Ascending => ordering,
                OrderType::Descending => ordering.reverse(),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        a_id.cmp(b_id)
    });
}

fn visible(world: &World, id: u128, record: &Record, scope: &RecordScope) -> bool {
    let id = Uuid::from_u128(id);
    let owner = record.owner.unwrap().id();
    scope.all
        || scope.owners.iter().any(|o| o.uuid() == owner)
        || scope
            .business_units
            .iter()
            .any(|u| Some(u.0) == record.business_unit)
        || world.shares.get(&id).is_some_and(|shares| {
            shares.iter().any(|share| {
                scope.shared_with.contains(&share.principal)
                    && share.rights.contains(AccessRights::READ)
            })
        })
}

fn any_scope(rng: &mut fastrand::Rng) -> RecordScope {
    let some = |rng: &mut fastrand::Rng, of: &[Uuid]| -> Vec<Uuid> {
        of.iter().copied().filter(|_| rng.u8(..3) == 0).collect()
    };
    let (owners, units) = (some(rng, &USERS), some(rng, &UNITS));
    let mut scope = scope(&owners, &units, &some(rng, &USERS));
    if rng.u8(..3) == 0 {
        scope = RecordScope {
            all: true,
            ..self::scope(&[], &[], &[])
        };
    }
    scope
}

/// Texts longer than an index key are ordered by their digests beyond it: the naive order knows
/// nothing of that.
fn has_long_texts(world: &World, rows: &[(u128, Record)], orders: &[OrderExpression]) -> bool {
    orders.iter().any(|order| {
        let column = &order.attribute_name;
        rows.iter().any(|(id, record)| {
            matches!(
                ordered_by(world, *id, record, column),
                Some(Value::String(text)) if text.len() > limits::INDEX_STRING_UNITS_MAX
            )
        })
    })
}

#[test]
fn every_plan_gives_the_rows_of_the_definition_in_its_order() {
    let mut rng = fastrand::Rng::with_seed(20_260_311);
    let (mut queries, mut pages, mut nonempty) = (0, 0, 0);
    for _ in 0..100 {
        let (world, rows) = any_world(&mut rng);
        for _ in 0..20 {
            let scope = any_scope(&mut rng);
            let mut query = things();
            query.criteria = any_filter(&mut rng, 2);
            query.orders = any_orders(&mut rng);
            let mut expected: Vec<_> = rows
                .iter()
                .filter(|(id, record)| holds(&world, *id, record, &query.criteria))
                .filter(|(id, record)| visible(&world, *id, record, &scope))
                .cloned()
                .collect();
            sort(&world, &mut expected, &query.orders);
            let mut expected: Vec<u128> = expected.into_iter().map(|(id, _)| id).collect();
            let any_order = has_long_texts(&world, &rows, &query.orders);

            let filter = Scoped {
                world: &world,
                scope,
            };
            let size = rng.i32(1..9);
            let mut request = paged(query.clone(), 1, size);
            request
                .page_info
                .as_mut()
                .unwrap()
                .return_total_record_count = true;
            let mut found = Vec::new();
            loop {
                // Another plan for every page: positions mean the same to all of them.
                let bounds = Bounds {
                    plan: rng.usize(..6),
                    ..BOUNDS
                };
                let page = world
                    .run_with(&filter, &Query::Expression(request.clone()), bounds)
                    .unwrap();
                assert_eq!(page.total_record_count, expected.len() as i64, "{query:?}");
                assert_eq!(page.more_records, page.paging_cookie.is_some());
                found.extend(ids(&page));
                assert!(
                    found.len() <= expected.len(),
                    "{query:?}\n{found:?}\n{expected:?}"
                );
                pages += 1;
                if !page.more_records {
                    break;
                }
                assert_eq!(page.entities.len(), size as usize, "{query:?}");
                request = next(&request, &page);
            }
            let mut compared = found.clone();
            if any_order {
                compared.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(compared, expected, "{query:?}");

            // Simple paging cuts the same pages.
            let number = rng.i32(1..4);
            let page = world
                .run_with(
                    &filter,
                    &Query::Expression(paged(query, number, size)),
                    Bounds {
                        plan: rng.usize(..6),
                        ..BOUNDS
                    },
                )
                .unwrap();
            let skipped = found.iter().skip(((number - 1) * size) as usize);
            assert_eq!(
                ids(&page),
                skipped.take(size as usize).copied().collect::<Vec<_>>()
            );
            queries += 1;
            nonempty += usize::from(!found.is_empty());
        }
    }
    assert!(
        queries == 2_000 && nonempty > queries / 3 && pages > 2 * queries,
        "{nonempty} {pages}"
    );
}

#[test]
fn pages_cut_short_by_the_bound_on_keys_add_up_to_the_whole() {
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut whole, mut refused, mut short) = (0, 0, 0);
    for _ in 0..100 {
        let (world, _) = any_world(&mut rng);
        for _ in 0..10 {
            let filter = Scoped {
                world: &world,
                scope: any_scope(&mut rng),
            };
            let mut query = things();
            query.criteria = any_filter(&mut rng, 1);
            query.orders = any_orders(&mut rng);
            query.orders.truncate(1);
            let expected = world
                .run_with(&filter, &Query::Expression(query.clone()), BOUNDS)
                .map(|page| ids(&page))
                .unwrap();
            let mut request = paged(query, 1, rng.i32(1..9));
            let mut found = Vec::new();
            let plan = rng.usize(..6);
            let mut is_refused = false;
            for _ in 0..200 {
                let bounds = Bounds {
                    keys_scanned: 32,
                    plan,
                    ..BOUNDS
                };
                match world.run_with(&filter, &Query::Expression(request.clone()), bounds) {
                    Ok(page) => {
                        found.extend(ids(&page));
                        let size = request.page_info.as_ref().unwrap().count as usize;
                        short += usize::from(page.more_records && page.entities.len() < size);
                        if !page.more_records {
                            break;
                        }
                        request = next(&request, &page);
                    }
                    Err(fault) => {
                        assert_eq!(fault.code(), FaultCode::LimitExceeded);
                        is_refused = true;
                        break;
                    }
                }
            }
            if is_refused {
                refused += 1;
            } else {
                assert_eq!(found, expected, "{request:?}");
                whole += 1;
            }
        }
    }
    assert!(
        whole > 700 && short > 80,
        "{whole} whole, {refused} refused, {short} short"
    );
}
