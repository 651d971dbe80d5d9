//! What is stored of a record, and its bytes (docs/storage-format.md).
//!
//! The header (version, owner, business unit) stands at fixed places, so that a row can be judged
//! before its columns are decoded. A checksum covers everything; it is verified before any byte is
//! believed, so a damaged owner cannot grant access.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    StorageError,
    bytes::{Reader, name_key, put_timestamp},
};
use crate::{
    limits::{RECORD_COLUMNS_MAX, STORED_VALUE_BYTES_MAX},
    model::{EntityReference, Value},
};

const FORMAT: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

/// Who owns a record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StoredOwner {
    /// A systemuser.
    User(Uuid),
    /// A team.
    Team(Uuid),
}

impl StoredOwner {
    /// The id, whatever it names.
    pub fn id(self) -> Uuid {
        match self {
            StoredOwner::User(id) | StoredOwner::Team(id) => id,
        }
    }
}

/// Owner and owning business unit: what every row-level decision needs of a record, and the value
/// of each of its index entries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RowOwnership {
    /// The owner; `None` in a table without owners.
    pub owner: Option<StoredOwner>,
    /// The owning business unit; `None` in a table of the organization.
    pub business_unit: Option<Uuid>,
}

impl RowOwnership {
    /// Length of [`RowOwnership::encode`].
    pub const BYTES: usize = 33;

    const OWNER_USER: u8 = 1;
    const OWNER_TEAM: u8 = 2;
    const HAS_BUSINESS_UNIT: u8 = 4;

    /// One byte of flags, the owner's id, the business unit's id; zeros for what is absent.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = match self.owner {
            None => 0,
            Some(StoredOwner::User(_)) => Self::OWNER_USER,
            Some(StoredOwner::Team(_)) => Self::OWNER_TEAM,
        };
        if let Some(owner) = self.owner {
            bytes[1..17].copy_from_slice(owner.id().as_bytes());
        }
        if let Some(business_unit) = self.business_unit {
            bytes[0] |= Self::HAS_BUSINESS_UNIT;
            bytes[17..].copy_from_slice(business_unit.as_bytes());
        }
        bytes
    }

    /// Reads the value of an index entry (02, 03, 04) back.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] naming the key.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, StorageError> {
        let mut reader = Reader::new(value);
        Self::read(&mut reader)
            .and_then(|ownership| reader.end(ownership))
            .ok_or_else(|| corrupt(key, "ownership"))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let flags = reader.u8()?;
        let (owner, business_unit) = (reader.uuid()?, reader.uuid()?);
        let owner = match flags & !Self::HAS_BUSINESS_UNIT {
            0 => None,
            Self::OWNER_USER => Some(StoredOwner::User(owner)),
            Self::OWNER_TEAM => Some(StoredOwner::Team(owner)),
            _ => return None,
        };
        let business_unit = (flags & Self::HAS_BUSINESS_UNIT != 0).then_some(business_unit);
        Some(RowOwnership {
            owner,
            business_unit,
        })
    }
}

/// The part of a record that is read without its columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordHeader {
    /// The version counter of the row (SY-6).
    pub row_version: u64,
    /// Owner and owning business unit.
    pub ownership: RowOwnership,
}

impl RecordHeader {
    /// Reads the header of a stored record; the checksum of the whole is verified.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] naming the key.
    pub fn peek(key: &[u8], value: &[u8]) -> Result<Self, StorageError> {
        let body = verified(key, value)?;
        Self::read(&mut Reader::new(body)).ok_or_else(|| corrupt(key, "record header"))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.u8().filter(|&format| format == FORMAT)?;
        let ownership = RowOwnership::read(reader)?;
        Some(RecordHeader {
            row_version: reader.u64()?,
            ownership,
        })
    }
}

/// A record as it is stored: columns by number, sorted, no nulls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The version counter of the row (SY-6).
    pub row_version: u64,
    /// The owner; `None` in a table without owners.
    pub owner: Option<StoredOwner>,
    /// The owning business unit; `None` in a table of the organization.
    pub business_unit: Option<Uuid>,
    columns: Vec<(u16, Value)>,
}

impl Record {
    /// The value of a column; `None` is null.
    pub fn get(&self, column: u16) -> Option<&Value> {
        let at = self.position(column).ok()?;
        self.columns.get(at).map(|(_, value)| value)
    }

    /// Sets a column; [`Value::Null`] removes it.
    pub fn set(&mut self, column: u16, value: Value) {
        match (self.position(column), value) {
            (Ok(at), Value::Null) => {
                self.columns.remove(at);
            }
            (Err(_), Value::Null) => {}
            (Ok(at), value) => self.columns[at].1 = value,
            (Err(at), value) => self.columns.insert(at, (column, value)),
        }
    }

