//! duration on fixed(12): three little-endian unsigned numbers (specification, "Duration").

use polars_arrow::array::{Array, PrimitiveArray, StructArray};
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::validity::Validity;
use crate::binary::{Fault, read_array};
use crate::dtype;

/// A column of months, days and milliseconds, or of some of them.
#[derive(Clone)]
pub(crate) struct Duration {
    /// The parts to output, in this order, and their values.
    parts: Vec<(usize, Vec<u32>)>,
    len: usize,
    validity: Validity,
}

impl Duration {
    /// `parts` are indices into [`dtype::DURATION`].
    pub(crate) fn new(parts: Vec<usize>) -> Self {
        let parts = parts.into_iter().map(|part| (part, Vec::new())).collect();
        Self { parts, len: 0, validity: Validity::default() }
    }
}

impl Column for Duration {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (value, pos) = read_array::<12>(bytes, pos)?;
        let (numbers, _) = value.as_chunks::<4>();
        for (part, values) in &mut self.parts {
            values.push(u32::from_le_bytes(numbers[*part]));
        }
        self.len += 1;
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.mark_nulls(self.len, n);
        self.len += n;
        for (_, values) in &mut self.parts {
            values.resize(values.len() + n, 0);
        }
    }

    fn reserve(&mut self, n: usize) {
        for (_, values) in &mut self.parts {
            values.reserve_exact(n);
        }
    }

    fn dtype(&self) -> ArrowDataType {
        dtype::duration(self.parts.iter().map(|(part, _)| dtype::DURATION[*part]))
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let len = std::mem::take(&mut self.len);
        let validity = self.validity.finish(len);
        // The parts of a null duration are null too, as in Polars.
        let part = |(_, values): &mut (usize, Vec<u32>)| {
            PrimitiveArray::new(ArrowDataType::UInt32, std::mem::take(values).into(), validity.clone()).boxed()
        };
        let parts = self.parts.iter_mut().map(part).collect();
        StructArray::new(self.dtype(), len, parts, validity).boxed()
    }
}
