//! Cuts files into sections. Does arithmetic only, because the lock of the queue is held meanwhile.

use std::ops::Range;
use std::sync::Arc;

use super::cursor::Cursor;
use super::file_list::{FileList, FileSlot};
use super::section::{Piece, Section};
use crate::Result;
use crate::read::settings::{GROWTH, READ_BYTES, SECTION_BYTES};
use crate::read::stats::add;

/// The maximum number of files of a section: all of them are open while it is read.
const MOST_FILES: usize = 256;

/// The remaining input of a read.
pub(crate) struct SectionQueue {
    list: Arc<FileList>,
    /// The maximum number of bytes of the next section.
    ramp: u64,
    /// The file that is cut, and the offset of its next section.
    slot: Arc<FileSlot>,
    offset: u64,
    is_first: bool,
    /// The offset of the next section in the decompressed block that the cursor is in, which is cut first.
    inside: u64,
    /// The cursor after the last turn.
    pub(crate) cursor: Cursor,
}

impl SectionQueue {
    /// Creates a queue of the sections of these files. They have `total` bytes, or the maximum if that is not known.
    ///
    /// # Errors
    /// If the file with the first wanted row cannot be opened.
    pub(crate) fn new(list: Arc<FileList>, rows: Range<u64>, total: u64) -> Result<Self> {
        let (mut at, mut base) = (0, 0_u64);
        // A file without rows is read all the same if no row is skipped: its blocks may have bytes.
        while list.blocks.is_none()
            && base < rows.start
            && let Some((blocks, counted)) = list.files.get(at).and_then(|entry| entry.counted())
            && base.saturating_add(counted) <= rows.start
        {
            add(&list.counters.blocks_skipped, blocks);
            base = base.saturating_add(counted);
            at += 1;
        }
        let slot = FileSlot::new(at);
        let mut start = None;
        if rows.start > base && list.blocks.is_none() && at < list.files.len() {
            start = slot.open(&list)?.file.start_of(rows.start - base);
            add(&list.counters.blocks_skipped, start.map_or(0, |entry| entry.blocks));
        }
        let offset = start.map(|entry| entry.offset).or(list.blocks.as_ref().map(|blocks| blocks.start)).unwrap_or(0);
        // This few bytes are not worth two sections, unless it is known that not all rows are wanted.
        let is_small = rows.end == u64::MAX && total <= SECTION_BYTES.start;
        let ramp = if is_small { u64::MAX } else { READ_BYTES };
        let cursor = Cursor::new(slot.clone(), base, rows, start);
        Ok(Self { list, ramp, slot, offset, is_first: true, inside: 0, cursor })
    }

    /// Takes the next section; `None` if there is none, at least until the cursor has advanced.
    pub(crate) fn reserve(&mut self) -> Option<Section> {
        if self.cursor.is_over() {
            return None;
        }
        let section = self.inside_section().or_else(|| self.file_section())?;
        self.ramp = self.ramp.saturating_mul(GROWTH);
        Some(section)
    }

    /// Updates the cursor at the end of a turn.
    pub(crate) fn publish(&mut self, cursor: Cursor) {
        if cursor.inside_index().is_some() && cursor.inside_index() != self.cursor.inside_index() {
            // Sections that were cut after this block, before it was known to be large, are void.
            (self.slot, self.offset, self.is_first) = (cursor.slot.clone(), cursor.offset, false);
            self.inside = 0;
        }
        self.cursor = cursor;
    }

    /// Returns the next section of the decompressed block that the cursor is in.
    fn inside_section(&mut self) -> Option<Section> {
        let (start, cursor) = (self.inside, &self.cursor);
        let block = cursor.decompressed().filter(|block| start < block.data.end)?;
        let end = block.data.end.min(start + self.section_bytes(block.data.end - start));
        let (inside, records) = (Some(block.decompressed()), Some(block.hint(start)));
        let piece = Piece { inside, records, ..Piece::new(cursor.slot.clone(), start..end) };
        self.inside = end;
        Some(Section { pieces: vec![piece] })
    }

    /// Returns the next section of a file, or one of as many small files as fit into a section.
    fn file_section(&mut self) -> Option<Section> {
        let (mut pieces, mut room) = (Vec::new(), None);
        self.catch_up();
        while let Some(entry) = self.list.files.get(self.slot.at).cloned() {
            let size = self.list.blocks.as_ref().map(|blocks| blocks.end).or_else(|| entry.known_size());
            // If the size of a file is unknown, one section is read first, which opens the file.
            let end = size.unwrap_or(if self.is_first { u64::MAX } else { self.offset });
            let left = end.saturating_sub(self.offset);
            if left == 0 && !self.is_first {
                if size.is_none() {
                    break;
                }
                self.next_file();
                continue;
            }
            let most = *room.get_or_insert_with(|| self.section_bytes(left));
            let is_whole = self.is_first && left <= most && entry.is_small();
            if pieces.len() == MOST_FILES || (!pieces.is_empty() && !is_whole) || self.is_ahead() {
                break;
            }
            let len = left.min(most);
            pieces.push(self.piece(len));
            room = Some(most - len);
            // Rows of the next file may not be wanted.
            if !is_whole || self.cursor.rows.end != u64::MAX {
                break;
            }
            self.next_file();
        }
        (!pieces.is_empty()).then_some(Section { pieces })
    }

    fn piece(&mut self, len: u64) -> Piece {
        let mut range = self.offset..self.offset.saturating_add(len);
        let is_here = self.slot.at == self.cursor.slot.at;
        let block = self.cursor.in_file().filter(|block| is_here && range.start < block.data.end);
        range.end = range.end.min(block.map_or(u64::MAX, |block| block.data.end));
        let records = block.map(|block| block.hint(range.start));
        self.offset = range.end;
        let is_first = std::mem::take(&mut self.is_first);
        Piece { is_first, records, ..Piece::new(self.slot.clone(), range) }
    }

    /// Skips bytes that the cursor has passed already: a block may end after its section.
    fn catch_up(&mut self) {
        if self.slot.at == self.cursor.slot.at && !self.is_first {
            self.offset = self.offset.max(self.cursor.position());
        }
    }

    /// Returns true if the rows that begin here are likely not to be wanted.
    fn is_ahead(&self) -> bool {
        let is_same = self.slot.at == self.cursor.slot.at && !self.is_first;
        let between = if is_same { self.offset.saturating_sub(self.cursor.position()) } else { 0 };
        let is_known = self.cursor.pace.rows > 0 || self.cursor.rows.end == u64::MAX;
        between > 0
            && (!is_known
                || self.cursor.next_row().saturating_add(self.cursor.pace.rows_in(between)) >= self.cursor.rows.end)
    }

    fn next_file(&mut self) {
        (self.slot, self.offset, self.is_first) = (FileSlot::new(self.slot.at + 1), 0, true);
    }

    /// Returns the number of bytes of the next section, if `left` bytes are left of the file.
    fn section_bytes(&self, left: u64) -> u64 {
        let files_after = (self.list.files.len() - self.slot.at - 1) as u64;
        let left = left.saturating_add(files_after.saturating_mul(SECTION_BYTES.end));
        let wanted = self.cursor.rows.end.saturating_sub(self.cursor.next_row());
        self.list.settings.section_bytes(left, wanted, self.ramp, self.cursor.pace)
    }
}
