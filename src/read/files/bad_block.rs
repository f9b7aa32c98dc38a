//! Reports on blocks that were left out of a read, or that have more than their rows.

use super::OpenFile;
use crate::container::BlockFrame;
use crate::{Error, ErrorKind};

/// A block, or a stretch of a file in which no block could be found, that was left out; or a block whose rows were read
/// although it does not end with them.
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
    /// What is wrong, and where: the position has the file, the block's number and its offset.
    pub error: Error,
    /// How many rows were lost, by the block's own header; `None` where the header is damaged too.
    pub rows_lost: Option<u64>,
    /// Whether the block's rows were left out. If not, all of them were read: bytes are left after them, or the block's
    /// deflate stream has no end.
    pub is_dropped: bool,
}

impl BadBlock {
    pub(crate) fn new(error: Error, frame: Option<&BlockFrame>, file: &OpenFile) -> Self {
        let rows_lost = frame.map(|frame| frame.rows).filter(|&rows| {
            // A count that the block cannot hold is part of the damage.
            let bytes = frame.map_or(0, |frame| frame.data.end - frame.data.start);
            rows <= if file.header.codec.is_identity() { bytes } else { file.limits.block_bytes as u64 }
        });
        Self { error, rows_lost, is_dropped: true }
    }

    /// A block whose rows were all read; the error says what is wrong besides.
    pub(crate) fn read_whole(error: Error) -> Self {
        Self { error, rows_lost: Some(0), is_dropped: false }
    }
}

/// Whether an error is about the bytes of a block, and not about reading them.
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Data | ErrorKind::Limit | ErrorKind::Unsupported)
}
