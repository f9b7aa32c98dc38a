//! A single file to read.

use std::fmt;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::blocks::BlockWalk;
use super::file_set::FileSet;
use super::files::{FileInput, FileOpener, OpenFile, OpenOptions, Selection};
use super::options::ReadOptions;
use super::reader::BatchReader;
use crate::source::decompressed;
use crate::{ErrorKind, Header, Result, Schema};

/// A file whose header has been read: a set of one file. Immutable and cheap to clone.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// assert_eq!(file.fields()[0].name, "station");
/// let rows = file.read(&ReadOptions::default())?.map(|batch| Ok(batch?.height)).sum::<polars_avro::Result<usize>>()?;
/// assert_eq!(rows, 300);
///
/// // From bytes, in the same way.
/// let bytes = std::fs::read("docs/sample.avro")?;
/// assert_eq!(ContainerFile::open(bytes, &OpenOptions::default())?.count_rows(None)?, 300);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct ContainerFile {
    file: Arc<OpenFile>,
    set: FileSet,
    fields: Arc<[Field]>,
}

impl FileOpener {
    /// Reads a file's header, and compiles the plan for reading all columns unless it is cached.
    ///
    /// # Errors
    /// If the source cannot be read or is not an Avro object container file, if its schema is not valid, or if it cannot be
    /// read as the reader's schema.
    pub fn open(&self, input: impl Into<FileInput>) -> Result<ContainerFile> {
        ContainerFile::new(self.open_file(&input.into(), false)?, self)
    }

    /// Opens one of several files that are read as the same schema, as [`FileOpener::open`] does. If the file has no rows, it
    /// fits every schema, as in a [`FileSet`].
    ///
    /// # Errors
    /// As [`FileOpener::open`].
    pub fn open_in_set(&self, input: impl Into<FileInput>) -> Result<ContainerFile> {
        ContainerFile::new(self.open_file(&input.into(), true)?, self)
    }

    /// Opens a file, also one that is compressed as a whole.
    pub(super) fn open_file(&self, input: &FileInput, fits_if_empty: bool) -> Result<Arc<OpenFile>> {
        let (source, cache) = (input.open()?, &self.cache);
        let opened = OpenFile::open(source.clone(), cache, fits_if_empty).or_else(|error| {
            // The compression check costs another read of the first bytes, so it is done only for files that are not Avro.
            let content = if error.kind() == ErrorKind::Data { decompressed(source)? } else { return Err(error) };
            if content.compression().is_some() { OpenFile::open(content, cache, fits_if_empty) } else { Err(error) }
        });
        Ok(Arc::new(opened?))
    }
}

impl ContainerFile {
    fn new(file: Arc<OpenFile>, opener: &FileOpener) -> Result<Self> {
        let planned = file.resolved.plan(&Selection::default(), &file.limits);
        let (plan, _) = planned.map_err(|error| error.in_file(file.source.name()))?;
        let set = FileSet::of_open(file.clone(), file.resolved.clone(), opener.cache.clone());
        Ok(Self { file, set, fields: plan.fields })
    }

    /// Reads a file's header and compiles the plan for reading all columns.
    ///
    /// # Errors
    /// If the source cannot be read or is not an Avro object container file, if its schema is not valid, or if it cannot be
    /// read as the reader's schema.
    pub fn open(input: impl Into<FileInput>, options: &OpenOptions) -> Result<Self> {
        FileOpener::new(options.clone()).open(input)
    }

    /// Returns the file's header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.file.header
    }

    /// Returns the schema the file was written with.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.file.resolved.schemas.writer
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.source.size()
    }

    /// Returns the names and types of all columns, as Polars has them.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Converts the file into a set of one file.
    #[must_use]
    pub fn into_set(self) -> FileSet {
        self.set
    }

    /// Returns the number of rows, from the block headers alone; counting may stop at `limit`.
    ///
    /// # Errors
    /// If a block header is damaged, or if the file is cut short.
    pub fn count_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.set.count_rows(limit)
    }

    /// Returns the number of rows outside damaged blocks, by decoding all blocks; counting may stop at `limit`.
    ///
    /// # Errors
    /// If the source cannot be read, or if there are more damaged blocks than the limit allows.
    pub fn count_readable_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.set.count_readable_rows(limit)
    }

    /// Returns the numbers of blocks and rows, from the block headers alone.
    ///
    /// # Errors
    /// If a block header is damaged, or if the file is cut short.
    pub fn count_blocks(&self) -> Result<(u64, u64)> {
        let OpenFile { source, header, index, .. } = &*self.file;
        Ok(index.up_to_row(source, header, u64::MAX)?.totals())
    }

    /// Returns the rows and the bytes of the first block, from its header; `None` if there is no block.
    ///
    /// # Errors
    /// If the block header is damaged.
    pub fn first_block(&self) -> Result<Option<(u64, u64)>> {
        let OpenFile { source, header, .. } = &*self.file;
        let frame = BlockWalk::new(header).next_frame(&**source)?;
        Ok(frame.map(|frame| (frame.rows, frame.end() - frame.offset)))
    }

    /// Starts reading.
    ///
    /// # Errors
    /// If a column is not in the file or is requested twice.
    pub fn read(&self, options: &ReadOptions) -> Result<BatchReader> {
        self.set.read(options)
    }
}

impl fmt::Debug for ContainerFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerFile").field("name", &self.file.source.name()).finish_non_exhaustive()
    }
}
