//! Positions of errors.

use std::fmt;

/// The position in a file at which an [`Error`](crate::Error) occurred, as far as it is known.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions};
///
/// let error = ContainerFile::open(b"PAR1".to_vec(), &OpenOptions::default()).unwrap_err();
/// assert_eq!(error.position().file.as_deref(), Some("<bytes>"));
/// assert_eq!(error.position().offset, Some(0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// Name of the source: a path, a URL, or `<bytes>`.
    pub file: Option<String>,
    /// Index of the block, counted from 0.
    pub block: Option<u64>,
    /// Byte offset in the file: the start of the block, or the position of the fault in the header.
    pub offset: Option<u64>,
    /// Index of the record inside its block, counted from 0.
    pub record: Option<u64>,
    /// Index of the row in a column of datums, counted from 0.
    pub row: Option<u64>,
    /// Path to the field inside the record, such as `items[].price`.
    pub path: Option<String>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        let mut separator = "";
        if let Some(block) = self.block {
            write!(f, "block {block}")?;
            separator = " ";
        }
        if let Some(offset) = self.offset {
            write!(f, "{separator}at byte {offset}")?;
            separator = ", ";
        }
        if let Some(record) = self.record {
            write!(f, "{separator}record {record}")?;
            separator = ", ";
        }
        if let Some(row) = self.row {
            write!(f, "{separator}row {row}")?;
            separator = ", ";
        }
        if let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) {
            write!(f, "{separator}field `{path}`")?;
            separator = ", ";
        }
        if separator.is_empty() { Ok(()) } else { f.write_str(": ") }
    }
}
