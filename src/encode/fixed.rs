//! fixed: the number of bytes that the schema states.

use std::ops::Range;

use polars_arrow::array::Array;

use super::Column;
use super::view::{Bytes, Views};
use crate::binary::Fault;

/// A column of byte sequences of one length.
#[derive(Clone)]
pub(crate) struct Fixed {
    size: usize,
    values: Views<Bytes>,
}

impl Fixed {
    pub(crate) fn new(size: usize) -> Self {
        Self { size, values: Views::default() }
    }
}

impl Column for Fixed {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { size: self.size, values: self.values.bind(array)? })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len().saturating_mul(self.size)
    }

    #[inline]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        match self.values.len(row) {
            len if len == self.size => Ok(self.values.put_bytes(row, out, pos)),
            len => Err(Fault::data(format!("{len} bytes do not fit a fixed of {}", self.size))),
        }
    }
}
