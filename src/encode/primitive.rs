//! Numbers of a fixed width in memory and any encoding on the wire.

use std::ops::Range;

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::types::NativeType;
use polars_buffer::Buffer;

use super::{Column, downcast};
use crate::binary::Fault;

/// Writes a number in memory to the wire.
pub(crate) trait Number: Clone + Send + Sync + 'static {
    /// Its type in memory.
    type Native: NativeType;

    /// The maximum number of bytes on the wire.
    const WIDTH: usize;

    /// Writes `value` at `pos`; returns the position after it.
    fn write(value: Self::Native, out: &mut [u8], pos: usize) -> Result<usize, Fault>;

    /// Writes the byte `first`, then `value`.
    fn write_after(first: u8, value: Self::Native, out: &mut [u8], pos: usize) -> Result<usize, Fault>;
}

/// A column of numbers.
#[derive(Clone)]
pub(crate) struct Primitive<N: Number> {
    values: Buffer<N::Native>,
}

impl<N: Number> Default for Primitive<N> {
    fn default() -> Self {
        Self { values: Buffer::default() }
    }
}

impl<N: Number> Column for Primitive<N> {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { values: downcast::<PrimitiveArray<N::Native>>(array).values().clone() })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() * N::WIDTH
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        N::write(self.values[row], out, pos)
    }

    // Not inlined: in the dispatch, among the loops of all kinds, it would have too few registers.
    #[inline(never)]
    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (&value, end) in self.values[rows].iter().zip(ends) {
            *end = N::write(value, out, *end)?;
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
        for (&value, end) in self.values[rows].iter().zip(ends) {
            *end = N::write_after(first, value, out, *end)?;
        }
        Ok(())
    }
}
