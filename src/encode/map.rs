//! map: the number of entries, each a string and a value, and a 0.

use std::ops::Range;

use polars_arrow::array::{Array, StructArray};

use super::list::Ranges;
use super::view::{Utf8, Views};
use super::{AnyColumn, Column, downcast};
use crate::binary::Fault;

/// A column of maps.
#[derive(Clone)]
pub(crate) struct Map {
    keys: Views<Utf8>,
    values: AnyColumn,
    ranges: Ranges,
}

impl Map {
    pub(crate) fn new(values: AnyColumn) -> Self {
        Self { keys: Views::default(), values, ranges: Ranges::default() }
    }
}

impl Column for Map {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let (ranges, entries) = Ranges::of(array);
        let entries = downcast::<StructArray>(entries.as_ref()).values();
        let values = self.values.bind(entries[1].as_ref()).map_err(Fault::in_item)?;
        Ok(Self { keys: self.keys.bind(entries[0].as_ref())?, values, ranges })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        let (frames, entries) = self.ranges.bound(rows);
        frames + self.keys.bound(entries.clone()) + self.values.bound(entries)
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        self.ranges.encode(row, out, pos, |entries, out, mut pos| {
            for entry in entries {
                pos = self.keys.encode(entry, out, pos)?;
                pos = self.values.encode(entry, out, pos)?;
            }
            Ok(pos)
        })
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        self.ranges
            .widest(rows, |entries| self.keys.widest(entries.clone()).saturating_add(self.values.widest(entries)))
    }
}