    /// The columns that are not null, by number.
    pub fn columns(&self) -> &[(u16, Value)] {
        &self.columns
    }

    /// Owner and owning business unit.
    pub fn ownership(&self) -> RowOwnership {
        RowOwnership {
            owner: self.owner,
            business_unit: self.business_unit,
        }
    }

    fn position(&self, column: u16) -> Result<usize, usize> {
        self.columns.binary_search_by_key(&column, |&(n, _)| n)
    }

    /// The record's bytes.
    ///
    /// Of a reference, table and id are kept; its name is looked up when it is read (RT-6).
    ///
    /// # Errors
    /// [`StorageError::NotStorable`] for a message-parameter kind in a column, a reference without
    /// id, or more than [`RECORD_COLUMNS_MAX`] columns.
    pub fn encode(&self) -> Result<Vec<u8>, StorageError> {
        if self.columns.len() > RECORD_COLUMNS_MAX {
            return Err(StorageError::TooLarge {
                limit: "record_columns_max",
                value: RECORD_COLUMNS_MAX,
            });
        }
        let mut out = Vec::with_capacity(64 + 24 * self.columns.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.ownership().encode());
        out.extend_from_slice(&self.row_version.to_be_bytes());
        // Below RECORD_COLUMNS_MAX, so it fits.
        out.extend_from_slice(&(self.columns.len() as u16).to_be_bytes());
        for (column, value) in &self.columns {
            out.extend_from_slice(&column.to_be_bytes());
            put_value(&mut out, *column, value)?;
        }
        put_checksum(&mut out);
        Ok(out)
    }

    /// Reads a stored record back; never believes a length it cannot see the bytes of.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] naming the key.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, StorageError> {
        let body = verified(key, value)?;
        Self::read(Reader::new(body)).ok_or_else(|| corrupt(key, "record"))
    }

    fn read(mut reader: Reader<'_>) -> Option<Self> {
        let header = RecordHeader::read(&mut reader)?;
        let count = usize::from(reader.u16()?);
        // Three bytes are the least that a column takes.
        if count > RECORD_COLUMNS_MAX || count > reader.remaining() / 3 {
            return None;
        }
        let mut columns: Vec<(u16, Value)> = Vec::with_capacity(count);
        for _ in 0..count {
            let column = reader.u16()?;
            if columns.last().is_some_and(|&(last, _)| last >= column) {
                return None;
            }
            columns.push((column, read_value(&mut reader)?));
        }
        reader.end(Record {
            row_version: header.row_version,
            owner: header.ownership.owner,
            business_unit: header.ownership.business_unit,
            columns,
        })
    }
}

impl FromIterator<(u16, Value)> for Record {
    /// A record of these columns, without owner and version.
    fn from_iter<I: IntoIterator<Item = (u16, Value)>>(columns: I) -> Self {
        let mut record = Record::default();
        for (column, value) in columns {
            record.set(column, value);
        }
        record
    }
}

mod tag {
    pub(super) const BOOLEAN: u8 = 1;
    pub(super) const INTEGER: u8 = 2;
    pub(super) const BIG_INT: u8 = 3;
    pub(super) const DOUBLE: u8 = 4;
    pub(super) const DECIMAL: u8 = 5;
    pub(super) const MONEY: u8 = 6;
    pub(super) const STRING: u8 = 7;
    pub(super) const DATE_TIME: u8 = 8;
    pub(super) const GUID: u8 = 9;
    pub(super) const OPTION_SET: u8 = 10;
    pub(super) const OPTION_SETS: u8 = 11;
    pub(super) const ENTITY_REFERENCE: u8 = 12;
    pub(super) const BYTES: u8 = 13;
}

const NEGATIVE: u8 = 0x80;

