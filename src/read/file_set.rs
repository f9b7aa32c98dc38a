//! Sets of files that are read as one.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::batches::{RecoveredRows, Reports};
use super::blocks::{FirstBlock, blocks_in};
use super::decoding::Decoding;
use super::fetch::BufferPool;
use super::files::{FileEntry, FileInput, FileOpener, OpenFile, OpenOptions, PlanCache, ResolvedSchemas, Selection};
use super::options::ReadOptions;
use super::reader::BatchReader;
use super::sections::{FileList, SectionQueue};
use super::settings::{ALONE_ROWS, SECTION_BYTES};
use super::stats::{Counters, add};
use crate::executor::{self, Consumer, OrderedTasks};
use crate::{Error, Header, ReadAhead, Result, Schema};

/// Files whose rows are read one after the other, as one schema.
///
/// Files are opened when they are needed, and at most one per running task is open at a time.
///
/// ```
/// use polars_avro::{FileSet, OpenOptions, ReadOptions};
///
/// let files = FileSet::new(["docs/sample.avro", "docs/sample.avro"], &OpenOptions::default())?;
/// assert_eq!(files.count_rows(None)?, 600);
/// let last = files.read(&ReadOptions::default().with_offset(599))?.next().unwrap()?;
/// assert_eq!(last.height, 1);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct FileSet {
    pub(super) files: Vec<Arc<FileEntry>>,
    pub(super) cache: Arc<PlanCache>,
    /// The schema of the set: the reader's schema resolved with itself, or the schema of the only file.
    own: Arc<ResolvedSchemas>,
}

impl FileSet {
    /// Creates a set of files to read as the schema in `options`. Without one the first file is opened and its schema is
    /// used.
    ///
    /// # Errors
    /// If there is no file, or if the first one is opened and cannot be read.
    pub fn new(inputs: impl IntoIterator<Item = impl Into<FileInput>>, options: &OpenOptions) -> Result<Self> {
        FileOpener::new(options.clone()).open_set(inputs)
    }

    /// Creates a set of one open file.
    pub(super) fn of_open(file: Arc<OpenFile>, own: Arc<ResolvedSchemas>, cache: Arc<PlanCache>) -> Self {
        Self { files: vec![Arc::new(FileEntry::of_open(file))], cache, own }
    }

    /// Returns a set of the files at these indices, in this order. The files keep their numbers of this set.
    ///
    /// # Errors
    /// If an index is out of range.
    pub fn select(&self, places: &[usize]) -> Result<Self> {
        let entry = |&place: &usize| {
            let entry = self.files.get(place).cloned();
            entry.ok_or_else(|| {
                Error::argument(format!("file index {place} is out of range for {} files", self.files.len()))
            })
        };
        let files = places.iter().map(entry).collect::<Result<_>>()?;
        Ok(Self { files, cache: self.cache.clone(), own: self.own.clone() })
    }

    /// Returns the number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the size of the first file in bytes; `None` if it is open, and compressed as a whole.
    ///
    /// # Errors
    /// If there is no file, or if its size cannot be read.
    pub fn first_size(&self) -> Result<Option<u64>> {
        let first = self.files.first().ok_or_else(no_file)?;
        match &first.open {
            Some(file) if file.source.compression().is_some() => Ok(None),
            _ => first.size().map(Some),
        }
    }

