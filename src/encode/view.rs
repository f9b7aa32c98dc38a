//! bytes and string: a length, then the bytes.
//!
//! Values of up to 12 bytes are stored in the view itself and written as one 16-byte word.

use std::marker::PhantomData;
use std::ops::Range;

use polars_arrow::array::{Array, BinaryViewArrayGeneric, View, ViewType};
use polars_buffer::Buffer;

use super::{Column, downcast};
use crate::binary::{Fault, MAX_VARINT, SLACK, put_array, put_byte, put_length, put_short, put_slice};

/// The type of the bytes in memory.
pub(crate) trait Content: Clone + Send + Sync + 'static {
    /// The view type of polars-arrow.
    type View: ViewType + ?Sized;
}

/// Any bytes.
#[derive(Clone)]
pub(crate) struct Bytes;

/// UTF-8.
#[derive(Clone)]
pub(crate) struct Utf8;

impl Content for Bytes {
    type View = [u8];
}

impl Content for Utf8 {
    type View = str;
}

/// A column of bytes or strings.
#[derive(Clone)]
pub(crate) struct Views<C> {
    views: Buffer<View>,
    buffers: Buffer<Buffer<u8>>,
    content: PhantomData<C>,
}

impl<C> Default for Views<C> {
    fn default() -> Self {
        Self { views: Buffer::default(), buffers: Buffer::default(), content: PhantomData }
    }
}

impl<C> Views<C> {
    /// Returns the bytes of a value that is not stored in its view.
    #[inline(always)]
    fn long(&self, view: View) -> &[u8] {
        &self.buffers[view.buffer_idx as usize][view.offset as usize..][..view.length as usize]
    }

    /// Returns the length of the value of `row`.
    #[inline(always)]
    pub(super) fn len(&self, row: usize) -> usize {
        self.views[row].length as usize
    }

    /// Returns the length of the value of `row`; 0 if there is no such row.
    pub(super) fn get_len(&self, row: usize) -> usize {
        self.views.get(row).map_or(0, |view| view.length as usize)
    }

    /// Returns the total length of these values.
    fn total(&self, rows: Range<usize>) -> usize {
        self.views[rows].iter().map(|view| view.length as usize).sum()
    }

    /// Writes the bytes of `row` without their length.
    #[inline(always)]
    pub(super) fn put_bytes(&self, row: usize, out: &mut [u8], pos: usize) -> usize {
        let view = self.views[row];
        if view.is_inline() {
            put_short(out, pos, view.as_u128() >> 32, view.length as usize)
        } else {
            self.put_long_bytes(view, out, pos)
        }
    }

    /// Writes a length and the bytes.
    #[inline(always)]
    fn put_value(&self, view: View, out: &mut [u8], pos: usize) -> usize {
        let len = view.length as usize;
        if view.is_inline() {
            let pos = put_byte(out, pos, 2 * len as u8);
            return put_short(out, pos, view.as_u128() >> 32, len);
        }
        let pos = put_length(out, pos, len);
        self.put_long_bytes(view, out, pos)
    }

    /// Writes more than 12 bytes. If the buffer is long enough, a fixed width is copied, which needs no call.
    #[inline(always)]
    fn put_long_bytes(&self, view: View, out: &mut [u8], pos: usize) -> usize {
        let len = view.length as usize;
        if len <= SLACK
            && let Some(rest) = self.buffers[view.buffer_idx as usize].get(view.offset as usize..)
            && let Some(window) = rest.first_chunk::<SLACK>()
        {
            put_array(out, pos, *window);
            return pos + len;
        }
        put_slice(out, pos, self.long(view))
    }
}

impl<C: Content> Column for Views<C> {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let array = downcast::<BinaryViewArrayGeneric<C::View>>(array);
        Ok(Self { views: array.views().clone(), buffers: array.data_buffers().clone(), content: PhantomData })
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() * MAX_VARINT + self.total(rows)
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        // The bitwise or is less than twice the longest length, and saves a comparison for each value.
        let lengths = self.views[rows].iter().fold(0, |all, view| all | view.length);
        MAX_VARINT + lengths as usize
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        Ok(self.put_value(self.views[row], out, pos))
    }

    #[inline(never)]
    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (&view, end) in self.views[rows].iter().zip(ends) {
            *end = self.put_value(view, out, *end);
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
        for (&view, end) in self.views[rows].iter().zip(ends) {
            let pos = put_byte(out, *end, first);
            *end = self.put_value(view, out, pos);
        }
        Ok(())
    }
}
