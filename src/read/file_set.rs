//! Several files as one.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use polars_arrow::datatypes::Field;
use rayon::prelude::*;

use super::batches::{Filter, RecoveredRows, Reports, VirtualColumns};
use super::blocks::{FirstBlock, blocks_in};
use super::decoding::Decoding;
use super::fetch::BufferPool;
use super::files::{FileEntry, FileInput, FileOpener, OpenFile, OpenOptions, PlanCache, ResolvedSchemas, Selection};
use super::options::ReadOptions;
use super::reader::{BatchReader, Restart, Started};
use super::stats::{Counters, add};
use super::tasks::{FileList, FileQueue};
use crate::executor::{self, Consumer, OrderedTasks};
use crate::{Error, Extra, Header, ReadAhead, Result, Schema};

/// So few files are looked at before a read starts, to see whether threads are worth it.
const FEW: usize = 16;

/// A set of fewer bytes is decoded where it is asked for: threads cost more than they save.
const FEW_BYTES: u64 = 1 << 20;

/// So are so few rows.
const FEW_ROWS: u64 = 128;

/// Files whose rows are read one after the other, as one schema.
///
/// Nothing is opened before it is needed, and no more files at the same time than there are tasks.
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
    files: Vec<Arc<FileEntry>>,
    cache: Arc<PlanCache>,
    /// Tells the columns of the set: the reader's schema as itself, or the schema of the only file.
    own: Arc<ResolvedSchemas>,
}

impl FileSet {
    /// Files to read as the schema in `options`; without one the first file is opened, whose schema it is then.
    ///
    /// # Errors
    /// Where there is no file, and where the first is opened and cannot be read.
    pub fn new(inputs: impl IntoIterator<Item = impl Into<FileInput>>, options: &OpenOptions) -> Result<Self> {
        FileOpener::new(options.clone()).open_set(inputs)
    }

    /// A file that is open.
    pub(super) fn of_open(file: Arc<OpenFile>, cache: Arc<PlanCache>) -> Self {
        let own = file.resolved.clone();
        Self { files: vec![Arc::new(FileEntry::of_open(file))], cache, own }
    }

