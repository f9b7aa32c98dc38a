//! Several files as one.

use std::collections::HashSet;
use std::sync::Arc;

use polars_arrow::datatypes::Field;
use rayon::prelude::*;

use super::file::{FEW_ROWS, SMALL_FILE};
use super::members::{Input, Member, Members};
use super::options::{OpenOptions, ReadOptions};
use super::plans::Plans;
use super::reader::BatchReader;
use super::salvage::Salvaged;
use super::sequence::Sequence;
use super::stats::Counters;
use super::window::Spare;
use crate::executor;
use crate::plan::{Plan, Projection, Schemas};
use crate::{Error, Evolution, Extra, Header, Result, Schema};

/// So few files are looked at before a read starts, to see whether threads are worth it.
const FEW: usize = 16;

/// Files whose rows are read one after the other, as one schema.
///
/// Nothing is opened before it is needed, and no more files at the same time than there are tasks.
#[derive(Clone)]
pub struct FileSet {
    members: Vec<Arc<Member>>,
    reader: Arc<Schema>,
    options: OpenOptions,
}

impl FileSet {
    /// Files to read as the schema in `options`; without one the first file is opened, whose schema it is then.
    ///
    /// # Errors
    /// Where there is no file, and where the first is opened and cannot be read.
    pub fn new(inputs: Vec<Input>, options: &OpenOptions) -> Result<Self> {
        let members = inputs.into_iter().enumerate().map(|(number, input)| Arc::new(Member::new(number, input)));
        let members: Vec<_> = members.collect();
        let first = members.first().ok_or_else(|| Error::argument("there is no file to read"))?;
        let reader = if let Some(schema) = &options.reader_schema {
            schema.clone()
        } else {
            let source = first.open()?;
            let header = Header::read(&*source, &options.limits)?;
            let schema = Schema::parse(&header.schema_json, &options.limits);
            Arc::new(schema.map_err(|error| error.in_file(source.name()))?)
        };
        Ok(Self { members, reader, options: options.clone() })
    }

    /// The files at these places, in this order. They keep the numbers that they have here.
    ///
    /// # Errors
    /// Where there are not so many files.
    pub fn select(&self, places: &[usize]) -> Result<Self> {
        let member = |&place: &usize| {
            let member = self.members.get(place).cloned();
            member.ok_or_else(|| Error::argument(format!("file {place} of a set of {}", self.members.len())))
        };
        let members = places.iter().map(member).collect::<Result<_>>()?;
        Ok(Self { members, reader: self.reader.clone(), options: self.options.clone() })
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether a selection has left none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Every column, as Polars has it.
    ///
    /// # Errors
    /// Where the reader's schema is more than a limit allows.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        let schemas = Schemas::new(self.reader.clone(), None, Evolution::default())?;
        Ok(Plan::compile(&schemas, &Projection::All, &self.options.limits)?.fields)
    }

