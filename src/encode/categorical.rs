//! string, from categories: each value is the text of its key.

use std::ops::Range;

use polars_arrow::array::{Array, DictionaryArray, DictionaryKey};
use polars_buffer::Buffer;

use super::enumeration::AsUsize;
use super::view::{Utf8, Views};
use super::{Column, downcast};
use crate::binary::{Fault, MAX_VARINT};

/// A column of texts that occur many times.
#[derive(Clone)]
pub(crate) struct Categorical<K: DictionaryKey> {
    keys: Buffer<K>,
    texts: Views<Utf8>,
}

impl<K: DictionaryKey> Default for Categorical<K> {
    fn default() -> Self {
        Self { keys: Buffer::default(), texts: Views::default() }
    }
}

impl<K: DictionaryKey> Column for Categorical<K> {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let array = downcast::<DictionaryArray<K>>(array);
        Ok(Self { keys: array.keys().values().clone(), texts: self.texts.bind(array.values().as_ref())? })
    }

    /// Looks keys up with a check, as the keys of nulls may be any number.
    fn bound(&self, rows: Range<usize>) -> usize {
        let len = |key: &K| self.texts.get_len(key.to_index());
        rows.len() * MAX_VARINT + self.keys[rows].iter().map(len).sum::<usize>()
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        self.texts.encode(self.keys[row].to_index(), out, pos)
    }
}
