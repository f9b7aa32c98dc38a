//! Values that their logical type does not allow, as nulls.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::skip::{Skip, SkipPrograms};
use super::{AnyColumn, Column, delegate_to, replaced};
use crate::binary::Fault;

/// A column in which a value becomes null if its bytes are complete but not valid for the logical type. The inner column
/// must not append anything for such a value.
#[derive(Clone)]
pub(crate) struct NullIfInvalid {
    pub(crate) column: AnyColumn,
    /// Skips the value.
    pub(crate) skips: Box<[Skip]>,
    pub(crate) programs: Arc<SkipPrograms>,
}

impl Column for NullIfInvalid {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        match self.column.decode(bytes, pos) {
            Err(fault) if fault.is_data() && !fault.is_short() => {
                let end = self.programs.skip(&self.skips, bytes, pos).map_err(|_| fault)?;
                self.column.push_nulls(1);
                replaced::count();
                Ok(end)
            }
            decoded => decoded,
        }
    }

    delegate_to!(column);
}
