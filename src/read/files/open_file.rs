//! The state shared by all tasks of one file: source, header, schema, limits, block index.

use std::ops::Range;
use std::sync::Arc;

use super::{PlanCache, ResolvedSchemas};
use crate::container::{BlockFrame, Header};
use crate::read::blocks::{BlockWalk, IndexEntry, SharedBlockIndex};
use crate::read::stats::Held;
use crate::source::Source;
use crate::{Error, ErrorKind, Limits, Result, Schema};

/// A file whose header has been read.
pub(crate) struct OpenFile {
    /// The number of the file in its read.
    pub(crate) number: usize,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) header: Header,
    pub(crate) resolved: Arc<ResolvedSchemas>,
    pub(crate) limits: Limits,
    pub(crate) index: Arc<SharedBlockIndex>,
    /// A guard that counts the file as open.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(crate) held: Option<Held>,
}

impl OpenFile {
    /// Reads a file's header and resolves its schema. If `fits_if_empty`, a file without rows fits every schema, as in
    /// Polars.
    pub(crate) fn open(source: Arc<dyn Source>, cache: &PlanCache, fits_if_empty: bool) -> Result<Self> {
        let (limits, index) = (cache.options.limits.clone(), Arc::<SharedBlockIndex>::default());
        let header = Header::read(&*source, &limits)?;
        let resolved = cache.of(&header.schema_json);
        let differs = match &resolved {
            Ok(resolved) => resolved.has_refusals(),
            Err(error) => error.kind() == ErrorKind::Schema,
        };
        let is_empty = || {
            let is_valid = Schema::parse(&header.schema_json, &limits).is_ok();
            is_valid && index.up_to_row(&source, &header, 1).is_ok_and(|index| index.totals().1 == 0)
        };
        let resolved = match cache.own()? {
            Some(own) if fits_if_empty && differs && is_empty() => own.clone(),
            _ => resolved.map_err(|error| error.in_file(source.name()))?,
        };
        Ok(Self { number: 0, source, header, resolved, limits, index, held: None })
    }

    /// Returns the byte range of its blocks.
    pub(crate) fn blocks(&self) -> Range<u64> {
        self.header.size..self.source.size()
    }

    /// Returns the block of this row, if the index has one before it: walks from there, by the headers alone. If one of them
    /// is damaged, returns the block at it.
    pub(crate) fn start_of(&self, row: u64) -> Option<IndexEntry> {
        let mut entry = self.index.entry(&*self.source, &self.header, row)?;
        // A seek costs a request if the source is remote.
        if self.source.is_remote() {
            return Some(entry);
        }
        let mut walk = BlockWalk::behind(self.header.sync, entry.offset);
        while let Ok(Some(frame)) = walk.next_frame(&*self.source)
            && entry.rows.saturating_add(frame.rows) <= row
        {
            entry = IndexEntry { offset: frame.end(), blocks: entry.blocks + 1, rows: entry.rows + frame.rows };
        }
        Some(entry)
    }

    /// Parses the header of the block at `offset`, whose first bytes are `bytes`.
    pub(crate) fn frame(&self, offset: u64, index: u64, bytes: &[u8]) -> Result<BlockFrame> {
        let shorter = || Error::data("the file became shorter while it was read").at(|p| p.offset = Some(offset));
        let frame = BlockFrame::parse(bytes, index, offset, self.source.size());
        frame.and_then(|frame| frame.ok_or_else(shorter)).map_err(|error| error.in_file(self.source.name()))
    }
}
