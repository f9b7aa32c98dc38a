//! Reports on blocks that a read dropped, or that do not end with their rows.

use super::OpenFile;
use crate::container::BlockFrame;
use crate::{Error, ErrorKind};

/// A report on a block, or on a byte range without any block, that was dropped; or on a block whose rows were read although
/// it does not end with them.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let mut bytes = std::fs::read("docs/sample.avro")?;
/// let end = bytes.len();
/// bytes[end - 30] ^= 0xff;
/// let file = ContainerFile::open(bytes, &OpenOptions::default())?;
/// let mut reader = file.read(&ReadOptions::default().with_ignore_errors(true))?;
/// let rows: usize = reader.by_ref().map(|batch| batch.map(|batch| batch.height)).sum::<polars_avro::Result<_>>()?;
/// let bad = reader.take_bad_blocks();
/// assert_eq!(bad.len(), 1);
/// assert_eq!(rows as u64 + bad[0].rows_lost.unwrap(), 300);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BadBlock {
    /// The error; its position has the file, and the index and the offset of the block.
    pub error: Error,
    /// The number of rows lost, from the block's header; `None` if the header is damaged too.
    pub rows_lost: Option<u64>,
    /// True if the block's rows were dropped. If not, all of them were read: bytes are left after them, or the block's
    /// compressed stream does not end with it, or some values were replaced.
    pub is_dropped: bool,
    /// The number of values that became null or text, see [`OpenOptions`](crate::OpenOptions).
    pub values_replaced: u64,
}

impl BadBlock {
    pub(crate) fn new(error: Error, frame: Option<&BlockFrame>, file: &OpenFile) -> Self {
        let rows_lost = frame.map(|frame| frame.rows).filter(|&rows| {
            // A row count that the block cannot hold is part of the damage.
            let bytes = frame.map_or(0, |frame| frame.data.end - frame.data.start);
            rows <= if file.header.codec.is_identity() { bytes } else { file.limits.block_bytes as u64 }
        });
        Self { error, rows_lost, is_dropped: true, values_replaced: 0 }
    }

    /// Creates a report on a block whose rows were all read.
    pub(crate) fn read_whole(error: Error) -> Self {
        Self { error, rows_lost: Some(0), is_dropped: false, values_replaced: 0 }
    }

    /// Creates a report on a block of which some values were replaced.
    pub(crate) fn replaced(values: u64, error: Error) -> Self {
        Self { values_replaced: values, ..Self::read_whole(error) }
    }
}

/// Returns true if an error is about the bytes of a block, and not about reading them.
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Data | ErrorKind::Limit | ErrorKind::Unsupported)
}
