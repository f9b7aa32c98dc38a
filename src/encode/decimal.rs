//! decimal on bytes or fixed: a big-endian two's complement number (specification, "Decimal").

use std::ops::Range;

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::types::NativeType;
use polars_buffer::Buffer;

use super::{Column, downcast};
use crate::binary::{Fault, SLACK, put_array, put_byte, put_length};

/// An integer type in memory.
pub(crate) trait Unscaled: NativeType {
    /// Returns the lowest 128 bits, and true if the number is negative.
    fn parts(self) -> (u128, bool);
}

impl Unscaled for i128 {
    #[inline]
    fn parts(self) -> (u128, bool) {
        (self as u128, self < 0)
    }
}

impl Unscaled for u128 {
    #[inline]
    fn parts(self) -> (u128, bool) {
        (self, false)
    }
}

impl Unscaled for u64 {
    #[inline]
    fn parts(self) -> (u128, bool) {
        (self.into(), false)
    }
}

/// A column of decimals.
#[derive(Clone)]
pub(crate) struct Decimal<T: Unscaled> {
    values: Buffer<T>,
    /// The size of each value in bytes. `None` for the minimum size, with a length prefix.
    size: Option<usize>,
    /// The maximum number of digits; `None` if every value in memory is allowed.
    precision: Option<usize>,
}

/// The maximum size of a number without redundant sign bytes.
const WIDEST: usize = 17;

impl<T: Unscaled> Decimal<T> {
    /// Makes a column of numbers of `size` bytes each, or of the minimum size.
    pub(crate) fn new(size: Option<usize>, precision: Option<usize>) -> Self {
        Self { values: Buffer::default(), size, precision }
    }

    /// Returns true if a value in memory may have too many digits.
    pub(crate) fn is_checked(&self) -> bool {
        self.precision.is_some()
    }

    fn check_digits(&self, bits: u128, negative: bool) -> Result<(), Fault> {
        let magnitude = if negative { bits.wrapping_neg() } else { bits };
        match self.precision.and_then(|digits| 10_u128.checked_pow(digits as u32)) {
            Some(bound) if magnitude >= bound => Err(too_long(self.precision.unwrap_or_default())),
            _ => Ok(()),
        }
    }
}

/// Returns the size of a number in bytes, its sign bit included.
#[inline]
fn width(bits: u128, negative: bool) -> usize {
    let magnitude = if negative { !bits } else { bits };
    (128 - magnitude.leading_zeros()) as usize / 8 + 1
}

impl<T: Unscaled> Column for Decimal<T> {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { values: downcast::<PrimitiveArray<T>>(array).values().clone(), ..*self })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len().saturating_mul(self.size.unwrap_or(WIDEST + 1))
    }

    #[inline]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        let (bits, negative) = self.values[row].parts();
        if self.precision.is_some() {
            self.check_digits(bits, negative)?;
        }
        let width = width(bits, negative);
        let sign = if negative { 0xff } else { 0 };
        let mut pos = match self.size {
            None => put_length(out, pos, width),
            Some(size) if width > size => return Err(Fault::data(format!("the number takes more than {size} bytes"))),
            Some(size) => {
                out[pos..pos + size - width].fill(sign);
                pos + size - width
            }
        };
        let mut rest = width;
        if rest == WIDEST {
            pos = put_byte(out, pos, sign);
            rest -= 1;
        }
        const { assert!(SLACK >= 16, "a number is stored as a whole word") };
        put_array(out, pos, (bits << (8 * (16 - rest))).to_be_bytes());
        Ok(pos + rest)
    }
}

#[cold]
#[inline(never)]
fn too_long(precision: usize) -> Fault {
    Fault::data(format!("the number has more than the {precision} digits that the schema allows"))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;

    fn encoded<T: Unscaled>(value: T, size: Option<usize>) -> Vec<u8> {
        let column = Decimal { values: vec![value].into(), size, precision: None };
        let mut out = vec![0xaa; column.bound(0..1) + SLACK];
        let end = column.encode(0, &mut out, 0).unwrap();
        out.truncate(end);
        out
    }

    #[test]
    fn numbers_take_as_few_bytes_as_can_be() {
        let edges = (0..127).flat_map(|shift| [1_i128 << shift, (1_i128 << shift) - 1, -(1_i128 << shift)]);
        for value in edges.chain([0, -1, i128::MIN, i128::MAX]) {
            let bytes = BigInt::from(value).to_signed_bytes_be();
            assert_eq!(encoded(value, None), [&[2 * bytes.len() as u8], &bytes[..]].concat(), "{value}");
        }
    }

    #[test]
    fn numbers_in_a_fixed_are_sign_extended() {
        assert_eq!(encoded(-2_i128, Some(20)), [&[0xff; 19][..], &[0xfe]].concat());
        assert_eq!(encoded(u64::MAX, Some(9)), [&[0][..], &[0xff; 8]].concat());
        assert_eq!(encoded(u128::MAX, Some(17)), [&[0][..], &[0xff; 16]].concat());
        let column = Decimal { values: vec![128_i128].into(), size: Some(1), precision: None };
        assert!(column.encode(0, &mut [0; 64], 0).is_err());
    }

    #[test]
    fn numbers_of_too_many_digits_are_refused() {
        for (value, fits) in [(999_i128, true), (1000, false), (-999, true), (-1000, false), (i128::MIN, false)] {
            let column = Decimal { values: vec![value].into(), size: None, precision: Some(3) };
            assert_eq!(column.encode(0, &mut [0; 64], 0).is_ok(), fits, "{value}");
        }
    }
}
