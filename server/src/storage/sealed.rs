//! Values of the server's own: a format version, the value in postcard's encoding, a checksum.

use serde::{Serialize, de::DeserializeOwned};

use super::StorageError;

/// Version of the encoding below.
const FORMAT: u8 = 1;

/// Encodes a value with format version and checksum.
///
/// # Errors
/// [`StorageError::Engine`] when a value cannot be encoded, which the types stored here can.
pub fn seal<T: Serialize>(value: &T) -> Result<Vec<u8>, StorageError> {
    let mut bytes = postcard::to_extend(value, vec![FORMAT])
        .map_err(|error| StorageError::Engine(error.to_string()))?;
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    Ok(bytes)
}

/// Decodes what [`seal`] encoded.
///
/// # Errors
/// [`StorageError::Corrupt`] naming the key.
pub fn open<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StorageError> {
    let corrupt =
        |what: &str| StorageError::Corrupt(format!("{what} in the value of key {}", hex(key)));
    let (body, checksum) = bytes
        .split_last_chunk::<4>()
        .ok_or_else(|| corrupt("too few bytes"))?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return Err(corrupt("wrong checksum"));
    }
    match body.split_first() {
        Some((&FORMAT, body)) => {
            postcard::from_bytes(body).map_err(|error| corrupt(&error.to_string()))
        }
        _ => Err(corrupt("unknown format")),
    }
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{open, seal};

    #[test]
    fn a_changed_byte_is_noticed() {
        let sealed = seal(&("label".to_owned(), 7u64)).unwrap();
        assert_eq!(
            open::<(String, u64)>(b"k", &sealed).unwrap(),
            ("label".to_owned(), 7)
        );
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 0x20;
            assert!(
                open::<(String, u64)>(b"k", &damaged).is_err(),
                "byte {index}"
            );
        }
        assert!(open::<(String, u64)>(b"k", &sealed[..3]).is_err());
    }
}
