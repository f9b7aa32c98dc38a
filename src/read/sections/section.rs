//! Sections: the byte ranges that one thread reads at a time, if possible outside the turn.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::file_list::{FileList, FileSlot, Opened};
use super::record_path::{RecordHint, RecordPath};
use crate::Result;
use crate::binary::PADDING;
use crate::container::MAX_FRAME_BYTES;
use crate::read::fetch;
use crate::source::Source;

/// Byte ranges that one thread reads: one of a large file, or several small files.
pub(crate) struct Section {
    pub(super) pieces: Vec<Piece>,
}

/// A byte range of one file, and its bytes.
pub(super) struct Piece {
    pub(super) slot: Arc<FileSlot>,
    pub(super) range: Range<u64>,
    /// True for the first piece of its file.
    pub(super) is_first: bool,
    /// The decompressed block that the range is in, if it is not a range of the file.
    pub(super) inside: Option<DecompressedBlock>,
    /// A hint about the records in the range, if it is inside a large block.
    pub(super) records: Option<RecordHint>,
    /// The bytes from `start` on. They may be incomplete: because the source ends, or because reading failed. A later read
    /// then returns the error.
    pub(super) start: u64,
    pub(super) bytes: Buffer<u8>,
    pub(super) path: Option<RecordPath>,
}

/// The data of a block, in memory.
pub(super) struct DecompressedBlock {
    pub(super) index: u64,
    pub(super) source: Arc<dyn Source>,
}

impl Section {
    /// Opens the files and reads the bytes. Remote sources are read in file order, in the turn.
    pub(crate) fn fetch(&mut self, list: &FileList) {
        self.pieces.iter_mut().filter(|piece| !piece.is_read_in_turn(list)).for_each(|piece| piece.fetch(list));
    }
}

impl Piece {
    /// Creates a piece without any bytes.
    pub(super) fn new(slot: Arc<FileSlot>, range: Range<u64>) -> Self {
        let (is_first, inside, records, start, bytes, path) = <_>::default();
        Self { slot, range, is_first, inside, records, start, bytes, path }
    }

    /// Returns the index of the decompressed block that the range is in.
    pub(super) fn inside_index(&self) -> Option<u64> {
        self.inside.as_ref().map(|block| block.index)
    }

    pub(super) fn is_read_in_turn(&self, list: &FileList) -> bool {
        self.inside.is_none() && list.files[self.slot.at].is_remote()
    }

    fn fetch(&mut self, list: &FileList) {
        let slot = self.slot.clone();
        let Ok(opened) = slot.try_open(list) else { return };
        let _ = self.fill(opened, list, self.range.start);
        self.path = self.records.as_ref().and_then(|hint| {
            let end = usize::try_from(self.range.end - self.start).ok()?;
            RecordPath::find(hint, self.start, &self.bytes, end)
        });
    }

    /// Reads the bytes from `from` on, and those after the range that complete a header or a record at its end.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(super) fn fill(&mut self, opened: &Opened, list: &FileList, from: u64) -> Result<()> {
        let blocks = list.blocks_of(&opened.file);
        let (source, first, stop) = match &self.inside {
            Some(block) => (&block.source, 0, block.source.size()),
            None => (&opened.file.source, blocks.start, blocks.end),
        };
        let lookahead = self.records.as_ref().map_or(MAX_FRAME_BYTES as u64, |hint| hint.lookahead() + PADDING as u64);
        let (start, end) = (from.max(first), self.range.end.saturating_add(lookahead).min(stop));
        self.start = start;
        if start < end {
            let len = usize::try_from(end - start).unwrap_or(usize::MAX);
            self.bytes = fetch::pooled(&**source, start, len, &list.buffers)?;
        }
        Ok(())
    }

    /// Returns the bytes from `offset` on, which may be none.
    pub(super) fn from(&self, offset: u64) -> &[u8] {
        let skip = offset.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }

    /// Returns the offset of the end of the bytes.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}
