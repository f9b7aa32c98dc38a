//! A field that the writer did not write: the reader's default, or null, for every record.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::{AnyColumn, Column, delegate_to};
use crate::binary::Fault;

/// A column that takes no bytes of the block.
#[derive(Clone)]
pub(crate) struct DefaultValue {
    /// The default, encoded and padded; `None` is null.
    datum: Option<Arc<[u8]>>,
    column: AnyColumn,
}

impl DefaultValue {
    /// `column` decodes `datum`, which ends with padding. If there is no `datum`, every value is null.
    pub(crate) fn new(column: AnyColumn, datum: Option<Arc<[u8]>>) -> Self {
        Self { datum, column }
    }
}

impl Column for DefaultValue {
    #[inline(never)]
    fn decode(&mut self, _bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        if let Some(datum) = &self.datum {
            self.column.decode(datum, 0)?;
        } else {
            self.column.push_nulls(1);
        }
        Ok(pos)
    }

    delegate_to!(column);
}
