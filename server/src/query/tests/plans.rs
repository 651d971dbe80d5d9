//! Which way is taken, and that a caller's scope and relationships bound the rows.

use super::*;

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
