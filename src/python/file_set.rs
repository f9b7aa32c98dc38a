//! Several files as one.

use pyo3::prelude::*;

use super::batch_reader::BatchReader;
use super::error::Raised;
use super::file::SourceArg;
use super::options::{FileOpener, ReadOptions};

/// Files that are read one after the other; none is opened before it is needed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct FileSet(crate::FileSet);

#[pymethods]
impl FileSet {
    /// Paths, or the bytes of whole files. The only one may be opened now, so that it is opened once.
    #[new]
    #[pyo3(signature = (sources, options, eager=false))]
    fn new(py: Python<'_>, sources: Vec<SourceArg>, options: &FileOpener, eager: bool) -> Result<Self, Raised> {
        py.detach(|| {
            let mut inputs: Vec<_> = sources.into_iter().map(SourceArg::input).collect();
            Ok(Self(match inputs.pop() {
                Some(input) if eager && inputs.is_empty() => options.0.open(input.open()?)?.into_set(),
                last => options.0.open_set(inputs.into_iter().chain(last).collect())?,
            }))
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The files at these indices; they keep their numbers.
    #[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
    fn select(&self, indices: Vec<usize>) -> Result<Self, Raised> {
        Ok(Self(self.0.select(&indices)?))
    }

    /// The JSON text of one schema for all files.
    fn union_schema(&self, py: Python<'_>) -> Result<String, Raised> {
        Ok(py.detach(|| self.0.union_schema())?.to_json())
    }

    /// How many rows the block headers promise; may stop once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        Ok(py.detach(|| self.0.count_rows(limit))?)
    }

    /// How many rows come out where damaged blocks are left out; stops once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_readable_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        Ok(py.detach(|| self.0.count_readable_rows(limit))?)
    }

    /// The number of each file and of its rows; may stop once there are `limit` rows.
    #[pyo3(signature = (limit=None))]
    fn count_rows_by_file(&self, py: Python<'_>, limit: Option<u64>) -> Result<Vec<(usize, u64)>, Raised> {
        Ok(py.detach(|| self.0.count_rows_by_file(limit))?)
    }

    /// How many files at the end have `limit` rows together, and how many rows those have.
    fn count_rows_from_end(&self, py: Python<'_>, limit: u64) -> Result<(usize, u64), Raised> {
        Ok(py.detach(|| self.0.count_rows_from_end(limit))?)
    }

    /// Reads as batches are asked for. Small ones are joined; the first one comes as it is unless `join_first`. A signal
    /// ends the wait for one if `interruptible`.
    #[pyo3(signature = (options, join_first=false, interruptible=false))]
    fn batches(
        &self,
        py: Python<'_>,
        options: &ReadOptions,
        join_first: bool,
        interruptible: bool,
    ) -> Result<BatchReader, Raised> {
        let reader = py.detach(|| self.0.read(&options.0))?;
        let here = !interruptible || options.0.n_threads == Some(1);
        Ok(BatchReader::new(reader, &options.0, join_first, here))
    }
}
