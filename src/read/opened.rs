//! What every part of a read knows of its file.

use std::ops::Range;
use std::sync::Arc;

use super::stats::Held;
use super::survey::{Place, Surveyed};
use crate::container::{BlockFrame, Header};
use crate::plan::Schemas;
use crate::source::Source;
use crate::{Error, Limits, Result};

/// A file whose header has been read.
pub(super) struct Opened {
    /// Which of the read's files it is.
    pub(super) number: usize,
    pub(super) source: Arc<dyn Source>,
    pub(super) header: Header,
    pub(super) schemas: Schemas,
    pub(super) limits: Limits,
    pub(super) surveyed: Arc<Surveyed>,
    /// The file counts as open while this is there.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(super) held: Option<Held>,
}

impl Opened {
    /// From where to where its blocks stand.
    pub(super) fn blocks(&self) -> Range<u64> {
        self.header.size..self.source.size()
    }

    /// Where a block begins from which it is not far to this row, if one is known.
    pub(super) fn place_before(&self, row: u64) -> Option<Place> {
        self.surveyed.place(&*self.source, &self.header, row)
    }

    /// The block at `offset`, whose first bytes are `bytes`.
    pub(super) fn frame(&self, offset: u64, index: u64, bytes: &[u8]) -> Result<BlockFrame> {
        let shorter = || Error::data("the file became shorter while it was read").at(|p| p.offset = Some(offset));
        let frame = BlockFrame::parse(bytes, index, offset, self.source.size());
        frame.and_then(|frame| frame.ok_or_else(shorter)).map_err(|error| error.in_file(self.source.name()))
    }
}
