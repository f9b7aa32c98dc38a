//! boolean: one byte, 0 or 1.

use polars_arrow::array::{Array, BooleanArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::validity::Validity;
use crate::binary::Fault;

/// A column of booleans.
#[derive(Clone, Default)]
pub(crate) struct Boolean {
    /// A byte each until the array is made: packing many at once is cheaper than setting bits one by one.
    values: Vec<bool>,
    validity: Validity,
}

impl Column for Boolean {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        match bytes.get(pos) {
            Some(&byte) if byte < 2 => self.values.push(byte == 1),
            byte => return Err(not_a_boolean(byte.copied())),
        }
        Ok(pos + 1)
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

#[cold]
#[inline(never)]
fn not_a_boolean(byte: Option<u8>) -> Fault {
    byte.map_or_else(Fault::truncated, |byte| Fault::data(format!("boolean byte {byte:#04x} is neither 0 nor 1")))
}
