//! Keyspaces and key codecs: the first byte of a key says what it is, the rest is ordered so that
//! every question of the core is one key or one range (docs/storage-format.md).
//!
//! Integers are big-endian, ids 16 bytes. Ids are UUIDv7, so ranges by id are ranges by age.
//! Texts and numbers inside index keys are encoded by [`index_value`](super::index_value).

use uuid::Uuid;

use super::{KeyRange, StorageError, bytes::Reader, bytes::name_key};

/// First byte of a key: format, identity and counters of the store.
pub const META: u8 = 0;
/// First byte of a key: the records.
pub const RECORD: u8 = 1;
/// First byte of a key: records by owner.
pub const BY_OWNER: u8 = 2;
/// First byte of a key: records by owning business unit.
pub const BY_BUSINESS_UNIT: u8 = 3;
/// First byte of a key: column indexes.
pub const INDEX: u8 = 4;
/// First byte of a key: alternate keys.
pub const UNIQUE: u8 = 5;
/// First byte of a key: shares of a record.
pub const SHARE: u8 = 6;
/// First byte of a key: what is shared with a principal.
pub const SHARED_WITH: u8 = 7;
/// First byte of a key: many-to-many links, left side first.
pub const LINK: u8 = 8;
/// First byte of a key: many-to-many links, right side first.
pub const LINK_REVERSE: u8 = 9;
/// First byte of a key: requests already answered (GO-2).
pub const REQUEST_MEMORY: u8 = 14;
/// First byte of a key: bearer tokens by their hash.
pub const TOKEN: u8 = 15;

/// Keys from this first byte on belong to the engines; a transaction cannot write them.
pub const RESERVED: u8 = 0xf0;

/// The keys of one record in one table, found by another id: owner, business unit or principal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScopedKey {
    /// The table's ObjectTypeCode.
    pub otc: u32,
    /// What the record is found by.
    pub by: Uuid,
    /// The record's id.
    pub id: Uuid,
}

fn build<const N: usize>(tag: u8, parts: [&[u8]; N]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(tag);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

fn parse<'a, T>(
    key: &'a [u8],
    tag: u8,
    read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Result<T, StorageError> {
    let mut reader = Reader::new(key);
    reader
        .u8()
        .filter(|&first| first == tag)
        .and_then(|_| read(&mut reader))
        .and_then(|parsed| reader.end(parsed))
        .ok_or_else(|| {
            StorageError::Corrupt(format!("key {} is not of space {tag:02}", name_key(key)))
        })
}

/// Every key that begins with `prefix`.
pub fn prefix_range(prefix: Vec<u8>) -> KeyRange {
    let mut end = prefix.clone();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    if end.is_empty() {
        // Only an empty prefix, or one of 0xff bytes alone: everything a transaction can write.
        end.push(RESERVED);
    }
    KeyRange { start: prefix, end }
}

/// Every key that a transaction can write.
pub fn everything() -> KeyRange {
    KeyRange {
        start: Vec::new(),
        end: vec![RESERVED],
    }
}

/// The smallest key larger than `key`.
pub fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// 00: a value of the store itself, by name.
pub fn meta(name: &str) -> Vec<u8> {
    build(META, [name.as_bytes()])
}

/// 01: a record.
pub fn record(otc: u32, id: Uuid) -> Vec<u8> {
    build(RECORD, [&otc.to_be_bytes(), id.as_bytes()])
}

/// 01: every record of a table, oldest first.
pub fn record_range(otc: u32) -> KeyRange {
    prefix_range(build(RECORD, [&otc.to_be_bytes()]))
}

/// The table and id of a record's key.
///
/// # Errors
/// [`StorageError::Corrupt`] when it is not one; the same for the other parsers.
pub fn parse_record(key: &[u8]) -> Result<(u32, Uuid), StorageError> {
    parse(key, RECORD, |r| Some((r.u32()?, r.uuid()?)))
}

/// 02: a record by its owner, user or team.
pub fn by_owner(otc: u32, owner: Uuid, id: Uuid) -> Vec<u8> {
    build(
        BY_OWNER,
        [&otc.to_be_bytes(), owner.as_bytes(), id.as_bytes()],
    )
}

/// 02: every record of a table that `owner` owns.
pub fn by_owner_range(otc: u32, owner: Uuid) -> KeyRange {
    prefix_range(build(BY_OWNER, [&otc.to_be_bytes(), owner.as_bytes()]))
}

/// 02: every owned record of a table, by owner.
pub fn by_owner_table_range(otc: u32) -> KeyRange {
    prefix_range(build(BY_OWNER, [&otc.to_be_bytes()]))
}

/// Table, owner and id of an owner key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_by_owner(key: &[u8]) -> Result<ScopedKey, StorageError> {
    parse(key, BY_OWNER, scoped)
}

/// 03: a record by its owning business unit.
pub fn by_business_unit(otc: u32, business_unit: Uuid, id: Uuid) -> Vec<u8> {
    build(
        BY_BUSINESS_UNIT,
        [&otc.to_be_bytes(), business_unit.as_bytes(), id.as_bytes()],
    )
}

