//! Conversions from and to the errors of the standard library and of Polars.

use std::io;
use std::sync::Arc;

use polars_error::PolarsError;

use super::{Error, ErrorKind};

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::source(error)
    }
}

/// Keeps the message; [`io::Error::get_ref`] returns the error.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Data | ErrorKind::Schema | ErrorKind::Mismatch | ErrorKind::Limit => io::ErrorKind::InvalidData,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Argument => io::ErrorKind::InvalidInput,
            ErrorKind::Source => error.io().map_or(io::ErrorKind::Other, io::Error::kind),
            ErrorKind::Callback | ErrorKind::Internal => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Converts an error of Polars: an I/O error becomes one of the source, any other is one of a callback.
impl From<PolarsError> for Error {
    fn from(error: PolarsError) -> Self {
        match error {
            PolarsError::IO { error, msg } => {
                let message = msg.map_or_else(|| error.to_string(), |message| message.to_string());
                Self::new(ErrorKind::Source, message).with_cause(io::Error::new(error.kind(), error))
            }
            error => Self::new(ErrorKind::Callback, error.to_string()).with_cause(error),
        }
    }
}

/// Keeps the message. If a callback failed with an error of Polars, that error is returned unchanged.
impl From<Error> for PolarsError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let kind = error.kind();
        match (kind, error.into_cause().map(<dyn std::error::Error + Send + Sync>::downcast::<Self>)) {
            (ErrorKind::Callback, Some(Ok(own))) => *own,
            (ErrorKind::Source, Some(Err(cause))) => {
                let kind = cause.downcast_ref().map_or(io::ErrorKind::Other, io::Error::kind);
                Self::IO { error: Arc::new(io::Error::new(kind, cause)), msg: Some(message.into()) }
            }
            (ErrorKind::Schema | ErrorKind::Mismatch, _) => Self::SchemaMismatch(message.into()),
            (ErrorKind::Argument, _) => Self::InvalidOperation(message.into()),
            _ => Self::ComputeError(message.into()),
        }
    }
}
