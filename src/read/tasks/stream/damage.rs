//! What is looked at before a block is believed whose damage is no error, and what comes of it.

use std::sync::Arc;

use super::{BlockStream, LargeBlock};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::read::blocks::SyncScanner;
use crate::read::fetch::{self, BufferPool, Window};
use crate::read::files::{BadBlock, OpenFile, is_damage};
use crate::read::stats::Counters;
use crate::read::tasks::Task;
use crate::{Error, Result};

impl BlockStream {
    /// Checks the marker before anything believes the block's size.
    pub(super) fn check_marker(&self, frame: &BlockFrame) -> Result<()> {
        let OpenFile { source, header, .. } = &*self.file;
        let found = match self.window.from(frame.data.end).get(..SYNC_BYTES) {
            Some(found) => frame.check_sync(found, &header.sync),
            None => frame.check_sync(&fetch::bytes_at(&**source, frame.data.end, SYNC_BYTES)?, &header.sync),
        };
        found.map_err(|error| error.in_file(source.name()))
    }

    /// Passes over what is wrong at the next block, if the caller wants that.
    pub(super) fn lost(&mut self, error: Error) -> Result<Task> {
        if !self.settings.ignore_errors || !is_damage(&error) {
            return Err(error);
        }
        let OpenFile { source, header, .. } = &*self.file;
        self.offset = SyncScanner::new(&**source, &header.sync).resume_after(self.offset)?;
        self.index += 1;
        Ok(Task::BadBlock(BadBlock::new(error, None, &self.file)))
    }

    /// Whether a block has more bytes than one may that is decompressed, and is lost whole: it is in memory whole then.
    pub(super) fn is_oversized(&self, frame: &BlockFrame) -> bool {
        let OpenFile { header, limits, .. } = &*self.file;
        let bytes = frame.data.end - frame.data.start;
        self.settings.ignore_errors && header.codec.is_identity() && bytes > limits.block_bytes as u64
    }

    /// Walks over the records of such a block first: bytes that a header claims, and that no record has, cost no memory.
    pub(super) fn walk_over(&self, frame: &BlockFrame) -> Result<()> {
        if !self.is_oversized(frame) {
            return Ok(());
        }
        let (buffers, counters) = (Arc::new(BufferPool::new(1)), Arc::new(Counters::default()));
        let mut window = Window::new(buffers.clone(), counters.clone());
        LargeBlock::open(&self.file, frame.clone(), self.row, (0, frame.rows), &mut window, &counters, buffers)
            .and_then(|block| block.walk_over(&self.file, &self.plan, &mut window, self.settings.strict))
    }
}
