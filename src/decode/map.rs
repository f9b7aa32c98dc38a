//! map: blocks of entries, each a string and a value. A repeated key keeps its first position and its last value, as in
//! Polars' own maps.

use std::collections::HashMap;

use polars_arrow::array::{Array, MapArray, StructArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::offset::OffsetsBuffer;

use super::interleave::{Run, interleave};
use super::list::{ItemBudget, check_item_block_end, read_item_block, remaining};
use super::room::Before;
use super::validity::Validity;
use super::view::{Utf8, Views};
use super::{AnyColumn, Column};
use crate::binary::Fault;
use crate::dtype;

/// A column of maps.
#[derive(Clone)]
pub(crate) struct Map {
    keys: Views<Utf8>,
    values: AnyColumn,
    ends: Vec<i32>,
    before: Before,
    validity: Validity,
    repeats: Repeats,
}

/// Entries that repeat a key of their map. They are rare, so they are removed only when the array is made.
#[derive(Clone, Default)]
struct Repeats {
    /// Pairs of the entry that is kept and the entry that has its value.
    replaced: Vec<(usize, usize)>,
    dropped: Vec<usize>,
}

/// The maximum size of maps that are searched linearly.
const SMALL: usize = 16;

impl Map {
    pub(crate) fn new(values: AnyColumn) -> Self {
        let (keys, ends, before, validity, repeats) = <_>::default();
        Self { keys, values, ends, before, validity, repeats }
    }

    #[inline]
    fn decode_entry(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let pos = self.keys.decode(bytes, pos)?;
        self.values.decode(bytes, pos).map_err(Fault::in_item)
    }

    /// Finds repeated keys in the map that begins at entry `start`.
    fn find_repeats(&mut self, start: usize) {
        let stop = self.keys.len();
        if stop - start <= SMALL {
            for i in start + 1..stop {
                if let Some(first) = (start..i).find(|&j| self.keys.equal(i, j)) {
                    self.repeats.note(first, i);
                }
            }
            return;
        }
        let mut seen = HashMap::with_capacity(stop - start);
        for i in start..stop {
            let first = *seen.entry(self.keys.value(i)).or_insert(i);
            if first != i {
                self.repeats.note(first, i);
            }
        }
    }
}

impl Repeats {
    fn note(&mut self, first: usize, again: usize) {
        self.replaced.push((first, again));
        self.dropped.push(again);
    }

    /// Returns the runs of keys and the runs of values of the entries that are kept.
    fn runs(&self, entries: usize) -> (Vec<Run>, Vec<Run>) {
        let mut value_of: Vec<usize> = (0..entries).collect();
        for &(first, again) in &self.replaced {
            value_of[first] = again;
        }
        let mut dropped = self.dropped.iter().copied().peekable();
        let run = |start| Run { array: 0, start, len: 1 };
        let stays = (0..entries).filter(|&i| dropped.next_if_eq(&i).is_none());
        stays.map(|i| (run(i), run(value_of[i]))).unzip()
    }

    fn adjust(&self, ends: &mut [i32]) {
        for end in ends {
            *end -= self.dropped.partition_point(|&entry| entry < *end as usize) as i32;
        }
    }
}

impl Column for Map {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], mut pos: usize) -> Result<usize, Fault> {
        let first = self.keys.len();
        loop {
            let (count, end, start) = read_item_block(bytes, pos)?;
            pos = start;
            // An entry takes at least the length byte of its key.
            let mut budget = ItemBudget::BYTES;
            budget.check(count, remaining(bytes, pos))?;
            for _ in 0..count {
                pos = self.decode_entry(bytes, pos)?;
            }
            check_item_block_end(end, pos)?;
            if count == 0 {
                break;
            }
        }
        if self.keys.len() - first > 1 {
            self.find_repeats(first);
        }
        let end = i32::try_from(self.keys.len()).map_err(|_| Fault::data("more than 2^31 map entries in a batch"))?;
        self.ends.push(end);
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.validity.push_nulls(&mut self.ends, n, end);
    }

    fn reserve(&mut self, n: usize) {
        let entries = self.before.likely(self.keys.len(), self.ends.len(), n);
        self.keys.reserve(entries);
        self.values.reserve(entries);
        // One more, for the first offset before the ends.
        self.ends.reserve_exact(n + 1);
    }

    fn dtype(&self) -> ArrowDataType {
        dtype::map(self.values.field("value"))
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.before.note(self.keys.len(), self.ends.len());
        let mut ends = std::mem::take(&mut self.ends);
        let validity = self.validity.finish(ends.len());
        let (mut keys, mut values) = (self.keys.finish(), self.values.finish());
        let repeats = std::mem::take(&mut self.repeats);
        if !repeats.dropped.is_empty() {
            let (key_runs, value_runs) = repeats.runs(keys.len());
            keys = interleave(&[keys], &key_runs);
            values = interleave(&[values], &value_runs);
            repeats.adjust(&mut ends);
        }
        ends.insert(0, 0);
        let dtype = self.dtype();
        let ArrowDataType::Map(entries, _) = &dtype else { unreachable!("a map's dtype is a map") };
        let entries = StructArray::new(entries.dtype().clone(), keys.len(), vec![keys, values], None).boxed();
        MapArray::new(dtype, OffsetsBuffer::try_from(ends).expect("ends only grow"), entries, validity).boxed()
    }
}
