//! Pages: which rows of the result, and the cookie that continues it (`messages.md` 4.6).
//!
//! A cookie holds the position of the last row that was looked at. It is encrypted and
//! authenticated: a client can neither make one to probe for rows it may not read (PG-4), nor read
//! from one what it was not shown, such as the values of a row left out of a page that ended early.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{aead, hmac};
use uuid::Uuid;

use super::order::ID_BYTES;
use crate::{
    fault::{Fault, FaultCode, Result},
    limits::{PAGE_ROWS_MAX, PAGING_COOKIE_CHARACTERS_MAX, SIMPLE_PAGING_ROWS_MAX, TOP_ROWS_MAX},
    model::PagingInfo,
};

/// Which rows of the result to return.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// At most this many.
    pub rows: usize,
    /// After this many, counted from the start; 0 with a cookie.
    pub skip: usize,
    /// Where to continue.
    pub cookie: Option<String>,
    /// Whether to count all matching rows (PG-6).
    pub count_total: bool,
    /// Whether rows that remain are of no interest: `top`.
    pub is_top: bool,
}

impl Page {
    /// Reads paging and `top`; `field` is where the query stands in the request.
    ///
    /// # Errors
    /// `InvalidArgument` for both together (QL-1) and for a `top` outside 1 to [`TOP_ROWS_MAX`];
    /// `QueryBuilderValue_GreaterThanZero` for a negative page or size (PG-5);
    /// `OverRetrievalUpperLimitWithoutPagingCookie` for a page beyond simple paging.
    pub fn new(top: Option<i32>, paging: Option<&PagingInfo>, field: &str) -> Result<Self> {
        // Paging information in which nothing is set is what clients send by default.
        let paging = paging.filter(|paging| **paging != PagingInfo::default());
        if let Some(top) = top {
            return Self::of_top(top, paging.is_some(), field);
        }
        let mut page = Page {
            rows: PAGE_ROWS_MAX,
            skip: 0,
            cookie: None,
            count_total: false,
            is_top: false,
        };
        let Some(paging) = paging else {
            return Ok(page);
        };
        let not_negative = |value: i32, name: &str| {
            usize::try_from(value).map_err(|_| {
                let description = format!("`{name}` is negative");
                Fault::new(
                    FaultCode::QueryBuilderValueGreaterThanZero,
                    description.clone(),
                )
                .violation(format!("{field}.page_info.{name}"), description)
            })
        };
        let number = not_negative(paging.page_number, "page_number")?.max(1);
        page.rows = match not_negative(paging.count, "count")? {
            0 => PAGE_ROWS_MAX,
            count => count.min(PAGE_ROWS_MAX),
        };
        page.count_total = paging.return_total_record_count;
        page.cookie = paging
            .paging_cookie
            .clone()
            .filter(|cookie| !cookie.is_empty());
        if page.cookie.is_none() {
            if number.saturating_mul(page.rows) > SIMPLE_PAGING_ROWS_MAX {
                let description = format!(
                    "without a paging cookie only the first {SIMPLE_PAGING_ROWS_MAX} rows can be \
                     reached"
                );
                let code = FaultCode::OverRetrievalUpperLimitWithoutPagingCookie;
                return Err(Fault::new(code, description.clone())
                    .limit("simple_paging_rows_max", SIMPLE_PAGING_ROWS_MAX)
                    .violation(format!("{field}.page_info.page_number"), description));
            }
            page.skip = (number - 1) * page.rows;
        }
        Ok(page)
    }

    fn of_top(top: i32, has_paging: bool, field: &str) -> Result<Self> {
        if has_paging {
            return Err(Fault::invalid_argument(
                format!("{field}.top_count"),
                "`top_count` and `page_info` exclude each other",
            ));
        }
        let rows = usize::try_from(top)
            .ok()
            .filter(|&rows| rows > 0 && top <= TOP_ROWS_MAX);
        let rows = rows.ok_or_else(|| {
            Fault::invalid_argument(
                format!("{field}.top_count"),
                format!("`top_count` lies between 1 and {TOP_ROWS_MAX}"),
            )
            .limit("top_rows_max", TOP_ROWS_MAX)
        })?;
        Ok(Page {
            rows,
            skip: 0,
            cookie: None,
            count_total: false,
            is_top: true,
        })
    }
}

