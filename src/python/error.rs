//! Errors of the core as Python exceptions. The classes are defined in `polars_avro`.

use std::io::ErrorKind as ErrorKindOfIo;

use pyo3::exceptions::{
    PyConnectionRefusedError, PyConnectionResetError, PyFileNotFoundError, PyOSError, PyPermissionError,
    PyTimeoutError, PyValueError,
};
use pyo3::prelude::*;

use polars_avro::{Cast, Error, ErrorKind, FieldConflict};

/// An error of the core to raise in Python. In a `#[pymethods]` function that returns `Result<_, Raised>`, `?` converts
/// it.
pub(super) enum Raised {
    Core(Error),
    Python(PyErr),
}

impl From<Error> for Raised {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Raised {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        let error = match raised {
            Raised::Core(error) => error,
            Raised::Python(error) => return error,
        };
        if error.kind() == ErrorKind::Callback {
            return callback_error(error);
        }
        match error.kind() {
            ErrorKind::Argument => PyValueError::new_err(error.to_string()),
            ErrorKind::Source => os_error(&error),
            ErrorKind::Data | ErrorKind::Mismatch => avro_error("AvroDataError", &error, &value_hint(&error)),
            ErrorKind::Schema => schema_error(&error),
            ErrorKind::Limit => avro_error("AvroLimitError", &error, ""),
            ErrorKind::Unsupported => avro_error("AvroUnsupportedError", &error, ""),
            _ => avro_error("AvroError", &error, ""),
        }
    }
}

/// Returns the exception that a callback raised, unchanged.
fn callback_error(error: Error) -> PyErr {
    let text = error.to_string();
    match error.into_cause().map(<dyn std::error::Error + Send + Sync>::downcast::<PyErr>) {
        Some(Ok(raised)) => *raised,
        _ => avro_error("AvroError", &Error::new(ErrorKind::Callback, text), ""),
    }
}

/// Returns an `OSError`. Python selects the subclass (`FileNotFoundError`, `PermissionError`) by the number.
fn os_error(error: &Error) -> PyErr {
    let Some(code) = error.io().and_then(std::io::Error::raw_os_error) else {
        return by_kind(error);
    };
    // Rust's text ends with the number, which Python prints first.
    let text = error.message();
    let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(text);
    match &error.position().file {
        Some(file) => PyOSError::new_err((code, text.to_owned(), file.clone())),
        None => PyOSError::new_err((code, text.to_owned())),
    }
}

/// Returns the exception for an I/O error without a number, for example of an object store.
fn by_kind(error: &Error) -> PyErr {
    let text = error.to_string();
    match error.io().map(std::io::Error::kind) {
        Some(ErrorKindOfIo::NotFound) => PyFileNotFoundError::new_err(text),
        Some(ErrorKindOfIo::PermissionDenied) => PyPermissionError::new_err(text),
        Some(ErrorKindOfIo::ConnectionRefused) => PyConnectionRefusedError::new_err(text),
        Some(ErrorKindOfIo::ConnectionReset | ErrorKindOfIo::UnexpectedEof) => PyConnectionResetError::new_err(text),
        Some(ErrorKindOfIo::TimedOut) => PyTimeoutError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// Returns an exception that names the option to read the file anyway, if there is one.
fn schema_error(error: &Error) -> PyErr {
    let class = match error.field_conflict() {
        Some(FieldConflict::MissingColumn) => "AvroColumnNotFoundError",
        _ => "AvroSchemaError",
    };
    avro_error(class, error, &hint(error))
}

/// Returns the options to read a value all the same. Datums have none.
fn value_hint(error: &Error) -> String {
    match error.position().block {
        Some(_) if error.is_invalid_value() => {
            "; pass invalid_values='null' or 'text' (for UUIDs, times and decimals) to read it all the same".to_owned()
        }
        Some(_) => hint(error),
        None => String::new(),
    }
}

/// Returns the options to read a file all the same. The union of the files comes first where the others lose values.
fn hint(error: &Error) -> String {
    let union = |what: &str| {
        if error.union_reads() { format!("; schema_mode='union' reads {what}") } else { String::new() }
    };
    let allow = |option: &str| format!("; pass cast_options=pl.ScanCastOptions({option})");
    let cast = |needed| cast_option(needed).map(allow).unwrap_or_default();
    match error.field_conflict() {
        Some(FieldConflict::MissingColumn) => "; pass missing_columns='insert' to read it as null".to_owned(),
        Some(FieldConflict::ExtraColumn) => {
            format!("{}; extra_columns='ignore' discards this one", union("the columns of all files"))
        }
        Some(FieldConflict::MissingField) => format!("{} to read it as null", allow("missing_struct_fields='insert'")),
        Some(FieldConflict::ExtraField) => {
            format!("{}{} to skip it", union("the fields of all files"), allow("extra_struct_fields='ignore'"))
        }
        Some(FieldConflict::OtherCase) => {
            "; without `schema`, field_matching='case_insensitive' matches such names".to_owned()
        }
        Some(FieldConflict::Cast(needed)) if drops_digits(needed) => {
            format!("{}{} to drop digits", union("all files in the widest type"), cast(needed))
        }
        Some(FieldConflict::Cast(needed)) => cast(needed),
        _ => union("all files in the widest type"),
    }
}

/// Returns the field of `ScanCastOptions` that allows a cast, if there is one.
fn cast_option(cast: Cast) -> Option<&'static str> {
    Some(match cast {
        Cast::IntegerUpcast => "integer_cast='upcast'",
        Cast::IntegerToFloat | Cast::IntegerToHalf => "integer_cast='allow-float'",
        Cast::FloatUpcast => "float_cast='upcast'",
        Cast::FloatDowncast => "float_cast='downcast'",
        Cast::NanosecondDowncast => "datetime_cast='nanosecond-downcast'",
        Cast::MicrosecondDowncast => "datetime_cast='microsecond-downcast'",
        Cast::MicrosecondUpcast => "datetime_cast='microsecond-upcast'",
        Cast::MillisecondUpcast => "datetime_cast='millisecond-upcast'",
        Cast::ConvertTimezone => "datetime_cast='convert-timezone'",
        Cast::EnumToString => "categorical_to_string='allow'",
        _ => return None,
    })
}

/// Returns true if a wider type would keep the digits. An integer as a float has no wider one: their union is a float.
fn drops_digits(cast: Cast) -> bool {
    matches!(cast, Cast::FloatDowncast | Cast::NanosecondDowncast | Cast::MicrosecondDowncast)
}

fn avro_error(class: &str, error: &Error, hint: &str) -> PyErr {
    let position = error.position();
    Python::attach(|py| {
        let raise = || -> PyResult<PyErr> {
            let exception = py.import("polars_avro._errors")?.getattr(class)?.call1((format!("{error}{hint}"),))?;
            exception.setattr("file", position.file.as_deref())?;
            exception.setattr("block_index", position.block)?;
            exception.setattr("offset", position.offset)?;
            exception.setattr("record", position.record)?;
            exception.setattr("row", position.row)?;
            exception.setattr("field", position.path.as_deref())?;
            Ok(PyErr::from_value(exception))
        };
        raise().unwrap_or_else(|failure| failure)
    })
}
