//! Datums in columns.

use std::collections::HashSet;
use std::sync::Arc;

use polars_arrow::array::{Array, BinaryViewArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow::{column_capsule, pull, schema_capsule};
use super::damage::Limits;
use super::error::Raised;
use super::interpreter::WithoutGil;
use polars_avro::{DatumOptions, Decoded, Limits as CoreLimits, Schema, datum_schema_of};

/// Decodes any number of Binary columns in the same way.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct DatumDecoder(polars_avro::DatumDecoder);

/// The result of decoding a column; the column can be taken once.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Datums {
    field: Field,
    arrays: Option<Vec<Box<dyn Array>>>,
    /// The number of bad rows, and the error of the first one.
    #[pyo3(get)]
    bad: (usize, Option<String>),
    /// Ids whose schemas are needed first; there is no column in this case.
    #[pyo3(get)]
    missing: Vec<u64>,
}

#[pymethods]
impl DatumDecoder {
    #[new]
    #[pyo3(signature = (framing, *, schema=None, reader_schema=None, ignore_ids=false, ids=None, fields=None, ignore_errors=false, limits=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn new(
        framing: &str,
        schema: Option<&str>,
        reader_schema: Option<&str>,
        ignore_ids: bool,
        ids: Option<HashSet<u64>>,
        fields: Option<Vec<String>>,
        ignore_errors: bool,
        limits: Option<Limits>,
    ) -> Result<Self, Raised> {
        let limits = limits.map_or_else(polars_avro::Limits::default, Into::into);
        let parse = |json: Option<&str>| json.map(|json| Schema::parse(json, &limits).map(Arc::new)).transpose();
        let mut options = DatumOptions::default();
        (options.schema, options.reader_schema) = (parse(schema)?, parse(reader_schema)?);
        options.framing = framing.parse()?;
        (options.ignore_ids, options.ignore_errors) = (ignore_ids, ignore_errors);
        (options.ids, options.fields, options.limits) = (ids, fields, limits);
        Ok(Self(polars_avro::DatumDecoder::new(options)?))
    }

    /// Exports the resulting column, under the name `value`, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &[self.0.field("value")])
    }

    /// Registers the schema of an id, or of a fingerprint as a number.
    fn add_schema(&self, py: Python<'_>, schema_id: u64, schema: &str) -> Result<(), Raised> {
        py.without_gil(|| {
            let schema = Schema::parse(schema, &self.0.options().limits)?;
            Ok(self.0.add_schema(schema_id, &Arc::new(schema))?)
        })
    }

    /// Decodes a Binary series. Rows with one of the ids in `unknown` are bad.
    #[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a set")]
    fn decode(&self, py: Python<'_>, series: &Bound<'_, PyAny>, unknown: HashSet<u64>) -> PyResult<Datums> {
        let binary = |array: Box<dyn Array>| match array.as_any().downcast_ref::<BinaryViewArray>() {
            Some(array) => Ok(array.clone()),
            None => Err(PyTypeError::new_err(format!("datums are in a Binary column, got {:?}", array.dtype()))),
        };
        let chunks = pull(series)?.1.into_iter().map(binary).collect::<PyResult<Vec<_>>>()?;
        let decoded = py.without_gil(|| self.0.decode(&chunks, &unknown)).map_err(Raised::from)?;
        let field = self.0.field("");
        Ok(match decoded {
            Decoded::Rows { arrays, bad, first_bad } => {
                let bad = (bad, first_bad.map(|error| error.to_string()));
                Datums { field, arrays: Some(arrays), bad, missing: Vec::new() }
            }
            Decoded::Missing(missing) => Datums { field, arrays: None, bad: (0, None), missing },
        })
    }
}

/// Encodes any number of series in the same way.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct DatumEncoder(polars_avro::DatumEncoder);

#[pymethods]
impl DatumEncoder {
    #[new]
    #[pyo3(signature = (framing, schema, schema_id=None))]
    fn new(framing: &str, schema: &str, schema_id: Option<u64>) -> Result<Self, Raised> {
        let schema = Schema::parse(schema, &CoreLimits::default())?;
        Ok(Self(polars_avro::DatumEncoder::new(Arc::new(schema), framing.parse()?, schema_id)?))
    }

    /// Encodes a series.
    fn encode(&self, py: Python<'_>, series: &Bound<'_, PyAny>) -> PyResult<Datums> {
        let (field, chunks) = pull(series)?;
        let arrays = py.without_gil(|| self.0.encode(&field, &chunks)).map_err(Raised::from)?;
        let field = Field::new("".into(), ArrowDataType::BinaryView, true);
        Ok(Datums { field, arrays: Some(arrays), bad: (0, None), missing: Vec::new() })
    }
}

/// Returns the Avro schema that a series is encoded with if none is given, as JSON.
#[pyfunction]
#[pyo3(signature = (series, name=None, namespace=None))]
pub(super) fn datum_schema(series: &Bound<'_, PyAny>, name: Option<&str>, namespace: Option<&str>) -> PyResult<String> {
    Ok(datum_schema_of(&pull(series)?.0, name, namespace).map_err(Raised::from)?)
}

#[pymethods]
impl Datums {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows a producer to keep its own types.
        drop(requested_schema);
        column_capsule(py, &self.field, &mut self.arrays)
    }
}
