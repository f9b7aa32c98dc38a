//! array: blocks of items, each after its count. A negative count is followed by the block's size in bytes.

use polars_arrow::array::{Array, ListArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::offset::OffsetsBuffer;

use super::room::Before;
use super::validity::Validity;
use super::{AnyColumn, Column};
use crate::binary::{Fault, data_end, read_length, read_long};

/// A column of lists.
#[derive(Clone)]
pub(crate) struct List {
    item: AnyColumn,
    /// The end of each list in the items.
    ends: Vec<i64>,
    items: usize,
    before: Before,
    validity: Validity,
    budget: ItemBudget,
}

/// A bound for items that take no bytes. Items that take bytes are bounded by the size of the data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ItemBudget {
    limit: usize,
    /// The cost of an item: the number of values that it becomes in memory. `None` if items take bytes.
    weight: Option<usize>,
    spent: usize,
}

impl ItemBudget {
    /// The budget for items that take bytes.
    pub(crate) const BYTES: Self = Self { limit: 0, weight: None, spent: 0 };

    /// Returns the budget for items without bytes. An item becomes `weight` values, and all items may become `limit`.
    pub(crate) fn empty(weight: usize, limit: usize) -> Self {
        Self { limit, weight: Some(weight.max(1)), spent: 0 }
    }

    /// Checks that a block can have `count` items.
    #[inline]
    pub(super) fn check(&mut self, count: usize, remaining: usize) -> Result<(), Fault> {
        match self.weight {
            None if count <= remaining => Ok(()),
            None => Err(Fault::short(format!("{count} items in the {remaining} bytes left"))),
            Some(weight) => {
                self.spent = self.spent.saturating_add(count.saturating_mul(weight));
                if self.spent <= self.limit { Ok(()) } else { Err(too_many_empty_items()) }
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.spent = 0;
    }
}

#[cold]
fn too_many_empty_items() -> Fault {
    Fault::limit("zero_byte_items", "too many items that take no bytes")
}

/// Reads the head of one block of items: returns the number of items, the end of the block if its size is stated, and
/// the position of the first item. A count of 0 ends the list.
#[inline(always)]
pub(super) fn read_item_block(bytes: &[u8], pos: usize) -> Result<(usize, Option<usize>, usize), Fault> {
    let (count, pos) = read_long(bytes, pos)?;
    if count >= 0 {
        return Ok((count as usize, None, pos));
    }
    let (count, end, pos) = read_sized_block(count, bytes, pos)?;
    Ok((count, Some(end), pos))
}

/// Reads the size in the head of a block with a negative count.
#[inline(never)]
fn read_sized_block(count: i64, bytes: &[u8], pos: usize) -> Result<(usize, usize, usize), Fault> {
    let Some(count) = count.checked_neg() else {
        return Err(Fault::data("item count out of range"));
    };
    let (size, pos) = read_length(bytes, pos)?;
    Ok((count as usize, pos + size, pos))
}

/// Checks that a block of items ends at `end`, if its size was stated.
#[inline]
pub(super) fn check_item_block_end(end: Option<usize>, pos: usize) -> Result<(), Fault> {
    match end {
        Some(end) if end != pos => Err(Fault::data("a block of items does not have the size that it says")),
        _ => Ok(()),
    }
}

/// Returns the number of bytes between a position and the end of the data.
#[inline]
pub(super) fn remaining(bytes: &[u8], pos: usize) -> usize {
    data_end(bytes).saturating_sub(pos)
}

impl List {
    pub(crate) fn new(item: AnyColumn, budget: ItemBudget) -> Self {
        let (ends, items, before, validity) = <_>::default();
        Self { item, ends, items, before, validity, budget }
    }

    /// Returns the number of items of all lists.
    pub(super) fn items(&self) -> usize {
        self.items
    }
}

impl Column for List {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], mut pos: usize) -> Result<usize, Fault> {
        loop {
            let (count, end, start) = read_item_block(bytes, pos)?;
            pos = start;
            if count == 0 {
                self.ends.push(self.items as i64);
                return Ok(pos);
            }
            self.budget.check(count, remaining(bytes, pos))?;
            for _ in 0..count {
                pos = match self.item.decode(bytes, pos) {
                    Ok(pos) => pos,
                    Err(fault) => return Err(fault.in_item()),
                };
            }
            check_item_block_end(end, pos)?;
            self.items += count;
        }
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.ends, n, self.items as i64);
    }

    fn reserve(&mut self, n: usize) {
        self.item.reserve(self.before.likely(self.items, self.ends.len(), n));
        // One more, for the first offset before the ends.
        self.ends.reserve_exact(n + 1);
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::LargeList(Box::new(self.item.field("item")))
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.before.note(self.items, self.ends.len());
        let mut offsets = std::mem::take(&mut self.ends);
        let validity = self.validity.finish(offsets.len());
        offsets.insert(0, 0);
        self.items = 0;
        self.budget.reset();
        let offsets = OffsetsBuffer::try_from(offsets).expect("ends only grow");
        ListArray::new(self.dtype(), offsets, self.item.finish(), validity).boxed()
    }
}
