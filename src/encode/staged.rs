//! Records column by column: a column's loop over rows has one kind and no dispatch.
//!
//! The rows of a run stand apart while they grow, each in a stretch of the stage that holds the largest of them; then they
//! are moved together. A short write may store bytes behind its value: the next value overwrites them, or they are
//! behind the row's end.

use std::ops::Range;

use super::{AnyColumn, Column};
use crate::binary::{Fault, SLACK, put_near};

/// Rows at a time: what they need stays in the first caches.
const ROWS: usize = 128;

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
        let chunk = rows.start..rows.end.min(rows.start + ROWS);
        if chunk.len() < FEWEST_ROWS {
            return None;
        }
        let widest = columns.iter().map(|column| column.widest(chunk.clone())).fold(0, usize::saturating_add);
        let stride = widest.saturating_add(SLACK);
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

    /// Copies the rows to `pos`, one behind the other.
    fn move_together(&self, stride: usize, out: &mut [u8], mut pos: usize, all: &mut Vec<usize>) -> usize {
        all.extend(self.bytes.chunks_exact(stride).zip(&self.ends).enumerate().map(|(row, (bytes, end))| {
            pos = put_near(out, pos, bytes, end - row * stride);
            pos
        }));
        pos
    }
}
