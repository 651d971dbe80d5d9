//! Values of the server's own: a format version, the value in postcard's encoding, a checksum.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    StorageError,
    record::{corrupt, put_checksum, verified},
};

/// Version of the encoding below.
const FORMAT: u8 = 1;

/// Encodes a value with format version and checksum.
///
/// # Errors
/// [`StorageError::NotStorable`] when a value cannot be encoded, which the types stored here can.
pub fn seal<T: Serialize>(value: &T) -> Result<Vec<u8>, StorageError> {
    let mut bytes = postcard::to_extend(value, vec![FORMAT])
        .map_err(|error| StorageError::NotStorable(format!("a value ({error})")))?;
    put_checksum(&mut bytes);
    Ok(bytes)
}

/// Decodes what [`seal`] encoded.
///
/// # Errors
/// [`StorageError::Corrupt`] naming the key.
pub fn open<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StorageError> {
    match verified(key, bytes)?.split_first() {
        Some((&FORMAT, body)) => {
            let unreadable = |error| corrupt(key, &format!("sealed value ({error})"));
            postcard::from_bytes(body).map_err(unreadable)
        }
        _ => Err(corrupt(key, "sealed value (unknown format)")),
    }
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
