//! The rows of a Binary column, each with padding after it.

use std::ops::Range;

use polars_arrow::array::{Array, BinaryViewArray, View};

use super::zlib::Inflater;
use crate::binary::{Fault, PADDING};

/// The maximum size of a value that is stored in its view.
const INLINE: usize = View::MAX_INLINE_SIZE as usize;

/// A Binary column in chunks.
pub(super) struct Cells<'a> {
    chunks: &'a [BinaryViewArray],
    /// The first row of each chunk, and the end of the last.
    starts: Vec<usize>,
}

/// Rows of one chunk.
pub(super) struct Segment<'a> {
    chunk: &'a BinaryViewArray,
    /// The index in the column of the chunk's first row.
    start: usize,
    pub(super) rows: Range<usize>,
}

/// The bytes of a row, followed by `PADDING` bytes of any content.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a>(&'a [u8]);

/// Memory for a copy of a row that has no padding in its buffer.
#[derive(Default)]
pub(super) struct Scratch {
    inline: [u8; INLINE + 4 + PADDING],
    long: Vec<u8>,
    inflater: Option<Box<Inflater>>,
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

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.starts[self.chunks.len()]
    }

    /// Returns the parts of the chunks that have these rows.
    pub(super) fn segments(&self, rows: Range<usize>) -> impl Iterator<Item = Segment<'a>> {
        let first = self.starts.partition_point(|&start| start <= rows.start).saturating_sub(1);
        let bounds = self.starts[first..].windows(2).map(|bounds| bounds[0]..bounds[1]);
        self.chunks[first.min(self.chunks.len())..].iter().zip(bounds).map_while(move |(chunk, bounds)| {
            let within = rows.start.max(bounds.start)..rows.end.min(bounds.end);
            (bounds.start < rows.end).then_some(Segment { chunk, start: bounds.start, rows: within })
        })
    }

    /// Returns the bytes of one row; `None` if it is null.
    pub(super) fn get<'s>(&self, row: usize, scratch: &'s mut Scratch) -> Option<Cell<'s>>
    where
        'a: 's,
    {
        self.segments(row..row + 1).find(|segment| !segment.rows.is_empty())?.get(row, scratch)
    }
}

impl<'a> Segment<'a> {
    /// Returns the bytes of a row of the segment; `None` if it is null.
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
        if view.is_inline() {
            return Some(scratch.unpack(view));
        }
        let buffer = &*self.chunk.data_buffers()[view.buffer_idx as usize];
        Some(
            cell_in(buffer, view)
                .unwrap_or_else(|| scratch.pad(&buffer[view.offset as usize..][..view.length as usize])),
        )
    }

    /// Returns true if nulls are rare, so that most runs of rows between them are long.
    pub(super) fn has_long_runs(&self) -> bool {
        self.chunk.null_count() <= self.chunk.len() / 64
    }

    /// Returns the buffer of the first row, and the rows in it with their offsets. They end before a row that is null,
    /// inline or in another buffer, or that has no padding after it.
    #[inline(always)]
    pub(super) fn in_place(&self, rows: Range<usize>) -> (&'a [u8], impl Iterator<Item = (usize, Cell<'a>)>) {
        let (start, validity) = (rows.start - self.start, self.chunk.validity());
        let views = &self.chunk.views()[start..rows.end - self.start];
        let number = views.first().filter(|view| !view.is_inline()).map_or(0, |view| view.buffer_idx);
        let buffer = self.chunk.data_buffers().get(number as usize).map_or(&[][..], |buffer| buffer);
        let cells = views.iter().enumerate().map_while(move |(i, view)| {
            let valid = validity.is_none_or(|validity| validity.get_bit(start + i));
            let stands = valid && !view.is_inline() && view.buffer_idx == number;
            Some((view.offset as usize, cell_in(buffer, view).filter(|_| stands)?))
        });
        (buffer, cells)
    }
}

