//! Writing of files, for Python.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::error::Raised;
use super::frame::Frame;
use super::interpreter::{WithoutGil, drop_without_gil};
use super::sink::{InterruptibleSink, WritableSink};
#[cfg(feature = "object_store")]
use super::store::StoreTarget;
use polars_avro::{
    Codec, FileSink, FileSource, Header, Limits, MemorySink, Schema, Sink, SyncOnClose, append_options, avro_schema_of,
};

/// Options for writing any number of files.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct WriteOptions {
    core: polars_avro::WriteOptions,
    /// True if a file that is appended to keeps its codec.
    keeps_codec: bool,
}

#[pymethods]
impl WriteOptions {
    #[new]
    #[pyo3(signature = (*, codec=None, level=None, schema=None, name=None, namespace=None, doc=None, metadata=None, block_size=None, sync_marker=None, n_threads=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn new(
        codec: Option<&str>,
        level: Option<i32>,
        schema: Option<String>,
        name: Option<String>,
        namespace: Option<String>,
        doc: Option<String>,
        metadata: Option<Vec<(String, Vec<u8>)>>,
        block_size: Option<usize>,
        sync_marker: Option<[u8; 16]>,
        n_threads: Option<usize>,
    ) -> Result<Self, Raised> {
        let parsed = schema.as_ref().map(|json| parse_to_write(json).map(Arc::new)).transpose()?;
        let mut core = polars_avro::WriteOptions::default();
        core.codec = codec.map_or(Ok(core.codec), Codec::from_name)?;
        core.block_size = block_size.unwrap_or(core.block_size);
        (core.level, core.schema, core.schema_json) = (level, parsed, schema);
        (core.name, core.namespace, core.doc) = (name, namespace, doc);
        core.metadata = metadata.unwrap_or_default();
        (core.sync_marker, core.n_threads) = (sync_marker, n_threads);
        Ok(Self { core, keeps_codec: codec.is_none() })
    }

    /// Raises the errors that writing the frame would raise before its first row. `append` is true for an existing
    /// file. If that file keeps its codec, the level is not checked, as its codec is not known here.
    #[pyo3(signature = (frame, *, append=false))]
    fn check(&self, py: Python<'_>, frame: &Frame, append: bool) -> Result<(), Raised> {
        let sink = || Ok(Box::new(MemorySink::new()) as Box<dyn Sink>);
        let mut options = self.core.clone();
        if append && self.keeps_codec {
            options.level = None;
        }
        Ok(py.without_gil(|| create(sink, frame, &options)).map(drop)?)
    }

    /// Returns the Avro schema that a frame is written with, as JSON.
    fn schema_of(&self, frame: &Frame) -> Result<String, Raised> {
        if let Some(json) = &self.core.schema_json {
            return Ok(json.clone());
        }
        Ok(avro_schema_of(&frame.fields, &frame.batches, &self.core)?)
    }
}

/// A target to write to. The order matters: a path is an object as well.
#[derive(FromPyObject)]
enum Target {
    #[cfg(feature = "object_store")]
    Store(Py<StoreTarget>),
    Path(PathBuf),
    Object(Py<PyAny>),
}

/// The writer of one file.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct Writer(Mutex<Option<polars_avro::Writer>>);

#[pymethods]
impl Writer {
    /// Begins a file with the columns of a frame. Its rows determine the schema, but are not written. If `hold`, an
    /// object gets all bytes at the end.
    #[new]
    #[pyo3(signature = (target, frame, options, *, append=false, hold=false, mkdir=false, sync_on_close=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn new(
        py: Python<'_>,
        target: Target,
        frame: &Frame,
        options: &WriteOptions,
        append: bool,
        hold: bool,
        mkdir: bool,
        sync_on_close: Option<&str>,
    ) -> PyResult<Self> {
        let sync = match sync_on_close {
            None => SyncOnClose::None,
            Some("data") => SyncOnClose::Data,
            Some("all") => SyncOnClose::All,
            Some(other) => {
                let message = format!("`sync_on_close` must be None, 'data' or 'all', got {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        let begin = || match target {
            #[cfg(feature = "object_store")]
            Target::Store(store) => create(|| Ok(interruptible(store.get().0.create())), frame, &options.core),
            Target::Path(path) if append && path.exists() => {
                let source = FileSource::open(&path)?;
                let mut wanted = options.core.clone();
                if options.keeps_codec {
                    wanted.codec = Header::read(&source, &Limits::default())?.codec;
                }
                let (options, end) = append_options(&source, &wanted, &Limits::default())?;
                let sink = || Ok(interruptible(FileSink::append(&path, end, sync)?));
                polars_avro::Writer::append(sink, &frame.fields, &options)
            }
            Target::Path(path) => {
                create(|| Ok(interruptible(FileSink::create(&path, sync, mkdir)?)), frame, &options.core)
            }
            Target::Object(object) => {
                create(|| Ok(interruptible(WritableSink::new(object, hold))), frame, &options.core)
            }
        };
        let writer = py.without_gil(begin).map_err(Raised::from)?;
        Ok(Self(Mutex::new(Some(writer))))
    }

    /// Writes the rows of a frame without the GIL.
    fn write(&self, py: Python<'_>, frame: &Frame) -> Result<(), Raised> {
        py.without_gil(|| {
            let mut writer = self.lock();
            let writer = writer.as_mut().ok_or_else(closed)?;
            Ok(frame.batches.iter().try_for_each(|batch| writer.write(batch))?)
        })
    }

    /// Finishes the file; returns the rows, blocks and bytes that were written.
    fn finish(&self, py: Python<'_>) -> Result<(u64, u64, u64), Raised> {
        py.without_gil(|| {
            let mut writer = self.lock().take().ok_or_else(closed)?;
            let written = writer.finish()?;
            Ok((written.rows, written.blocks, written.bytes))
        })
    }

    /// Discards the file and restores the state before it was begun. Does nothing if it is finished.
    fn abort(&self, py: Python<'_>) {
        py.without_gil(|| drop(self.lock().take()));
    }
}

impl Writer {
    fn lock(&self) -> MutexGuard<'_, Option<polars_avro::Writer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parses a schema and checks that it may be written.
fn parse_to_write(json: &str) -> polars_avro::Result<Schema> {
    let schema = Schema::parse(json, &Limits::default())?;
    schema.validate()?;
    Ok(schema)
}

/// Raises an error if a schema must not be written.
#[pyfunction]
pub(super) fn check_written_schema(schema: &str) -> Result<(), Raised> {
    Ok(parse_to_write(schema).map(drop)?)
}

/// Returns a schema with these columns only.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
pub(super) fn select_columns(schema: &str, names: Vec<String>) -> Result<String, Raised> {
    Ok(Schema::parse(schema, &Limits::default())?.select_columns(&names).to_json())
}

/// Discards an unfinished file. The GIL is released, as this may wait for a store.
impl Drop for Writer {
    fn drop(&mut self) {
        let writer = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some() {
            drop_without_gil(move || drop(writer));
        }
    }
}

fn interruptible(sink: impl Sink + 'static) -> Box<dyn Sink> {
    Box::new(InterruptibleSink(Box::new(sink)))
}

fn create(
    sink: impl FnOnce() -> polars_avro::Result<Box<dyn Sink>>,
    frame: &Frame,
    options: &polars_avro::WriteOptions,
) -> polars_avro::Result<polars_avro::Writer> {
    polars_avro::Writer::create(sink, &frame.fields, &frame.batches, options)
}

fn closed() -> Raised {
    polars_avro::Error::new(polars_avro::ErrorKind::Argument, "the writer is closed").into()
}