fn put_value(out: &mut Vec<u8>, column: u16, value: &Value) -> Result<(), StorageError> {
    let mut put = |tag: u8, payload: &[u8]| {
        out.push(tag);
        out.extend_from_slice(payload);
    };
    match value {
        Value::Boolean(b) => put(tag::BOOLEAN, &[u8::from(*b)]),
        Value::Integer(n) => put(tag::INTEGER, &n.to_be_bytes()),
        Value::BigInt(n) => put(tag::BIG_INT, &n.to_be_bytes()),
        Value::Double(n) => put(tag::DOUBLE, &n.to_bits().to_be_bytes()),
        Value::Decimal(n) => put(tag::DECIMAL, &decimal_bytes(n)),
        Value::Money(n) => put(tag::MONEY, &decimal_bytes(n)),
        Value::String(text) => {
            out.push(tag::STRING);
            put_long(out, column, text.as_bytes())?;
        }
        Value::DateTime(instant) => {
            out.push(tag::DATE_TIME);
            put_timestamp(out, *instant);
        }
        Value::Guid(id) => put(tag::GUID, id.as_bytes()),
        Value::OptionSet(n) => put(tag::OPTION_SET, &n.to_be_bytes()),
        Value::OptionSets(options) => {
            let count = u16::try_from(options.len())
                .map_err(|_| not_storable(column, "more than 65535 choices"))?;
            put(tag::OPTION_SETS, &count.to_be_bytes());
            for option in options {
                out.extend_from_slice(&option.to_be_bytes());
            }
        }
        Value::EntityReference(reference) => {
            let id = reference
                .id
                .ok_or_else(|| not_storable(column, "a reference without id"))?;
            let length = u8::try_from(reference.logical_name.len())
                .map_err(|_| not_storable(column, "a table name of more than 255 bytes"))?;
            put(tag::ENTITY_REFERENCE, &[length]);
            out.extend_from_slice(reference.logical_name.as_bytes());
            out.extend_from_slice(id.as_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(tag::BYTES);
            put_long(out, column, bytes)?;
        }
        other => {
            let kind = other.kind();
            return Err(not_storable(column, &format!("a value of kind {kind}")));
        }
    }
    Ok(())
}

fn put_long(out: &mut Vec<u8>, column: u16, bytes: &[u8]) -> Result<(), StorageError> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|_| bytes.len() <= STORED_VALUE_BYTES_MAX)
        .ok_or_else(|| not_storable(column, "a value that is too long"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Sign and scale in one byte, then the 96 bits of the mantissa.
fn decimal_bytes(n: &Decimal) -> [u8; 13] {
    let mut bytes = [0; 13];
    bytes[1..].copy_from_slice(&n.mantissa().unsigned_abs().to_be_bytes()[4..]);
    // The scale is at most 28.
    bytes[0] = n.scale() as u8;
    if n.mantissa() < 0 {
        bytes[0] |= NEGATIVE;
    }
    bytes
}

fn read_decimal(reader: &mut Reader<'_>) -> Option<Decimal> {
    let flags = reader.u8()?;
    let magnitude = reader.u96()?.cast_signed();
    let mantissa = if flags & NEGATIVE == 0 {
        magnitude
    } else {
        -magnitude
    };
    Decimal::try_from_i128_with_scale(mantissa, u32::from(flags & !NEGATIVE)).ok()
}

fn read_value(reader: &mut Reader<'_>) -> Option<Value> {
    Some(match reader.u8()? {
        tag::BOOLEAN => match reader.u8()? {
            0 => Value::Boolean(false),
            1 => Value::Boolean(true),
            _ => return None,
        },
        tag::INTEGER => Value::Integer(reader.i32()?),
        tag::BIG_INT => Value::BigInt(reader.i64()?),
        tag::DOUBLE => Value::Double(f64::from_bits(reader.u64()?)),
        tag::DECIMAL => Value::Decimal(read_decimal(reader)?),
        tag::MONEY => Value::Money(read_decimal(reader)?),
        tag::STRING => Value::String(read_text(reader)?.to_owned()),
        tag::DATE_TIME => Value::DateTime(reader.timestamp()?),
        tag::GUID => Value::Guid(reader.uuid()?),
        tag::OPTION_SET => Value::OptionSet(reader.i32()?),
        tag::OPTION_SETS => {
            let count = usize::from(reader.u16()?);
            let mut options = Reader::new(reader.take(count.checked_mul(4)?)?);
            let mut values = Vec::with_capacity(count);
            while let Some(option) = options.i32() {
                values.push(option);
            }
            Value::OptionSets(values)
        }
        tag::ENTITY_REFERENCE => {
            let length = usize::from(reader.u8()?);
            let name = std::str::from_utf8(reader.take(length)?).ok()?;
            Value::EntityReference(EntityReference::new(name, reader.uuid()?))
        }
        tag::BYTES => {
            let length = usize::try_from(reader.u32()?).ok()?;
            Value::Bytes(bytes::Bytes::copy_from_slice(reader.take(length)?))
        }
        _ => return None,
    })
}

fn read_text<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    let length = usize::try_from(reader.u32()?).ok()?;
    std::str::from_utf8(reader.take(length)?).ok()
}

/// Appends the CRC-32 of what was written.
pub(super) fn put_checksum(out: &mut Vec<u8>) {
    let checksum = crc32fast::hash(out);
    out.extend_from_slice(&checksum.to_be_bytes());
}

/// What stands before the checksum, if it agrees.
pub(super) fn verified<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], StorageError> {
    value
        .split_last_chunk::<CHECKSUM_BYTES>()
        .filter(|(body, checksum)| crc32fast::hash(body) == u32::from_be_bytes(**checksum))
        .map(|(body, _)| body)
        .ok_or_else(|| corrupt(key, "checksum"))
}

