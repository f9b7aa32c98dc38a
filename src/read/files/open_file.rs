//! What every part of a read knows of its file.

use std::ops::Range;
use std::sync::Arc;

use super::ResolvedSchemas;
use crate::container::{BlockFrame, Header};
use crate::read::blocks::{BlockWalk, IndexEntry, SharedBlockIndex};
use crate::read::stats::Held;
use crate::source::Source;
use crate::{Error, Limits, Result};

/// A file whose header has been read.
pub(crate) struct OpenFile {
    /// Which of the read's files it is.
    pub(crate) number: usize,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) header: Header,
    pub(crate) resolved: Arc<ResolvedSchemas>,
    pub(crate) limits: Limits,
    pub(crate) index: Arc<SharedBlockIndex>,
    /// The file counts as open while this is there.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(crate) held: Option<Held>,
}

impl OpenFile {
    /// From where to where its blocks stand.
    pub(crate) fn blocks(&self) -> Range<u64> {
        self.header.size..self.source.size()
    }

    /// Where a block begins from which it is not far to this row, if one is known.
    pub(crate) fn entry_before(&self, row: u64) -> Option<IndexEntry> {
        self.index.entry(&*self.source, &self.header, row)
    }

    /// Where the block of this row begins, from one before it on, by the headers alone; where they are damaged, if they are.
    pub(crate) fn skip(&self, mut entry: IndexEntry, row: u64) -> IndexEntry {
        // Jumping costs a request far away.
        if self.source.is_remote() {
            return entry;
        }
        let mut walk = BlockWalk::behind(self.header.sync, entry.offset);
        while let Ok(Some(frame)) = walk.next_frame(&*self.source)
            && entry.rows.saturating_add(frame.rows) <= row
        {
            entry = IndexEntry { offset: frame.end(), blocks: entry.blocks + 1, rows: entry.rows + frame.rows };
        }
        entry
    }

    /// The block at `offset`, whose first bytes are `bytes`.
    pub(crate) fn frame(&self, offset: u64, index: u64, bytes: &[u8]) -> Result<BlockFrame> {
        let shorter = || Error::data("the file became shorter while it was read").at(|p| p.offset = Some(offset));
        let frame = BlockFrame::parse(bytes, index, offset, self.source.size());
        frame.and_then(|frame| frame.ok_or_else(shorter)).map_err(|error| error.in_file(self.source.name()))
    }
}