    /// One schema for all files, see [`Schema::union`].
    ///
    /// # Errors
    /// Where a header cannot be read, and where no type holds the values of two files.
    pub fn union_schema(&self) -> Result<Schema> {
        let limits = &self.options.limits;
        let read = |member: &Arc<Member>| Ok(Header::read(&*member.open()?, limits)?.schema_json);
        let mut known = HashSet::new();
        let mut schemas = Vec::new();
        // All headers first: which error is the first one must not depend on the threads.
        for (member, json) in self.members.iter().zip(each(&self.members, read)?) {
            let json = json?;
            if !known.contains(&json) {
                let schema = Schema::parse(&json, limits);
                schemas.push(schema.map_err(|error| error.in_file(&member.name()))?);
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
        self.count(limit, None)?.into_iter().try_fold(0, |rows, (_, more)| sum(rows, more))
    }

    /// The number of rows that come out where damaged blocks are left out, by decoding all; counting may stop at `limit`.
    ///
    /// # Errors
    /// Where a file or its header cannot be read, and where there are more damaged blocks than the limit allows.
    pub fn count_sound_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.read(&ReadOptions::counting_sound(limit))?.height()
    }

    /// The number of each file and of its rows, counted in the same way. What lies behind `limit` rows is left out.
    ///
    /// # Errors
    /// As [`FileSet::count_rows`], and where a file that has rows has a column more, if that is an error.
    pub fn count_rows_by_file(&self, limit: Option<u64>) -> Result<Vec<(usize, u64)>> {
        if self.options.evolution.extra_columns == Extra::Ignore {
            return self.count(limit, None);
        }
        let (evolution, limits) = (self.options.evolution, self.options.limits.clone());
        let (schema, counters) = (self.reader.clone(), Arc::default());
        let plans = Plans::new(schema, Projection::columns(Some(&[])), None, false, evolution, limits, counters)?;
        self.count(limit, Some(&plans))
    }

    fn count(&self, limit: Option<u64>, plans: Option<&Plans>) -> Result<Vec<(usize, u64)>> {
        let (mut counts, mut rows) = (Vec::new(), 0);
        for group in self.members.chunks(group_len(limit)) {
            if limit.is_some_and(|limit| rows >= limit) {
                break;
            }
            let of_group = self.counts(group, limit.map(|limit| limit.saturating_sub(rows)), plans)?;
            for (member, count) in group.iter().zip(of_group) {
                if limit.is_some_and(|limit| rows >= limit) {
                    return Ok(counts);
                }
                let count = count?;
                rows = sum(rows, count)?;
                counts.push((member.number, count));
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
        for group in self.members.rchunks(group_len(Some(limit))) {
            for count in self.counts(group, None, None)?.into_iter().rev() {
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
    fn counts(&self, group: &[Arc<Member>], limit: Option<u64>, plans: Option<&Plans>) -> Result<Vec<Result<u64>>> {
        each(group, |member| member.count(limit, &self.options.limits, plans))
    }

    /// Starts reading.
    ///
    /// # Errors
    /// Where a column is not in the reader's schema or is asked for twice; where rows are left out, also where files
    /// before them cannot be counted.
    pub fn read(&self, options: &ReadOptions) -> Result<BatchReader> {
        let counters = Arc::new(Counters::default());
        let projection = Projection::columns(options.columns.as_deref());
        let OpenOptions { evolution, limits, .. } = &self.options;
        let filter = options.filter();
        if options.byte_range.is_some() {
            return Err(Error::argument("a range of bytes is a part of one file"));
        }
        let tested = filter.as_ref().map(|filter| filter.columns().to_vec());
        let (schema, salvage) = (self.reader.clone(), options.ignore_errors);
        let plans = Plans::new(schema, projection, tested, salvage, *evolution, limits.clone(), counters.clone())?;
        let mut extras = options.extras(&plans.own().plan.fields)?;
        let fields = extras.fields(&plans.own().plan.fields);
        let salvaged = Salvaged::new(options, &mut extras, limits);
        let small = self.is_small() || options.length.is_some_and(|rows| rows <= FEW_ROWS);
        let portions = options.portions(if small { 1 } else { executor::threads() });
        let rows = options.rows_by_header();
        if rows.start > 0 {
            self.count_rows(Some(rows.start))?;
        }
        let (members, spare) = (self.members.clone(), Arc::new(Spare::default()));
        let members = Arc::new(Members { members, plans, portions, counters: counters.clone(), spare });
        let sequence = Sequence::of_many(members, rows, extras.row_index.is_some());
        Ok(BatchReader::new(sequence, fields, portions, extras, filter, salvaged, counters))
    }

    /// Whether there is so little to read that threads cost more than they save.
    fn is_small(&self) -> bool {
        let bytes = |member: &Arc<Member>| member.size().unwrap_or(SMALL_FILE);
        self.members.len() <= FEW && self.members.iter().map(bytes).sum::<u64>() < SMALL_FILE
    }
}

/// What `look` finds in every file, of several files at once.
fn each<T: Send>(members: &[Arc<Member>], look: impl Fn(&Arc<Member>) -> T + Sync + Send) -> Result<Vec<T>> {
    if members.len() == 1 {
        return Ok(members.iter().map(look).collect());
    }
    Ok(executor::pool()?.install(|| members.par_iter().map(look).collect()))
}

/// How many files are counted at once where counting may stop early.
fn group_len(limit: Option<u64>) -> usize {
    if limit.is_some() { 4 * executor::threads() } else { usize::MAX }
}

fn sum(rows: u64, more: u64) -> Result<u64> {
    rows.checked_add(more).ok_or_else(|| Error::data("the files claim more than 2^64 rows"))
}
