//! Files and the reads over them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use polars_buffer::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use super::arrow::{Batch, Batches, schema_capsule};
use super::damage::{Limits, Report, report};
use super::error::Raised;
use super::filter::CallableFilter;
use crate::{Evolution, Extra, FileSource, Fingerprint, MemorySource, Missing, OpenOptions, Opener, Schema, Source};

/// What Python may open. The order matters: bytes would be a path as well.
#[derive(FromPyObject)]
pub(super) enum Opened {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl Opened {
    /// Bytes are not copied.
    pub(super) fn memory(bytes: PyBackedBytes) -> Arc<dyn Source> {
        Arc::new(MemorySource::new(Buffer::from_owner(bytes)))
    }
}

/// How to open files; the same options serve any number of them.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct Open(pub(super) Opener);

#[pymethods]
impl Open {
    /// `insert` and `refuse` say what becomes of columns, and of fields of nested records, that one schema lacks.
    #[new]
    #[pyo3(signature = (reader_schema, *, limits=None, insert=(false, false), refuse=(false, false), as_polars=false))]
    fn new(
        reader_schema: Option<String>,
        limits: Option<Limits>,
        insert: (bool, bool),
        refuse: (bool, bool),
        as_polars: bool,
    ) -> Result<Self, Raised> {
        let limits = limits.map_or_else(crate::Limits::default, Into::into);
        let reader_schema = reader_schema.map(|json| Schema::parse(&json, &limits).map(Arc::new)).transpose()?;
        let missing = |insert| if insert { Missing::Insert } else { Missing::Refuse };
        let extra = |refuse| if refuse { Extra::Refuse } else { Extra::Ignore };
        let mut evolution = Evolution::default();
        (evolution.missing_columns, evolution.missing_fields) = (missing(insert.0), missing(insert.1));
        (evolution.extra_columns, evolution.extra_fields) = (extra(refuse.0), extra(refuse.1));
        // Polars' schemas have no names of records, and every type has nulls.
        (evolution.ignore_names, evolution.keep_nulls) = (as_polars, as_polars);
        Ok(Self(Opener::new(OpenOptions { reader_schema, evolution, limits })))
    }

    /// The columns of files that are read as the reader's schema, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let fields = py.detach(|| self.0.fields()).map_err(Raised::from)?;
        schema_capsule(py, &fields)
    }
}

/// What to read of a file; the same options serve any number of reads.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ReadOptions(pub(super) crate::ReadOptions);

/// An opened file: its header is read, its schema parsed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ContainerFile(crate::ContainerFile);

/// The batches of one read, in file order.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct BatchReader(Mutex<crate::BatchReader>);

impl From<crate::BatchReader> for BatchReader {
    fn from(reader: crate::BatchReader) -> Self {
        Self(Mutex::new(reader))
    }
}

#[pymethods]
impl ReadOptions {
    #[new]
    #[pyo3(signature = (*, columns=None, row_index=None, file_index=None, byte_range=None, offset=0, length=None, ignore_errors=false, row_filter=None, batch_size=None, n_threads=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn new(
        columns: Option<Vec<String>>,
        row_index: Option<(String, u64, bool)>,
        file_index: Option<String>,
        byte_range: Option<(u64, Option<u64>)>,
        offset: u64,
        length: Option<u64>,
        ignore_errors: bool,
        row_filter: Option<(Vec<String>, Py<PyAny>)>,
        batch_size: Option<usize>,
        n_threads: Option<usize>,
    ) -> Self {
        let defaults = crate::ReadOptions::default();
        let wide_row_index = row_index.as_ref().is_some_and(|(_, _, wide)| *wide);
        let row_index = row_index.map(|(name, offset, _)| (name, offset));
        let batch_rows = batch_size.unwrap_or(defaults.batch_rows);
        Self(crate::ReadOptions {
            columns,
            row_index,
            wide_row_index,
            file_index,
            byte_range: byte_range.map(|(start, stop)| start..stop.unwrap_or(u64::MAX)),
            offset,
            length,
            ignore_errors,
            filter: row_filter.map(|(columns, callable)| Arc::new(CallableFilter::new(columns, callable)) as _),
            batch_rows,
            n_threads,
            ..defaults
        })
    }
}

#[pymethods]
impl ContainerFile {
    /// Opens a path, or the bytes of a whole file, which are not copied.
    #[new]
    #[pyo3(signature = (source, options=None))]
    fn new(py: Python<'_>, source: Opened, options: Option<&Open>) -> Result<Self, Raised> {
        py.detach(|| {
            let source: Arc<dyn Source> = match source {
                Opened::Bytes(bytes) => Opened::memory(bytes),
                Opened::Path(path) => Arc::new(FileSource::open(path)?),
            };
            let file = match options {
                Some(open) => open.0.open(source),
                None => crate::ContainerFile::open(source, &OpenOptions::default()),
            };
            Ok(Self(file?))
        })
    }

