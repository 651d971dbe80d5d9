//! Reading foreign bytes without ever running past their end: the codecs' one way in.

use jiff::Timestamp;
use uuid::Uuid;

/// The rest of a byte string; every step returns `None` at its end.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A 96-bit number, as the mantissa of a decimal.
    pub(super) fn u96(&mut self) -> Option<u128> {
        let bytes: [u8; 12] = self.array()?;
        let mut wide = [0; 16];
        wide[4..].copy_from_slice(&bytes);
        Some(u128::from_be_bytes(wide))
    }

    pub(super) fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    pub(super) fn digest(&mut self) -> Option<[u8; 32]> {
        self.array()
    }

    /// An instant as [`put_timestamp`] writes it.
    pub(super) fn timestamp(&mut self) -> Option<Timestamp> {
        let seconds = self.i64()?;
        let nanoseconds = self.u32().filter(|&n| n < 1_000_000_000)?;
        let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Timestamp::from_nanosecond(total).ok()
    }

    pub(super) fn remaining(&self) -> usize {
        self.0.len()
    }

    /// `value`, if nothing is left.
    pub(super) fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// Seconds since 1970 rounded down (i64) and the nanoseconds above them (u32).
pub(super) fn split_timestamp(instant: Timestamp) -> (i64, u32) {
    let nanoseconds = instant.as_nanosecond();
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let rest = nanoseconds.rem_euclid(1_000_000_000);
    // Both fit: the years -9999 to 9999 are 3.2e11 seconds, and the rest is below 1e9.
    (seconds as i64, rest as u32)
}

/// Twelve bytes: seconds rounded down, then nanoseconds.
pub(super) fn put_timestamp(out: &mut Vec<u8>, instant: Timestamp) {
    let (seconds, nanoseconds) = split_timestamp(instant);
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&nanoseconds.to_be_bytes());
}

/// A key as it appears in an error: hexadecimal, shortened.
pub(super) fn name_key(key: &[u8]) -> String {
    use std::fmt::Write;
    const SHOWN: usize = 64;
    let mut name = String::with_capacity(2 * SHOWN + 2);
    for byte in key.iter().take(SHOWN) {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    if key.len() > SHOWN {
        name.push('…');
    }
    name
}
