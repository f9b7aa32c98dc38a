//! A section: the byte ranges that one thread reads at a time.

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
    /// True for the first piece of its file.
    pub(super) is_first: bool,
    /// The decompressed block that the range is in, if it is not a range of the file.
    pub(super) inside: Option<DecompressedBlock>,
    /// A hint about the records in the range, if it is inside a large block.
    pub(super) records: Option<RecordHint>,
}

/// The data of a block, in memory.
#[derive(Clone)]
pub(super) struct DecompressedBlock {
    pub(super) index: u64,
    pub(super) source: Arc<dyn Source>,
    /// The end of the data, without its padding.
    pub(super) stop: u64,
}
