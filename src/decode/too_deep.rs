//! Values of a recursive type below the depth to which it becomes structs, as nulls.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::skip::{Skip, SkipPrograms};
use super::{Column, Null, delegate_to, replaced};
use crate::binary::Fault;

/// A column of nulls for values that are skipped and counted.
#[derive(Clone)]
pub(crate) struct TooDeep {
    nulls: Null,
    /// Skips one value.
    skips: Box<[Skip]>,
    programs: Arc<SkipPrograms>,
}

impl TooDeep {
    pub(crate) fn new(skips: &[Skip], programs: Arc<SkipPrograms>) -> Self {
        Self { nulls: Null::default(), skips: skips.into(), programs }
    }
}

impl Column for TooDeep {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let pos = self.programs.skip(&self.skips, bytes, pos)?;
        self.nulls.push_nulls(1);
        replaced::count();
        Ok(pos)
    }

    delegate_to!(nulls);
}
