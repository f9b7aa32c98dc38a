//! Integers that do not fit 64 bits with a sign, from decimals of scale 0, and the same cast to floats.

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;
use polars_utils::float16::pf16;

use super::Column;
use super::decimal::read_number;
use super::validity::Validity;
use crate::binary::Fault;

/// The type of the numbers in memory.
pub(crate) trait WholeNumber: NativeType {
    /// Makes a number of its lowest 128 bits and its sign; `None` if it does not fit.
    fn of(bits: u128, negative: bool) -> Option<Self>;
}

impl WholeNumber for i128 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        let value = bits as i128;
        ((value < 0) == negative).then_some(value)
    }
}

impl WholeNumber for u128 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        (!negative).then_some(bits)
    }
}

impl WholeNumber for u64 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        u128::of(bits, negative)?.try_into().ok()
    }
}

impl WholeNumber for f64 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        Some(if negative { bits as i128 as Self } else { bits as Self })
    }
}

impl WholeNumber for f32 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        Some(if negative { bits as i128 as Self } else { bits as Self })
    }
}

impl WholeNumber for pf16 {
    fn of(bits: u128, negative: bool) -> Option<Self> {
        f32::of(bits, negative).map(Self::from)
    }
}

/// A column of such numbers.
#[derive(Clone)]
pub(crate) struct Whole<T> {
    values: Vec<T>,
    validity: Validity,
    /// The size of each value in bytes; `None` if each value has a length prefix.
    size: Option<usize>,
}

impl<T: WholeNumber> Whole<T> {
    pub(crate) fn new(size: Option<usize>) -> Self {
        Self { values: Vec::new(), validity: Validity::default(), size }
    }
}

/// Returns the lowest 128 bits of a two's complement number, and true if it is negative; `None` if the number does not
/// fit.
fn bits(bytes: &[u8]) -> Option<(u128, bool)> {
    let negative = bytes.first().is_some_and(|&byte| byte >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let (extra, digits) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut wide = [sign; 16];
    wide[16 - digits.len()..].copy_from_slice(digits);
    extra.iter().all(|&byte| byte == sign).then_some((u128::from_be_bytes(wide), negative))
}

impl<T: WholeNumber> Column for Whole<T> {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (number, pos) = read_number(bytes, pos, self.size)?;
        match bits(number).and_then(|(bits, negative)| T::of(bits, negative)) {
            Some(value) => self.values.push(value),
            None => return Err(Fault::invalid(format!("the number does not fit {:?}", T::PRIMITIVE))),
        }
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.values, n, T::default());
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        T::PRIMITIVE.into()
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let values = std::mem::take(&mut self.values);
        let validity = self.validity.finish(values.len());
        PrimitiveArray::new(self.dtype(), values.into(), validity).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: WholeNumber>(bytes: &[u8]) -> Option<T> {
        bits(bytes).and_then(|(bits, negative)| T::of(bits, negative))
    }

    #[test]
    fn numbers_are_those_that_fit() {
        let full = [&[0][..], &[0xff; 16]].concat();
        assert_eq!((read(&full), read::<i128>(&full)), (Some(u128::MAX), None));
        let least = [&[0xff][..], &[0x80], &[0; 15]].concat();
        assert_eq!((read(&least), read::<u128>(&least)), (Some(i128::MIN), None));
        assert_eq!(
            (read(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), read::<u64>(&[1; 9])),
            (Some(u64::MAX), None)
        );
        assert_eq!((read(&[]), read(&[0xff; 20]), read::<u64>(&[0xff])), (Some(0_u64), Some(-1_i128), None));
        assert_eq!(read::<i128>(&[&[1][..], &[0; 16]].concat()), None);
    }
}
