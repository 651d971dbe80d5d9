//! What is stored of the share of one record with one principal (keyspace 06).

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    StorageError,
    bytes::{Reader, put_timestamp},
    record::{corrupt, put_checksum, verified},
};
use crate::limits::SHARE_CONTRIBUTIONS_MAX;

const FORMAT: u8 = 1;
const CONTRIBUTION_BYTES: usize = 24;

/// Rights that a record inherits from the share of another one, by cascade.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ShareContribution {
    /// ObjectTypeCode of the record it comes from.
    pub origin_otc: u32,
    /// Id of the record it comes from.
    pub origin_id: Uuid,
    /// The rights, as an access mask.
    pub mask: u32,
}

/// One share: what was given to the principal on the record itself, and what it inherits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShareRow {
    /// Id of the share as a record.
    pub id: Uuid,
    /// The rights given explicitly, as an access mask.
    pub explicit: u32,
    /// When it was last changed.
    pub changed_on: Timestamp,
    /// What came by cascade, by origin.
    pub contributions: Vec<ShareContribution>,
}

impl ShareRow {
    /// The rights that came by cascade, from all origins together.
    pub fn inherited(&self) -> u32 {
        self.contributions
            .iter()
            .fold(0, |mask, contribution| mask | contribution.mask)
    }

    /// The rights the share gives: explicit and inherited.
    pub fn effective(&self) -> u32 {
        self.explicit | self.inherited()
    }

    /// The share's bytes.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`] with more than [`SHARE_CONTRIBUTIONS_MAX`] contributions.
    pub fn encode(&self) -> Result<Vec<u8>, StorageError> {
        let count = u32::try_from(self.contributions.len())
            .ok()
            .filter(|_| self.contributions.len() <= SHARE_CONTRIBUTIONS_MAX)
            .ok_or(StorageError::TooLarge {
                limit: "share_contributions_max",
                value: SHARE_CONTRIBUTIONS_MAX,
            })?;
        let mut out = Vec::with_capacity(64 + CONTRIBUTION_BYTES * self.contributions.len());
        out.push(FORMAT);
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.explicit.to_be_bytes());
        put_timestamp(&mut out, self.changed_on);
        out.extend_from_slice(&count.to_be_bytes());
        for contribution in &self.contributions {
            out.extend_from_slice(&contribution.origin_otc.to_be_bytes());
            out.extend_from_slice(contribution.origin_id.as_bytes());
            out.extend_from_slice(&contribution.mask.to_be_bytes());
        }
        put_checksum(&mut out);
        Ok(out)
    }

    /// Reads a stored share back.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] naming the key.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, StorageError> {
        let body = verified(key, value)?;
        Self::read(Reader::new(body)).ok_or_else(|| corrupt(key, "share"))
    }

    fn read(mut reader: Reader<'_>) -> Option<Self> {
        reader.u8().filter(|&format| format == FORMAT)?;
        let (id, explicit, changed_on) = (reader.uuid()?, reader.u32()?, reader.timestamp()?);
        let count = usize::try_from(reader.u32()?).ok()?;
        if count.checked_mul(CONTRIBUTION_BYTES)? != reader.remaining() {
            return None;
        }
        let mut contributions = Vec::with_capacity(count);
        for _ in 0..count {
            contributions.push(ShareContribution {
                origin_otc: reader.u32()?,
                origin_id: reader.uuid()?,
                mask: reader.u32()?,
            });
        }
        reader.end(ShareRow {
            id,
            explicit,
            changed_on,
            contributions,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::storage::testing::{any_timestamp, any_uuid};

    fn any_share() -> impl Strategy<Value = ShareRow> {
        let contribution =
            (any::<u32>(), any_uuid(), any::<u32>()).prop_map(|(origin_otc, origin_id, mask)| {
                ShareContribution {
                    origin_otc,
                    origin_id,
                    mask,
                }
            });
        (
            any_uuid(),
            any::<u32>(),
            any_timestamp(),
            prop::collection::vec(contribution, 0..5),
        )
            .prop_map(|(id, explicit, changed_on, contributions)| ShareRow {
                id,
                explicit,
                changed_on,
                contributions,
            })
    }

    proptest! {
        #[test]
        fn a_share_reads_back_and_damage_is_noticed(
            share in any_share(), at: prop::sample::Index,
            foreign in prop::collection::vec(any::<u8>(), 0..99),
        ) {
            let mut bytes = share.encode().unwrap();
            prop_assert_eq!(&ShareRow::decode(b"k", &bytes).unwrap(), &share);
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert!(ShareRow::decode(b"k", &bytes).is_err());
            let mut sealed = foreign;
            sealed.insert(0, FORMAT);
            put_checksum(&mut sealed);
            let _ = ShareRow::decode(b"k", &sealed);
        }
    }

    #[test]
    fn inherited_is_the_union_of_all_origins() {
        let from = |mask| ShareContribution {
            origin_otc: 1,
            origin_id: Uuid::nil(),
            mask,
        };
        let share = ShareRow {
            id: Uuid::nil(),
            explicit: 8,
            changed_on: Timestamp::UNIX_EPOCH,
            contributions: vec![from(1), from(3)],
        };
        assert_eq!((share.inherited(), share.effective()), (3, 11));
    }
}
