//! duration on fixed(12): three little-endian unsigned numbers (specification, "Duration").

use polars_arrow::array::{Array, PrimitiveArray, StructArray};
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::validity::Validity;
use crate::binary::{Fault, read_array};
use crate::dtype;

/// A column of months, days and milliseconds.
#[derive(Clone, Default)]
pub(crate) struct Duration {
    parts: [Vec<u32>; 3],
    validity: Validity,
}

impl Column for Duration {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let mut pos = pos;
        for part in &mut self.parts {
            let (number, next) = read_array::<4>(bytes, pos)?;
            part.push(u32::from_le_bytes(*number));
            pos = next;
        }
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.mark_nulls(self.parts[0].len(), n);
        for part in &mut self.parts {
            part.resize(part.len() + n, 0);
        }
    }

    fn reserve(&mut self, n: usize) {
        for part in &mut self.parts {
            part.reserve(n);
        }
    }

    fn dtype(&self) -> ArrowDataType {
        dtype::duration()
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let len = self.parts[0].len();
        let validity = self.validity.finish(len);
        // The parts of a null duration are null too, as Polars makes them.
        let part = |part: &mut Vec<u32>| {
            PrimitiveArray::new(ArrowDataType::UInt32, std::mem::take(part).into(), validity.clone()).boxed()
        };
        let parts = self.parts.iter_mut().map(part).collect();
        StructArray::new(self.dtype(), len, parts, validity).boxed()
    }
}
