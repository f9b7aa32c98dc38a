//! enum: an int that indexes the symbols, from categories that are the symbols in their order.

use std::ops::Range;

use polars_arrow::array::{Array, DictionaryArray, DictionaryKey};
use polars_buffer::Buffer;

use super::number::varint_width;
use super::{Column, downcast};
use crate::binary::{Fault, put_length};

/// A column of symbols, as keys of type `K`.
#[derive(Clone)]
pub(crate) struct Enumeration<K: DictionaryKey> {
    keys: Buffer<K>,
}

impl<K: DictionaryKey> Default for Enumeration<K> {
    fn default() -> Self {
        Self { keys: Buffer::default() }
    }
}

impl<K: DictionaryKey> Column for Enumeration<K> {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { keys: downcast::<DictionaryArray<K>>(array).keys().values().clone() })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() * varint_width::<K>()
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        Ok(put_length(out, pos, self.keys[row].to_index()))
    }
}

/// Conversion of a key to an index.
pub(super) trait AsUsize {
    fn to_index(self) -> usize;
}

impl<K: DictionaryKey> AsUsize for K {
    #[inline(always)]
    fn to_index(self) -> usize {
        self.try_into().unwrap_or(usize::MAX)
    }
}
