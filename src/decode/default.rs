//! A field that the writer did not write: the reader's default, once for every record.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::{AnyColumn, Column};
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

    fn push_nulls(&mut self, n: usize) {
        self.column.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.column.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        self.column.dtype()
    }

    fn field(&self, name: &str) -> Field {
        self.column.field(name)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.column.finish()
    }
}
