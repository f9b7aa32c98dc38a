//! Encoding of records column by column: the loop over a column's rows has one kind and no dispatch.
//!
//! Each row of a run grows in its own slot of the stage, whose stride fits the largest row. Then the rows are copied
//! together. A short write may store bytes after its value. The next value overwrites them, or they are after the row's
//! end.

use std::ops::Range;

use super::{AnyColumn, Column};
use crate::binary::{Fault, SLACK, put_near, put_within};

/// Number of rows staged at a time.
const ROWS: usize = 128;

/// Number of narrow rows staged at a time: they stay in the L1 cache, which is too small for wide rows anyway.
const NARROW_ROWS: usize = 64;

/// The maximum stride of narrow rows, in bytes.
const NARROW: usize = 128;

/// The minimum number of rows: staging fewer does not pay.
const FEWEST_ROWS: usize = 16;

/// The maximum size of the stage, in bytes.
const STAGE_BYTES: usize = 128 << 10;

/// The memory in which rows grow. It never shrinks, so that no memory is zeroed again.
#[derive(Default)]
pub(crate) struct Stage {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Grows `out` to `len` bytes plus the bytes after them that a short write may touch.
pub(super) fn make_room(out: &mut Vec<u8>, len: usize) {
    let room = len.saturating_add(SLACK);
    if out.len() < room {
        // With a margin, so that it is not grown and zeroed in small steps.
        out.resize(room.saturating_add(room / 8), 0);
    }
}

/// Returns the stride that fits the largest of these rows.
fn stride_of(columns: &[AnyColumn], rows: Range<usize>) -> usize {
    columns.iter().map(|column| column.widest(rows.clone())).fold(SLACK, usize::saturating_add)
}

impl Stage {
    /// Writes the first chunk of `rows` at `pos` and appends the end of each row to `ends`. Returns the remaining rows
    /// and the position. Returns `None` if these rows are too few or too large, or if one of them cannot be encoded.
    pub(super) fn encode(
        &mut self,
        columns: &[AnyColumn],
        rows: &Range<usize>,
        out: &mut Vec<u8>,
        pos: usize,
        ends: &mut Vec<usize>,
    ) -> Option<(Range<usize>, usize)> {
        let first = rows.start..rows.end.min(rows.start + NARROW_ROWS);
        if first.len() < FEWEST_ROWS {
            return None;
        }
        let (mut chunk, mut stride) = (first.clone(), stride_of(columns, first));
        if stride > NARROW {
            let more = chunk.end..rows.end.min(rows.start + ROWS);
            stride = stride.max(stride_of(columns, more.clone()));
            chunk.end = more.end;
        }
        let height = chunk.len().min(STAGE_BYTES / stride);
        if height < FEWEST_ROWS {
            return None;
        }
        let chunk = chunk.start..chunk.start + height;
        self.grow(columns, chunk.clone(), stride).ok()?;
        make_room(out, pos + height * stride);
        let pos = self.move_together(stride, out, pos, ends);
        Some((chunk.end..rows.end, pos))
    }

    /// Writes each of these rows in its slot.
    fn grow(&mut self, columns: &[AnyColumn], rows: Range<usize>, stride: usize) -> Result<(), Fault> {
        let Self { bytes, ends } = self;
        if bytes.len() < rows.len() * stride {
            bytes.resize(rows.len() * stride, 0);
        }
        ends.clear();
        ends.extend((0..rows.len()).map(|row| row * stride));
        columns.iter().try_for_each(|column| column.encode_each(rows.clone(), bytes, ends))
    }

    /// Copies the rows to `pos`, one after the other. Short rows are copied with a fixed width, so no copy has a loop.
    fn move_together(&self, stride: usize, out: &mut [u8], pos: usize, all: &mut Vec<usize>) -> usize {
        let lengths = || self.ends.iter().enumerate().map(|(row, end)| end - row * stride);
        // The bitwise or of all lengths is a bound for the longest, and is vectorised.
        match lengths().fold(0, |all, len| all | len) {
            0..32 => self.move_each(stride, pos, all, |bytes, pos, len| put_within::<32>(out, pos, bytes, len)),
            32..48 => self.move_each(stride, pos, all, |bytes, pos, len| put_within::<48>(out, pos, bytes, len)),
            48..64 => self.move_each(stride, pos, all, |bytes, pos, len| put_within::<64>(out, pos, bytes, len)),
            64..128 if lengths().all(|len| len <= 96) => {
                self.move_each(stride, pos, all, |bytes, pos, len| put_within::<96>(out, pos, bytes, len))
            }
            _ => self.move_each(stride, pos, all, |bytes, pos, len| put_near(out, pos, bytes, len)),
        }
    }

    /// Copies the rows one by one from `pos` on, and appends the end of each to `all`.
    #[inline(always)]
    fn move_each(
        &self,
        stride: usize,
        mut pos: usize,
        all: &mut Vec<usize>,
        mut put: impl FnMut(&[u8], usize, usize) -> usize,
    ) -> usize {
        all.extend(self.bytes.chunks_exact(stride).zip(&self.ends).enumerate().map(|(row, (bytes, end))| {
            pos = put(bytes, pos, end - row * stride);
            pos
        }));
        pos
    }
}
