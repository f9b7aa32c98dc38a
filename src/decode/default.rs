//! A field that the writer did not write: the reader's default, once for every record.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::{AnyColumn, Column, delegate_to};
use crate::binary::Fault;

/// A column that takes no bytes of the block.
#[derive(Clone)]
pub(crate) struct DefaultValue {
    /// The default, encoded and padded.
    datum: Arc<[u8]>,
    column: AnyColumn,
}

impl DefaultValue {
    /// `column` decodes `datum`, which ends in padding.
    pub(crate) fn new(column: AnyColumn, datum: Arc<[u8]>) -> Self {
        Self { datum, column }
    }
}

impl Column for DefaultValue {
    #[inline(never)]
    fn decode(&mut self, _bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.column.decode(&self.datum, 0)?;
        Ok(pos)
    }

    delegate_to!(column);
}