/// 03: every record of a table that belongs to `business_unit` itself.
pub fn by_business_unit_range(otc: u32, business_unit: Uuid) -> KeyRange {
    prefix_range(build(
        BY_BUSINESS_UNIT,
        [&otc.to_be_bytes(), business_unit.as_bytes()],
    ))
}

/// 03: every record of a table, by owning business unit.
pub fn by_business_unit_table_range(otc: u32) -> KeyRange {
    prefix_range(build(BY_BUSINESS_UNIT, [&otc.to_be_bytes()]))
}

/// Table, business unit and id of a business unit key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_by_business_unit(key: &[u8]) -> Result<ScopedKey, StorageError> {
    parse(key, BY_BUSINESS_UNIT, scoped)
}

fn scoped(reader: &mut Reader<'_>) -> Option<ScopedKey> {
    Some(ScopedKey {
        otc: reader.u32()?,
        by: reader.uuid()?,
        id: reader.uuid()?,
    })
}

/// 06: the share of a record with a principal, user or team.
pub fn share(otc: u32, id: Uuid, principal: Uuid) -> Vec<u8> {
    build(
        SHARE,
        [&otc.to_be_bytes(), id.as_bytes(), principal.as_bytes()],
    )
}

/// 06: every share of a record.
pub fn share_range(otc: u32, id: Uuid) -> KeyRange {
    prefix_range(build(SHARE, [&otc.to_be_bytes(), id.as_bytes()]))
}

/// Table, principal (`by`) and id of a share key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_share(key: &[u8]) -> Result<ScopedKey, StorageError> {
    parse(key, SHARE, |r| {
        Some(ScopedKey {
            otc: r.u32()?,
            id: r.uuid()?,
            by: r.uuid()?,
        })
    })
}

/// 07: a record shared with a principal; the value is the effective mask (u32).
pub fn shared_with(principal: Uuid, otc: u32, id: Uuid) -> Vec<u8> {
    build(
        SHARED_WITH,
        [principal.as_bytes(), &otc.to_be_bytes(), id.as_bytes()],
    )
}

/// 07: every record of a table that is shared with a principal.
pub fn shared_with_range(principal: Uuid, otc: u32) -> KeyRange {
    prefix_range(build(
        SHARED_WITH,
        [principal.as_bytes(), &otc.to_be_bytes()],
    ))
}

/// 07: every record that is shared with a principal.
pub fn shared_with_principal_range(principal: Uuid) -> KeyRange {
    prefix_range(build(SHARED_WITH, [principal.as_bytes()]))
}

/// Table, principal (`by`) and id of a shared-with key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_shared_with(key: &[u8]) -> Result<ScopedKey, StorageError> {
    parse(key, SHARED_WITH, |r| {
        Some(ScopedKey {
            by: r.uuid()?,
            otc: r.u32()?,
            id: r.uuid()?,
        })
    })
}

/// 08: a many-to-many link; the value is the id of the intersect record.
pub fn link(relationship: u32, left: Uuid, right: Uuid) -> Vec<u8> {
    build(
        LINK,
        [
            &relationship.to_be_bytes(),
            left.as_bytes(),
            right.as_bytes(),
        ],
    )
}

/// 08: every link from `left`.
pub fn link_range(relationship: u32, left: Uuid) -> KeyRange {
    prefix_range(build(LINK, [&relationship.to_be_bytes(), left.as_bytes()]))
}

/// 08: every link of a relationship.
pub fn link_relationship_range(relationship: u32) -> KeyRange {
    prefix_range(build(LINK, [&relationship.to_be_bytes()]))
}

/// Relationship, left and right of a link.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_link(key: &[u8]) -> Result<(u32, Uuid, Uuid), StorageError> {
    parse(key, LINK, |r| Some((r.u32()?, r.uuid()?, r.uuid()?)))
}

/// 09: the same link seen from its other side; the value is empty.
pub fn link_reverse(relationship: u32, right: Uuid, left: Uuid) -> Vec<u8> {
    build(
        LINK_REVERSE,
        [
            &relationship.to_be_bytes(),
            right.as_bytes(),
            left.as_bytes(),
        ],
    )
}

/// 09: every link to `right`.
pub fn link_reverse_range(relationship: u32, right: Uuid) -> KeyRange {
    prefix_range(build(
        LINK_REVERSE,
        [&relationship.to_be_bytes(), right.as_bytes()],
    ))
}

/// Relationship, right and left of a reverse link.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_link_reverse(key: &[u8]) -> Result<(u32, Uuid, Uuid), StorageError> {
    parse(key, LINK_REVERSE, |r| {
        Some((r.u32()?, r.uuid()?, r.uuid()?))
    })
}

/// 14: a request that was answered (GO-2). `bucket` is the number of the ten-minute window, first
/// so that everything forgotten is one range.
pub fn request_memory(bucket: u32, user: Uuid, request_id: Uuid) -> Vec<u8> {
    build(
        REQUEST_MEMORY,
        [
            &bucket.to_be_bytes(),
            user.as_bytes(),
            request_id.as_bytes(),
        ],
    )
}

