//! Options for opening files and for reading them.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow::schema_capsule;
use super::damage::Limits;
use super::error::Raised;
use super::filter::CallableFilter;
use super::interpreter::WithoutGil;
use polars_avro::{
    Annotations, Cast, Error, ErrorKind, Evolution, Extra, FieldMatching, InvalidValues, Missing, OpenOptions, Schema,
};

/// Options for opening any number of files.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct FileOpener(pub(super) polars_avro::FileOpener);

#[pymethods]
impl FileOpener {
    /// `casts` are the names of the allowed casts.
    #[new]
    #[pyo3(signature = (reader_schema, *, limits=None, insert_missing_columns=false, insert_missing_fields=false, refuse_extra_columns=false, refuse_extra_fields=false, by_columns=false, exact=false, casts=Vec::new(), field_matching="name", annotations=Vec::new(), recursion_depth=None, invalid_values="raise"))]
    #[expect(clippy::fn_params_excessive_bools, clippy::too_many_arguments, reason = "Python passes them by name")]
    #[expect(clippy::needless_pass_by_value, reason = "what Python passes becomes a vector")]
    fn new(
        reader_schema: Option<String>,
        limits: Option<Limits>,
        insert_missing_columns: bool,
        insert_missing_fields: bool,
        refuse_extra_columns: bool,
        refuse_extra_fields: bool,
        by_columns: bool,
        exact: bool,
        casts: Vec<String>,
        field_matching: &str,
        annotations: Vec<(String, String, String)>,
        recursion_depth: Option<usize>,
        invalid_values: &str,
    ) -> Result<Self, Raised> {
        let limits = limits.map_or_else(polars_avro::Limits::default, Into::into);
        let annotations = annotated(&annotations)?;
        let reader_schema = reader_schema.map(|json| Schema::parse(&json, &limits)?.annotated(&annotations));
        let reader_schema = reader_schema.transpose()?.map(Arc::new);
        let missing = |insert| if insert { Missing::Insert } else { Missing::Refuse };
        let extra = |refuse| if refuse { Extra::Refuse } else { Extra::Ignore };
        let mut evolution = Evolution::default();
        evolution.missing_columns = missing(insert_missing_columns);
        evolution.missing_fields = missing(insert_missing_fields);
        evolution.extra_columns = extra(refuse_extra_columns);
        evolution.extra_fields = extra(refuse_extra_fields);
        (evolution.by_columns, evolution.exact) = (by_columns, exact);
        evolution.field_matching = match field_matching {
            "case_insensitive" => FieldMatching::CaseInsensitive,
            "position" => FieldMatching::Position,
            "name" => FieldMatching::Name,
            _ => return Err(Error::new(ErrorKind::Argument, format!("{field_matching:?} matches no fields")).into()),
        };
        for name in &casts {
            evolution.casts = named_casts(name)?.iter().fold(evolution.casts, |casts, &cast| casts.with(cast));
        }
        let mut options = OpenOptions::default();
        (options.reader_schema, options.evolution, options.limits) = (reader_schema, evolution, limits);
        (options.annotations, options.recursion_depth) = (annotations, recursion_depth);
        options.invalid_values = match invalid_values {
            "null" => InvalidValues::Null,
            "text" => InvalidValues::Text,
            "raise" => InvalidValues::Refuse,
            _ => {
                let message = format!("{invalid_values:?} is no action for invalid values");
                return Err(Error::new(ErrorKind::Argument, message).into());
            }
        };
        Ok(Self(polars_avro::FileOpener::new(options)))
    }

    /// Exports the columns of files that are read as the reader's schema, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let fields = py.without_gil(|| self.0.fields()).map_err(Raised::from)?;
        schema_capsule(py, &fields)
    }
}

/// Makes annotations of keys, values and the JSON of types.
pub(super) fn annotated(entries: &[(String, String, String)]) -> polars_avro::Result<Annotations> {
    entries.iter().try_fold(Annotations::default(), |known, (key, value, meaning)| known.with(key, value, meaning))
}

/// Returns the casts for a value of `polars.ScanCastOptions`, prefixed by its option.
fn named_casts(name: &str) -> polars_avro::Result<&'static [Cast]> {
    Ok(match name {
        "integer upcast" => &[Cast::IntegerUpcast],
        "float upcast" => &[Cast::FloatUpcast],
        "integer allow-float" => &[Cast::IntegerToFloat],
        "integer to-half" => &[Cast::IntegerToHalf],
        "float downcast" => &[Cast::FloatDowncast],
        "datetime nanosecond-downcast" => &[Cast::NanosecondDowncast],
        "datetime microsecond-downcast" => &[Cast::MicrosecondDowncast],
        "datetime microsecond-upcast" => &[Cast::MicrosecondUpcast],
        "datetime millisecond-upcast" => &[Cast::MillisecondUpcast],
        "datetime downcast" => &[Cast::NanosecondDowncast, Cast::MicrosecondDowncast],
        "datetime upcast" => &[Cast::MicrosecondUpcast, Cast::MillisecondUpcast],
        "datetime convert-timezone" => &[Cast::ConvertTimezone],
        "categorical allow" => &[Cast::EnumToString],
        "string to-bytes" => &[Cast::StringToBytes],
        _ => return Err(Error::new(ErrorKind::Argument, format!("{name:?} is no cast"))),
    })
}

/// Options for any number of reads.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct ReadOptions(pub(super) polars_avro::ReadOptions);

#[pymethods]
impl ReadOptions {
    #[new]
    #[pyo3(signature = (*, columns=None, row_index=None, file_index=None, byte_range=None, offset=0, length=None, ignore_errors=false, strict=false, row_filter=None, batch_size=None, n_threads=None))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
    fn new(
        columns: Option<Vec<String>>,
        row_index: Option<(String, u64, bool)>,
        file_index: Option<String>,
        byte_range: Option<(u64, Option<u64>)>,
        offset: u64,
        length: Option<u64>,
        ignore_errors: bool,
        strict: bool,
        row_filter: Option<(Vec<String>, Py<PyAny>)>,
        batch_size: Option<usize>,
        n_threads: Option<usize>,
    ) -> Self {
        let mut options = polars_avro::ReadOptions::default();
        let wide_row_index = row_index.as_ref().is_some_and(|(_, _, wide)| *wide);
        options.row_index = row_index.map(|(name, offset, _)| (name, offset));
        options.byte_range = byte_range.map(|(start, stop)| start..stop.unwrap_or(u64::MAX));
        options.filter = row_filter.map(|(columns, callable)| Arc::new(CallableFilter::new(columns, callable)) as _);
        options.batch_rows = batch_size.unwrap_or(options.batch_rows);
        (options.columns, options.wide_row_index, options.file_index) = (columns, wide_row_index, file_index);
        (options.offset, options.length, options.n_threads) = (offset, length, n_threads);
        (options.ignore_errors, options.strict) = (ignore_errors, strict);
        Self(options)
    }
}
