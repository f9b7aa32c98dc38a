//! decimal of at most 38 digits, on bytes or fixed: a big-endian two's complement number (specification, "Decimal").

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::validity::Validity;
use crate::binary::{Fault, read_array, read_length, read_slice};

/// A column of decimals.
#[derive(Clone)]
pub(crate) struct Decimal {
    values: Vec<i128>,
    validity: Validity,
    /// The size of each value in bytes; `None` if each value has a length prefix.
    size: Option<usize>,
    precision: usize,
    scale: usize,
    /// Ten to the power of the precision.
    bound: i128,
}

impl Decimal {
    /// `precision` is at most 38.
    pub(crate) fn new(size: Option<usize>, precision: usize, scale: usize) -> Self {
        let bound = 10_i128.pow(precision as u32);
        Self { values: Vec::new(), validity: Validity::default(), size, precision, scale, bound }
    }
}

/// Reads the bytes of a number: `size` bytes, or as many as its length prefix states.
pub(super) fn read_number(bytes: &[u8], pos: usize, size: Option<usize>) -> Result<(&[u8], usize), Fault> {
    let (size, pos) = match size {
        Some(size) => (size, pos),
        None => read_length(bytes, pos)?,
    };
    read_slice(bytes, pos, size)
}

/// Parses a two's complement number. Any number of sign bytes may precede it, and an empty slice is 0.
fn to_i128(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
    let mut wide = [sign; 16];
    let (extra, digits) = bytes.split_at(bytes.len().saturating_sub(16));
    wide[16 - digits.len()..].copy_from_slice(digits);
    let value = i128::from_be_bytes(wide);
    (extra.iter().all(|&byte| byte == sign) && (value < 0) == (sign != 0)).then_some(value)
}

/// Extracts a number of 1 to 16 bytes from one 16-byte load.
#[inline]
fn from_window(window: [u8; 16], size: usize) -> i128 {
    i128::from_be_bytes(window) >> (8 * (16 - size))
}

impl Column for Decimal {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (size, start) = match self.size {
            Some(size) => (size, pos),
            None => read_length(bytes, pos)?,
        };
        let (value, pos) = if let 1..=16 = size {
            let (window, _) = read_array(bytes, start)?;
            (Some(from_window(*window, size)), start + size)
        } else {
            let (number, pos) = read_slice(bytes, start, size)?;
            (to_i128(number), pos)
        };
        match value {
            Some(value) if -self.bound < value && value < self.bound => self.values.push(value),
            _ => return Err(too_long(self.precision)),
        }
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.values, n, 0);
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Decimal(self.precision, self.scale)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let values = std::mem::take(&mut self.values);
        let validity = self.validity.finish(values.len());
        PrimitiveArray::new(self.dtype(), values.into(), validity).boxed()
    }
}

#[cold]
#[inline(never)]
pub(super) fn too_long(precision: usize) -> Fault {
    Fault::invalid(format!("decimal has more digits than the {precision} that the schema allows"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_sign_extended() {
        let cases: [(&[u8], Option<i128>); 8] = [
            (&[], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80], Some(-128)),
            (&[0xff, 0x7f], Some(-129)),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], Some(9)),
            (&[0xff; 20], Some(-1)),
            (&[0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
        ];
        for (bytes, value) in cases {
            assert_eq!(to_i128(bytes), value, "{bytes:02x?}");
            if let 1..=16 = bytes.len() {
                let mut window = [0x55; 16];
                window[..bytes.len()].copy_from_slice(bytes);
                assert_eq!(Some(from_window(window, bytes.len())), value, "{bytes:02x?}");
            }
        }
    }
}