    /// The schema as the header has it.
    #[getter]
    fn schema_json(&self) -> &str {
        &self.0.header().schema_json
    }

    #[getter]
    fn canonical_form(&self) -> String {
        self.0.schema().canonical_form()
    }

    /// By the names that the specification gives the algorithms.
    #[getter]
    fn fingerprints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fingerprints = PyDict::new(py);
        let kinds = [("CRC-64-AVRO", Fingerprint::Rabin), ("MD5", Fingerprint::Md5), ("SHA-256", Fingerprint::Sha256)];
        for (name, kind) in kinds {
            fingerprints.set_item(name, PyBytes::new(py, &self.0.schema().fingerprint(kind)))?;
        }
        Ok(fingerprints)
    }

    #[getter]
    fn codec(&self) -> &'static str {
        self.0.header().codec.name()
    }

    #[getter]
    fn sync_marker(&self) -> &[u8] {
        &self.0.header().sync
    }

    /// Every entry of the header, those of the specification included.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let metadata = PyDict::new(py);
        for (key, value) in &self.0.header().metadata {
            metadata.set_item(key, PyBytes::new(py, value))?;
        }
        Ok(metadata)
    }

    /// The size of the whole file.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    #[getter]
    fn header_size(&self) -> u64 {
        self.0.header().size
    }

    /// The columns, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, self.0.fields())
    }

    /// How many rows the block headers promise; may stop once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        Ok(py.detach(|| self.0.count_rows(limit))?)
    }

    /// How many rows come out where damaged blocks are left out; stops once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_sound_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        Ok(py.detach(|| self.0.count_sound_rows(limit))?)
    }

    /// Blocks and rows.
    fn count_blocks(&self, py: Python<'_>) -> Result<(u64, u64), Raised> {
        Ok(py.detach(|| self.0.count_blocks())?)
    }

    /// Reads everything before it returns.
    fn read(&self, py: Python<'_>, options: &ReadOptions) -> Result<Batches, Raised> {
        py.detach(|| {
            let mut reader = self.0.read(&options.0)?;
            let batches = reader.by_ref().collect::<crate::Result<Vec<_>>>()?;
            let bad_blocks = reader.take_bad_blocks().iter().map(report).collect();
            Ok(Batches::new(reader.fields().clone(), batches, bad_blocks))
        })
    }

    /// Reads as batches are asked for.
    fn batches(&self, py: Python<'_>, options: &ReadOptions) -> Result<BatchReader, Raised> {
        Ok(py.detach(|| self.0.read(&options.0))?.into())
    }
}

#[pymethods]
impl BatchReader {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// Waits detached, so that other Python threads run while a batch is decoded.
    fn __next__(&self, py: Python<'_>) -> Result<Option<Batch>, Raised> {
        Ok(py.detach(|| self.lock().next().transpose())?.map(Batch::from))
    }

    /// What was left out before the last batch that came, or before the end; each report is given once.
    fn take_bad_blocks(&self, py: Python<'_>) -> Vec<Report> {
        py.detach(|| self.lock().take_bad_blocks().iter().map(report).collect())
    }

    /// The columns of the batches, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let fields = py.detach(|| self.lock().fields().to_vec());
        schema_capsule(py, &fields)
    }

    /// What has been done so far.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.detach(|| self.lock().stats());
        let counts = PyDict::new(py);
        counts.set_item("blocks_read", stats.blocks_read)?;
        counts.set_item("blocks_skipped", stats.blocks_skipped)?;
        counts.set_item("blocks_decompressed", stats.blocks_decompressed)?;
        counts.set_item("bytes_decoded", stats.bytes_decoded)?;
        counts.set_item("rows_decoded", stats.rows_decoded)?;
        counts.set_item("rows_tested", stats.rows_tested)?;
        counts.set_item("rows_filtered", stats.rows_filtered)?;
        counts.set_item("bytes_read", stats.bytes_read)?;
        counts.set_item("files_opened", stats.files_opened)?;
        counts.set_item("files_held", stats.files_held)?;
        counts.set_item("plans_compiled", stats.plans_compiled)?;
        Ok(counts)
    }
}

impl BatchReader {
    fn lock(&self) -> std::sync::MutexGuard<'_, crate::BatchReader> {
        // A panic inside the core was raised then; what is left of the reader only ends.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
