//! The number of a range's first block.

use std::sync::Arc;

use super::splits::walk_past_damage;
use crate::{Error, Header, Source};

/// The first block of a part, whose index in the file is found out when a report needs it.
pub(crate) struct FirstBlock {
    source: Arc<dyn Source>,
    header: Header,
    offset: u64,
    index: Option<u64>,
}

impl FirstBlock {
    /// The block at `offset`.
    pub(crate) fn new(source: Arc<dyn Source>, header: Header, offset: u64) -> Self {
        Self { source, header, offset, index: None }
    }

    /// Numbers the block of an error, which counts from the part's first, from the file's first.
    pub(crate) fn renumber(&mut self, error: Error) -> Error {
        if error.position().block.is_none() {
            return error;
        }
        if self.index.is_none() {
            self.index = walk_past_damage(self.offset, &*self.source, &self.header).ok().map(|(_, index)| index);
        }
        // Where the blocks before cannot be read, the offset alone says which block it is.
        error.at(|position| position.block = self.index.zip(position.block).map(|(first, block)| first + block))
    }
}
