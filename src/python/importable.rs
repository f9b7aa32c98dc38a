//! Check of columns before Polars imports them, as it panics on names and time zones that it does not support.

use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::prelude::*;

use super::error::Raised;
use polars_avro::{Error, ErrorKind};

/// Returns the field if Polars can import it.
///
/// # Errors
/// [`ErrorKind::Unsupported`] if a name holds a NUL; [`ErrorKind::Schema`] if Polars does not know a time zone.
pub(super) fn importable(py: Python<'_>, field: Field) -> PyResult<Field> {
    match check(py, &field)? {
        None => Ok(field),
        Some(error) => Err(Raised::from(error).into()),
    }
}

/// Returns the first error in a field or its children, with its path.
fn check(py: Python<'_>, field: &Field) -> PyResult<Option<Error>> {
    if field.name.contains('\0') {
        let error = Error::new(ErrorKind::Unsupported, "a name with a NUL character, which Polars cannot import");
        return Ok(Some(error.in_field(&field.name)));
    }
    let error = match field.dtype().to_storage() {
        ArrowDataType::Timestamp(_, Some(zone)) if zone.as_str() != "UTC" => {
            let is_known = py.import("polars_avro._time_zones")?.getattr("is_time_zone")?.call1((zone.as_str(),))?;
            let unknown =
                || Error::new(ErrorKind::Schema, format!("Polars does not know the time zone {:?}", zone.as_str()));
            (!is_known.extract::<bool>()?).then(unknown)
        }
        ArrowDataType::Struct(fields) => first(py, fields)?,
        ArrowDataType::LargeList(item) | ArrowDataType::FixedSizeList(item, _) | ArrowDataType::Map(item, _) => {
            check(py, item)?
        }
        _ => None,
    };
    Ok(error.map(|error| error.in_field(&field.name)))
}

fn first(py: Python<'_>, fields: &[Field]) -> PyResult<Option<Error>> {
    for field in fields {
        if let Some(error) = check(py, field)? {
            return Ok(Some(error));
        }
    }
    Ok(None)
}
