//! A section: what one thread reads at a time.

use std::ops::Range;
use std::sync::Arc;

use super::file_list::FileSlot;
use super::record_path::RecordHint;
use crate::source::Source;

/// Byte ranges that one thread reads: one of a large file, or several small files.
pub(crate) struct Section {
    pub(super) pieces: Vec<Piece>,
}

/// A byte range of one file.
pub(super) struct Piece {
    pub(super) slot: Arc<FileSlot>,
    pub(super) range: Range<u64>,
    /// Whether it is the first one of its file.
    pub(super) is_first: bool,
    /// The range is one of a block's decompressed data.
    pub(super) inside: Option<DecompressedBlock>,
    /// What is known of the records in it, if it is inside of a large block.
    pub(super) records: Option<RecordHint>,
}

/// The data of a block, in memory.
#[derive(Clone)]
pub(super) struct DecompressedBlock {
    pub(super) index: u64,
    pub(super) source: Arc<dyn Source>,
    /// Where it ends, without its padding.
    pub(super) stop: u64,
}
