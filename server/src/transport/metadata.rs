//! The metadata of a request (`grpc.md` 6).

use std::time::Duration;

use orgservice::metadata_keys as keys;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{caller::CallerKeys, limits};

/// Names made once: by its text, a name would be checked anew for every look at every request.
mod name {
    use super::{HeaderName, keys};

    pub(super) static AUTHORIZATION: HeaderName = HeaderName::from_static(keys::AUTHORIZATION);
    pub(super) static CALLER_ID: [HeaderName; 2] = [
        HeaderName::from_static(keys::CALLER_ID),
        HeaderName::from_static(keys::CALLER_ID_ALIAS),
    ];
    pub(super) static CALLER_OBJECT_ID: [HeaderName; 2] = [
        HeaderName::from_static(keys::CALLER_OBJECT_ID),
        HeaderName::from_static(keys::CALLER_OBJECT_ID_ALIAS),
    ];
    pub(super) static OFFLINE_PLAYBACK: HeaderName =
        HeaderName::from_static(keys::OFFLINE_PLAYBACK);
    pub(super) static CLIENT_REQUEST_ID: HeaderName =
        HeaderName::from_static(keys::CLIENT_REQUEST_ID);
    pub(super) static TRACEPARENT: HeaderName = HeaderName::from_static(keys::TRACEPARENT);
    pub(super) static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
}

/// The values of `authorization`.
pub(super) fn authorization(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(&name::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
}

/// The keys that name a user to act for, aliases merged.
///
/// They are judged only after their sender is known (steps 1 to 3 of `security.md` 12). Bytes that
/// are no text stay something that is no GUID.
pub(super) fn caller_keys(headers: &HeaderMap) -> CallerKeys {
    CallerKeys {
        caller_id: texts(headers, &name::CALLER_ID),
        caller_object_id: texts(headers, &name::CALLER_OBJECT_ID),
        offline_playback: headers.contains_key(&name::OFFLINE_PLAYBACK),
    }
}

fn texts(headers: &HeaderMap, names: &[HeaderName]) -> Vec<String> {
    names
        .iter()
        .flat_map(|name| headers.get_all(name))
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

/// The client's correlation id, if it is one that can be echoed.
pub(super) fn client_request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(&name::CLIENT_REQUEST_ID)?;
    let echoed = (1..=limits::CLIENT_REQUEST_ID_CHARACTERS_MAX).contains(&value.len())
        && value.as_bytes().iter().all(u8::is_ascii_graphic);
    echoed.then(|| value.clone())
}

/// The trace the call belongs to, for the log.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(&name::TRACEPARENT)
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.len() <= limits::CLIENT_REQUEST_ID_CHARACTERS_MAX)
}

/// How long the client waits: `grpc-timeout`, at most eight digits and a unit. A malformed one is
/// no deadline.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(&name::GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse().unwrap(),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .fold(
                HeaderMap::new(),
                |mut headers, (name, value): (tonic::codegen::http::HeaderName, _)| {
                    headers.append(name, value);
                    headers
                },
            )
    }

    #[test]
    fn gm_2_a_key_and_its_alias_are_two_values_of_one_key() {
        let keys = caller_keys(&headers(&[
            ("caller-id", b"a"),
            ("mscrmcallerid", b"b"),
            ("caller-object-id", b"c"),
            ("caller-object-id", b"c"),
            ("callerobjectid", b"d"),
        ]));
        assert_eq!(keys.caller_id, ["a", "b"]);
        assert_eq!(keys.caller_object_id, ["c", "c", "d"]);
        assert!(!keys.offline_playback);
        assert_eq!(caller_keys(&HeaderMap::new()), CallerKeys::default());
    }

    #[test]
    fn gm_3_an_empty_value_and_bytes_that_are_no_text_are_values() {
        let keys = caller_keys(&headers(&[("caller-id", b""), ("mscrmcallerid", b"\xff")]));
        assert_eq!(keys.caller_id.len(), 2);
        assert!(
            keys.caller_id
                .iter()
                .all(|text| crate::model::parse_guid(text).is_none())
        );
    }

    #[test]
    fn pl_92_offline_playback_counts_whatever_its_value() {
        assert!(caller_keys(&headers(&[("x-org-offline-playback", b"")])).offline_playback);
    }

    #[test]
    fn a_correlation_id_is_echoed_only_if_it_is_short_and_printable() {
        let echoed =
            |value: &[u8]| client_request_id(&headers(&[("x-ms-client-request-id", value)]));
        assert_eq!(echoed(b"order-17").unwrap(), "order-17");
        for bad in [&b""[..], b"a b", b"\xff", &[b'x'; 129]] {
            assert!(echoed(bad).is_none());
        }
    }

    #[test]
    fn go_4_timeouts_have_eight_digits_and_a_unit() {
        let read = |value: &[u8]| timeout(&headers(&[("grpc-timeout", value)]));
        assert_eq!(read(b"2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(read(b"3M"), Some(Duration::from_secs(180)));
        assert_eq!(read(b"10S"), Some(Duration::from_secs(10)));
        assert_eq!(read(b"250m"), Some(Duration::from_millis(250)));
        assert_eq!(read(b"250u"), Some(Duration::from_micros(250)));
        assert_eq!(read(b"99999999n"), Some(Duration::from_nanos(99_999_999)));
        for bad in [
            &b""[..],
            b"S",
            b"-1S",
            b"+1S",
            b"1",
            b"1x",
            b"100000000S",
            b"1\xc3\xa9",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
