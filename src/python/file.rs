//! An opened file, for Python.

use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use super::arrow::{Batches, schema_capsule};
use super::batch_reader::BatchReader;
use super::damage::report;
use super::error::Raised;
use super::interrupt::{QUICK_BYTES, Slow, detached, interruptible};
use super::options::{FileOpener, ReadOptions};
use super::source::SourceArg;
use polars_avro::OpenOptions;
use polars_avro::schema::Fingerprint;

/// An opened file, whose header is read and whose schema is parsed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ContainerFile {
    file: polars_avro::ContainerFile,
    slow: Slow,
}

#[pymethods]
impl ContainerFile {
    /// Opens a path, or the bytes of a whole file, which are not copied. If `in_set`, a file without rows fits
    /// every schema.
    #[new]
    #[pyo3(signature = (source, options=None, in_set=false))]
    fn new(py: Python<'_>, source: SourceArg, options: Option<&FileOpener>, in_set: bool) -> Result<Self, Raised> {
        let slow = source.slow();
        let opener = options.map(|open| open.0.clone());
        let file = detached(py, &slow, move || {
            let source = source.open()?;
            match opener {
                Some(opener) if in_set => opener.open_in_set(source),
                Some(opener) => opener.open(source),
                None => polars_avro::ContainerFile::open(source, &OpenOptions::default()),
            }
        })?;
        Ok(Self { file, slow })
    }

    /// The schema as the text in the header.
    #[getter]
    fn schema_json(&self) -> &str {
        &self.file.header().schema_json
    }

    #[getter]
    fn canonical_form(&self) -> String {
        self.file.schema().canonical_form()
    }

    /// The schema's fingerprints, by the specification's names of the algorithms.
    #[getter]
    fn fingerprints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fingerprints = PyDict::new(py);
        let kinds = [("CRC-64-AVRO", Fingerprint::Rabin), ("MD5", Fingerprint::Md5), ("SHA-256", Fingerprint::Sha256)];
        for (name, kind) in kinds {
            fingerprints.set_item(name, PyBytes::new(py, &self.file.schema().fingerprint(kind)))?;
        }
        Ok(fingerprints)
    }

    #[getter]
    fn codec(&self) -> &'static str {
        self.file.header().codec.name()
    }

    #[getter]
    fn sync_marker(&self) -> &[u8] {
        &self.file.header().sync
    }

    /// All entries of the header, including those of the specification.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let metadata = PyDict::new(py);
        for (key, value) in &self.file.header().metadata {
            metadata.set_item(key, PyBytes::new(py, value))?;
        }
        Ok(metadata)
    }

    /// The size of the whole file.
    #[getter]
    fn size(&self) -> u64 {
        self.file.size()
    }

    #[getter]
    fn header_size(&self) -> u64 {
        self.file.header().size
    }

    /// Exports the columns, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, self.file.fields())
    }

    /// Counts rows by the block headers; may stop at `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_rows(limit))
    }

    /// Counts rows outside of damaged blocks; stops at `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_readable_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_readable_rows(limit))
    }

    /// Counts blocks and rows.
    fn count_blocks(&self, py: Python<'_>) -> Result<(u64, u64), Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_blocks())
    }

    /// Returns the rows and bytes of the first block, from its header; None if there is no block.
    fn first_block(&self, py: Python<'_>) -> Result<Option<(u64, u64)>, Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.first_block())
    }

    /// Reads all rows before it returns, unless a signal ends the read.
    fn read(&self, py: Python<'_>, options: &ReadOptions) -> PyResult<Batches> {
        let (file, options) = (self.file.clone(), options.0.clone());
        let here = self.slow.is_none() && (options.n_threads == Some(1) || file.size() <= QUICK_BYTES);
        let canceller = Arc::new(OnceLock::new());
        let slot = canceller.clone();
        let read = interruptible(py, here, &self.slow, move |stopped| {
            let mut reader = file.read(&options)?;
            slot.get_or_init(|| reader.canceller());
            let mut batches = Vec::new();
            while !stopped()
                && let Some(batch) = reader.next().transpose()?
            {
                batches.push(batch);
            }
            Ok::<_, Raised>((batches, reader))
        });
        if let (Err(_), Some(canceller)) = (&read, canceller.get()) {
            canceller.cancel();
        }
        let (batches, mut reader) = read??;
        let bad_blocks = reader.take_bad_blocks().iter().map(report).collect();
        Ok(Batches::new(reader.fields().clone(), batches, bad_blocks))
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
        let (file, wanted) = (self.file.clone(), options.0.clone());
        let reader = detached(py, &self.slow, move || file.read(&wanted))?;
        let quick = self.slow.is_none() && (options.0.n_threads == Some(1) || self.file.size() <= QUICK_BYTES);
        Ok(BatchReader::new(reader, &options.0, join_first, !interruptible || quick, self.slow.clone()))
    }
}
