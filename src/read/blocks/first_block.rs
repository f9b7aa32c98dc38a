//! The number of a range's first block.

use std::sync::Arc;

use super::splits::walk_past_damage;
use crate::{Error, Header, Source};

/// The first block of a byte range. Its index in the file is computed when an error needs it.
pub(crate) struct FirstBlock {
    source: Arc<dyn Source>,
    header: Header,
    offset: u64,
    index: Option<u64>,
}

impl FirstBlock {
    /// Creates the first block from its offset.
    pub(crate) fn new(source: Arc<dyn Source>, header: Header, offset: u64) -> Self {
        Self { source, header, offset, index: None }
    }

    /// Renumbers the block of an error: changes an index in the range to an index in the file.
    pub(crate) fn renumber(&mut self, error: Error) -> Error {
        if error.position().block.is_none() {
            return error;
        }
        if self.index.is_none() {
            self.index = walk_past_damage(self.offset, &*self.source, &self.header).ok().map(|(_, index)| index);
        }
        // If the blocks before cannot be read, only the offset identifies the block.
        error.at(|position| position.block = self.index.zip(position.block).map(|(first, block)| first + block))
    }
}
