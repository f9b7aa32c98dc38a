//! Stretches: long parts of a file, each read by one thread without a turn.
//!
//! Nobody has walked to where a stretch begins. Its first block is taken to be behind the first sync marker in its bytes, and
//! where it ends is found in the same way. But such a marker may be a part of a value. So a stretch counts only if the one
//! before ends just where it begins, which the consumer checks; the first one begins where the walk has come to.

use std::ops::Range;
use std::sync::Arc;

use super::{BlockStream, FileList, FileTask, Wanted};
use crate::Result;
use crate::container::SYNC_BYTES;
use crate::plan::Plan;
use crate::read::blocks::SyncScanner;
use crate::read::fetch::BufferPool;
use crate::read::files::OpenFile;
use crate::read::settings::ReadSettings;

/// Least and most bytes of a stretch.
const STRETCH_BYTES: Range<u64> = 128 << 10..32 << 20;

/// Most bytes on one thread, where a signal waits for the end of the stretch.
const ALONE_BYTES: u64 = 4 << 20;

/// Bytes that are read at once: they stay in the cache until they are decoded. With less, reads are many.
const WINDOW_BYTES: u64 = 96 << 10;

/// What is left of a file to be cut into stretches.
pub(super) struct Stretches {
    bytes: Range<u64>,
    /// Whether a block begins where they do, as far as is known.
    is_known: bool,
}

/// One stretch.
pub(crate) struct Stretch {
    file: Arc<OpenFile>,
    plan: Plan,
    files: Arc<FileList>,
    bytes: Range<u64>,
    /// Whether a block begins at its first byte.
    is_known: bool,
    /// Where the last stretch ends: behind a block.
    stop: u64,
}

/// The blocks of a stretch, piece by piece.
pub(crate) struct StretchBlocks {
    stream: BlockStream,
    file: Arc<OpenFile>,
    pub(crate) plan: Plan,
    files: Arc<FileList>,
    /// Where they stand if the stretch begins and ends where it seems to.
    pub(crate) range: Range<u64>,
}

impl Stretches {
    /// What is left from a block on.
    pub(super) fn new(bytes: Range<u64>) -> Self {
        Self { bytes, is_known: true }
    }

    /// The next one: half of an equal share of what is left, so that all threads end at about the same time.
    pub(super) fn next(&mut self, file: &Arc<OpenFile>, plan: &Plan, files: &Arc<FileList>) -> Option<Stretch> {
        let left = self.bytes.end - self.bytes.start;
        if left == 0 {
            return None;
        }
        let threads = files.settings.threads as u64;
        let most = if threads == 1 { ALONE_BYTES } else { STRETCH_BYTES.end };
        let len = (left / (2 * threads)).clamp(STRETCH_BYTES.start, most).min(left);
        let bytes = self.bytes.start..self.bytes.start + len;
        self.bytes.start = bytes.end;
        let (is_known, stop) = (std::mem::take(&mut self.is_known), self.bytes.end);
        Some(Stretch { file: file.clone(), plan: plan.clone(), files: files.clone(), bytes, is_known, stop })
    }
}

impl Stretch {
    /// Where it begins, if that is known.
    pub(crate) fn known_start(&self) -> Option<u64> {
        self.is_known.then_some(self.bytes.start)
    }

    pub(crate) fn buffers(&self) -> Arc<BufferPool> {
        self.files.buffers.clone()
    }

    /// Finds its blocks.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn open(self) -> Result<StretchBlocks> {
        let Self { file, plan, files, bytes, is_known, stop } = self;
        let behind_marker = |offset| {
            let marker = SyncScanner::new(&*file.source, &file.header.sync).marker(offset)?;
            Result::Ok(marker.map_or(stop, |marker| stop.min(marker + SYNC_BYTES as u64)))
        };
        let start = if is_known { bytes.start } else { behind_marker(bytes.start)? };
        let range = start..behind_marker(bytes.end)?.max(start);
        let settings = ReadSettings { threads: 1, window_bytes: WINDOW_BYTES, ..files.settings };
        let wanted = Wanted { blocks: range.clone(), rows: 0..u64::MAX };
        let (counters, buffers) = (files.counters.clone(), files.buffers.clone());
        let stream = BlockStream::new(file.clone(), plan.clone(), settings, wanted, counters, buffers);
        Ok(StretchBlocks { stream, file, plan, files, range })
    }
}

impl StretchBlocks {
    /// The next piece, with all of its bytes.
    ///
    /// # Errors
    /// Where it cannot be read, or a block header is damaged: or nothing is wrong but where the stretch seems to begin.
    pub(crate) fn next(&mut self) -> Result<Option<FileTask>> {
        let task = self.stream.next_task()?;
        // A block that reaches into the next stretch: one of them does not begin where it seems to.
        let Some(task) = task.filter(|_| self.stream.offset() <= self.range.end) else { return Ok(None) };
        let (file, plan, mut complete) = (self.file.clone(), self.plan.clone(), Vec::with_capacity(1));
        self.files.complete(FileTask { file, plan, base: 0, task }, &mut complete)?;
        Ok(complete.pop())
    }

    /// Bytes of the file before the next piece and behind it.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let offset = self.stream.offset();
        (offset - self.range.start, self.range.end.saturating_sub(offset))
    }

    /// Whether the last block ended where the stretch seems to end.
    pub(crate) fn is_closed(&self) -> bool {
        self.stream.offset() == self.range.end
    }
}
