//! Files and the reads over them.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use super::arrow::{Batch, Batches, schema_capsule};
use super::damage::{Report, report};
use super::error::Raised;
use super::interrupt::{Slow, detached};
use super::options::{FileOpener, ReadOptions};
use super::source::SourceArg;
use crate::{Fingerprint, OpenOptions};

/// An opened file: its header is read, its schema parsed.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ContainerFile {
    file: crate::ContainerFile,
    slow: Slow,
}

/// The batches of one read, in file order.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct BatchReader {
    reader: Arc<Mutex<crate::BatchReader>>,
    slow: Slow,
}

#[pymethods]
impl ContainerFile {
    /// Opens a path, or the bytes of a whole file, which are not copied.
    #[new]
    #[pyo3(signature = (source, options=None))]
    fn new(py: Python<'_>, source: SourceArg, options: Option<&FileOpener>) -> Result<Self, Raised> {
        let slow = source.slow();
        let opener = options.map(|open| open.0.clone());
        let file = detached(py, &slow, move || {
            let source = source.open()?;
            match opener {
                Some(opener) => opener.open(source),
                None => crate::ContainerFile::open(source, &OpenOptions::default()),
            }
        })?;
        Ok(Self { file, slow })
    }

    /// The schema as the header has it.
    #[getter]
    fn schema_json(&self) -> &str {
        &self.file.header().schema_json
    }

    #[getter]
    fn canonical_form(&self) -> String {
        self.file.schema().canonical_form()
    }

    /// By the names that the specification gives the algorithms.
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

    /// Every entry of the header, those of the specification included.
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

    /// The columns, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, self.file.fields())
    }

    /// How many rows the block headers promise; may stop once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_rows(limit))
    }

    /// How many rows come out where damaged blocks are left out; stops once there are `limit`.
    #[pyo3(signature = (limit=None))]
    fn count_readable_rows(&self, py: Python<'_>, limit: Option<u64>) -> Result<u64, Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_sound_rows(limit))
    }

    /// Blocks and rows.
    fn count_blocks(&self, py: Python<'_>) -> Result<(u64, u64), Raised> {
        let file = self.file.clone();
        detached(py, &self.slow, move || file.count_blocks())
    }

    /// Reads everything before it returns.
    fn read(&self, py: Python<'_>, options: &ReadOptions) -> Result<Batches, Raised> {
        let (file, options) = (self.file.clone(), options.0.clone());
        detached(py, &self.slow, move || {
            let mut reader = file.read(&options)?;
            let batches = reader.by_ref().collect::<crate::Result<Vec<_>>>()?;
            let bad_blocks = reader.take_bad_blocks().iter().map(report).collect();
            Ok(Batches::new(reader.fields().clone(), batches, bad_blocks))
        })
    }

    /// Reads as batches are asked for.
    fn batches(&self, py: Python<'_>, options: &ReadOptions) -> Result<BatchReader, Raised> {
        let (file, options) = (self.file.clone(), options.0.clone());
        Ok(BatchReader::new(detached(py, &self.slow, move || file.read(&options))?, self.slow.clone()))
    }
}

#[pymethods]
impl BatchReader {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// Waits detached, so that other Python threads run while a batch is decoded.
    fn __next__(&self, py: Python<'_>) -> Result<Option<Batch>, Raised> {
        let reader = self.reader.clone();
        Ok(detached(py, &self.slow, move || lock(&reader).next().transpose())?.map(Batch::from))
    }

    /// What was left out before the last batch that came, or before the end; each report is given once.
    fn take_bad_blocks(&self, py: Python<'_>) -> Vec<Report> {
        py.detach(|| lock(&self.reader).take_bad_blocks().iter().map(report).collect())
    }

    /// The columns of the batches, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let fields = py.detach(|| lock(&self.reader).fields().to_vec());
        schema_capsule(py, &fields)
    }

    /// What has been done so far.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.detach(|| lock(&self.reader).stats());
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
    pub(super) fn new(reader: crate::BatchReader, slow: Slow) -> Self {
        Self { reader: Arc::new(Mutex::new(reader)), slow }
    }
}

fn lock(reader: &Mutex<crate::BatchReader>) -> std::sync::MutexGuard<'_, crate::BatchReader> {
    // A panic inside the core was raised then; what is left of the reader only ends.
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}
