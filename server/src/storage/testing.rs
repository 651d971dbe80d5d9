//! Strategies for property tests of the codecs.

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::record::{Record, StoredOwner};
use crate::model::{EntityReference, Value};

pub(super) fn any_uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(super) fn any_timestamp() -> impl Strategy<Value = Timestamp> {
    let (min, max) = (
        Timestamp::MIN.as_nanosecond(),
        Timestamp::MAX.as_nanosecond(),
    );
    prop_oneof![min..=max, -2_000_000_000_i128..2_000_000_000]
        .prop_map(|n| Timestamp::from_nanosecond(n).unwrap_or_default())
}

pub(super) fn any_decimal() -> impl Strategy<Value = Decimal> {
    const MANTISSA_MAX: i128 = (1 << 96) - 1;
    let mantissa = prop_oneof![-MANTISSA_MAX..=MANTISSA_MAX, -1_000_i128..1_000];
    (mantissa, 0_u32..=28).prop_map(|(m, scale)| Decimal::from_i128_with_scale(m, scale))
}

/// Texts that meet on common beginnings, cases, zero characters and the length where they are cut.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let short = "[aAbBzÉe\u{0}\u{1}\u{ff}€😀 ]{0,6}";
    prop_oneof![
        4 => short,
        1 => ".{0,20}",
        2 => (250_usize..260, short).prop_map(|(n, tail)| "x".repeat(n) + &tail),
        1 => (380_usize..420, short).prop_map(|(n, tail)| "€".repeat(n) + &tail),
    ]
}

pub(super) fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::BigInt),
        (-1e300_f64..1e300).prop_map(Value::Double),
        any_decimal().prop_map(Value::Decimal),
        any_decimal().prop_map(Value::Money),
        any_text().prop_map(Value::String),
        any_timestamp().prop_map(Value::DateTime),
        any_uuid().prop_map(Value::Guid),
        any::<i32>().prop_map(Value::OptionSet),
        prop::collection::vec(any::<i32>(), 0..4).prop_map(Value::OptionSets),
        ("[a-z_]{1,20}", any_uuid())
            .prop_map(|(table, id)| Value::EntityReference(EntityReference::new(table, id))),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
    ]
}

pub(super) fn any_record() -> impl Strategy<Value = Record> {
    let owner = prop_oneof![
        any_uuid().prop_map(StoredOwner::User),
        any_uuid().prop_map(StoredOwner::Team),
    ];
    (
        any::<u64>(),
        prop::option::of(owner),
        prop::option::of(any_uuid()),
        prop::collection::vec((0_u16..8, any_value()), 0..8),
    )
        .prop_map(|(row_version, owner, business_unit, columns)| {
            let mut record: Record = columns.into_iter().collect();
            record.row_version = row_version;
            record.owner = owner;
            record.business_unit = business_unit;
            record
        })
}
