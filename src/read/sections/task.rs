//! Tasks: the units that a thread decodes.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use crate::codec::StreamEnd;
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::files::{BadBlock, OpenFile};

/// The input of one task.
pub(crate) enum TaskKind {
    /// Whole blocks.
    Blocks(Blocks),
    /// Some records of a large block.
    RecordRun(RecordRun),
    /// A report on a bad block, without rows.
    BadBlock(BadBlock),
}

impl TaskKind {
    /// Returns the blocks of the task, if it has whole blocks.
    pub(crate) fn slices(&self) -> &[BlockSlice] {
        match self {
            Self::Blocks(blocks) => &blocks.slices,
            Self::RecordRun(_) | Self::BadBlock(_) => &[],
        }
    }

    /// Returns the buffer of the task, so that it can be reused.
    pub(crate) fn into_bytes(self) -> Buffer<u8> {
        match self {
            Self::Blocks(blocks) => blocks.window,
            Self::RecordRun(rows) => rows.data,
            Self::BadBlock(_) => Buffer::new(),
        }
    }
}

/// A task of one of the files of a read.
pub(crate) struct FileTask {
    pub(crate) file: Arc<OpenFile>,
    pub(crate) plan: Plan,
    /// The number of the file's first row in the read.
    pub(crate) base: u64,
    pub(crate) kind: TaskKind,
}

/// Consecutive blocks.
pub(crate) struct Blocks {
    pub(crate) window: Buffer<u8>,
    /// The byte range of the file after the window that the task must fetch.
    pub(crate) missing: Range<u64>,
    pub(crate) slices: Vec<BlockSlice>,
    /// The end of the byte range that is read.
    pub(crate) stop: u64,
}

/// One block.
pub(crate) struct BlockSlice {
    pub(crate) frame: BlockFrame,
    /// The range of the block's data and sync marker in the window.
    pub(crate) range: Range<usize>,
    /// The number of the block's first row in the file.
    pub(crate) first_row: u64,
    /// The number of rows to skip, then the number of rows to take.
    pub(crate) skip: u64,
    pub(crate) take: u64,
}

/// A run of records inside a large block.
pub(crate) struct RecordRun {
    pub(crate) frame: BlockFrame,
    pub(crate) data: Buffer<u8>,
    pub(crate) start: usize,
    /// The end of the run; `None` if it cannot be decoded to its end.
    pub(crate) stop: Option<usize>,
    /// The number of bytes of the block after `data`, if this is its last run.
    pub(crate) behind: Option<u64>,
    pub(crate) stream_end: StreamEnd,
    pub(crate) first_row: u64,
    /// The number of the first record in its block.
    pub(crate) record: u64,
    pub(crate) n: u64,
}
