//! boolean: one byte, 0 or 1.

use std::ops::Range;

use polars_arrow::array::{Array, BooleanArray};
use polars_arrow::bitmap::Bitmap;

use super::{Column, downcast};
use crate::binary::{Fault, put_array, put_byte};

/// A column of booleans.
#[derive(Clone, Default)]
pub(crate) struct Boolean {
    values: Bitmap,
}

impl Column for Boolean {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { values: downcast::<BooleanArray>(array).values().clone() })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len()
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        Ok(put_byte(out, pos, self.values.get_bit(row).into()))
    }

    #[inline(never)]
    fn encode_each_after(
        &self,
        first: u8,
        rows: Range<usize>,
        out: &mut [u8],
        ends: &mut [usize],
    ) -> Result<(), Fault> {
        for (row, end) in rows.zip(ends) {
            *end = put_array(out, *end, [first, self.values.get_bit(row).into()]);
        }
        Ok(())
    }
}
