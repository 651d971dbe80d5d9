//! `v(x)`: values as bytes whose order is the order of the values, and the index keys made of them.
//!
//! Null comes first; numbers compare numerically whatever their scale; texts compare by their
//! [`collation_key`]. A text is ordered by its first [`INDEX_STRING_UNITS_MAX`] code units; a longer
//! one is cut there and followed by a digest of the whole. So an equality on a long text finds what
//! it looks for, while a range that ends inside long texts is a superset: **whoever reads an index
//! checks the record again**.

use std::ops::Bound;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{KeyRange, bytes::split_timestamp, keys};
use crate::{
    limits::{INDEX_STRING_BYTES_MAX, INDEX_STRING_UNITS_MAX},
    model::{Value, collation_key},
};

const NULL: u8 = 0x00;
const BOOLEAN: u8 = 0x10;
const INTEGER: u8 = 0x20;
const DOUBLE: u8 = 0x28;
const DECIMAL: u8 = 0x30;
const INSTANT: u8 = 0x40;
const ID: u8 = 0x50;
const TEXT: u8 = 0x60;

/// Follows a zero byte that belongs to a text; larger than both endings.
const ZERO: u8 = 0xff;
/// Ends a text that is complete.
const COMPLETE: [u8; 2] = [0, 1];
/// Ends a text that was cut; its digest follows.
const CUT: [u8; 2] = [0, 2];
const DIGEST_BYTES: usize = 16;

/// Whether an index orders by a value; image data and multi-select choices stand in it as null.
pub fn is_indexable(value: &Value) -> bool {
    encodable(value).is_some()
}

enum Encodable<'a> {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Decimal(&'a Decimal),
    Instant(jiff::Timestamp),
    Id(Uuid),
    Text(&'a str),
}

fn encodable(value: &Value) -> Option<Encodable<'_>> {
    Some(match value {
        Value::Boolean(b) => Encodable::Boolean(*b),
        Value::Integer(n) | Value::OptionSet(n) => Encodable::Integer(i64::from(*n)),
        Value::BigInt(n) => Encodable::Integer(*n),
        Value::Double(n) => Encodable::Double(*n),
        Value::Decimal(n) | Value::Money(n) => Encodable::Decimal(n),
        Value::DateTime(instant) => Encodable::Instant(*instant),
        Value::Guid(id) => Encodable::Id(*id),
        // The id alone: it is unique across tables, and a lookup is searched by id.
        Value::EntityReference(reference) => Encodable::Id(reference.id?),
        Value::String(text) => Encodable::Text(text),
        _ => return None,
    })
}

/// Writes values one after the other, so that the key of a few columns is a prefix of the key of
/// those and more.
#[derive(Debug)]
pub struct IndexKeyBuilder {
    key: Vec<u8>,
    text_bytes: usize,
}

/// Whether a value was written whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Written {
    Whole,
    /// Cut; the key up to here, before the digest, has this length.
    CutAt(usize),
}

impl IndexKeyBuilder {
    /// The key of a column index (04).
    pub fn index(otc: u32, index_no: u16) -> Self {
        Self::with_head(keys::index_head(keys::INDEX, otc, index_no))
    }

    /// The key of an alternate key (05).
    pub fn unique(otc: u32, index_no: u16) -> Self {
        Self::with_head(keys::index_head(keys::UNIQUE, otc, index_no))
    }

    fn with_head(key: Vec<u8>) -> Self {
        IndexKeyBuilder { key, text_bytes: 0 }
    }

    /// Adds the value of the next column.
    pub fn value(mut self, value: &Value) -> Self {
        self.push(value);
        self
    }

