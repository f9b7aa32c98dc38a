//! Fields that are not read, between those that are.

use std::sync::Arc;

use polars_arrow::array::{Array, NullArray};
use polars_arrow::datatypes::ArrowDataType;

use super::skip::{Skip, SkipPrograms};
use super::{Column, Rows};
use crate::binary::Fault;

/// The name of skipped fields in a path.
pub(crate) const UNREAD: &str = "(a field that is not read)";

/// One or several adjacent fields of a record that are skipped. It is never an output of the record.
#[derive(Clone)]
pub(crate) struct Skipped {
    pub(crate) skips: Box<[Skip]>,
    pub(crate) programs: Arc<SkipPrograms>,
}

impl Column for Skipped {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.programs.skip(&self.skips, bytes, pos)
    }

    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        rows.advance(positions, |bytes, pos| self.programs.skip(&self.skips, bytes, pos))
    }

    fn push_nulls(&mut self, _n: usize) {}

    fn reserve(&mut self, _n: usize) {}

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Null
    }

    fn finish(&mut self) -> Box<dyn Array> {
        NullArray::new(ArrowDataType::Null, 0).boxed()
    }
}
