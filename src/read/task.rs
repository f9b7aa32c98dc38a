//! What one thread decodes at a time.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::bad_block::BadBlock;
use super::batch::Batch;
use super::opened::Opened;
use crate::container::BlockFrame;
use crate::plan::Plan;

/// Something that one thread decodes.
pub(super) enum Task {
    /// Whole blocks.
    Blocks(Blocks),
    /// Some records of a large block.
    Rows(Rows),
    /// No rows: a report.
    Lost(BadBlock),
}

impl Task {
    /// The blocks of it, if it is whole ones.
    pub(super) fn pieces(&self) -> &[Piece] {
        match self {
            Self::Blocks(blocks) => &blocks.pieces,
            Self::Rows(_) | Self::Lost(_) => &[],
        }
    }

    /// The bytes that the task holds, so that they can be used again.
    pub(super) fn into_bytes(self) -> Buffer<u8> {
        match self {
            Self::Blocks(blocks) => blocks.window,
            Self::Rows(rows) => rows.data,
            Self::Lost(_) => Buffer::new(),
        }
    }
}

/// A task of one of the files of a read.
pub(super) struct Part {
    pub(super) file: Arc<Opened>,
    pub(super) plan: Plan,
    /// Number of the file's first row in the read.
    pub(super) base: u64,
    pub(super) task: Task,
}

/// What a task becomes.
pub(super) enum Item {
    Batch(Batch),
    /// Rows that are left out stood here.
    Lost(BadBlock),
}

/// Blocks that stand one behind the other.
pub(super) struct Blocks {
    pub(super) window: Buffer<u8>,
    pub(super) pieces: Vec<Piece>,
    /// Where the part of the file ends that is read.
    pub(super) stop: u64,
}

/// One block.
pub(super) struct Piece {
    pub(super) frame: BlockFrame,
    /// Where the block's data and sync marker are in the window.
    pub(super) range: Range<usize>,
    /// Number of the block's first row in the file.
    pub(super) first_row: u64,
    /// Rows to leave out, then rows to take.
    pub(super) skip: u64,
    pub(super) take: u64,
}

/// A run of records inside a decompressed block.
pub(super) struct Rows {
    pub(super) frame: BlockFrame,
    pub(super) data: Buffer<u8>,
    pub(super) start: usize,
    /// Where the run ends; `None` where it cannot be decoded to its end.
    pub(super) stop: Option<usize>,
    /// Whether the block ends with this run.
    pub(super) last: bool,
    pub(super) first_row: u64,
    /// Number of the first record in its block.
    pub(super) record: u64,
    pub(super) n: u64,
}