    /// Adds the values of the next columns.
    pub fn values<'a>(self, values: impl IntoIterator<Item = &'a Value>) -> Self {
        values.into_iter().fold(self, Self::value)
    }

    /// The key, or the prefix, written so far.
    pub fn finish(self) -> Vec<u8> {
        self.key
    }

    /// The key of one record's entry.
    pub fn record(mut self, id: Uuid) -> Vec<u8> {
        self.key.extend_from_slice(id.as_bytes());
        self.key
    }

    fn push(&mut self, value: &Value) -> Written {
        let Some(value) = encodable(value) else {
            self.key.push(NULL);
            return Written::Whole;
        };
        match value {
            Encodable::Boolean(b) => self.key.extend_from_slice(&[BOOLEAN, u8::from(b)]),
            Encodable::Integer(n) => self.tagged(INTEGER, &flip(n).to_be_bytes()),
            Encodable::Double(n) => self.tagged(DOUBLE, &order_double(n).to_be_bytes()),
            Encodable::Decimal(n) => self.tagged(DECIMAL, &order_decimal(n)),
            Encodable::Instant(instant) => {
                let (seconds, nanoseconds) = split_timestamp(instant);
                self.tagged(INSTANT, &flip(seconds).to_be_bytes());
                self.key.extend_from_slice(&nanoseconds.to_be_bytes());
            }
            Encodable::Id(id) => self.tagged(ID, id.as_bytes()),
            Encodable::Text(text) => return self.push_text(&collation_key(text)),
        }
        Written::Whole
    }

    fn tagged(&mut self, tag: u8, payload: &[u8]) {
        self.key.push(tag);
        self.key.extend_from_slice(payload);
    }

    fn push_text(&mut self, folded: &str) -> Written {
        self.key.push(TEXT);
        if self.push_characters(folded) {
            self.key.extend_from_slice(&COMPLETE);
            return Written::Whole;
        }
        self.key.extend_from_slice(&CUT);
        let cut_at = self.key.len();
        let digest = Sha256::digest(folded.as_bytes());
        self.key.extend(digest.iter().take(DIGEST_BYTES));
        Written::CutAt(cut_at)
    }

    /// The characters of a folded text, zero-escaped; false when they had to be cut.
    ///
    /// Whether a character still fits is decided before looking at it, from what stands before it
    /// alone: two texts that agree up to a place are cut at the same place, so order is kept.
    fn push_characters(&mut self, folded: &str) -> bool {
        const LONGEST_CHARACTER: usize = 4;
        let mut units = 0;
        for character in folded.chars() {
            if units >= INDEX_STRING_UNITS_MAX
                || self.text_bytes + LONGEST_CHARACTER > INDEX_STRING_BYTES_MAX
            {
                return false;
            }
            let before = self.key.len();
            if character == '\0' {
                self.key.extend_from_slice(&[0, ZERO]);
            } else {
                let mut buffer = [0; LONGEST_CHARACTER];
                self.key
                    .extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
            units += character.len_utf16();
            self.text_bytes += self.key.len() - before;
        }
        true
    }
}

/// The entries of an index whose first columns have the values `equal`, whose next column lies
/// between `lower` and `upper`, and which is not null when either is given. With both unbounded:
/// every entry with those first values, nulls included.
///
/// The values must have the kind of their column. The range can hold more than it should where a
/// long text was cut (see the module).
pub fn index_range(
    otc: u32,
    index_no: u16,
    equal: &[Value],
    lower: Bound<&Value>,
    upper: Bound<&Value>,
) -> KeyRange {
    let head = || IndexKeyBuilder::index(otc, index_no).values(equal);
    let prefix = head().finish();
    let mut range = keys::prefix_range(prefix.clone());
    if let (Bound::Unbounded, Bound::Unbounded) = (lower, upper) {
        return range;
    }
    let after = |bytes: Vec<u8>| keys::prefix_range(bytes).end;
    range.start = match lower {
        Bound::Unbounded => {
            let mut not_null = prefix;
            not_null.push(NULL + 1);
            not_null
        }
        Bound::Included(value) | Bound::Excluded(value) => {
            let mut builder = head();
            match builder.push(value) {
                Written::CutAt(length) => {
                    builder.key.truncate(length);
                    builder.key
                }
                Written::Whole if matches!(lower, Bound::Excluded(_)) => after(builder.key),
                Written::Whole => builder.key,
            }
        }
    };
    match upper {
        Bound::Unbounded => {}
        Bound::Included(value) | Bound::Excluded(value) => {
            let mut builder = head();
            range.end = match builder.push(value) {
                Written::CutAt(length) => {
                    builder.key.truncate(length);
                    after(builder.key)
                }
                Written::Whole if matches!(upper, Bound::Excluded(_)) => builder.key,
                Written::Whole => after(builder.key),
            };
        }
    }
    range
}

/// The entries of an index whose first columns have the values `equal` and whose next column is a
/// text that begins with `beginning` (under the collation; a superset, see the module).
pub fn index_text_range(otc: u32, index_no: u16, equal: &[Value], beginning: &str) -> KeyRange {
    let mut builder = IndexKeyBuilder::index(otc, index_no).values(equal);
    builder.key.push(TEXT);
    builder.push_characters(&collation_key(beginning));
    keys::prefix_range(builder.key)
}

/// Moves the negative numbers before the others.
fn flip(n: i64) -> u64 {
    n.cast_unsigned() ^ (1 << 63)
}

