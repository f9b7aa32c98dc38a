//! Rows of one schema, decoded one by one or field by field.

use std::ops::Range;

use super::cells::{Scratch, Segment};
use super::probe::decode;
use super::route::Route;
use super::writers::Writer;
use crate::binary::Fault;
use crate::decode::{Column, Record, Rows};

/// The number of rows that are decoded together: their data stays in the L1 cache.
const TOGETHER: usize = 128;

/// The minimum number of rows: decoding fewer together does not pay.
const FEWEST: usize = 8;

/// Rows of one schema.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) segment: &'a Segment<'a>,
    pub(super) route: &'a Route,
    pub(super) writer: &'a Writer,
    /// The row that the route was selected for, even if it does not apply to other rows.
    pub(super) first: usize,
}

impl<'a> Run<'a> {
    /// Decodes rows up to one that is null or has another route. Returns that row, or the row that failed.
    #[inline(always)]
    pub(super) fn decode(
        &self,
        rows: Range<usize>,
        (short, long): &mut (Scratch, Scratch),
        mut push: impl FnMut(&[u8], usize) -> Result<usize, Fault>,
    ) -> Result<usize, usize> {
        for row in rows.clone() {
            let Some(cell) = self.segment.get(row, short) else { return Ok(row) };
            if !self.route.fits(cell) && row != self.first {
                return Ok(row);
            }
            if decode(self.route, self.writer, cell, long, &mut push).is_err() {
                return Err(row);
            }
        }
        Ok(rows.end)
    }

    /// Decodes rows as [`Self::decode`], but field by field for many rows: see [`Rows`]. After an error, any of the
    /// rows decoded together may be the one that failed.
    pub(super) fn decode_together(
        &self,
        rows: Range<usize>,
        scratch: &mut (Scratch, Scratch),
        record: &mut Record,
    ) -> Result<usize, usize> {
        let (mut positions, mut ends) = ([0; TOGETHER], [0; TOGETHER]);
        let mut row = rows.start;
        while row < rows.end {
            let (buffer, n) = if self.route.is_long() {
                self.gather::<true>(row..rows.end, &mut positions, &mut ends)
            } else {
                self.gather::<false>(row..rows.end, &mut positions, &mut ends)
            };
            if n < FEWEST {
                // The gathered rows, and the next one, which cannot be gathered.
                let stop = rows.end.min(row + n + 1);
                let end = self.decode(row..stop, scratch, |bytes, pos| record.decode_one(bytes, pos))?;
                if end < stop {
                    return Ok(end);
                }
                row = stop;
                continue;
            }
            let (rows, positions) = (Rows::new(buffer, &ends[..n]), &mut positions[..n]);
            record.decode_across(rows, positions).map_err(|_| row)?;
            if !rows.end_at(positions) {
                return Err(row);
            }
            row += n;
        }
        Ok(row)
    }

    /// Stores the positions of the datums and the ends of the padding of the first rows that have this route and share
    /// a buffer. Returns the buffer and the number of rows. `LONG` is as in [`Route::fits_header`].
    #[inline(always)]
    fn gather<const LONG: bool>(
        &self,
        rows: Range<usize>,
        positions: &mut [usize; TOGETHER],
        ends: &mut [usize; TOGETHER],
    ) -> (&'a [u8], usize) {
        let (mut n, first) = (0, rows.start);
        let (buffer, cells) = self.segment.in_place(rows);
        for ((pos, end), (start, cell)) in positions.iter_mut().zip(ends).zip(cells) {
            if !self.route.fits_header::<LONG>(cell) && first + n != self.first {
                break;
            }
            (*pos, *end) = (start + self.route.header.len, start + cell.padded().len());
            n += 1;
        }
        (buffer, n)
    }
}