    /// The files at these places, in this order. They keep the numbers that they have here.
    ///
    /// # Errors
    /// Where there are not so many files.
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

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether a selection has left none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Every column, as Polars has it.
    ///
    /// # Errors
    /// Where the reader's schema is more than a limit allows.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        Ok(self.own.plan(&Selection::default(), &self.cache.options.limits)?.0.fields)
    }

    /// One schema for all files, see [`Schema::union`].
    ///
    /// # Errors
    /// Where a header cannot be read, and where no type holds the values of two files.
    pub fn union_schema(&self) -> Result<Schema> {
        let limits = &self.cache.options.limits;
        let read = |entry: &Arc<FileEntry>| Result::Ok(Header::read(&*entry.open()?, limits)?.schema_json);
        let _ahead = read_ahead(&self.files, 1);
        let mut known = HashSet::new();
        let mut schemas = Vec::new();
        // All headers first: which error is the first one must not depend on the threads.
        for (entry, json) in self.files.iter().zip(each(&self.files, read)?) {
            let json = json?;
            if !known.contains(&json) {
                let schema = Schema::parse(&json, limits);
                schemas.push(schema.map_err(|error| error.in_file(&entry.name()))?);
                known.insert(json);
            }
        }
        Schema::union(&schemas, limits)
    }

    /// The number of rows, by the block headers alone, of several files at once; counting may stop at `limit`.
    ///
    /// # Errors
    /// Where a file cannot be read or a block header is damaged.
    pub fn count_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.count(limit, false)?.into_iter().try_fold(0, |rows, (_, more)| sum(rows, more))
    }

    /// The number of rows that come out where damaged blocks are left out, by decoding all; counting may stop at `limit`.
    ///
    /// # Errors
    /// Where a file or its header cannot be read, and where there are more damaged blocks than the limit allows.
    pub fn count_readable_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.read(&ReadOptions::counting_readable(limit))?.height()
    }

    /// The number of each file and of its rows, counted in the same way. What lies behind `limit` rows is left out.
    ///
    /// # Errors
    /// As [`FileSet::count_rows`], and where a file that has rows has a column more, if that is an error.
    pub fn count_rows_by_file(&self, limit: Option<u64>) -> Result<Vec<(usize, u64)>> {
        self.count(limit, self.cache.options.evolution.extra_columns != Extra::Ignore)
    }

    /// Counts the rows of each file, which must fit the reader's schema if `check`.
    fn count(&self, limit: Option<u64>, check: bool) -> Result<Vec<(usize, u64)>> {
        let (mut counts, mut rows) = (Vec::new(), 0);
        for group in self.files.chunks(group_len(limit)) {
            if limit.is_some_and(|limit| rows >= limit) {
                break;
            }
            let of_group = self.counts(group, limit.map(|limit| limit.saturating_sub(rows)), check)?;
            for (entry, count) in group.iter().zip(of_group) {
                if limit.is_some_and(|limit| rows >= limit) {
                    return Ok(counts);
                }
                let count = count?;
                rows = sum(rows, count)?;
                counts.push((entry.number, count));
            }
        }
        Ok(counts)
    }

    /// How many files at the end have at least `limit` rows together, and how many rows those have; all files if there
    /// are fewer rows.
    ///
    /// # Errors
    /// As [`FileSet::count_rows`].
    pub fn count_rows_from_end(&self, limit: u64) -> Result<(usize, u64)> {
        let (mut files, mut rows) = (0, 0);
        for group in self.files.rchunks(group_len(Some(limit))) {
            for count in self.counts(group, None, false)?.into_iter().rev() {
                if rows >= limit {
                    return Ok((files, rows));
                }
                files += 1;
                rows = sum(rows, count?)?;
            }
        }
        Ok((files, rows))
    }

    /// The rows of each file, of which no more than `limit` need be counted.
    fn counts(&self, group: &[Arc<FileEntry>], limit: Option<u64>, check: bool) -> Result<Vec<Result<u64>>> {
        let _ahead = read_ahead(group, 1);
        each(group, |entry| entry.count(limit, &self.cache, check))
    }

    /// Starts reading.
    ///
    /// # Errors
    /// Where a column is not in the reader's schema or is asked for twice; where rows are left out, also where files
    /// before them cannot be counted.
    pub fn read(&self, options: &ReadOptions) -> Result<BatchReader> {
        let is_local = matches!(&*self.files, [entry] if !entry.is_remote());
        let options = &ReadOptions { eager: options.eager && is_local && options.is_plain(), ..options.clone() };
        let limits = &self.cache.options.limits;
        let (counters, filter) = (Arc::new(Counters::default()), options.filter());
        let selection = options.selection(filter.as_ref());
        let (own, is_new) = self.own.plan(&selection, limits)?;
        add(&counters.plans_compiled, u64::from(is_new));
        let mut virtual_columns = options.virtual_columns(&own.fields)?;
        let fields = virtual_columns.fields(&own.fields);
        let recovered = options.ignore_errors.then(|| RecoveredRows::new(options.rows(), &mut virtual_columns));
        let part = options.byte_range.as_ref().map(|range| self.part(range, options, &counters)).transpose()?;
        let (set, blocks) = match part {
            Some((set, blocks)) => (set, Some(blocks)),
            None if options.eager => (self.opened(&counters)?, None),
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
        let restart = set.restart(blocks.as_ref(), options, &virtual_columns, &counters);
        let started = set.start(blocks, options, selection, filter, virtual_columns, counters);
        Ok(BatchReader::new(started, fields, (recovered, Reports::new(limits)), ahead, restart))
    }

    /// Starts the tasks of a read.
    fn start(
        self,
        blocks: Option<Range<u64>>,
        options: &ReadOptions,
        selection: Selection,
        filter: Option<Filter>,
        virtual_columns: VirtualColumns,
        counters: Arc<Counters>,
    ) -> Started {
        let settings = options.settings(if self.is_small(blocks.as_ref(), options) { 1 } else { executor::threads() });
        let first_block = self.first_block(blocks.as_ref());
        // What a store has sent should not wait for the consumer, which waits for what comes after it.
        let is_remote = self.files.iter().any(|entry| entry.is_remote());
        let consumer = match is_remote {
            true => Consumer::Waits,
            false if settings.eager => Consumer::Keeps,
            false => Consumer::Works,
        };
        let (Self { files, cache, .. }, buffers) = (self, Arc::new(BufferPool::new(settings.threads)));
        let list = FileList { files, blocks, cache, selection, settings, counters: counters.clone(), buffers };
        let queue = FileQueue::new(Arc::new(list), options.rows_by_header(), virtual_columns.row_index.is_some());
        let parts = Decoding::new(settings, virtual_columns, filter, counters);
        let is_simulated = options.simulated_threads.is_some();
        let tasks = OrderedTasks::new(parts, queue, if is_simulated { 1 } else { settings.threads }, consumer);
        if is_simulated {
            tasks.keep_times();
        }
        Started { tasks, first_block }
    }

    /// How a read that is eager goes on from a block on without stretches.
    fn restart(
        &self,
        blocks: Option<&Range<u64>>,
        options: &ReadOptions,
        virtual_columns: &VirtualColumns,
        counters: &Arc<Counters>,
    ) -> Option<Restart> {
        let stop = match blocks {
            _ if !options.eager => return None,
            Some(blocks) => blocks.end,
            None => self.files.first()?.opened()?.blocks().end,
        };
        let options = ReadOptions { eager: false, ..options.clone() };
        let (set, virtual_columns, counters) = (self.clone(), virtual_columns.clone(), counters.clone());
        Some(Box::new(move |offset| {
            let selection = options.selection(None);
            set.start(Some(offset..stop), &options, selection, None, virtual_columns, counters)
        }))
    }

    /// Opens the only file, and finds the blocks in this range of its bytes.
    fn part(&self, bytes: &Range<u64>, options: &ReadOptions, counters: &Arc<Counters>) -> Result<(Self, Range<u64>)> {
        let [entry] = &*self.files else {
            return Err(Error::argument("`byte_range` needs a single file"));
        };
        let file = entry.open_file(&self.cache, counters)?;
        let blocks = blocks_in(bytes, &*file.source, &file.header, options.ignore_errors);
        let blocks = blocks.map_err(|error| error.in_file(file.source.name()))?;
        let files = vec![Arc::new(FileEntry::of_open(file))];
        Ok((Self { files, ..self.clone() }, blocks))
    }

    /// The set with its only file open, so that it stays the same file.
    fn opened(&self, counters: &Arc<Counters>) -> Result<Self> {
        let open = |entry: &Arc<FileEntry>| Ok(Arc::new(FileEntry::of_open(entry.open_file(&self.cache, counters)?)));
        Ok(Self { files: self.files.iter().map(open).collect::<Result<_>>()?, ..self.clone() })
    }

    /// The block that a part of the only file begins with, unless it is the file's first.
    fn first_block(&self, blocks: Option<&Range<u64>>) -> Option<FirstBlock> {
        let (file, start) = (self.files.first()?.opened()?, blocks?.start);
        (start > file.header.size).then(|| FirstBlock::new(file.source.clone(), file.header.clone(), start))
    }

    /// Whether there is so little to read that threads cost more than they save.
    fn is_small(&self, blocks: Option<&Range<u64>>, options: &ReadOptions) -> bool {
        if options.length.is_some_and(|rows| rows <= FEW_ROWS) {
            return true;
        }
        let bytes = |entry: &Arc<FileEntry>| entry.known_size().unwrap_or(FEW_BYTES);
        match blocks {
            Some(blocks) => blocks.end - blocks.start < FEW_BYTES,
            None => self.files.len() <= FEW && self.files.iter().map(bytes).sum::<u64>() < FEW_BYTES,
        }
    }
}