/// What a cookie says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bookmark {
    /// Fingerprint of table, filter and orders (PG-4).
    pub shape: [u8; 32],
    /// The key of the last row that was looked at (see `order.rs`).
    pub position: Vec<u8>,
    /// Rows that simple paging still has to skip after it.
    pub skip: u32,
}

const FORMAT: u8 = 1;
const SALT_BYTES: usize = 16;

impl Bookmark {
    /// The cookie, good for this subject alone.
    ///
    /// # Errors
    /// `UnExpected` when the system has no random numbers.
    pub fn seal(&self, key: &[u8; 32], subject: Uuid) -> Result<String> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(Fault::unexpected)?;
        let mut body = Vec::with_capacity(64 + self.position.len());
        body.push(FORMAT);
        body.extend_from_slice(&self.shape);
        body.extend_from_slice(&self.skip.to_be_bytes());
        body.extend_from_slice(&self.position);
        let (cipher, nonce) = cipher(key, &salt).map_err(Fault::unexpected)?;
        cipher
            .seal_in_place_append_tag(nonce, aead::Aad::from(subject.as_bytes()), &mut body)
            .map_err(Fault::unexpected)?;
        let mut sealed = salt.to_vec();
        sealed.append(&mut body);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads a cookie back.
    ///
    /// # Errors
    /// `QueryBuilderInvalidPagingCookie` for anything that was not sealed with this key for this
    /// subject.
    pub fn open(cookie: &str, key: &[u8; 32], subject: Uuid, field: &str) -> Result<Self> {
        Self::read(cookie, key, subject).ok_or_else(|| {
            let description = "the paging cookie was not issued by this service to this user";
            Fault::new(FaultCode::QueryBuilderInvalidPagingCookie, description)
                .violation(field, description)
        })
    }

