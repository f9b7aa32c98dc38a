//! A field that the frame has no column for: its default, for every record.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::Array;

use super::Column;
use crate::binary::{Fault, put_slice};

/// A column of one value.
#[derive(Clone)]
pub(crate) struct DefaultValue {
    datum: Arc<[u8]>,
}

impl DefaultValue {
    /// Makes a column of this encoded value.
    pub(crate) fn new(datum: Vec<u8>) -> Self {
        Self { datum: datum.into() }
    }
}

impl Column for DefaultValue {
    fn bind(&self, _array: &dyn Array) -> Result<Self, Fault> {
        Ok(self.clone())
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len().saturating_mul(self.datum.len())
    }

    #[inline(never)]
    fn encode(&self, _row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        Ok(put_slice(out, pos, &self.datum))
    }
}
