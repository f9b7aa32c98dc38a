//! Datums in columns.

use std::collections::HashSet;
use std::sync::Arc;

use polars_arrow::array::{Array, BinaryViewArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow::{column_capsule, pull, schema_capsule};
use super::damage::Limits;
use super::error::Raised;
use super::frame::Frame;
use super::interpreter::WithoutGil;
use super::options::annotated;
use polars_avro::{
    Annotations, DatumOptions, Decoded, Error, Limits as CoreLimits, RowIds, Schema, SchemaId, datum_schema_of,
};

/// A schema id: an int, or the bytes of a UUID.
#[derive(Clone, PartialEq, Eq, Hash, FromPyObject, IntoPyObject)]
enum PyId {
    Number(u64),
    Uuid([u8; 16]),
}

impl From<PyId> for SchemaId {
    fn from(id: PyId) -> Self {
        match id {
            PyId::Number(number) => Self::Number(number),
            PyId::Uuid(bytes) => Self::Uuid(u128::from_be_bytes(bytes)),
        }
    }
}

impl From<SchemaId> for PyId {
    fn from(id: SchemaId) -> Self {
        match id {
            SchemaId::Number(number) => Self::Number(number),
            SchemaId::Uuid(uuid) => Self::Uuid(uuid.to_be_bytes()),
        }
    }
}

/// Decodes any number of Binary columns in the same way.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct DatumDecoder {
    decoder: polars_avro::DatumDecoder,
    annotations: Annotations,
}

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
    missing: Vec<PyId>,
}

#[pymethods]
impl DatumDecoder {
    #[new]
    #[pyo3(signature = (framing, *, schema=None, reader_schema=None, ignore_ids=false, ids=None, looked_up=None, fields=None, ignore_errors=false, limits=None, annotations=Vec::new()))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    #[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
    fn new(
        framing: &str,
        schema: Option<&str>,
        reader_schema: Option<&str>,
        ignore_ids: bool,
        ids: Option<HashSet<PyId>>,
        looked_up: Option<Vec<String>>,
        fields: Option<Vec<String>>,
        ignore_errors: bool,
        limits: Option<Limits>,
        annotations: Vec<(String, String, String)>,
    ) -> Result<Self, Raised> {
        let limits = limits.map_or_else(polars_avro::Limits::default, Into::into);
        let annotations = annotated(&annotations)?;
        let parsed = |json: &str| Schema::parse(json, &limits)?.annotated(&annotations).map(Arc::new);
        let parse = |json: Option<&str>| json.map(parsed).transpose();
        let mut options = DatumOptions::default();
        (options.schema, options.reader_schema) = (parse(schema)?, parse(reader_schema)?);
        options.framing = framing.parse()?;
        (options.ignore_ids, options.ignore_errors) = (ignore_ids, ignore_errors);
        (options.fields, options.limits) = (fields, limits);
        let framings = looked_up.map(|names| names.iter().map(|name| name.parse()).collect());
        options.looked_up = framings.transpose()?;
        options.ids = ids.map(|ids| ids.into_iter().map(Into::into).collect());
        Ok(Self { decoder: polars_avro::DatumDecoder::new(options)?, annotations })
    }

