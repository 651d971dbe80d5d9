//! Bearer tokens: `ost_` and 43 base-62 digits of 256 random bits.
//!
//! So much randomness needs no salt and no slow hash: nobody finds the token to a hash by trying.

use sha2::{Digest as _, Sha256};

use crate::{
    fault::{Fault, FaultCode, Result},
    limits,
};

/// What every token begins with, so that people and scanners recognise one that leaked.
const PREFIX: &str = "ost_";

/// Digits of a token: the fewest that hold 256 bits.
const DIGITS: usize = 43;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token from the randomness of the operating system. It is shown once and never stored.
///
/// # Errors
/// `UnExpected` if the operating system has no randomness to give.
pub fn new_token() -> Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(Fault::unexpected)?;
    Ok(format!("{PREFIX}{}", base62(random)))
}

/// The hash by which the store knows a token: SHA-256 of its characters.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The token in the values of the key `authorization`: one value, the scheme `Bearer` in any case,
/// a space, and the token.
///
/// # Errors
/// `RequestIsNotAuthenticated` if there is no such value, or more than one (GEX-1).
pub fn bearer<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<&'a str> {
    let (value, more) = (values.next(), values.next());
    let value = match (value, more) {
        (Some(value), None) => value,
        (None, _) => return Err(refused("the request has no `authorization`")),
        (Some(_), Some(_)) => return Err(refused("the request has more than one `authorization`")),
    };
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token)
        .filter(|token| {
            (1..=limits::TOKEN_CHARACTERS_MAX).contains(&token.len())
                && token.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .ok_or_else(|| refused("`authorization` is not `Bearer` and a token"))
}

fn refused(message: &str) -> Fault {
    Fault::new(FaultCode::RequestIsNotAuthenticated, message)
}

/// The number in base 62, with leading zeros, most significant digit first.
fn base62(mut number: [u8; 32]) -> String {
    let mut digits = [0_u8; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let part = remainder << 8 | u32::from(*byte);
            // A quotient below 256: the remainder carried in is below 62.
            *byte = (part / 62) as u8;
            remainder = part % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tokens_are_of_one_form_and_never_the_same() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(a, b);
        for token in [&a, &b] {
            assert_eq!(token.len(), 47);
            assert!(
                token
                    .strip_prefix(PREFIX)
                    .unwrap()
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric())
            );
            let value = format!("Bearer {token}");
            assert_eq!(bearer([value.as_bytes()].into_iter()).unwrap(), token);
        }
        assert_ne!(hash_token(&a), hash_token(&b));
    }

    #[test]
    fn all_256_bits_are_in_the_digits() {
        assert_eq!(base62([0; 32]), "0".repeat(43));
        // 2^256 - 1, by an independent calculation.
        assert_eq!(
            base62([0xff; 32]),
            "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
        );
    }

    #[test]
    fn the_hash_is_sha_256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hex: String = hash_token("abc")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn gex_1_anything_but_one_bearer_token_is_not_authenticated() {
        let long = format!("Bearer {}", "x".repeat(limits::TOKEN_CHARACTERS_MAX + 1));
        let cases: [&[&[u8]]; 10] = [
            &[],
            &[b""],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Basic dXNlcg=="],
            &[b"ost_abc"],
            &[b"Bearer a b"],
            &[b"Bearer \xff"],
            &[b"Bearer a", b"Bearer a"],
            &[long.as_bytes()],
        ];
        for values in cases {
            let fault = bearer(values.iter().copied()).unwrap_err();
            assert_eq!(
                fault.code(),
                FaultCode::RequestIsNotAuthenticated,
                "{values:?}"
            );
        }
        assert_eq!(bearer([b"bEARER t".as_slice()].into_iter()).unwrap(), "t");
    }
}
