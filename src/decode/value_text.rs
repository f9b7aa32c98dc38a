//! Values of logical types as text, so that a value that is not valid keeps its content.

use std::fmt::Write as _;

use super::text::TextFormat;
use super::{UuidText, WideDecimal, replaced};
use crate::binary::{Fault, read_length, read_long, read_slice};

/// The maximum number of digits of a decimal that has more than its precision allows.
const DIGITS: usize = 10_000;

/// A logical type whose values become text. Values that are not valid become the text of the type that it annotates.
#[derive(Clone)]
pub(crate) enum ValueText {
    Uuid,
    /// A time of day, in this many units per second.
    Time(i64),
    Decimal(WideDecimal),
}

impl TextFormat for ValueText {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        match self {
            Self::Uuid => match UuidText.write(bytes, pos, out) {
                Err(fault) if fault.is_data() && !fault.is_short() => {
                    let (len, pos) = read_length(bytes, pos)?;
                    let (text, end) = read_slice(bytes, pos, len)?;
                    out.push_str(str::from_utf8(text).map_err(|_| fault)?);
                    replaced::count();
                    Ok(end)
                }
                written => written,
            },
            Self::Time(per_second) => {
                let (count, pos) = read_long(bytes, pos)?;
                push_time(count, *per_second, out);
                Ok(pos)
            }
            Self::Decimal(decimal) => match decimal.write(bytes, pos, out) {
                Err(fault) if fault.is_data() && !fault.is_short() => {
                    let end = WideDecimal { precision: DIGITS, ..decimal.clone() }.write(bytes, pos, out)?;
                    replaced::count();
                    Ok(end)
                }
                written => written,
            },
        }
    }
}

/// Appends a time of day as Polars prints it, or the number if it is outside the day.
fn push_time(count: i64, per_second: i64, out: &mut String) {
    let (seconds, rest) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let written = if (0..86_400).contains(&seconds) {
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        let micros = rest * (1_000_000 / per_second);
        let whole = write!(out, "{hours:02}:{minutes:02}:{:02}", seconds % 60);
        whole.and_then(|()| match micros {
            0 => Ok(()),
            _ if micros % 1_000 == 0 => write!(out, ".{:03}", micros / 1_000),
            _ => write!(out, ".{micros:06}"),
        })
    } else {
        replaced::count();
        write!(out, "{count}")
    };
    written.expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_polars_prints_them() {
        let table = [
            (0, 1_000, "00:00:00"),
            (86_399_999, 1_000, "23:59:59.999"),
            (86_400_000, 1_000, "86400000"),
            (-1, 1_000_000, "-1"),
            (3_661_000_001, 1_000_000, "01:01:01.000001"),
            (3_661_500_000, 1_000_000, "01:01:01.500"),
        ];
        for (count, per_second, expected) in table {
            let mut out = String::new();
            push_time(count, per_second, &mut out);
            assert_eq!(out, expected);
        }
    }
}
