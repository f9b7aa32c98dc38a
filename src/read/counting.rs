//! Reads the headers of several files in parallel: one schema for all, and row counts.

use std::collections::HashSet;
use std::sync::Arc;

use super::FileSet;
use super::file_set::read_ahead;
use super::files::FileEntry;
use super::options::ReadOptions;
use crate::executor;
use crate::{Error, Extra, Header, Result, Schema};

impl FileSet {
    /// Returns one schema for all files, see [`Schema::union`].
    ///
    /// # Errors
    /// If a header cannot be read, or if no type holds the values of two files.
    pub fn union_schema(&self) -> Result<Schema> {
        let (schemas, names) = self.schemas()?;
        Schema::union_by_index(&schemas, &self.cache.options.limits).map_err(|(at, error)| match names.get(at) {
            Some(name) => error.in_file(name),
            None => error,
        })
    }

    /// Returns one schema with the columns of all files that have one of these names, see [`Schema::all_columns`].
    ///
    /// # Errors
    /// If a header cannot be read.
    pub fn all_columns_schema(&self, names: &[String]) -> Result<Schema> {
        Schema::all_columns(&self.schemas()?.0, names, &self.cache.options.limits)
    }

    /// Returns the schemas of the files, each once, and the name of the first file that has it.
    fn schemas(&self) -> Result<(Vec<Schema>, Vec<String>)> {
        let (limits, annotations, cache) =
            (&self.cache.options.limits, &self.cache.options.annotations, self.cache.clone());
        let read =
            move |entry: Arc<FileEntry>| Result::Ok(Header::read(&*entry.open()?, &cache.options.limits)?.schema_json);
        let _ahead = read_ahead(&self.files, 1);
        let mut known = HashSet::new();
        let (mut schemas, mut names) = (Vec::new(), Vec::new());
        // All headers are read first: the error that is reported must not depend on the threads.
        for (entry, json) in self.files.iter().zip(executor::map(self.files.clone().into_iter(), read)?) {
            let json = json?;
            if !known.contains(&json) {
                let schema = Schema::parse(&json, limits).and_then(|schema| schema.annotated(annotations));
                schemas.push(schema.map_err(|error| error.in_file(&entry.name()))?);
                names.push(entry.name());
                known.insert(json);
            }
        }
        Ok((schemas, names))
    }

    /// Returns the number of rows, from the block headers alone. Reads several files at once; counting may stop at `limit`.
    ///
    /// # Errors
    /// If a file cannot be read, or if a block header is damaged.
    pub fn count_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.count(limit, false)?.into_iter().try_fold(0, |rows, (_, more)| sum(rows, more))
    }

    /// Returns the number of rows outside damaged blocks, by decoding all blocks; counting may stop at `limit`.
    ///
    /// # Errors
    /// If a file or its header cannot be read, or if there are more damaged blocks than the limit allows.
    pub fn count_readable_rows(&self, limit: Option<u64>) -> Result<u64> {
        let options =
            ReadOptions { columns: Some(Vec::new()), ignore_errors: true, length: limit, ..ReadOptions::default() };
        self.read(&options)?.map(|batch| Ok(batch?.height as u64)).sum()
    }

    /// Returns the number of each file and its row count, from the block headers. Files after `limit` rows are omitted.
    ///
    /// # Errors
    /// As [`FileSet::count_rows`]. Also if extra columns are an error and a file that has rows has one.
    pub fn count_rows_by_file(&self, limit: Option<u64>) -> Result<Vec<(usize, u64)>> {
        self.count(limit, self.cache.options.evolution.extra_columns != Extra::Ignore)
    }

    /// Counts the rows of each file. If `check`, a file with rows must fit the reader's schema.
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

    /// Returns how many files from the end have at least `limit` rows together, and how many rows they have. If there are
    /// fewer rows, counts all files.
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

    /// Counts the rows of each file, at most up to `limit`.
    fn counts(&self, group: &[Arc<FileEntry>], limit: Option<u64>, check: bool) -> Result<Vec<Result<u64>>> {
        let _ahead = read_ahead(group, 1);
        let cache = self.cache.clone();
        let files = group.to_vec();
        executor::map(files.into_iter(), move |entry| entry.count(limit, &cache, check))
    }
}

/// Returns the number of files that are counted at once. It is small if counting may stop early.
fn group_len(limit: Option<u64>) -> usize {
    if limit.is_some() { 4 * executor::threads() } else { usize::MAX }
}

fn sum(rows: u64, more: u64) -> Result<u64> {
    rows.checked_add(more).ok_or_else(|| Error::data("the files claim more than 2^64 rows"))
}
