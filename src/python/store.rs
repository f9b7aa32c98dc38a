//! Files in object stores to read and to write, and the Python callable that provides credentials.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::error::Raised;
use super::interpreter::{WithoutGil, attach, drop_without_gil};
use super::interrupt::Waiting;
use super::sink::signals;
use polars_avro::{
    CredentialSource, CredentialSources, Credentials, Error, ErrorKind, OptionValue, Result, StoreOptions, WaitCheck,
};

/// A file in an object store or on an HTTP server. Nothing is requested before the first read.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct StoreFile(pub(super) polars_avro::StoreFile);

impl Waiting for polars_avro::StoreFile {
    fn end_reads(&self) {
        self.interrupt_reads();
    }
}

#[pymethods]
impl StoreFile {
    /// The URL without parts that may be secret.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        format!("StoreFile({:?})", self.0.name())
    }
}

/// Creates files to read in this order, with one set of options. `credentials` are callables by the kind of store.
/// Their argument is true if the last keys were refused. They return a dict and an expiry in Unix seconds.
#[pyfunction]
#[pyo3(signature = (urls, options, credentials, chunk_size=None))]
pub(super) fn store_files(
    urls: Vec<String>,
    options: &Bound<'_, PyDict>,
    credentials: HashMap<String, Py<PyAny>>,
    chunk_size: Option<u64>,
) -> std::result::Result<Vec<StoreFile>, Raised> {
    let (options, credentials) = arguments(options, credentials)?;
    let files = polars_avro::StoreFile::all(urls, &options, credentials, chunk_size)?;
    Ok(files.into_iter().map(StoreFile).collect())
}

/// Checks schemes and options without a request. URLs may be patterns or directories.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
pub(super) fn check_store_options(urls: Vec<String>, options: &Bound<'_, PyDict>) -> std::result::Result<(), Raised> {
    StoreOptions::for_urls(option_values(options)?, urls.iter().map(String::as_str))?;
    Ok(())
}

fn arguments(
    options: &Bound<'_, PyDict>,
    credentials: HashMap<String, Py<PyAny>>,
) -> std::result::Result<(StoreOptions, CredentialSources), Raised> {
    let source = |(kind, callable)| (kind, Arc::new(Callable(callable)) as Arc<dyn CredentialSource>);
    let credentials = credentials.into_iter().map(source).collect();
    Ok((StoreOptions::new(option_values(options)?)?, credentials))
}

/// Returns the sizes of objects without reading them.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
pub(super) fn store_sizes(
    py: Python<'_>,
    urls: Vec<String>,
    options: &Bound<'_, PyDict>,
    credentials: HashMap<String, Py<PyAny>>,
) -> std::result::Result<Vec<u64>, Raised> {
    let (options, credentials) = arguments(options, credentials)?;
    Ok(py.without_gil(|| polars_avro::store_sizes(&urls, &options, credentials, &check()))?)
}

/// Lists the objects of a directory and its subdirectories: URLs and sizes, in the order of their keys.
#[pyfunction]
pub(super) fn store_files_in(
    py: Python<'_>,
    directory: &str,
    options: &Bound<'_, PyDict>,
    credentials: HashMap<String, Py<PyAny>>,
) -> std::result::Result<Vec<(String, u64)>, Raised> {
    let (options, credentials) = arguments(options, credentials)?;
    Ok(py.without_gil(|| polars_avro::store_files_in(directory, &options, credentials, &check()))?)
}

/// Removes the objects of a directory whose names begin with `prefix`; returns their number.
#[pyfunction]
pub(super) fn remove_store_files(
    py: Python<'_>,
    directory: &str,
    prefix: &str,
    options: &Bound<'_, PyDict>,
    credentials: HashMap<String, Py<PyAny>>,
) -> std::result::Result<usize, Raised> {
    let (options, credentials) = arguments(options, credentials)?;
    Ok(py.without_gil(|| polars_avro::remove_store_files(directory, prefix, &options, credentials, &check()))?)
}

fn check() -> WaitCheck {
    Box::new(signals)
}

/// Objects to write with one set of options. Each becomes visible on its own, or all `together`.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct StoreTargets(polars_avro::StoreTargets);

/// Aborts objects that were not committed. The GIL is released, as this waits for the store.
impl Drop for StoreTargets {
    fn drop(&mut self) {
        drop_without_gil(|| self.0.abort());
    }
}

#[pymethods]
impl StoreTargets {
    #[new]
    #[pyo3(signature = (options, credentials, *, together=false))]
    fn new(
        options: &Bound<'_, PyDict>,
        credentials: HashMap<String, Py<PyAny>>,
        together: bool,
    ) -> std::result::Result<Self, Raised> {
        let (options, credentials) = arguments(options, credentials)?;
        Ok(Self(polars_avro::StoreTargets::new(options, credentials, together, check())))
    }

    /// Returns an object to write; nothing is requested yet.
    fn target(&self, url: &str) -> std::result::Result<StoreTarget, Raised> {
        Ok(StoreTarget(self.0.target(url)?))
    }

    /// Makes the objects visible that were written together.
    fn commit(&self, py: Python<'_>) -> std::result::Result<(), Raised> {
        Ok(py.without_gil(|| self.0.commit())?)
    }

    /// Aborts objects that were written and are not visible yet.
    fn abort(&self, py: Python<'_>) {
        py.without_gil(|| self.0.abort());
    }
}

/// An object to write.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct StoreTarget(pub(super) polars_avro::StoreTarget);

#[pymethods]
impl StoreTarget {
    /// The URL without parts that may be secret.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        format!("StoreTarget({:?})", self.0.name())
    }
}

fn option_values(options: &Bound<'_, PyDict>) -> PyResult<Vec<(String, OptionValue)>> {
    #[derive(FromPyObject)]
    enum Value {
        Flag(bool),
        Integer(i64),
        Float(f64),
        Text(String),
    }
    let value = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let key: String = key.extract()?;
        let value = match value.extract() {
            Ok(Value::Flag(flag)) => OptionValue::Text(flag.to_string()),
            Ok(Value::Integer(number)) => OptionValue::Integer(number),
            Ok(Value::Float(number)) => OptionValue::Float(number),
            Ok(Value::Text(text)) => OptionValue::Text(text),
            Err(_) => {
                // A name that is unknown is the first thing to mend.
                StoreOptions::new([(key.clone(), OptionValue::Text(String::new()))]).map_err(Raised::from)?;
                let message =
                    format!("storage option {key:?} must be a str, a number or a bool, got {}", value.get_type());
                return Err(pyo3::exceptions::PyTypeError::new_err(message));
            }
        };
        Ok((key, value))
    };
    options.iter().map(value).collect()
}

/// A credentials provider that calls Python.
struct Callable(Py<PyAny>);

impl CredentialSource for Callable {
    fn fetch(&self, refused: bool) -> Result<Credentials> {
        let fetched = attach(|py| {
            let (values, expires): (Bound<'_, PyDict>, Option<f64>) = self.0.bind(py).call1((refused,))?.extract()?;
            // None means no value: boto3 returns a session token of None with keys that need no token.
            let values = values.iter().filter(|(_, value)| !value.is_none());
            let pair = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((key.extract()?, value.extract()?));
            let values = values.map(pair).collect::<PyResult<_>>()?;
            Ok::<_, PyErr>(Credentials { values, expires: expires.map(at) })
        })?;
        fetched.map_err(|raised| Error::new(ErrorKind::Callback, "the credential provider failed").with_cause(raised))
    }
}

fn at(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX / 4)
}