impl FileOpener {
    /// Files to read as the reader's schema; without one the first file is opened, whose schema it is then.
    ///
    /// # Errors
    /// Where there is no file, and where the first is opened and cannot be read.
    pub fn open_set(&self, inputs: impl IntoIterator<Item = impl Into<FileInput>>) -> Result<FileSet> {
        let inputs = inputs.into_iter().enumerate();
        let entries = inputs.map(|(number, input)| Arc::new(FileEntry::new(number, input.into())));
        let files: Vec<_> = entries.collect();
        let first = files.first().ok_or_else(|| Error::argument("there is no file to read"))?;
        if let Some(own) = self.cache.own()? {
            return Ok(FileSet { own: own.clone(), cache: self.cache.clone(), files });
        }
        let (source, mut options) = (first.open()?, self.options().clone());
        let header = Header::read(&*source, &options.limits)?;
        let schema = Schema::parse(&header.schema_json, &options.limits);
        options.reader_schema = Some(Arc::new(schema.map_err(|error| error.in_file(source.name()))?));
        Self::new(options).set_of(files)
    }

    fn set_of(self, files: Vec<Arc<FileEntry>>) -> Result<FileSet> {
        let own = self.cache.own()?.cloned();
        let own = own.ok_or_else(|| Error::argument("files are read as a schema"))?;
        Ok(FileSet { files, own, cache: self.cache })
    }
}

/// Promises that the first bytes of every file will be read.
fn read_ahead(files: &[Arc<FileEntry>], bytes: u64) -> Vec<ReadAhead> {
    files.iter().map(|entry| entry.read_ahead(0..bytes)).collect()
}

/// What `look` finds in every file, of several files at once.
fn each<T: Send>(files: &[Arc<FileEntry>], look: impl Fn(&Arc<FileEntry>) -> T + Sync + Send) -> Result<Vec<T>> {
    if files.len() == 1 {
        return Ok(files.iter().map(look).collect());
    }
    Ok(executor::pool()?.install(|| files.par_iter().map(look).collect()))
}

/// How many files are counted at once where counting may stop early.
fn group_len(limit: Option<u64>) -> usize {
    if limit.is_some() { 4 * executor::threads() } else { usize::MAX }
}

fn sum(rows: u64, more: u64) -> Result<u64> {
    rows.checked_add(more).ok_or_else(|| Error::data("the files claim more than 2^64 rows"))
}

impl fmt::Debug for FileSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.files.iter().map(|entry| entry.name()).collect::<Vec<_>>();
        f.debug_struct("FileSet").field("files", &names).finish_non_exhaustive()
    }
}