/// The error for a stored value that cannot be read.
pub(super) fn corrupt(key: &[u8], what: &str) -> StorageError {
    StorageError::Corrupt(format!("{what} under key {} cannot be read", name_key(key)))
}

fn not_storable(column: u16, what: &str) -> StorageError {
    StorageError::NotStorable(format!("{what} in column {column}"))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests"
    )]

    use super::*;
    use crate::storage::testing::{any_record, any_value};
    use proptest::prelude::*;

    const KEY: &[u8] = b"key";

    /// The bytes with a checksum that agrees, so that only the format is left to complain about.
    fn sealed(mut body: Vec<u8>) -> Vec<u8> {
        put_checksum(&mut body);
        body
    }

    proptest! {
        #[test]
        fn a_record_reads_back(record in any_record()) {
            let bytes = record.encode().unwrap();
            prop_assert_eq!(&Record::decode(KEY, &bytes).unwrap(), &record);
            let header = RecordHeader::peek(KEY, &bytes).unwrap();
            prop_assert_eq!(header.row_version, record.row_version);
            prop_assert_eq!(header.ownership, record.ownership());
        }

        #[test]
        fn one_flipped_bit_is_noticed(record in any_record(), at: prop::sample::Index, bit in 0_u8..8) {
            let mut bytes = record.encode().unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            for result in [Record::decode(KEY, &bytes).map(drop), RecordHeader::peek(KEY, &bytes).map(drop)] {
                let Err(StorageError::Corrupt(message)) = result else {
                    panic!("a damaged record was read");
                };
                prop_assert!(message.contains("6b6579"), "{} names no key", message);
            }
        }

        #[test]
        fn foreign_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(KEY, &body);
            let _ = Record::decode(KEY, &sealed(body));
        }

        #[test]
        fn a_cut_or_changed_body_under_a_good_checksum_never_panics(
            record in any_record(), cut: prop::sample::Index, at: prop::sample::Index, byte: u8,
        ) {
            let mut body = record.encode().unwrap();
            body.truncate(body.len() - CHECKSUM_BYTES);
            let at = at.index(body.len());
            body[at] = byte;
            if let Ok(other) = Record::decode(KEY, &sealed(body.clone())) {
                let again = Record::decode(KEY, &other.encode().unwrap()).unwrap();
                prop_assert_eq!(again.columns.len(), other.columns.len());
            }
            body.truncate(cut.index(body.len()));
            prop_assert!(Record::decode(KEY, &sealed(body)).is_err());
        }

        #[test]
        fn set_keeps_columns_sorted(
            writes in prop::collection::vec((0_u16..6, prop::option::of(any_value())), 0..20),
        ) {
            let mut record = Record::default();
            let mut model = std::collections::BTreeMap::new();
            for (column, value) in writes {
                record.set(column, value.clone().unwrap_or(Value::Null));
                match value {
                    Some(value) => { model.insert(column, value); }
                    None => { model.remove(&column); }
                }
            }
            prop_assert_eq!(record.columns.clone(), model.clone().into_iter().collect::<Vec<_>>());
            for column in 0..6 {
                prop_assert_eq!(record.get(column), model.get(&column));
            }
        }
    }

    #[test]
    fn an_unknown_tag_or_format_is_corrupt() {
        let record: Record = [(1, Value::Boolean(true))].into_iter().collect();
        let mut body = record.encode().unwrap();
        body.truncate(body.len() - CHECKSUM_BYTES);
        let mut unknown_tag = body.clone();
        let tag_at = unknown_tag.len() - 2;
        unknown_tag[tag_at] = 200;
        body[0] = 2;
        for bytes in [sealed(unknown_tag), sealed(body)] {
            assert!(matches!(
                Record::decode(KEY, &bytes),
                Err(StorageError::Corrupt(_))
            ));
        }
    }

    #[test]
    fn a_parameter_kind_is_not_storable() {
        let record: Record = [(7, Value::List(Vec::new()))].into_iter().collect();
        let message = record.encode().unwrap_err().to_string();
        assert_eq!(message, "a value of kind list in column 7 cannot be stored");
    }
}
