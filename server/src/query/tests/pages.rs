//! Orders, pages, totals and cookies.

use super::*;

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
