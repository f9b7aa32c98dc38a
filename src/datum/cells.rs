//! The rows of a Binary column, with padding behind each.

use std::ops::Range;

use polars_arrow::array::{Array, BinaryViewArray, View};

use crate::binary::PADDING;

/// A value of at most this many bytes is in its view.
const INLINE: usize = View::MAX_INLINE_SIZE as usize;

/// A Binary column in its chunks.
pub(super) struct Cells<'a> {
    chunks: &'a [BinaryViewArray],
    /// The first row of each chunk, and the end of the last.
    starts: Vec<usize>,
}

/// Rows of one chunk.
pub(super) struct Segment<'a> {
    chunk: &'a BinaryViewArray,
    /// Row of the column that is the chunk's first.
    start: usize,
    pub(super) rows: Range<usize>,
}

/// Bytes of a row, and behind them `PADDING` bytes of any content.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a>(&'a [u8]);

/// Memory for a row that has no bytes behind it where it stands.
#[derive(Default)]
pub(super) struct Scratch {
    inline: [u8; INLINE + 4 + PADDING],
    long: Vec<u8>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(chunks: &'a [BinaryViewArray]) -> Self {
        let mut starts = vec![0];
        starts.extend(chunks.iter().scan(0, |end, chunk| {
            *end += chunk.len();
            Some(*end)
        }));
        Self { chunks, starts }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.starts[self.chunks.len()]
    }

    /// The chunks that some rows are in.
    pub(super) fn segments(&self, rows: Range<usize>) -> impl Iterator<Item = Segment<'a>> {
        let first = self.starts.partition_point(|&start| start <= rows.start).saturating_sub(1);
        let bounds = self.starts[first..].windows(2).map(|bounds| bounds[0]..bounds[1]);
        self.chunks[first.min(self.chunks.len())..].iter().zip(bounds).map_while(move |(chunk, bounds)| {
            let within = rows.start.max(bounds.start)..rows.end.min(bounds.end);
            (bounds.start < rows.end).then_some(Segment { chunk, start: bounds.start, rows: within })
        })
    }

    /// The bytes of one row; `None` if it is null.
    pub(super) fn get<'s>(&self, row: usize, scratch: &'s mut Scratch) -> Option<Cell<'s>>
    where
        'a: 's,
    {
        self.segments(row..row + 1).find(|segment| !segment.rows.is_empty())?.get(row, scratch)
    }
}

impl<'a> Segment<'a> {
    /// The bytes of a row of the segment; `None` if it is null.
    #[inline(always)]
    pub(super) fn get<'s>(&self, row: usize, scratch: &'s mut Scratch) -> Option<Cell<'s>>
    where
        'a: 's,
    {
        let index = row - self.start;
        if self.chunk.validity().is_some_and(|validity| !validity.get_bit(index)) {
            return None;
        }
        let view = &self.chunk.views()[index];
        let len = view.length as usize;
        if len <= INLINE {
            // The length, then the bytes.
            scratch.inline[..16].copy_from_slice(&view.as_u128().to_le_bytes());
            return Some(Cell(&scratch.inline[4..4 + len + PADDING]));
        }
        let (buffer, offset) = (&self.chunk.data_buffers()[view.buffer_idx as usize], view.offset as usize);
        match buffer.get(offset..offset + len + PADDING) {
            Some(bytes) => Some(Cell(bytes)),
            None => Some(scratch.pad(&buffer[offset..offset + len])),
        }
    }
}

impl<'a> Segment<'a> {
    /// Whether nulls are rare: most runs of rows between them are long.
    pub(super) fn has_long_runs(&self) -> bool {
        self.chunk.null_count() <= self.chunk.len() / 64
    }