/// Returns the bytes of a view that is not inline; `None` if its buffer has no padding after them.
#[inline(always)]
fn cell_in<'a>(buffer: &'a [u8], view: &View) -> Option<Cell<'a>> {
    let (start, len) = (view.offset as usize, view.length as usize);
    buffer.get(start..start + len + PADDING).map(Cell)
}

impl Scratch {
    /// Returns the bytes of an inline view.
    #[inline(always)]
    fn unpack(&mut self, view: &View) -> Cell<'_> {
        // The length, then the bytes.
        self.inline[..16].copy_from_slice(&view.as_u128().to_le_bytes());
        Cell(&self.inline[4..4 + view.length as usize + PADDING])
    }

    #[cold]
    #[inline(never)]
    fn pad(&mut self, bytes: &[u8]) -> Cell<'_> {
        self.long.clear();
        self.long.extend_from_slice(bytes);
        self.long.extend_from_slice(&[0; PADDING]);
        Cell(&self.long)
    }

    /// Returns the content of a datum that is compressed with zlib; `limit` bounds its size.
    #[inline(never)]
    pub(super) fn inflate(&mut self, datum: &[u8], limit: usize) -> Result<Cell<'_>, Fault> {
        self.inflater.get_or_insert_default().inflate(datum, limit)
    }

    /// Returns the bytes as a datum of the schema `bytes`: with a length prefix.
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
    /// Returns the cell of bytes that end with `PADDING` bytes.
    pub(super) fn new(padded: &'a [u8]) -> Self {
        Self(padded)
    }

    /// Returns the row and its padding.
    #[inline(always)]
    pub(super) fn padded(self) -> &'a [u8] {
        self.0
    }

    /// Returns the length of the row without its padding.
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.0.len() - PADDING
    }

    /// Returns the row without its padding.
    #[inline(always)]
    pub(super) fn row(self) -> &'a [u8] {
        &self.0[..self.len()]
    }

    /// Returns the first sixteen bytes, including padding, as a little-endian number.
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

    /// Returns one chunk with two buffers.
    fn joined(first: &BinaryViewArray, second: &BinaryViewArray) -> BinaryViewArray {
        let later = second.views().iter().map(|&view| View { buffer_idx: view.buffer_idx + 1, ..view });
        let views: Vec<_> = first.views().iter().copied().chain(later).collect();
        let buffers: Vec<_> = [first, second].iter().flat_map(|chunk| chunk.data_buffers().iter().cloned()).collect();
        let validity = first.iter().chain(second.iter()).map(|row| row.is_some()).collect();
        BinaryViewArray::try_new(first.dtype().clone(), views.into(), buffers.into(), Some(validity)).unwrap()
    }

    #[test]
    fn rows_in_place_are_those_of_one_buffer() {
        let long = |i: u8| Some([i; 20]);
        // The last row of a buffer has no padding after it.
        let first = BinaryViewArray::from_slice([long(0), long(1), None, long(3), long(4)]);
        let second = BinaryViewArray::from_slice([long(5), long(6), long(7)]);
        let chunks = [first.clone(), joined(&first, &second)];
        let cells = Cells::new(&chunks);
        let segments: Vec<_> = cells.segments(0..cells.len()).collect();
        for (segment, from, expected) in [
            (0, 0, vec![0, 1]),
            (0, 2, vec![]),
            (0, 3, vec![3]),
            (0, 4, vec![]),
            (1, 5 + 3, vec![3]),
            (1, 5 + 5, vec![5, 6]),
        ] {
            let (buffer, found) = segments[segment].in_place(from..segments[segment].rows.end);
            let found: Vec<_> = found.collect();
            assert_eq!(found.iter().map(|(_, cell)| cell.row()[0]).collect::<Vec<_>>(), expected, "{segment} {from}");
            for (start, cell) in found {
                assert_eq!(&buffer[start..start + cell.len()], cell.row());
            }
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
