//! Records column by column: a column's loop over rows has one kind and no dispatch.
//!
//! The rows of a run stand apart while they grow, each in a stretch of the stage that holds the largest of them; then they
//! are moved together. A short write may store bytes behind its value: the next value overwrites them, or they are
//! behind the row's end.

use std::ops::Range;

use super::{AnyColumn, Column};
use crate::binary::{Fault, SLACK, put_near, put_within};

/// Rows at a time.
const ROWS: usize = 128;

/// Narrow rows at a time: what they need stays in the first cache, which wide ones do not fit anyway.
const NARROW_ROWS: usize = 64;

/// The longest stretch of a narrow row, in bytes.
const NARROW: usize = 128;

/// Fewer rows than this are not worth it.
const FEWEST_ROWS: usize = 16;

/// Bytes of the stage at most.
const STAGE_BYTES: usize = 128 << 10;

/// Memory of rows that grow; never shrinks, so that no memory is zeroed again.
#[derive(Default)]
pub(crate) struct Stage {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Makes `out` hold `len` bytes and what a short write may touch behind them.
pub(super) fn make_room(out: &mut Vec<u8>, len: usize) {
    let room = len.saturating_add(SLACK);
    if out.len() < room {
        // A little more, so that it is not zeroed piece by piece.
        out.resize(room.saturating_add(room / 8), 0);
    }
}

/// How long a stretch is that holds the largest of these rows.
fn stride_of(columns: &[AnyColumn], rows: Range<usize>) -> usize {
    columns.iter().map(|column| column.widest(rows.clone())).fold(SLACK, usize::saturating_add)
}

impl Stage {
    /// Writes the first of `rows` at `pos`, as many as are written at a time, and notes where each ends. Gives the rows
    /// that are left and the position; `None` if these rows are too large for it, or one of them is at fault.
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

    /// Writes these rows, each in its stretch.
    fn grow(&mut self, columns: &[AnyColumn], rows: Range<usize>, stride: usize) -> Result<(), Fault> {
        let Self { bytes, ends } = self;
        if bytes.len() < rows.len() * stride {
            bytes.resize(rows.len() * stride, 0);
        }
        ends.clear();
        ends.extend((0..rows.len()).map(|row| row * stride));
        columns.iter().try_for_each(|column| column.encode_each(rows.clone(), bytes, ends))
    }

    /// Copies the rows to `pos`, one behind the other. Short ones all have the width of the longest, so no copy has a loop.
    fn move_together(&self, stride: usize, out: &mut [u8], pos: usize, all: &mut Vec<usize>) -> usize {
        let lengths = || self.ends.iter().enumerate().map(|(row, end)| end - row * stride);
        // The bits of all lengths are as good as the longest here, and several are put together at once.
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

    /// Puts the rows one by one from `pos` on, and notes where each ends.
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
