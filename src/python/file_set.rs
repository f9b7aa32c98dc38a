//! Several files read as one, for Python.

use pyo3::prelude::*;

use super::batch_reader::BatchReader;
use super::error::Raised;
use super::interrupt::{Slow, detached};
use super::options::{FileOpener, ReadOptions};
use super::source::SourceArg;

/// Files that are read one after the other. Each is opened when it is needed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct FileSet {
    files: polars_avro::FileSet,
    slow: Slow,
}

#[pymethods]
impl FileSet {
    /// Makes a set of paths, files in stores, or the bytes of whole files. If `eager`, a single file is opened now, so
    /// that it is opened once.
    #[new]
    #[pyo3(signature = (sources, options, eager=false))]
    fn new(py: Python<'_>, sources: Vec<SourceArg>, options: &FileOpener, eager: bool) -> Result<Self, Raised> {
        let slow = sources.iter().find_map(SourceArg::slow);
        let opener = options.0.clone();
        let files = detached(py, &slow, move || {
            let mut inputs: Vec<_> = sources.into_iter().map(SourceArg::into_input).collect();
            match inputs.pop() {
                Some(input) if eager && inputs.is_empty() => opener.open_set_of_one(input),
                last => opener.open_set(inputs.into_iter().chain(last)),
            }
        })?;
        Ok(Self { files, slow })
    }

    fn __len__(&self) -> usize {
        self.files.len()
    }

    /// Returns the size of the first file in bytes; `None` if it is open, and compressed as a whole.
    fn first_size(&self) -> Result<Option<u64>, Raised> {
        Ok(self.files.first_size()?)
    }

    /// Returns a set of the files at these indices; they keep their numbers.
    #[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
    fn select(&self, indices: Vec<usize>) -> Result<Self, Raised> {
        Ok(Self { files: self.files.select(&indices)?, slow: self.slow.clone() })
    }

    /// Returns the JSON text of one schema for all files.
    fn union_schema(&self, py: Python<'_>) -> Result<String, Raised> {
        let files = self.files.clone();
        Ok(detached(py, &self.slow, move || files.union_schema())?.to_json())
    }

    /// Returns the JSON text of one schema with the columns of all files that have one of these names.
    fn all_columns_schema(&self, py: Python<'_>, names: Vec<String>) -> Result<String, Raised> {
        let files = self.files.clone();
        Ok(detached(py, &self.slow, move || files.all_columns_schema(&names))?.to_json())
    }

    /// Counts rows by the block headers; may stop at `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let files = self.files.clone();
        detached(py, &self.slow, move || files.count_rows(limit))
    }

    /// Counts rows outside of damaged blocks; stops at `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_readable_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let files = self.files.clone();
        detached(py, &self.slow, move || files.count_readable_rows(limit))
    }

    /// Returns the index and the number of rows of each file; may stop at `limit` rows.
    #[pyo3(signature = (limit=None))]
    fn count_rows_by_file(&self, py: Python<'_>, limit: Option<u64>) -> Result<Vec<(usize, u64)>, Raised> {
        let files = self.files.clone();
        detached(py, &self.slow, move || files.count_rows_by_file(limit))
    }

    /// Returns the number of files at the end that have `limit` rows in total, and their number of rows.
    fn count_rows_from_end(&self, py: Python<'_>, limit: u64) -> Result<(usize, u64), Raised> {
        let files = self.files.clone();
        detached(py, &self.slow, move || files.count_rows_from_end(limit))
    }

    /// Reads batches on demand. Small batches are joined; the first one is only joined if `join_first`. If
    /// `interruptible`, a signal ends the wait for a batch.
    #[pyo3(signature = (options, join_first=false, interruptible=false))]
    fn batches(
        &self,
        py: Python<'_>,
        options: &ReadOptions,
        join_first: bool,
        interruptible: bool,
    ) -> Result<BatchReader, Raised> {
        let (files, wanted) = (self.files.clone(), options.0.clone());
        let reader = detached(py, &self.slow, move || files.read(&wanted))?;
        let quick = self.slow.is_none() && options.0.n_threads == Some(1);
        Ok(BatchReader::new(reader, &options.0, join_first, !interruptible || quick, self.slow.clone()))
    }
}
