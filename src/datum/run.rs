//! Rows of one schema, decoded one by one or field by field.

use std::ops::Range;

use super::cells::{Scratch, Segment};
use super::probe::decode;
use super::route::Route;
use super::writers::Writer;
use crate::binary::{Fault, data_end};
use crate::decode::{Column, Record};

/// Rows that are decoded together: what they need stays in the first cache.
const TOGETHER: usize = 128;

/// Fewer rows than this are not worth it.
const FEWEST: usize = 8;

/// Rows of one schema.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) segment: &'a Segment<'a>,
    pub(super) route: &'a Route,
    pub(super) writer: &'a Writer,
    /// This row is of the route, whatever others are.
    pub(super) first: usize,
}

impl<'a> Run<'a> {
    /// Decodes rows up to one that is null or of another route; gives that one, or the one that failed.
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

    /// The same, a field of many rows after the other: where each row begins is known, so none waits for the one before it.
    /// The row that failed may be any of those that were decoded together.
    pub(super) fn decode_together(
        &self,
        rows: Range<usize>,
        scratch: &mut (Scratch, Scratch),
        record: &mut Record,
    ) -> Result<usize, usize> {
        let (mut bytes, mut positions) = ([&[][..]; TOGETHER], [0; TOGETHER]);
        let mut row = rows.start;
        while row < rows.end {
            let n = self.gather(row..rows.end, &mut bytes);
            if n < FEWEST {
                // Those that were gathered, and the one that could not be.
                let stop = rows.end.min(row + n + 1);
                let end = self.decode(row..stop, scratch, |bytes, pos| record.decode_one(bytes, pos))?;
                if end < stop {
                    return Ok(end);
                }
                row = stop;
                continue;
            }
            let (bytes, positions) = (&bytes[..n], &mut positions[..n]);
            positions.fill(self.route.header.len);
            record.decode_across(bytes, positions).map_err(|_| row)?;
            if bytes.iter().zip(positions).any(|(bytes, end)| *end != data_end(bytes)) {
                return Err(row);
            }
            row += n;
        }
        Ok(row)
    }

    /// The first rows that stand in place and are of the route; says how many they are.
    #[inline(always)]
    fn gather(&self, rows: Range<usize>, bytes: &mut [&'a [u8]; TOGETHER]) -> usize {
        let mut n = 0;
        for (row, place) in rows.zip(bytes) {
            match self.segment.get_in_place(row) {
                Some(cell) if self.route.fits(cell) || row == self.first => *place = cell.padded(),
                _ => break,
            }
            n += 1;
        }
        n
    }
}
