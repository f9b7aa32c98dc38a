//! big-decimal: bytes that contain the unscaled number, encoded as bytes, and its own scale (specification, "Decimal",
//! alternative representation).

use num_bigint::BigInt;

use super::text::TextFormat;
use super::wide_decimal::push_decimal;
use crate::binary::{Fault, PADDING, read_int, read_length, read_slice};

/// A decimal with its own scale.
#[derive(Clone)]
pub(crate) struct BigDecimal;

/// The maximum size of a number: converting it to digits takes time quadratic in its length.
const MAX_BYTES: usize = 16 << 10;

impl TextFormat for BigDecimal {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (len, pos) = read_length(bytes, pos)?;
        let end = pos + len;
        let (size, at) = read_length(bytes, pos)?;
        let (number, at) = read_slice(bytes, at, size)?;
        let inside = bytes.get(..end + PADDING).ok_or_else(Fault::truncated)?;
        let (scale, at) = read_int(inside, at)?;
        if at != end {
            return Err(Fault::invalid("big-decimal: number and scale do not fill their bytes"));
        }
        push_scaled(number, scale, out)?;
        Ok(end)
    }
}

/// Appends the text of an unscaled number and its scale.
pub(super) fn push_scaled(number: &[u8], scale: i32, out: &mut String) -> Result<(), Fault> {
    if number.len() > MAX_BYTES {
        let len = number.len();
        return Err(Fault::invalid(format!("big-decimal of {len} bytes, at most {MAX_BYTES} are supported")));
    }
    push_decimal(&BigInt::from_signed_bytes_be(number).to_string(), i64::from(scale), out);
    Ok(())
}
