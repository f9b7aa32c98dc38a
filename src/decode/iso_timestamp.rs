//! Timestamps on string, in the format of ISO 8601, as CDC tools and `BigQuery` write them.

use chrono::{DateTime, NaiveDateTime, Timelike};

use super::primitive::Number;
use crate::binary::{Fault, read_length, read_slice};

/// A date and time without a zone, such as `2024-05-01T12:30:00.5`, as microseconds.
#[derive(Clone)]
pub(crate) struct LocalText;

/// A date and time with a zone, such as `2024-05-01T12:30:00+02:00`, as microseconds in UTC.
#[derive(Clone)]
pub(crate) struct ZonedText;

impl Number for LocalText {
    type Native = i64;

    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        read(bytes, pos, local)
    }
}

impl Number for ZonedText {
    type Native = i64;

    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        read(bytes, pos, zoned)
    }
}

fn read(bytes: &[u8], pos: usize, parse: fn(&str) -> Option<NaiveDateTime>) -> Result<(i64, usize), Fault> {
    let (len, pos) = read_length(bytes, pos)?;
    let (text, end) = read_slice(bytes, pos, len)?;
    let time = str::from_utf8(text).ok().and_then(parse);
    match time {
        // Nothing is rounded, and a leap second has no place on the time line.
        Some(time) if time.nanosecond() % 1_000 == 0 && time.nanosecond() < 1_000_000_000 => {
            Ok((time.and_utc().timestamp_micros(), end))
        }
        _ => Err(not_a_timestamp(text)),
    }
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

fn zoned(text: &str) -> Option<NaiveDateTime> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.naive_utc())
}

#[cold]
fn not_a_timestamp(text: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(&text[..text.len().min(48)]);
    Fault::invalid(format!("{text:?} is not a timestamp of the annotated kind, in ISO 8601 with at most six decimals"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros<N: Number<Native = i64>>(text: &str) -> Option<i64> {
        let mut bytes = vec![2 * text.len() as u8];
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&[0; crate::binary::PADDING]);
        N::read(&bytes, 0).ok().map(|(value, _)| value)
    }

    #[test]
    fn timestamps_are_counted_from_the_epoch() {
        let table = [
            ("1970-01-01T00:00:00", Some(0), None),
            ("1969-12-31 23:59:59.999999", Some(-1), None),
            ("2024-02-29T12:30:00.5Z", None, Some(1_709_209_800_500_000)),
            ("2024-02-29T12:30:00+02:00", None, Some(1_709_202_600_000_000)),
            ("2024-02-29T12:30:00.123456000-05:30", None, Some(1_709_229_600_123_456)),
            ("0001-01-01T00:00:00", Some(-62_135_596_800_000_000), None),
            ("2023-02-29T00:00:00", None, None),
            ("2024-01-01T23:59:60", None, None),
            ("2024-01-01T00:00:00.1234567", None, None),
            ("2024-01-01", None, None),
            ("2024-01-01T00:00:00x", None, None),
            ("", None, None),
        ];
        for (text, local, zoned) in table {
            assert_eq!((micros::<LocalText>(text), micros::<ZonedText>(text)), (local, zoned), "{text}");
        }
    }
}
