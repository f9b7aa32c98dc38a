//! duration on fixed(12): three little-endian unsigned numbers (specification, "Duration").

use std::ops::Range;

use polars_arrow::array::{Array, PrimitiveArray, StaticArray, StructArray};

use super::{Column, downcast};
use crate::binary::{Fault, put_array};

/// A column of months, days and milliseconds.
#[derive(Clone, Default)]
pub(crate) struct Duration {
    parts: Vec<PrimitiveArray<u32>>,
}

impl Column for Duration {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let parts = downcast::<StructArray>(array).values();
        Ok(Self { parts: parts.iter().map(|part| downcast::<PrimitiveArray<u32>>(part.as_ref()).clone()).collect() })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() * 12
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], mut pos: usize) -> Result<usize, Fault> {
        for part in &self.parts {
            match part.get(row) {
                Some(number) => pos = put_array(out, pos, number.to_le_bytes()),
                None => return Err(Fault::data("a duration with a null among months, days and milliseconds")),
            }
        }
        Ok(pos)
    }
}