    /// Exports the resulting column, under the name `value`, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &[self.decoder.field("value")])
    }

    /// Registers the schema of an id, or of a fingerprint as a number.
    fn add_schema(&self, py: Python<'_>, schema_id: PyId, schema: &str) -> Result<(), Raised> {
        py.without_gil(|| {
            let schema_id = SchemaId::from(schema_id);
            let parsed = Schema::parse(schema, &self.decoder.options().limits)
                .and_then(|schema| schema.annotated(&self.annotations))
                .map_err(|error| Error::new(error.kind(), format!("the schema of id {schema_id}: {error}")))?;
            Ok(self.decoder.add_schema(schema_id, &Arc::new(parsed))?)
        })
    }

    /// Decodes a Binary series. Rows with one of the ids in `unknown` are bad. `ids` is a series of their schema ids.
    #[pyo3(signature = (series, unknown, ids=None))]
    fn decode(
        &self,
        py: Python<'_>,
        series: &Bound<'_, PyAny>,
        unknown: HashSet<PyId>,
        ids: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Datums> {
        let binary = |array: Box<dyn Array>| match array.as_any().downcast_ref::<BinaryViewArray>() {
            Some(array) => Ok(array.clone()),
            None => Err(PyTypeError::new_err(format!("datums are in a Binary column, got {:?}", array.dtype()))),
        };
        let chunks = pull(series)?.1.into_iter().map(binary).collect::<PyResult<Vec<_>>>()?;
        let unknown: HashSet<SchemaId> = unknown.into_iter().map(Into::into).collect();
        let ids = ids.map(row_ids).transpose()?;
        let decoded = py.without_gil(|| match &ids {
            Some(ids) => self.decoder.decode_with_ids(&chunks, ids, &unknown),
            None => self.decoder.decode(&chunks, &unknown),
        });
        let decoded = decoded.map_err(Raised::from)?;
        let field = self.decoder.field("");
        Ok(match decoded {
            Decoded::Rows { arrays, bad, first_bad } => {
                let bad = (bad, first_bad.map(|error| error.to_string()));
                Datums { field, arrays: Some(arrays), bad, missing: Vec::new() }
            }
            Decoded::Missing(missing) => {
                let missing = missing.into_iter().map(Into::into).collect();
                Datums { field, arrays: None, bad: (0, None), missing }
            }
        })
    }
}

/// Returns the schema ids in a series of the dtype `Int64`, `UInt64` or `Binary`.
fn row_ids(series: &Bound<'_, PyAny>) -> PyResult<RowIds> {
    let chunks = pull(series)?.1;
    let ids = |numbers: &mut dyn Iterator<Item = Option<u64>>| numbers.map(|id| id.map(SchemaId::Number)).collect();
    if let Some(chunks) = downcast::<PrimitiveArray<u64>>(&chunks) {
        Ok(ids(&mut chunks.iter().flat_map(|chunk| chunk.iter().map(Option::<&u64>::copied))))
    } else if let Some(chunks) = downcast::<PrimitiveArray<i64>>(&chunks) {
        Ok(ids(&mut chunks.iter().flat_map(|chunk| chunk.iter().map(|id| id.map(|&id| id as u64)))))
    } else if let Some(chunks) = downcast::<BinaryViewArray>(&chunks) {
        Ok(RowIds::from_headers(chunks.iter().flat_map(|chunk| chunk.iter())))
    } else {
        Err(PyTypeError::new_err("schema ids are in a column of the dtype Int64, UInt64 or Binary"))
    }
}

/// Returns the arrays as ones of a type; `None` if one of them is not.
fn downcast<A: Array>(chunks: &[Box<dyn Array>]) -> Option<Vec<&A>> {
    chunks.iter().map(|chunk| chunk.as_any().downcast_ref()).collect()
}

/// Encodes any number of series in the same way.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct DatumEncoder(polars_avro::DatumEncoder);

#[pymethods]
impl DatumEncoder {
    #[new]
    #[pyo3(signature = (framing, schema, schema_id=None, compress=false))]
    fn new(framing: &str, schema: &str, schema_id: Option<PyId>, compress: bool) -> Result<Self, Raised> {
        let schema = Schema::parse(schema, &CoreLimits::default())?;
        let encoder = polars_avro::DatumEncoder::new(Arc::new(schema), framing.parse()?, schema_id.map(Into::into))?;
        Ok(Self(if compress { encoder.with_compression()? } else { encoder }))
    }

    /// Encodes the only column of a frame.
    fn encode(&self, py: Python<'_>, frame: &Frame) -> PyResult<Datums> {
        let chunks: Vec<_> = frame.batches.iter().map(|rows| rows.values()[0].clone()).collect();
        let arrays = py.without_gil(|| self.0.encode(&frame.fields[0], &chunks)).map_err(Raised::from)?;
        let field = Field::new("".into(), ArrowDataType::BinaryView, true);
        Ok(Datums { field, arrays: Some(arrays), bad: (0, None), missing: Vec::new() })
    }
}

/// Returns the Avro schema that the only column of a frame is encoded with if none is given, as JSON.
#[pyfunction]
#[pyo3(signature = (frame, name=None, namespace=None))]
pub(super) fn datum_schema(frame: &Frame, name: Option<&str>, namespace: Option<&str>) -> Result<String, Raised> {
    Ok(datum_schema_of(&frame.fields[0], name, namespace)?)
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