    fn read(cookie: &str, key: &[u8; 32], subject: Uuid) -> Option<Self> {
        if cookie.len() > PAGING_COOKIE_CHARACTERS_MAX {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (salt, body) = sealed.split_first_chunk_mut::<SALT_BYTES>()?;
        let (cipher, nonce) = cipher(key, salt).ok()?;
        let body = cipher
            .open_in_place(nonce, aead::Aad::from(subject.as_bytes()), body)
            .ok()?;
        let (&format, body) = body.split_first()?;
        let (shape, body) = body.split_first_chunk::<32>()?;
        let (skip, position) = body.split_first_chunk::<4>()?;
        (format == FORMAT && position.len() >= ID_BYTES).then(|| Bookmark {
            shape: *shape,
            position: position.to_vec(),
            skip: u32::from_be_bytes(*skip),
        })
    }
}

/// A cipher for one cookie. Each has a key of its own, derived from its salt, so that the nonce,
/// which must not repeat under one key, can be constant.
fn cipher(
    key: &[u8; 32],
    salt: &[u8; SALT_BYTES],
) -> Result<(aead::LessSafeKey, aead::Nonce), ring::error::Unspecified> {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), salt);
    let unbound = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, derived.as_ref())?;
    let nonce = aead::Nonce::assume_unique_for_key([0; aead::NONCE_LEN]);
    Ok((aead::LessSafeKey::new(unbound), nonce))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn paging(page_number: i32, count: i32) -> PagingInfo {
        PagingInfo {
            page_number,
            count,
            ..PagingInfo::default()
        }
    }

    #[test]
    fn pg_4_a_cookie_cannot_be_forged_changed_or_passed_on() {
        let bookmark = Bookmark {
            shape: [7; 32],
            position: b"secret name 0123456789abcdef".to_vec(),
            skip: 3,
        };
        let (key, subject) = ([1; 32], Uuid::from_u128(5));
        let cookie = bookmark.seal(&key, subject).unwrap();
        assert_eq!(
            Bookmark::open(&cookie, &key, subject, "c").unwrap(),
            bookmark
        );
        assert_ne!(cookie, bookmark.seal(&key, subject).unwrap(), "salted");

        let refused = |cookie: &str, key: &[u8; 32], subject| {
            let fault = Bookmark::open(cookie, key, subject, "c").unwrap_err();
            assert_eq!(fault.code(), FaultCode::QueryBuilderInvalidPagingCookie);
        };
        refused(&cookie, &[2; 32], subject);
        refused(&cookie, &key, Uuid::from_u128(6));
        refused("", &key, subject);
        refused("not a cookie", &key, subject);
        refused(&"A".repeat(PAGING_COOKIE_CHARACTERS_MAX + 1), &key, subject);
        let raw = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        assert!(
            !raw.windows(6).any(|window| window == b"secret"),
            "not to be read"
        );
        for at in 0..raw.len() {
            let mut changed = raw.clone();
            changed[at] ^= 1;
            refused(&URL_SAFE_NO_PAD.encode(changed), &key, subject);
        }
    }

    #[test]
    fn pg_5_page_zero_is_the_first_and_negative_is_refused() {
        let page = Page::new(None, Some(&paging(0, 10)), "q").unwrap();
        assert_eq!((page.rows, page.skip), (10, 0));
        let page = Page::new(None, Some(&paging(3, 10)), "q").unwrap();
        assert_eq!((page.rows, page.skip), (10, 20));
        for (wrong, field) in [(paging(-1, 10), "page_number"), (paging(1, -1), "count")] {
            let fault = Page::new(None, Some(&wrong), "q").unwrap_err();
            assert_eq!(fault.code(), FaultCode::QueryBuilderValueGreaterThanZero);
            assert_eq!(
                fault.body().violations[0].field,
                format!("q.page_info.{field}")
            );
        }
    }

    #[test]
    fn ex_67_top_and_paging_exclude_each_other() {
        let fault = Page::new(Some(5), Some(&paging(1, 0)), "q").unwrap_err();
        assert_eq!(fault.code(), FaultCode::InvalidArgument);
        assert!(
            Page::new(Some(5), Some(&PagingInfo::default()), "q")
                .unwrap()
                .is_top
        );
        assert_eq!(Page::new(Some(TOP_ROWS_MAX), None, "q").unwrap().rows, 5000);
        for wrong in [0, -1, TOP_ROWS_MAX + 1] {
            let fault = Page::new(Some(wrong), None, "q").unwrap_err();
            assert_eq!(fault.code(), FaultCode::InvalidArgument, "{wrong}");
        }
    }

    #[test]
    fn a_larger_page_is_lowered_to_the_largest() {
        assert_eq!(
            Page::new(None, Some(&paging(1, 6000)), "q").unwrap().rows,
            PAGE_ROWS_MAX
        );
        assert_eq!(Page::new(None, None, "q").unwrap().rows, PAGE_ROWS_MAX);
    }

    #[test]
    fn ex_77_simple_paging_ends_at_its_limit() {
        assert_eq!(
            Page::new(None, Some(&paging(10, 5000)), "q").unwrap().skip,
            45_000
        );
        let fault = Page::new(None, Some(&paging(11, 5000)), "q").unwrap_err();
        assert_eq!(
            fault.code(),
            FaultCode::OverRetrievalUpperLimitWithoutPagingCookie
        );
        let mut with_cookie = paging(11, 5000);
        with_cookie.paging_cookie = Some("c".into());
        assert_eq!(Page::new(None, Some(&with_cookie), "q").unwrap().skip, 0);
        assert!(Page::new(None, Some(&paging(i32::MAX, i32::MAX)), "q").is_err());
    }
}
