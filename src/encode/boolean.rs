//! boolean: one byte, 0 or 1.

use std::ops::Range;

use polars_arrow::array::{Array, BooleanArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::bitmap::utils::BitmapIter;

use super::{Column, downcast};
use crate::binary::{Fault, put_array, put_byte};

/// A column of booleans.
#[derive(Clone, Default)]
pub(crate) struct Boolean {
    values: Bitmap,
}

impl Boolean {
    /// Returns the values of these rows, read word by word.
    fn bits(&self, rows: Range<usize>) -> BitmapIter<'_> {
        let (bytes, offset, _) = self.values.as_slice();
        BitmapIter::new(bytes, offset + rows.start, rows.len())
    }
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
    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (value, end) in self.bits(rows).zip(ends) {
            *end = put_byte(out, *end, value.into());
        }
        Ok(())
    }

    #[inline(never)]
    fn encode_each_after(
        &self,
        first: u8,
        rows: Range<usize>,
        out: &mut [u8],
        ends: &mut [usize],
    ) -> Result<(), Fault> {
        for (value, end) in self.bits(rows).zip(ends) {
            *end = put_array(out, *end, [first, value.into()]);
        }
        Ok(())
    }
}
