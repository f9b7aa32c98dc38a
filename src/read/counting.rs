//! What the headers of several files say: one schema, and how many rows there are. Several files are looked at at once.

use std::collections::HashSet;
use std::sync::Arc;

use super::FileSet;
use super::file_set::read_ahead;
use super::files::FileEntry;
use super::options::ReadOptions;
use crate::executor;
use crate::{Error, Extra, Header, Result, Schema};

impl FileSet {
    /// One schema for all files, see [`Schema::union`].
    ///
    /// # Errors
    /// Where a header cannot be read, and where no type holds the values of two files.
    pub fn union_schema(&self) -> Result<Schema> {
        Schema::union(&self.schemas()?, &self.cache.options.limits)
    }

    /// Returns one schema with the columns of all files, see [`Schema::all_columns`].
    ///
    /// # Errors
    /// If a header cannot be read.
    pub fn all_columns_schema(&self) -> Result<Schema> {
        Schema::all_columns(&self.schemas()?, &self.cache.options.limits)
    }

    /// Returns the schemas of the files, each once.
    fn schemas(&self) -> Result<Vec<Schema>> {
        let (limits, cache) = (&self.cache.options.limits, self.cache.clone());
        let read =
            move |entry: &Arc<FileEntry>| Result::Ok(Header::read(&*entry.open()?, &cache.options.limits)?.schema_json);
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
        Ok(schemas)
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
        let cache = self.cache.clone();
        each(group, move |entry| entry.count(limit, &cache, check))
    }
}

/// What `look` finds in every file, of several files at once.
fn each<T: Send + 'static>(
    files: &[Arc<FileEntry>],
    look: impl Fn(&Arc<FileEntry>) -> T + Sync + Send + 'static,
) -> Result<Vec<T>> {
    if files.len() == 1 {
        return Ok(files.iter().map(look).collect());
    }
    let files = files.to_vec();
    executor::map(files.into_iter(), move |entry| look(&entry))
}

/// How many files are counted at once where counting may stop early.
fn group_len(limit: Option<u64>) -> usize {
    if limit.is_some() { 4 * executor::threads() } else { usize::MAX }
}

fn sum(rows: u64, more: u64) -> Result<u64> {
    rows.checked_add(more).ok_or_else(|| Error::data("the files claim more than 2^64 rows"))
}
