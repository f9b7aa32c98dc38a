//! null: no bytes.

use polars_arrow::array::{Array, NullArray};
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use crate::binary::Fault;

/// A column of nulls.
#[derive(Clone, Default)]
pub(crate) struct Null {
    len: usize,
}

impl Column for Null {
    #[inline(always)]
    fn decode(&mut self, _bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.len += 1;
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.len += n;
    }

    fn reserve(&mut self, _n: usize) {}

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Null
    }

    fn finish(&mut self) -> Box<dyn Array> {
        NullArray::new(ArrowDataType::Null, std::mem::take(&mut self.len)).boxed()
    }
}
