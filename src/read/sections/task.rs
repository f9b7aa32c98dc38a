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
}

/// A task of one of the files of a read.
pub(crate) struct FileTask {
    pub(crate) file: Arc<OpenFile>,
    pub(crate) plan: Plan,
    /// The bytes of the blocks or of the records.
    pub(crate) bytes: Buffer<u8>,
    pub(crate) kind: TaskKind,
}

/// Consecutive blocks.
pub(crate) struct Blocks {
    /// The byte range of the file after the bytes that the task must fetch.
    pub(crate) missing: Range<u64>,
    pub(crate) slices: Vec<BlockSlice>,
    /// The end of the byte range that is read.
    pub(crate) stop: u64,
}

/// One block.
pub(crate) struct BlockSlice {
    pub(crate) frame: BlockFrame,
    /// The range of the block's data and sync marker in the bytes of the task.
    pub(crate) range: Range<usize>,
    /// The number of the block's first row in the read.
    pub(crate) first_row: u64,
    /// The number of rows to skip, then the number of rows to take.
    pub(crate) skip: u64,
    pub(crate) take: u64,
}

/// A run of records inside a large block.
pub(crate) struct RecordRun {
    pub(crate) frame: BlockFrame,
    /// The offset of the first record in the bytes of the task.
    pub(crate) start: usize,
    /// The end of the run; `None` if it cannot be decoded to its end.
    pub(crate) stop: Option<usize>,
    /// The number of bytes of the block after those of the task, if this is its last run.
    pub(crate) behind: Option<u64>,
    pub(crate) stream_end: StreamEnd,
    pub(crate) first_row: u64,
    /// The number of the first record in its block.
    pub(crate) record: u64,
    pub(crate) n: u64,
}
