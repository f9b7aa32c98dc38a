//! Fetches the bytes of a section, if possible outside the turn.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::file_list::{FileList, FileSlot, Opened};
use super::record_path::RecordPath;
use super::section::{Piece, Section};
use crate::binary::PADDING;
use crate::container::MAX_FRAME_BYTES;
use crate::read::fetch;
use crate::{Result, Source};

/// A section and its bytes.
pub(crate) struct FetchedSection {
    pub(super) pieces: Vec<FetchedPiece>,
}

/// A byte range of a file, and its bytes from `start` on. They may be incomplete: because the source ends, or because
/// reading failed. A later read then returns the error.
pub(super) struct FetchedPiece {
    pub(super) piece: Piece,
    pub(super) start: u64,
    pub(super) bytes: Buffer<u8>,
    pub(super) path: Option<RecordPath>,
}

impl Section {
    /// Opens the files and reads the bytes. Remote sources are read in file order, in the turn.
    pub(crate) fn fetch(self, list: &FileList) -> FetchedSection {
        FetchedSection { pieces: self.pieces.into_iter().map(|piece| piece.fetch(list)).collect() }
    }
}

impl Piece {
    fn fetch(self, list: &FileList) -> FetchedPiece {
        let mut fetched = FetchedPiece { start: 0, bytes: Buffer::new(), path: None, piece: self };
        let Piece { slot, inside, range, .. } = &fetched.piece;
        if list.files[slot.at].is_remote() && inside.is_none() {
            return fetched;
        }
        let (slot, start) = (slot.clone(), range.start);
        if let Some(opened) = slot.try_open(list) {
            let _ = fetched.fill(opened, list, start);
        }
        let FetchedPiece { piece, bytes, start, .. } = &fetched;
        fetched.path = piece.records.as_ref().and_then(|hint| {
            let end = usize::try_from(piece.range.end - start).ok()?;
            RecordPath::find(hint, *start, bytes, end)
        });
        fetched
    }

    /// Returns the number of bytes after the range that are fetched with it, so that a header or record at its end is
    /// complete.
    fn lookahead(&self) -> u64 {
        self.records.as_ref().map_or(MAX_FRAME_BYTES as u64, |hint| hint.lookahead() + PADDING as u64)
    }
}

impl FetchedPiece {
    /// Creates a piece without any bytes.
    pub(super) fn empty(slot: Arc<FileSlot>, range: Range<u64>) -> Self {
        let piece = Piece { slot, range, is_first: false, inside: None, records: None };
        Self { piece, start: 0, bytes: Buffer::new(), path: None }
    }

    /// Reads the bytes from `from` on.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(super) fn fill(&mut self, opened: &Opened, list: &FileList, from: u64) -> Result<()> {
        let Piece { range, inside, .. } = &self.piece;
        let blocks = list.blocks_of(&opened.file);
        let (source, first, stop) = match inside {
            Some(block) => (&block.source, 0, block.source.size()),
            None => (&opened.file.source, blocks.start, blocks.end),
        };
        let (start, end) = (from.max(first), range.end.saturating_add(self.piece.lookahead()).min(stop));
        self.start = start;
        if start < end {
            let len = usize::try_from(end - start).unwrap_or(usize::MAX);
            self.bytes = fetch::pooled(&**source, start, len, &list.buffers)?;
        }
        Ok(())
    }

    /// Replaces the bytes by `len` bytes at `offset`.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(super) fn refill(&mut self, source: &dyn Source, offset: u64, len: u64) -> Result<()> {
        self.bytes = fetch::bytes_at(source, offset, usize::try_from(len).unwrap_or(usize::MAX))?;
        self.start = offset;
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