    /// Returns true if the set has no files, as [`FileSet::select`] may leave it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the names and types of all columns, as Polars has them.
    ///
    /// # Errors
    /// If the reader's schema exceeds a limit.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        Ok(self.own.plan(&Selection::default(), &self.cache.options.limits)?.0.fields)
    }

    /// Starts reading.
    ///
    /// # Errors
    /// If a column is not in the reader's schema or is requested twice. Also if rows are skipped and the files before them
    /// cannot be counted.
    pub fn read(&self, options: &ReadOptions) -> Result<BatchReader> {
        let limits = &self.cache.options.limits;
        // Replaced values are counted once, so every row is decoded.
        let filter = if self.cache.options.conversions().may_replace() { None } else { options.filter() };
        let counters = Arc::new(Counters::default());
        let selection = options.selection(filter.as_ref());
        let (own, is_new) = self.own.plan(&selection, limits)?;
        add(&counters.plans_compiled, u64::from(is_new));
        let mut virtual_columns = options.virtual_columns(&own.fields)?;
        let fields = virtual_columns.fields(&own.fields);
        let recovered = options.ignore_errors.then(|| RecoveredRows::new(options.rows(), &mut virtual_columns));
        let part = options.byte_range.as_ref().map(|range| self.part(range, options, &counters)).transpose()?;
        let (set, blocks) = match part {
            Some((set, blocks)) => (set, Some(blocks)),
            None => (self.clone(), None),
        };
        let rows = options.rows_by_header();
        if rows.start > 0 && blocks.is_none() {
            set.count_rows(Some(rows.start))?;
        }
        let ahead = match (options.length, &blocks) {
            (Some(_), _) => Vec::new(),
            (None, None) => read_ahead(&set.files, u64::MAX),
            (None, Some(blocks)) => set.files.iter().map(|entry| entry.read_ahead(blocks.clone())).collect(),
        };
        let bytes = set.known_bytes(blocks.as_ref());
        // Threads cost more than they save if there is so little to read.
        let is_small = options.length.is_some_and(|rows| rows <= ALONE_ROWS) || bytes < SECTION_BYTES.end / 2;
        let settings = options.settings(if is_small { 1 } else { executor::threads() });
        let first_block = set.first_block(blocks.as_ref());
        // If a source is remote, a consumer that works on a later section could wait for its bytes while the next result is
        // ready.
        let is_remote = set.files.iter().any(|entry| entry.is_remote());
        let consumer = if is_remote { Consumer::Waits } else { Consumer::Works };
        let (Self { files, cache, .. }, buffers) = (set, Arc::new(BufferPool::new(settings.threads)));
        let list = Arc::new(FileList { files, blocks, cache, selection, settings, counters, buffers });
        let queue = SectionQueue::new(list.clone(), rows, bytes)?;
        let work = Decoding::new(list, virtual_columns, filter);
        let tasks = OrderedTasks::new(work, queue, settings.threads, consumer);
        Ok(BatchReader::new(tasks, fields, recovered, Reports::new(limits), first_block, ahead))
    }

    /// Opens the only file, and finds the blocks in this byte range of it.
    fn part(&self, bytes: &Range<u64>, options: &ReadOptions, counters: &Arc<Counters>) -> Result<(Self, Range<u64>)> {
        let [entry] = &*self.files else {
            return Err(Error::argument("`byte_range` needs a single file"));
        };
        let file = entry.open_file(&self.cache, counters)?;
        if let Some(format) = file.source.compression() {
            let message = format!("`byte_range`: the file is compressed as a whole ({format}), so it is read whole");
            return Err(Error::argument(message).in_file(file.source.name()));
        }
        let blocks = blocks_in(bytes, &*file.source, &file.header, options.ignore_errors);
        let blocks = blocks.map_err(|error| error.in_file(file.source.name()))?;
        let files = vec![Arc::new(FileEntry::of_open(file))];
        Ok((Self { files, ..self.clone() }, blocks))
    }

    /// Returns the block that a byte range of the only file begins with, unless it is the file's first.
    fn first_block(&self, blocks: Option<&Range<u64>>) -> Option<FirstBlock> {
        let (file, start) = (self.files.first()?.open.as_ref()?, blocks?.start);
        (start > file.header.size).then(|| FirstBlock::new(file.source.clone(), file.header.clone(), start))
    }

    /// Returns the number of bytes to read, or the maximum if that is not known without opening files.
    fn known_bytes(&self, blocks: Option<&Range<u64>>) -> u64 {
        match (blocks, &*self.files) {
            (Some(blocks), _) => blocks.end - blocks.start,
            (None, [entry]) => entry.known_size().unwrap_or(u64::MAX),
            (None, _) => u64::MAX,
        }
    }
}

impl FileOpener {
    /// Creates a set of files to read as the reader's schema. Without one the first file is opened and its schema is used.
    ///
    /// # Errors
    /// If there is no file, or if the first one is opened and cannot be read.
    pub fn open_set(&self, inputs: impl IntoIterator<Item = impl Into<FileInput>>) -> Result<FileSet> {
        let inputs = inputs.into_iter().enumerate();
        let entries = inputs.map(|(number, input)| Arc::new(FileEntry::new(number, input.into())));
        let files: Vec<_> = entries.collect();
        let first = files.first().ok_or_else(no_file)?;
        let mut cache = self.cache.clone();
        if self.options().reader_schema.is_none() {
            let (source, mut options) = (first.open()?, self.options().clone());
            let header = Header::read(&*source, &options.limits)?;
            let schema = Schema::parse(&header.schema_json, &options.limits)
                .and_then(|schema| schema.annotated(&options.annotations));
            options.reader_schema = Some(Arc::new(schema.map_err(|error| error.in_file(source.name()))?));
            cache = Self::new(options).cache;
        }
        let own = cache.own()?.cloned();
        let own = own.ok_or_else(|| Error::argument("files are read as a schema"))?;
        Ok(FileSet { files, cache, own })
    }

    /// Creates a set of one file, and opens the file now. If it has no rows, it fits every schema.
    ///
    /// # Errors
    /// If the file cannot be read. A column that cannot be read as the reader's schema is an error of the reads that need it.
    pub fn open_set_of_one(&self, input: impl Into<FileInput>) -> Result<FileSet> {
        let (file, cache) = (self.open_file(&input.into(), true)?, self.cache.clone());
        let own = cache.own()?.unwrap_or(&file.resolved).clone();
        Ok(FileSet::of_open(file, own, cache))
    }
}

fn no_file() -> Error {
    Error::argument("there is no file to read")
}

/// Announces that the first `bytes` bytes of every file will be read.
pub(super) fn read_ahead(files: &[Arc<FileEntry>], bytes: u64) -> Vec<ReadAhead> {
    files.iter().map(|entry| entry.read_ahead(0..bytes)).collect()
}

impl fmt::Debug for FileSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.files.iter().map(|entry| entry.name()).collect::<Vec<_>>();
        f.debug_struct("FileSet").field("files", &names).finish_non_exhaustive()
    }
}
