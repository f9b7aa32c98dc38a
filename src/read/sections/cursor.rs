//! The position of the walk over block headers, which passes from section to section in order.

use std::ops::Range;
use std::sync::Arc;

use super::file_list::{FileList, FileSlot, Opened};
use super::large_block::LargeBlock;
use crate::container::BlockFrame;
use crate::read::blocks::IndexEntry;
use crate::read::settings::Pace;
use crate::read::stats::{Counters, add};

/// The position of a read: the next block, and the number of its first row.
#[derive(Clone)]
pub(crate) struct Cursor {
    pub(super) slot: Arc<FileSlot>,
    /// The number of the file's first row in the read.
    pub(super) base: u64,
    /// The offset of the next block, its index in the file, and the number of its first row in the file.
    pub(super) offset: u64,
    pub(super) index: u64,
    pub(super) row: u64,
    /// The rows of the read that are wanted.
    pub(super) rows: Range<u64>,
    /// The block at which the first file is entered, if not its first.
    start: Option<IndexEntry>,
    /// The large block that the next records are in.
    pub(super) inside: Option<LargeBlock>,
    /// The offset up to which bytes of the file are counted as read.
    counted: u64,
    pub(super) pace: Pace,
    /// True if the rest cannot be read.
    pub(super) has_failed: bool,
}

impl Cursor {
    pub(super) fn new(slot: Arc<FileSlot>, base: u64, rows: Range<u64>, start: Option<IndexEntry>) -> Self {
        let (offset, index, row, inside, counted, pace, has_failed) = <_>::default();
        Self { slot, base, offset, index, row, rows, start, inside, counted, pace, has_failed }
    }

    /// Returns the decompressed block that the next records are in.
    pub(super) fn decompressed(&self) -> Option<&LargeBlock> {
        self.inside.as_ref().filter(|block| block.is_decompressed)
    }

    /// Returns the index of the decompressed block that the next records are in.
    pub(super) fn inside_index(&self) -> Option<u64> {
        self.decompressed().map(|block| block.frame.index)
    }

    /// Returns the uncompressed large block that the next records are in.
    pub(super) fn in_file(&self) -> Option<&LargeBlock> {
        self.inside.as_ref().filter(|block| !block.is_decompressed)
    }

    /// Returns the offset of the next block or record in the file.
    pub(super) fn position(&self) -> u64 {
        self.in_file().map_or(self.offset, |block| block.offset)
    }

    /// Returns the number of the next row in the read.
    pub(super) fn next_row(&self) -> u64 {
        let row = self.base.saturating_add(self.row);
        self.inside.as_ref().map_or(row, LargeBlock::next_row)
    }

    /// Moves to the first block to read of a file.
    pub(super) fn enter(&mut self, slot: &Arc<FileSlot>, opened: &Opened, list: &FileList) {
        let first = list.blocks_of(&opened.file).start;
        let entry = self.start.take().unwrap_or(IndexEntry { offset: first, ..IndexEntry::default() });
        self.slot = slot.clone();
        self.base = self.base.saturating_add(self.row);
        IndexEntry { offset: self.offset, blocks: self.index, rows: self.row } = entry;
        self.counted = 0;
        if entry.offset == opened.file.header.size {
            self.count(0..entry.offset, &list.counters);
        }
    }

    /// Returns the wanted rows of the file.
    pub(super) fn wanted(&self) -> Range<u64> {
        let end = if self.rows.end == u64::MAX { u64::MAX } else { self.rows.end.saturating_sub(self.base) };
        self.rows.start.saturating_sub(self.base)..end
    }

    /// Advances to the next block. If errors are ignored, the row number stays: damaged headers may claim any row count, so
    /// rows are numbered when they are returned.
    pub(super) fn pass(&mut self, frame: &BlockFrame, ignore_errors: bool) {
        self.offset = frame.end();
        self.index += 1;
        if !ignore_errors {
            self.row = self.row.saturating_add(frame.rows);
        }
    }

    /// Returns true if no further row is wanted or can be read.
    pub(super) fn is_over(&self) -> bool {
        let is_wanted = self.rows.end == u64::MAX || self.base.saturating_add(self.row) < self.rows.end;
        self.has_failed || (self.inside.is_none() && !is_wanted)
    }

    /// Counts bytes of the file as read, each of them once. Ranges come in file order.
    pub(super) fn count(&mut self, range: Range<u64>, counters: &Counters) {
        let start = range.start.max(self.counted);
        add(&counters.bytes_read, range.end.saturating_sub(start));
        self.counted = start.max(range.end);
    }
}