/// 14: every request of the windows before `bucket`.
pub fn request_memory_before(bucket: u32) -> KeyRange {
    KeyRange {
        start: vec![REQUEST_MEMORY],
        end: build(REQUEST_MEMORY, [&bucket.to_be_bytes()]),
    }
}

/// Window, authenticated user and request id of a request key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_request_memory(key: &[u8]) -> Result<(u32, Uuid, Uuid), StorageError> {
    parse(key, REQUEST_MEMORY, |r| {
        Some((r.u32()?, r.uuid()?, r.uuid()?))
    })
}

/// 15: a bearer token by the SHA-256 of its secret; the token itself is never stored.
pub fn token(hash: &[u8; 32]) -> Vec<u8> {
    build(TOKEN, [hash])
}

/// 15: every token.
pub fn token_range() -> KeyRange {
    prefix_range(vec![TOKEN])
}

/// The hash of a token's key.
///
/// # Errors
/// As [`parse_record`].
pub fn parse_token(key: &[u8]) -> Result<[u8; 32], StorageError> {
    parse(key, TOKEN, Reader::digest)
}

/// 04 or 05 and what comes before the values: space, table, index number.
pub(super) fn index_head(tag: u8, otc: u32, index_no: u16) -> Vec<u8> {
    build(tag, [&otc.to_be_bytes(), &index_no.to_be_bytes()])
}

/// The table, index number and record id of an index key (04).
///
/// # Errors
/// As [`parse_record`].
pub fn parse_index(key: &[u8]) -> Result<(u32, u16, Uuid), StorageError> {
    parse(key, INDEX, |r| {
        let (otc, number) = (r.u32()?, r.u16()?);
        r.take(r.remaining().checked_sub(16)?)?;
        Some((otc, number, r.uuid()?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn any_uuid() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    proptest! {
        #[test]
        fn every_key_reads_back(
            otc: u32, a in any_uuid(), b in any_uuid(), hash: [u8; 32], bucket: u32,
        ) {
            let scoped = ScopedKey { otc, by: a, id: b };
            prop_assert_eq!(parse_record(&record(otc, a)).unwrap(), (otc, a));
            prop_assert_eq!(parse_by_owner(&by_owner(otc, a, b)).unwrap(), scoped);
            prop_assert_eq!(parse_by_business_unit(&by_business_unit(otc, a, b)).unwrap(), scoped);
            prop_assert_eq!(parse_share(&share(otc, b, a)).unwrap(), scoped);
            prop_assert_eq!(parse_shared_with(&shared_with(a, otc, b)).unwrap(), scoped);
            prop_assert_eq!(parse_link(&link(otc, a, b)).unwrap(), (otc, a, b));
            prop_assert_eq!(parse_link_reverse(&link_reverse(otc, b, a)).unwrap(), (otc, b, a));
            prop_assert_eq!(
                parse_request_memory(&request_memory(bucket, a, b)).unwrap(),
                (bucket, a, b)
            );
            prop_assert_eq!(parse_token(&token(&hash)).unwrap(), hash);
        }

        #[test]
        fn key_order_is_table_then_id(
            x in (any::<u32>(), any_uuid()), y in (any::<u32>(), any_uuid()),
        ) {
            prop_assert_eq!(record(x.0, x.1).cmp(&record(y.0, y.1)), x.cmp(&y));
        }

        #[test]
        fn a_prefix_range_holds_exactly_what_begins_with_it(
            prefix in prop::collection::vec(0_u8..=255, 1..4),
            key in prop::collection::vec(any::<u8>(), 0..6),
        ) {
            prop_assume!(prefix.iter().any(|&byte| byte != 255));
            let range = prefix_range(prefix.clone());
            prop_assert_eq!(range.contains(&key), key.starts_with(&prefix));
        }

        #[test]
        fn foreign_bytes_are_refused_not_misread(key in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok((otc, id)) = parse_record(&key) {
                prop_assert_eq!(record(otc, id), key.clone());
            }
            if let Ok(scoped) = parse_share(&key) {
                prop_assert_eq!(share(scoped.otc, scoped.id, scoped.by), key.clone());
            }
            let _ = parse_index(&key);
        }
    }

    #[test]
    fn a_neighbouring_table_is_outside_the_range() {
        let range = record_range(1);
        assert!(range.contains(&record(1, Uuid::nil())));
        assert!(range.contains(&record(1, Uuid::max())));
        assert!(!range.contains(&record(2, Uuid::nil())));
        assert!(!range.contains(&record(0, Uuid::max())));
        assert!(record_range(u32::MAX).contains(&record(u32::MAX, Uuid::max())));
    }

    #[test]
    fn forgotten_requests_are_one_range() {
        let old = request_memory_before(7);
        assert!(old.contains(&request_memory(6, Uuid::max(), Uuid::max())));
        assert!(!old.contains(&request_memory(7, Uuid::nil(), Uuid::nil())));
    }
}
