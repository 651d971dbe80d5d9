//! GUIDs, numbers, row versions and instants.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Read, Refusal};
use crate::{fault::FaultCode, model::parse_guid};

/// Nanoseconds of a second; protobuf counts them from 0 also before 1970.
const NANOSECONDS: i32 = 1_000_000_000;

/// Reads a GUID that must be given (G-8).
pub(super) fn read_guid(text: &str) -> Read<Uuid> {
    parse_guid(text).ok_or_else(|| {
        Refusal::new("not a GUID: 32 hexadecimal digits, with or without hyphens, are expected")
    })
}

/// Reads a GUID that may be left out: empty and all-zero both mean that it was (G-8).
pub(super) fn read_optional_guid(text: &str) -> Read<Option<Uuid>> {
    if text.is_empty() {
        return Ok(None);
    }
    read_guid(text).map(|id| (!id.is_nil()).then_some(id))
}

/// Writes a GUID: lower case, hyphenated (G-8).
pub(in crate::transport) fn write_guid(id: Uuid) -> String {
    id.to_string()
}

/// Writes an id that may be absent as the empty text.
pub(super) fn write_optional_guid(id: Option<Uuid>) -> String {
    id.map(write_guid).unwrap_or_default()
}

/// Reads a decimal in plain notation: optional sign, digits, optionally a point and digits (GV-3).
pub(super) fn read_decimal(text: &str) -> Read<Decimal> {
    if !is_plain(text) {
        return Err(Refusal::new(
            "not a decimal in plain notation: a sign, digits and a point are allowed, \
             neither an exponent nor separators",
        ));
    }
    Decimal::from_str_exact(text).map_err(|_| {
        Refusal::with_code(
            FaultCode::DecimalValueOutOfRange,
            "the decimal has more digits than the 28 that are kept exactly",
        )
    })
}

fn is_plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// Reads a row version; empty means that none was given (OC-2).
pub(super) fn read_row_version(text: &str) -> Read<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    // `parse` alone would take a leading plus sign.
    let version = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok());
    version
        .flatten()
        .map(Some)
        .ok_or_else(|| Refusal::new("not a row version: a decimal number is expected"))
}

/// Writes a row version.
pub(super) fn write_row_version(version: Option<u64>) -> String {
    version
        .map(|version| version.to_string())
        .unwrap_or_default()
}

/// Reads a double; NaN and the infinities compare with nothing and are refused.
pub(super) fn read_double(value: f64) -> Read<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Refusal::new("the number is not finite"))
    }
}

/// Reads an instant; one that is well formed but beyond what can be kept is `InvalidDateTime`.
pub(super) fn read_timestamp(wire: prost_types::Timestamp) -> Read<Timestamp> {
    if !(0..NANOSECONDS).contains(&wire.nanos) {
        return Err(Refusal::new(
            "the nanoseconds of the time are not between 0 and 999999999",
        ));
    }
    Timestamp::new(wire.seconds, wire.nanos)
        .ok()
        .filter(|time| *time >= FIRST_INSTANT)
        .ok_or_else(|| {
            Refusal::with_code(
                FaultCode::InvalidDateTime,
                "the time is not between 0001-01-01T00:00:00Z and 9999-12-30T22:00:00Z",
            )
        })
}

/// The first instant that protobuf allows, 0001-01-01T00:00:00Z.
const FIRST_INSTANT: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Writes an instant.
pub(in crate::transport) fn write_timestamp(time: Timestamp) -> prost_types::Timestamp {
    // The domain's fraction has the sign of the whole; protobuf's is never negative.
    match (time.as_second(), time.subsec_nanosecond()) {
        (seconds, nanos) if nanos < 0 => prost_types::Timestamp {
            seconds: seconds - 1,
            nanos: nanos + NANOSECONDS,
        },
        (seconds, nanos) => prost_types::Timestamp { seconds, nanos },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn gv_3_decimals_are_in_plain_notation() {
        for (text, expected) in [
            ("12.50", "12.50"),
            ("+7", "7"),
            ("-0.5", "-0.5"),
            ("0", "0"),
            ("0012", "12"),
        ] {
            assert_eq!(read_decimal(text).unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "", "-", ".", "5.", ".5", "1e5", "1,000", "1_000", " 1", "1 ", "0x10", "١٢", "NaN",
            "1.2.3",
        ] {
            let refusal = read_decimal(text).unwrap_err();
            assert_eq!(refusal.code, FaultCode::InvalidArgument, "{text}");
        }
        for text in [
            &"9".repeat(30),
            &format!("0.{}1", "0".repeat(28)),
            &"1".repeat(1_000_000),
        ] {
            let refusal = read_decimal(text).unwrap_err();
            assert_eq!(refusal.code, FaultCode::DecimalValueOutOfRange);
        }
        let widest = "79228162514264337593543950335";
        assert_eq!(read_decimal(widest).unwrap().to_string(), widest);
    }

    #[test]
    fn g_8_an_all_zero_id_is_no_id() {
        assert_eq!(read_optional_guid("").unwrap(), None);
        assert_eq!(
            read_optional_guid("00000000-0000-0000-0000-000000000000").unwrap(),
            None
        );
        assert_eq!(
            read_optional_guid("{00000000-0000-0000-0000-000000000000}").unwrap(),
            None
        );
        let id = read_optional_guid("4026BE43-6B69-E111-8F65-78E7D1620F5E")
            .unwrap()
            .unwrap();
        assert_eq!(write_guid(id), "4026be43-6b69-e111-8f65-78e7d1620f5e");
        for text in [
            " ",
            "not-a-guid",
            "urn:uuid:4026be43-6b69-e111-8f65-78e7d1620f5e",
            "4026",
        ] {
            assert!(read_optional_guid(text).is_err(), "{text}");
        }
    }

    #[test]
    fn oc_2_row_versions_are_decimal_numbers() {
        assert_eq!(read_row_version("").unwrap(), None);
        assert_eq!(
            read_row_version("18446744073709551615").unwrap(),
            Some(u64::MAX)
        );
        for text in ["+1", "-1", "1.0", "0x1", "18446744073709551616", " 1"] {
            assert!(read_row_version(text).is_err(), "{text}");
        }
        assert_eq!(write_row_version(Some(12)), "12");
    }

    #[test]
    fn gv_4_instants_survive_both_ways_before_and_after_1970() {
        for text in [
            "1969-12-31T23:59:59.25Z",
            "1753-01-01T00:00:00Z",
            "2017-01-01T00:00:00.000000001Z",
        ] {
            let time: Timestamp = text.parse().unwrap();
            let wire = write_timestamp(time);
            assert!((0..NANOSECONDS).contains(&wire.nanos), "{text}");
            assert_eq!(read_timestamp(wire).unwrap(), time, "{text}");
        }
    }

    #[test]
    fn gv_4_instants_outside_of_the_calendar_are_refused() {
        let read = |seconds, nanos| read_timestamp(prost_types::Timestamp { seconds, nanos });
        assert_eq!(read(0, -1).unwrap_err().code, FaultCode::InvalidArgument);
        assert_eq!(
            read(0, NANOSECONDS).unwrap_err().code,
            FaultCode::InvalidArgument
        );
        for seconds in [i64::MIN, i64::MAX, -62_135_596_801, 253_402_300_800] {
            assert_eq!(
                read(seconds, 0).unwrap_err().code,
                FaultCode::InvalidDateTime
            );
        }
        assert!(read(-62_135_596_800, 0).is_ok());
    }
}