/// Orders doubles as bits; both zeros are one value.
fn order_double(n: f64) -> u64 {
    let bits = if n == 0.0 { 0 } else { n.to_bits() };
    if bits >> 63 == 0 {
        bits | (1 << 63)
    } else {
        !bits
    }
}

/// A decimal as a fixed-point number of 28 places in 24 bytes: a mantissa of 96 bits times at most
/// 10^28 stays below 2^190. Equal numbers of different scale are equal bytes.
fn order_decimal(n: &Decimal) -> [u8; 24] {
    const PLACES: u32 = 28;
    let mantissa = n.mantissa().unsigned_abs();
    let factor = 10_u128.pow(PLACES - n.scale().min(PLACES));
    // Both factors are below 2^96: four products of 64-bit halves, of which the high one is small.
    let (a1, a0) = (mantissa >> 64, mantissa & u128::from(u64::MAX));
    let (b1, b0) = (factor >> 64, factor & u128::from(u64::MAX));
    let low = a0 * b0;
    let middle = a1 * b0 + a0 * b1 + (low >> 64);
    let high = a1 * b1 + (middle >> 64);
    let negative = n.mantissa() < 0;
    let mut bytes = [0; 24];
    for (slot, limb) in bytes.chunks_exact_mut(8).zip([high, middle, low]) {
        // The cast keeps the low 64 bits; what is above was carried into the limb before.
        let limb = limb as u64;
        slot.copy_from_slice(&(if negative { !limb } else { limb }).to_be_bytes());
    }
    // The one's complement keeps the order of negative numbers; the sign bit is free (2^190).
    if !negative {
        bytes[0] |= 0x80;
    } else {
        bytes[0] &= 0x7f;
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use std::{cmp::Ordering, ops::RangeBounds};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        limits::{INDEX_COLUMNS_MAX, STORED_KEY_BYTES_MAX},
        model::EntityReference,
        storage::testing::{any_decimal, any_text, any_timestamp, any_value},
    };

    fn encoded(value: impl Into<Value>) -> Vec<u8> {
        IndexKeyBuilder::index(1, 1).value(&value.into()).finish()
    }

    /// What the index orders a text by.
    fn beginning(text: &str) -> String {
        let mut units = 0;
        collation_key(text)
            .chars()
            .take_while(|c| {
                let fits = units < INDEX_STRING_UNITS_MAX;
                units += c.len_utf16();
                fits
            })
            .collect()
    }

    fn entry(value: &Value) -> Vec<u8> {
        IndexKeyBuilder::index(1, 1)
            .value(value)
            .record(Uuid::from_u128(5))
    }

    proptest! {
        #[test]
        fn integers_keep_their_order(x: i64, y: i64, a: i32, b: i32) {
            prop_assert_eq!(encoded(Value::BigInt(x)).cmp(&encoded(Value::BigInt(y))), x.cmp(&y));
            prop_assert_eq!(encoded(a).cmp(&encoded(b)), a.cmp(&b));
            let mixed = encoded(Value::OptionSet(a)).cmp(&encoded(Value::BigInt(y)));
            prop_assert_eq!(mixed, i64::from(a).cmp(&y));
        }

        #[test]
        fn doubles_keep_their_order(
            x in -1e9_f64..1e9,
            y in prop_oneof![-1e9_f64..1e9, Just(0.0), Just(-0.0)],
        ) {
            let order = encoded(Value::Double(x)).cmp(&encoded(Value::Double(y)));
            prop_assert_eq!(Some(order), x.partial_cmp(&y));
            prop_assert_eq!(encoded(Value::Double(0.0)), encoded(Value::Double(-0.0)));
        }

        #[test]
        fn decimals_compare_numerically(x in any_decimal(), y in any_decimal()) {
            prop_assert_eq!(encoded(Value::Decimal(x)).cmp(&encoded(Value::Decimal(y))), x.cmp(&y));
            prop_assert_eq!(encoded(Value::Decimal(x)), encoded(Value::Money(x.normalize())));
        }

        #[test]
        fn instants_keep_their_order(x in any_timestamp(), y in any_timestamp()) {
            prop_assert_eq!(encoded(Value::DateTime(x)).cmp(&encoded(Value::DateTime(y))), x.cmp(&y));
        }

        #[test]
        fn ids_and_references_are_one_order(x: u128, y: u128) {
            let reference = Value::EntityReference(EntityReference::new("account", Uuid::from_u128(x)));
            prop_assert_eq!(encoded(reference).cmp(&encoded(Uuid::from_u128(y))), x.cmp(&y));
        }

        #[test]
        fn texts_order_by_the_collation_of_their_beginning(x in any_text(), y in any_text()) {
            let order = encoded(x.clone()).cmp(&encoded(y.clone()));
            if beginning(&x) == beginning(&y) {
                let same = collation_key(&x) == collation_key(&y);
                prop_assert_eq!(order == Ordering::Equal, same, "equality is exact at any length");
            } else {
                prop_assert_eq!(order, collation_key(&x).cmp(&collation_key(&y)));
            }
        }

        #[test]
        fn null_comes_first_and_no_value_is_a_prefix_of_another(x in any_value(), y in any_value()) {
            prop_assert!(!is_indexable(&x) || encoded(Value::Null) < encoded(x.clone()));
            let (x, y) = (encoded(x), encoded(y));
            prop_assert!(x == y || !x.starts_with(&y));
        }

        #[test]
        fn the_first_column_decides_before_the_second(
            x in (any_text(), any::<i32>()), y in (any_text(), any::<i32>()),
        ) {
            let key = |(text, number): &(String, i32)| {
                IndexKeyBuilder::index(1, 1)
                    .values(&[Value::from(text.as_str()), Value::from(*number)])
                    .finish()
            };
            let first = encoded(x.0.clone()).cmp(&encoded(y.0.clone()));
            prop_assert_eq!(key(&x).cmp(&key(&y)), first.then(x.1.cmp(&y.1)));
        }

        #[test]
        fn every_key_fits(values in prop::collection::vec(any_value(), 1..=INDEX_COLUMNS_MAX), c: char) {
            let long = std::iter::repeat_n(Value::from(c.to_string().repeat(700)), INDEX_COLUMNS_MAX);
            for values in [values, long.collect()] {
                let key = IndexKeyBuilder::index(1, 1).values(&values).record(Uuid::nil());
                prop_assert!(key.len() <= STORED_KEY_BYTES_MAX, "{}", key.len());
            }
        }

        #[test]
        fn a_range_of_numbers_holds_exactly_what_lies_in_it(value: i8, low: i8, high: i8, mode in 0..9) {
            let of = |n: i8| Value::from(i32::from(n));
            let (low_value, high_value) = (of(low), of(high));
            let bound = |mode, value| match mode {
                0 => Bound::Unbounded,
                1 => Bound::Included(value),
                _ => Bound::Excluded(value),
            };
            let (lower, upper) = (bound(mode % 3, &low_value), bound(mode / 3, &high_value));
            let range = index_range(1, 1, &[], lower, upper);
            let number = |mode, value| match mode {
                0 => Bound::Unbounded,
                1 => Bound::Included(value),
                _ => Bound::Excluded(value),
            };
            let expected = (number(mode % 3, low), number(mode / 3, high));
            prop_assert_eq!(range.contains(&entry(&of(value))), expected.contains(&value));
        }

        #[test]
        fn a_range_of_texts_loses_nothing(text in any_text(), low in any_text(), high in any_text()) {
            let key = entry(&Value::from(text.as_str()));
            let (low_value, high_value) = (Value::from(low.as_str()), Value::from(high.as_str()));
            let range = index_range(1, 1, &[], Bound::Included(&low_value), Bound::Included(&high_value));
            let folded = collation_key(&text);
            if (collation_key(&low)..=collation_key(&high)).contains(&folded) {
                prop_assert!(range.contains(&key));
            }
            let open = index_range(1, 1, &[], Bound::Excluded(&low_value), Bound::Excluded(&high_value));
            if folded > collation_key(&low) && folded < collation_key(&high) {
                prop_assert!(open.contains(&key));
            }
            if folded.starts_with(&collation_key(&low)) {
                prop_assert!(index_text_range(1, 1, &[], &low).contains(&key));
            }
        }
    }

    #[test]
    fn nulls_of_a_later_column_stand_outside_its_ranges() {
        let first = Value::from(1);
        let with_null = IndexKeyBuilder::index(1, 1)
            .values([&first, &Value::Null])
            .record(Uuid::nil());
        let five = Value::from(5);
        let below = index_range(
            1,
            1,
            std::slice::from_ref(&first),
            Bound::Unbounded,
            Bound::Excluded(&five),
        );
        let all = index_range(1, 1, &[first], Bound::Unbounded, Bound::Unbounded);
        assert!(!below.contains(&with_null));
        assert!(all.contains(&with_null));
    }
}
