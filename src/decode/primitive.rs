//! Numbers of a fixed width in memory and any encoding on the wire.

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;

use super::validity::Validity;
use super::{Column, Rows};
use crate::binary::Fault;

/// A number's encoding on the wire and its type in memory.
pub(crate) trait Number: Clone + Send + Sync + 'static {
    /// Its type in memory.
    type Native: NativeType;

    /// Reads the number at `pos`; returns it and the position after it.
    fn read(bytes: &[u8], pos: usize) -> Result<(Self::Native, usize), Fault>;
}

/// A column of numbers.
#[derive(Clone)]
pub(crate) struct Primitive<N: Number> {
    values: Vec<N::Native>,
    validity: Validity,
    dtype: ArrowDataType,
}

impl<N: Number> Primitive<N> {
    /// `dtype` is any dtype that Arrow stores as `N::Native`.
    pub(crate) fn new(dtype: ArrowDataType) -> Self {
        Self { values: Vec::new(), validity: Validity::default(), dtype }
    }
}

impl<N: Number> Column for Primitive<N> {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (value, pos) = N::read(bytes, pos)?;
        self.values.push(value);
        Ok(pos)
    }

    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        rows.read_into(&mut self.values, positions, N::read)
    }

    #[inline]
    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.values, n, N::Native::default());
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        self.dtype.clone()
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let values = std::mem::take(&mut self.values);
        let validity = self.validity.finish(values.len());
        PrimitiveArray::new(self.dtype.clone(), values.into(), validity).boxed()
    }
}
