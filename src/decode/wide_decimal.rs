//! decimal of more than 38 digits: exact text, as no Polars dtype holds it.

use std::fmt::Write as _;

use num_bigint::BigInt;

use super::decimal::{read_number, too_long};
use super::text::TextFormat;
use crate::binary::Fault;

/// A decimal with a precision of more than 38.
#[derive(Clone)]
pub(crate) struct WideDecimal {
    /// The size of each value in bytes; `None` if each value has a length prefix.
    pub(crate) size: Option<usize>,
    pub(crate) precision: usize,
    pub(crate) scale: usize,
}

impl TextFormat for WideDecimal {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (number, pos) = read_number(bytes, pos, self.size)?;
        // A digit takes 0.415 bytes. A much longer number is rejected before the conversion to digits, whose cost is
        // quadratic.
        let sign = if number.first().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
        let significant = number.iter().position(|&byte| byte != sign).map_or(0, |at| number.len() - at);
        if significant > self.precision / 2 + 2 {
            return Err(too_long(self.precision));
        }
        let digits = BigInt::from_signed_bytes_be(number).to_string();
        if digits.trim_start_matches('-').len() > self.precision {
            return Err(too_long(self.precision));
        }
        push_decimal(&digits, self.scale as i64, out);
        Ok(pos)
    }
}

/// The maximum number of zeros written out; texts with more have an exponent.
const PLAIN_ZEROS: i64 = 1024;

/// Appends `digits` divided by ten to the power of `scale`, exactly: `-0.05`, `12`, `1E+100000`.
pub(super) fn push_decimal(digits: &str, scale: i64, out: &mut String) {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    out.push_str(sign);
    let missing = scale - digits.len() as i64 + 1;
    if missing.max(-scale) > PLAIN_ZEROS {
        out.push_str(digits);
        write!(out, "E{:+}", -scale).expect("writing to a String cannot fail");
    } else if scale <= 0 {
        out.push_str(digits);
        if digits != "0" {
            out.extend(std::iter::repeat_n('0', -scale as usize));
        }
    } else {
        let padded = format!("{}{digits}", "0".repeat(missing.max(0) as usize));
        let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_stands_where_the_scale_puts_it() {
        let cases = [
            ("12345", 2, "123.45"),
            ("-5", 2, "-0.05"),
            ("5", 0, "5"),
            ("5", -3, "5000"),
            ("0", -3, "0"),
            ("0", 3, "0.000"),
            ("-100", 3, "-0.100"),
            ("7", -5000, "7E+5000"),
            ("7", 5000, "7E-5000"),
        ];
        for (digits, scale, text) in cases {
            let mut out = String::new();
            push_decimal(digits, scale, &mut out);
            assert_eq!(out, text);
        }
    }
}
