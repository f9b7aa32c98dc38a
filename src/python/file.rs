//! Files and the reads over them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use polars_buffer::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use super::arrow::{Batch, Batches, schema_capsule, stream_capsule};
use super::damage::{Report, report};
use super::error::Raised;
use super::options::{FileOpener, ReadOptions};
use crate::{FileSource, Fingerprint, MemorySource, OpenOptions, Source};

/// What Python may open. The order matters: bytes would be a path as well.
#[derive(FromPyObject)]
pub(super) enum SourceArg {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl SourceArg {
    /// Bytes are not copied.
    pub(super) fn memory(bytes: PyBackedBytes) -> Arc<dyn Source> {
        Arc::new(MemorySource::new(Buffer::from_owner(bytes)))
    }
}

/// An opened file: its header is read, its schema parsed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ContainerFile(crate::ContainerFile);

/// The batches of one read, in file order.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct BatchReader(Arc<Mutex<crate::BatchReader>>);

impl From<crate::BatchReader> for BatchReader {
    fn from(reader: crate::BatchReader) -> Self {
        Self(Arc::new(Mutex::new(reader)))
    }
}

#[pymethods]
impl ContainerFile {
    /// Opens a path, or the bytes of a whole file, which are not copied.
    #[new]
    #[pyo3(signature = (source, options=None))]
    fn new(py: Python<'_>, source: SourceArg, options: Option<&FileOpener>) -> Result<Self, Raised> {
        py.detach(|| {
            let source: Arc<dyn Source> = match source {
                SourceArg::Bytes(bytes) => SourceArg::memory(bytes),
                SourceArg::Path(path) => Arc::new(FileSource::open(path)?),
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
    fn count_readable_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
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

    /// The batches that have not come yet, for whatever reads Arrow. Both sides may take some.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows a producer to keep its own types.
        drop(requested_schema);
        let fields = py.detach(|| self.lock().fields().to_vec());
        let reader = self.0.clone();
        stream_capsule(py, &fields, move || reader.lock().unwrap_or_else(PoisonError::into_inner).next())
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
        counts.set_item("rows_evaluated", stats.rows_tested)?;
        counts.set_item("rows_filtered_out", stats.rows_filtered)?;
        counts.set_item("bytes_read", stats.bytes_read)?;
        counts.set_item("files_opened", stats.files_opened)?;
        counts.set_item("max_open_files", stats.files_held)?;
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
