//! null: no bytes.

use std::ops::Range;

use polars_arrow::array::Array;

use super::Column;
use crate::binary::Fault;

/// A column of nulls.
#[derive(Clone)]
pub(crate) struct Null;

impl Column for Null {
    fn bind(&self, _array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn bound(&self, _rows: Range<usize>) -> usize {
        0
    }

    #[inline]
    fn encode(&self, _row: usize, _out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        Ok(pos)
    }
}
