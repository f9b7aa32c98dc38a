//! Cuts files into sections. Does arithmetic only, because the lock of the queue is held meanwhile.

use std::ops::Range;
use std::sync::Arc;

use super::cursor::{Cursor, Seen};
use super::file_list::{FileList, FileSlot};
use super::section::{DecompressedBlock, Piece, Section};
use crate::Result;
use crate::read::files::FileEntry;
use crate::read::settings::SectionSizes;
use crate::read::stats::add;

/// The maximum number of files of a section: all of them are open while it is read.
const MOST_FILES: usize = 256;

/// The remaining input of a read.
pub(crate) struct SectionQueue {
    list: Arc<FileList>,
    /// The rows that are wanted.
    rows: Range<u64>,
    sizes: SectionSizes,
    /// The file that is cut, and the offset of its next section.
    slot: Arc<FileSlot>,
    offset: u64,
    is_first: bool,
    /// A decompressed block that is cut first, and the offset of its next section.
    inside: Option<(DecompressedBlock, u64)>,
    /// The last snapshot of the cursor. The cursor itself is absent while a thread has its turn.
    seen: Seen,
    pub(crate) cursor: Option<Cursor>,
}

impl SectionQueue {
    /// Creates a queue of the sections of these files.
    ///
    /// # Errors
    /// If the file with the first wanted row cannot be opened.
    pub(crate) fn new(list: Arc<FileList>, rows: Range<u64>) -> Result<Self> {
        let (mut at, mut base) = (0, 0_u64);
        while list.blocks.is_none()
            && let Some((blocks, counted)) = list.files.get(at).and_then(|entry| entry.counted())
            && base.saturating_add(counted) <= rows.start
        {
            add(&list.counters.blocks_skipped, blocks);
            base = base.saturating_add(counted);
            at += 1;
        }
        let slot = FileSlot::new(at);
        let mut cursor = Cursor::new(slot.clone(), base, rows.clone());
        if rows.start > base && list.blocks.is_none() && at < list.files.len() {
            let opened = slot.open(&list)?;
            cursor.start = opened.file.entry_before(rows.start - base).map(|e| opened.file.skip(e, rows.start - base));
            add(&list.counters.blocks_skipped, cursor.start.map_or(0, |entry| entry.blocks));
        }
        let known = cursor.start.map(|entry| entry.offset).or(list.blocks.as_ref().map(|blocks| blocks.start));
        let bytes = |entry: &Arc<FileEntry>| entry.known_size().unwrap_or(u64::MAX);
        let total = match (&list.blocks, &*list.files) {
            (Some(blocks), _) => blocks.end - blocks.start,
            (None, [entry]) => bytes(entry),
            (None, _) => u64::MAX,
        };
        let sizes = SectionSizes::new(list.settings, total, rows.end);
        let (offset, seen, cursor) = (known.unwrap_or(0), cursor.seen(), Some(cursor));
        Ok(Self { list, rows, sizes, slot, offset, is_first: true, inside: None, seen, cursor })
    }

    /// Takes the next section; `None` if there is none, at least until the cursor has advanced.
    pub(crate) fn reserve(&mut self) -> Option<Section> {
        if self.seen.is_over {
            return None;
        }
        let section = match &self.inside {
            Some((block, offset)) if *offset < block.stop => self.inside_section(block.clone(), *offset),
            _ => self.file_section()?,
        };
        self.sizes.grow();
        Some(section)
    }

    /// Takes the cursor back and updates the snapshot.
    pub(crate) fn publish(&mut self, cursor: Cursor) {
        self.seen = cursor.seen();
        match self.seen.records.as_ref().and_then(|records| records.inside.as_ref()) {
            Some(block) if self.inside.as_ref().is_none_or(|(other, _)| other.index != block.index) => {
                // Sections that were cut after this block, before it was known to be large, are void.
                (self.slot, self.offset, self.is_first) = (self.seen.slot.clone(), self.seen.offset, false);
                self.inside = Some((block.clone(), 0));
            }
            Some(_) => {}
            None => self.inside = None,
        }
        self.cursor = Some(cursor);
    }

    /// Returns the next section of a decompressed block.
    fn inside_section(&mut self, block: DecompressedBlock, offset: u64) -> Section {
        let end = block.stop.min(offset + self.section_bytes(block.stop - offset));
        let records = self.seen.records.as_ref().map(|records| records.hint(offset));
        self.inside = Some((block.clone(), end));
        let (slot, range) = (self.seen.slot.clone(), offset..end);
        Section { pieces: vec![Piece { slot, range, is_first: false, inside: Some(block), records }] }
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
            if !is_whole || self.rows.end != u64::MAX {
                break;
            }
            self.next_file();
        }
        (!pieces.is_empty()).then_some(Section { pieces })
    }

    fn piece(&mut self, len: u64) -> Piece {
        let mut range = self.offset..self.offset.saturating_add(len);
        let records = self.seen.records.as_ref().filter(|records| {
            let is_here = records.inside.is_none() && self.slot.at == self.seen.slot.at;
            is_here && range.start < records.stop
        });
        if let Some(records) = records {
            range.end = range.end.min(records.stop);
        }
        let records = records.map(|records| records.hint(range.start));
        self.offset = range.end;
        let is_first = std::mem::take(&mut self.is_first);
        Piece { slot: self.slot.clone(), range, is_first, inside: None, records }
    }

    /// Skips bytes that the cursor has passed already: a block may end after its section.
    fn catch_up(&mut self) {
        if self.slot.at == self.seen.slot.at && !self.is_first {
            self.offset = self.offset.max(self.seen.offset);
        }
    }

    /// Returns true if the rows that begin here are likely not to be wanted.
    fn is_ahead(&self) -> bool {
        let is_same = self.slot.at == self.seen.slot.at && !self.is_first;
        let between = if is_same { self.offset.saturating_sub(self.seen.offset) } else { 0 };
        let is_known = self.seen.pace.rows > 0 || self.rows.end == u64::MAX;
        between > 0 && (!is_known || self.seen.row.saturating_add(self.seen.pace.rows_in(between)) >= self.rows.end)
    }

    fn next_file(&mut self) {
        (self.slot, self.offset, self.is_first) = (FileSlot::new(self.slot.at + 1), 0, true);
    }

    /// Returns the number of bytes of the next section, if `left` bytes are left of the file.
    fn section_bytes(&self, left: u64) -> u64 {
        let files_after = (self.list.files.len() - self.slot.at - 1) as u64;
        let wanted = self.rows.end.saturating_sub(self.seen.row);
        self.sizes.section(left, files_after, wanted, self.seen.pace)
    }
}
