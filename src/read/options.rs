//! Options of a read.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::batches::{Filter, RowFilter, RowIndex, VirtualColumns};
use super::files::Selection;
use super::settings::ReadSettings;
use crate::{Error, Result};

/// Options of a read: the columns and rows to read, and the sizes of batches.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let options = ReadOptions::default().with_columns(["sky"]).with_row_index("row", 0).with_length(5);
/// let batch = file.read(&options)?.next().unwrap()?;
/// assert_eq!(batch.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["row", "sky"]);
/// assert_eq!(batch.height, 5);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The columns of the result, in this order; `None` is all of them in the schema's order. A path such as `a.b` makes a
    /// column `a` with that field alone, also inside arrays, maps and unions with null. A column whose own name has the dot
    /// takes precedence.
    pub columns: Option<Vec<String>>,
    /// Prepends a column with the number of each row: the column's name, and the number of row 0.
    pub row_index: Option<(String, u64)>,
    /// Makes the row index `UInt64` instead of `UInt32`, as in Polars built for more than 2^32 rows.
    pub wide_row_index: bool,
    /// Appends a column with the number of each row's file: the column's name.
    pub file_index: Option<String>,
    /// Reads only the blocks whose preceding sync markers begin in this range of the file's bytes. Ranges that tile a file
    /// return every row once. Rows are counted from the first row of the range, blocks in errors and reports from the first
    /// block of the file.
    pub byte_range: Option<Range<u64>>,
    /// The number of rows to skip at the beginning.
    pub offset: u64,
    /// The maximum number of rows to read; `None` is all.
    pub length: Option<u64>,
    /// Skips damaged blocks and reads on after them; [`BatchReader::take_bad_blocks`](crate::BatchReader::take_bad_blocks)
    /// reports them. The row index, `offset` and `length` then count only the rows that are returned.
    pub ignore_errors: bool,
    /// Refuses blocks whose rows are complete if bytes are left after them, or if their compressed stream has no end or does
    /// not end with the block. Otherwise their rows are read as other readers do, and
    /// [`BatchReader::take_bad_blocks`](crate::BatchReader::take_bad_blocks) reports them.
    pub strict: bool,
    /// A hint about the rows that are needed: filter the returned rows again. It is evaluated on the rows that `offset` and
    /// `length` select, and not at all with `ignore_errors`.
    pub filter: Option<Arc<dyn RowFilter>>,
    /// The approximate number of rows of a batch: 100,000 by default.
    pub batch_rows: usize,
    /// The approximate number of bytes of a batch before decoding: 16 MiB by default.
    pub batch_bytes: usize,
    /// The number of threads to decode on; `None` is all of the pool, 1 is the calling thread alone.
    pub n_threads: Option<usize>,
}

impl ReadOptions {
    /// Returns the virtual columns, which are not in the files.
    pub(super) fn virtual_columns(&self, fields: &[Field]) -> Result<VirtualColumns> {
        let wide = self.wide_row_index;
        let row_index = self.row_index.clone().map(|(name, offset)| RowIndex { name, offset, wide });
        let names = || row_index.iter().map(|index| &index.name).chain(&self.file_index);
        for (at, name) in names().enumerate() {
            if names().skip(at + 1).any(|other| other == name) {
                return Err(Error::argument(format!("both indices have the name {name:?}: one needs another")));
            }
            if fields.iter().any(|field| field.name == name.as_str()) {
                return Err(Error::argument(format!("{name:?} is already a column: the index needs another name")));
            }
        }
        Ok(VirtualColumns { row_index, file_index: self.file_index.clone() })
    }

    /// Returns the filter of one read; none if errors are ignored, because every row must then be decoded.
    pub(super) fn filter(&self) -> Option<Filter> {
        if self.ignore_errors {
            return None;
        }
        let row_index = self.row_index.as_ref().map(|(name, _)| name.as_str());
        self.filter.clone().map(|caller| Filter::new(caller, row_index))
    }

    /// Returns the columns that are read from files.
    pub(super) fn selection(&self, filter: Option<&Filter>) -> Selection {
        let (columns, filter) = (self.columns.clone(), filter.map(|filter| filter.columns().to_vec()));
        Selection { columns, filter, ignore_errors: self.ignore_errors }
    }

    /// Returns the sizes of a read's sections and batches, for at most `threads` threads.
    pub(super) fn settings(&self, threads: usize) -> ReadSettings {
        let threads = self.n_threads.unwrap_or(usize::MAX).min(threads).max(1);
        let (batch_rows, batch_bytes) = (self.batch_rows.clamp(1, u32::MAX as usize), self.batch_bytes.max(1));
        let Self { ignore_errors, strict, .. } = *self;
        ReadSettings { batch_rows, batch_bytes, threads, ignore_errors, strict }
    }

    /// Returns the wanted rows, as block headers number them: all rows if damaged blocks may be dropped.
    pub(super) fn rows_by_header(&self) -> Range<u64> {
        if self.ignore_errors { 0..u64::MAX } else { self.rows() }
    }

    /// Returns the wanted rows.
    pub(super) fn rows(&self) -> Range<u64> {
        self.offset..self.length.map_or(u64::MAX, |length| self.offset.saturating_add(length))
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            columns: None,
            row_index: None,
            wide_row_index: false,
            file_index: None,
            byte_range: None,
            offset: 0,
            length: None,
            ignore_errors: false,
            strict: false,
            filter: None,
            batch_rows: 100_000,
            batch_bytes: 16 << 20,
            n_threads: None,
        }
    }
}

setters!(ReadOptions {
    with_columns(columns: impl IntoIterator<Item = impl Into<String>>) =>
        columns = Some(columns.into_iter().map(Into::into).collect());
    with_row_index(name: impl Into<String>, offset: u64) => row_index = Some((name.into(), offset));
    with_wide_row_index(wide: bool) => wide_row_index = wide;
    with_file_index(name: impl Into<String>) => file_index = Some(name.into());
    with_byte_range(range: impl Into<Option<Range<u64>>>) => byte_range = range.into();
    with_offset(offset: u64) => offset = offset;
    with_length(length: impl Into<Option<u64>>) => length = length.into();
    with_ignore_errors(ignore: bool) => ignore_errors = ignore;
    with_strict(strict: bool) => strict = strict;
    with_filter(filter: Arc<dyn RowFilter>) => filter = Some(filter);
    with_batch_rows(rows: usize) => batch_rows = rows;
    with_batch_bytes(bytes: usize) => batch_bytes = bytes;
    with_n_threads(threads: impl Into<Option<usize>>) => n_threads = threads.into();
});