    /// The bytes of a row where they stand; `None` if it is null or short, or if its buffer ends with it.
    #[inline(always)]
    pub(super) fn get_in_place(&self, row: usize) -> Option<Cell<'a>> {
        let index = row - self.start;
        let view = &self.chunk.views()[index];
        let len = view.length as usize;
        if len <= INLINE || self.chunk.validity().is_some_and(|validity| !validity.get_bit(index)) {
            return None;
        }
        let (buffer, offset) = (&self.chunk.data_buffers()[view.buffer_idx as usize], view.offset as usize);
        buffer.get(offset..offset + len + PADDING).map(Cell)
    }
}

impl Scratch {
    #[cold]
    #[inline(never)]
    fn pad(&mut self, bytes: &[u8]) -> Cell<'_> {
        self.long.clear();
        self.long.extend_from_slice(bytes);
        self.long.extend_from_slice(&[0; PADDING]);
        Cell(&self.long)
    }

    /// The bytes as the datum of a schema `bytes`: behind their length.
    pub(super) fn with_length(&mut self, bytes: &[u8]) -> Cell<'_> {
        self.long.clear();
        let mut rest = 2 * bytes.len() as u64;
        while rest >= 0x80 {
            self.long.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.long.push(rest as u8);
        self.long.extend_from_slice(bytes);
        self.long.extend_from_slice(&[0; PADDING]);
        Cell(&self.long)
    }
}

impl<'a> Cell<'a> {
    /// The row and its padding.
    #[inline(always)]
    pub(super) fn padded(self) -> &'a [u8] {
        self.0
    }

    /// Returns where the row ends in [`Cell::padded`].
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.0.len() - PADDING
    }

    /// The row alone.
    #[inline(always)]
    pub(super) fn row(self) -> &'a [u8] {
        &self.0[..self.len()]
    }

    /// The first sixteen bytes, padding included, the first one lowest.
    #[inline(always)]
    pub(super) fn first_bytes(self) -> u128 {
        self.0.first_chunk().map_or(0, |first| u128::from_le_bytes(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(chunks: &[&[Option<&[u8]>]]) -> Vec<BinaryViewArray> {
        chunks.iter().map(BinaryViewArray::from_slice).collect()
    }

    #[test]
    fn every_row_has_its_bytes_and_padding() {
        let values: Vec<Vec<u8>> = (0..40).map(|len| (0..len).collect()).collect();
        let rows: Vec<Option<&[u8]>> = values.iter().map(|value| Some(value.as_slice())).chain([None]).collect();
        let mut chunks = column(&[&rows, &[], &rows]);
        chunks[2].slice(3, 38);
        let cells = Cells::new(&chunks);
        let expected: Vec<_> = rows.iter().chain(&rows[3..]).collect();
        assert_eq!(cells.len(), expected.len());
        let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
        for (row, &&expected) in expected.iter().enumerate() {
            let cell = cells.get(row, &mut scratch);
            assert_eq!(cell.map(Cell::row), expected, "{row}");
            if let Some(cell) = cell {
                assert_eq!(cell.padded().len(), cell.len() + PADDING);
                assert_eq!(cell.first_bytes().to_le_bytes()[..cell.len().min(16)], cell.row()[..cell.len().min(16)]);
            }
        }
        for bounds in [0..expected.len(), 5..50, 41..41, 40..42, 0..0] {
            let seen: Vec<_> = cells
                .segments(bounds.clone())
                .flat_map(|segment| {
                    let rows = segment.rows.clone();
                    let get = |row| segment.get(row, &mut other).map(|cell| cell.row().to_vec());
                    rows.map(get).collect::<Vec<_>>()
                })
                .collect();
            let wanted: Vec<_> = expected[bounds].iter().map(|row| row.map(<[u8]>::to_vec)).collect();
            assert_eq!(seen, wanted);
        }
    }

    #[test]
    fn a_length_in_front_is_a_varint() {
        let bytes = vec![7; 300];
        let mut scratch = Scratch::default();
        let cell = scratch.with_length(&bytes);
        assert_eq!((&cell.row()[..2], cell.len()), ([0xd8, 0x04].as_slice(), 302));
    }
}
