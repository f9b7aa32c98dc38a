//! array, as lists of one length.

use polars_arrow::array::{Array, FixedSizeListArray};
use polars_arrow::datatypes::ArrowDataType;

use super::list::{check_item_block_end, read_item_block};
use super::validity::Validity;
use super::{AnyColumn, Column};
use crate::binary::Fault;

/// A column of lists of one length.
#[derive(Clone)]
pub(crate) struct FixedList {
    item: AnyColumn,
    width: usize,
    len: usize,
    validity: Validity,
}

impl FixedList {
    pub(crate) fn new(item: AnyColumn, width: usize) -> Self {
        Self { item, width, len: 0, validity: Validity::default() }
    }
}

impl Column for FixedList {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], mut pos: usize) -> Result<usize, Fault> {
        let mut items = 0_usize;
        loop {
            let (count, end, start) = read_item_block(bytes, pos)?;
            pos = start;
            items = items.saturating_add(count);
            if items > self.width || (count == 0 && items < self.width) {
                return Err(other_length(items, self.width));
            }
            if count == 0 {
                self.len += 1;
                return Ok(pos);
            }
            for _ in 0..count {
                pos = self.item.decode(bytes, pos).map_err(Fault::in_item)?;
            }
            check_item_block_end(end, pos)?;
        }
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.mark_nulls(self.len, n);
        self.len += n;
        self.item.push_nulls(n * self.width);
    }

    fn reserve(&mut self, n: usize) {
        self.item.reserve(n.saturating_mul(self.width));
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::FixedSizeList(Box::new(self.item.field("item")), self.width)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let len = std::mem::take(&mut self.len);
        let validity = self.validity.finish(len);
        FixedSizeListArray::new(self.dtype(), len, self.item.finish(), validity).boxed()
    }
}

#[cold]
#[inline(never)]
fn other_length(items: usize, width: usize) -> Fault {
    Fault::data(format!("a list of {items} items or more, but the schema says that all have {width}"))
}
