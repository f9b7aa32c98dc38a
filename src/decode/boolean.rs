//! boolean: one byte, 0 or 1.

use polars_arrow::array::{Array, BooleanArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;

use super::validity::Validity;
use super::{Column, Rows};
use crate::binary::Fault;

/// A column of booleans.
#[derive(Clone, Default)]
pub(crate) struct Boolean {
    /// One byte per value until the array is made: packing many at once is cheaper than setting bits one by one.
    values: Vec<bool>,
    validity: Validity,
}

impl Column for Boolean {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (value, pos) = read(bytes, pos)?;
        self.values.push(value);
        Ok(pos)
    }

    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        rows.read_into(&mut self.values, positions, read)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.values, n, false);
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Boolean
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let values: Bitmap = std::mem::take(&mut self.values).into_iter().collect();
        let validity = self.validity.finish(values.len());
        BooleanArray::new(ArrowDataType::Boolean, values, validity).boxed()
    }
}

/// Reads the boolean at `pos`; returns it and the position after it.
#[inline(always)]
fn read(bytes: &[u8], pos: usize) -> Result<(bool, usize), Fault> {
    match bytes.get(pos) {
        Some(&byte) if byte < 2 => Ok((byte == 1, pos + 1)),
        byte => Err(not_a_boolean(byte.copied())),
    }
}

#[cold]
#[inline(never)]
fn not_a_boolean(byte: Option<u8>) -> Fault {
    byte.map_or_else(Fault::truncated, |byte| Fault::data(format!("boolean byte {byte:#04x} is neither 0 nor 1")))
}
