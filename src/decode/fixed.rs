//! fixed: the number of bytes that the schema states.

use polars_arrow::array::Array;
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::view::{Bytes, Views};
use crate::binary::{Fault, read_slice};

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
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        read_slice(bytes, pos, self.size)?;
        self.values.push_at(bytes, pos, self.size)
    }

    fn push_nulls(&mut self, n: usize) {
        self.values.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        self.values.dtype()
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.values.finish()
    }
}
