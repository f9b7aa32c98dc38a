//! What one thread decodes at a time.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::files::{BadBlock, OpenFile};

/// Something that one thread decodes.
pub(crate) enum TaskKind {
    /// Whole blocks.
    Blocks(Blocks),
    /// Some records of a large block.
    RecordRun(RecordRun),
    /// No rows: a report.
    BadBlock(BadBlock),
}

impl TaskKind {
    /// The blocks of it, if it is whole ones.
    pub(crate) fn slices(&self) -> &[BlockSlice] {
        match self {
            Self::Blocks(blocks) => &blocks.slices,
            Self::RecordRun(_) | Self::BadBlock(_) => &[],
        }
    }

    /// The bytes that the task holds, so that they can be used again.
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
    /// Number of the file's first row in the read.
    pub(crate) base: u64,
    pub(crate) kind: TaskKind,
}

/// Blocks that stand one behind the other.
pub(crate) struct Blocks {
    pub(crate) window: Buffer<u8>,
    /// Bytes of the file that follow those of the window, which the task fetches.
    pub(crate) missing: Range<u64>,
    pub(crate) slices: Vec<BlockSlice>,
    /// Where the part of the file ends that is read.
    pub(crate) stop: u64,
}

/// One block.
pub(crate) struct BlockSlice {
    pub(crate) frame: BlockFrame,
    /// Where the block's data and sync marker are in the window.
    pub(crate) range: Range<usize>,
    /// Number of the block's first row in the file.
    pub(crate) first_row: u64,
    /// Rows to leave out, then rows to take.
    pub(crate) skip: u64,
    pub(crate) take: u64,
}

/// A run of records inside a decompressed block.
pub(crate) struct RecordRun {
    pub(crate) frame: BlockFrame,
    pub(crate) data: Buffer<u8>,
    pub(crate) start: usize,
    /// Where the run ends; `None` where it cannot be decoded to its end.
    pub(crate) stop: Option<usize>,
    /// Bytes of the block after `data`, if this is its last run.
    pub(crate) behind: Option<u64>,
    /// The block's compressed stream has no end, though all of its rows.
    pub(crate) is_unfinished: bool,
    pub(crate) first_row: u64,
    /// Number of the first record in its block.
    pub(crate) record: u64,
    pub(crate) n: u64,
}
