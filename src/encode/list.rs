//! array: the number of items, the items, and a 0; an empty array is the 0 alone.

use std::ops::Range;

use polars_arrow::array::{Array, FixedSizeListArray, ListArray, MapArray};
use polars_buffer::Buffer;

use super::{AnyColumn, Column, downcast};
use crate::binary::{Fault, MAX_VARINT, put_byte, put_length};

/// The maximum size of the framing of one list or map: the count before the items and the 0 after them.
const FRAME: usize = MAX_VARINT + 1;

/// The range of each list's items in the items of all lists.
#[derive(Clone, Default)]
pub(super) struct Ranges {
    offsets: Buffer<i64>,
    /// The offset of the first item.
    base: i64,
}

impl Ranges {
    /// Returns the ranges of an array of lists or maps, and its items without those cut off by slicing.
    pub(super) fn of(array: &dyn Array) -> (Self, Box<dyn Array>) {
        if let Some(map) = array.as_any().downcast_ref::<MapArray>() {
            let offsets = map.offsets().iter().map(|&offset| offset.into()).collect::<Vec<i64>>();
            return Self::within(offsets.into(), map.field().as_ref());
        }
        let list = downcast::<ListArray<i64>>(array);
        Self::within(list.offsets().buffer().clone(), list.values().as_ref())
    }

    fn within(offsets: Buffer<i64>, items: &dyn Array) -> (Self, Box<dyn Array>) {
        let (base, end) = (offsets[0], offsets[offsets.len() - 1]);
        (Self { offsets, base }, items.sliced(base as usize, (end - base) as usize))
    }

    /// Returns the range of one list's items.
    #[inline(always)]
    fn at(&self, row: usize) -> Range<usize> {
        self.start(row)..self.start(row + 1)
    }

    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        (self.offsets[row] - self.base) as usize
    }

    /// Returns the maximum size of the framing of these lists, and the range of their items.
    pub(super) fn bound(&self, rows: Range<usize>) -> (usize, Range<usize>) {
        (rows.len() * FRAME, self.start(rows.start)..self.start(rows.end))
    }

    /// Returns the maximum encoded size of any of these lists; `widest` returns that of an item.
    pub(super) fn widest(&self, rows: Range<usize>, widest: impl FnOnce(Range<usize>) -> usize) -> usize {
        let most = rows.clone().map(|row| self.at(row).len()).max().unwrap_or(0);
        most.saturating_mul(widest(self.bound(rows).1)).saturating_add(FRAME)
    }

    /// Writes the list of `row` with a function that writes its items.
    #[inline(always)]
    pub(super) fn encode(
        &self,
        row: usize,
        out: &mut [u8],
        pos: usize,
        items: impl FnOnce(Range<usize>, &mut [u8], usize) -> Result<usize, Fault>,
    ) -> Result<usize, Fault> {
        encode_items(self.at(row), out, pos, items)
    }
}

#[inline(always)]
fn encode_items(
    items: Range<usize>,
    out: &mut [u8],
    mut pos: usize,
    encode: impl FnOnce(Range<usize>, &mut [u8], usize) -> Result<usize, Fault>,
) -> Result<usize, Fault> {
    if !items.is_empty() {
        pos = put_length(out, pos, items.len());
        pos = match encode(items, out, pos) {
            Ok(pos) => pos,
            Err(fault) => return Err(fault.in_item()),
        };
    }
    Ok(put_byte(out, pos, 0))
}

/// A column of lists.
#[derive(Clone)]
pub(crate) struct List {
    item: AnyColumn,
    ranges: Ranges,
}

impl List {
    pub(crate) fn new(item: AnyColumn) -> Self {
        Self { item, ranges: Ranges::default() }
    }
}

impl Column for List {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let (ranges, items) = Ranges::of(array);
        Ok(Self { item: self.item.bind(items.as_ref()).map_err(Fault::in_item)?, ranges })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        let (frames, items) = self.ranges.bound(rows);
        frames + self.item.bound(items)
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        self.ranges.encode(row, out, pos, |items, out, pos| self.item.encode_run(items, out, pos))
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        self.ranges.widest(rows, |items| self.item.widest(items))
    }
}

/// A column of lists of one length.
#[derive(Clone)]
pub(crate) struct FixedList {
    item: AnyColumn,
    width: usize,
}

impl FixedList {
    pub(crate) fn new(item: AnyColumn, width: usize) -> Self {
        Self { item, width }
    }
}

impl Column for FixedList {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let items = downcast::<FixedSizeListArray>(array).values().as_ref();
        Ok(Self { item: self.item.bind(items).map_err(Fault::in_item)?, width: self.width })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() * FRAME + self.item.bound(rows.start * self.width..rows.end * self.width)
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        let items = row * self.width..(row + 1) * self.width;
        encode_items(items, out, pos, |items, out, pos| self.item.encode_run(items, out, pos))
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        let items = rows.start * self.width..rows.end * self.width;
        self.width.saturating_mul(self.item.widest(items)).saturating_add(FRAME)
    }
}
