//! The opaque error type of the crate: a kind, a position and a message.

mod conversions;
mod counted;
mod field_conflict;
mod position;

use std::{fmt, io};

pub(crate) use counted::{counted, is_or_are};
pub use field_conflict::FieldConflict;
pub use position::Position;

/// The result of everything in this crate that can fail.
///
/// ```
/// fn rows(path: &str) -> polars_avro::Result<u64> {
///     polars_avro::ContainerFile::open(path, &Default::default())?.count_rows(None)
/// }
/// assert_eq!(rows("docs/sample.avro")?, 300);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an [`Error`], which decides who has to act on it.
///
/// ```
/// use polars_avro::{ContainerFile, ErrorKind, OpenOptions};
///
/// let error = ContainerFile::open(b"PAR1".to_vec(), &OpenOptions::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Data);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file is corrupt, truncated, or not an Avro object container file. In writing, a value that the schema does not
    /// allow.
    Data,
    /// A schema is not valid, or a writer's schema cannot be read as the reader's.
    Schema,
    /// A value is valid but does not fit the reader's schema, such as a branch of a union that the reader lacks. This
    /// is not damage, so it ends even a read that drops damaged blocks.
    Mismatch,
    /// The file exceeds a [limit](crate::Limits).
    Limit,
    /// The file is valid but uses something that this reader does not support.
    Unsupported,
    /// The caller passed an invalid argument.
    Argument,
    /// The source could not be read; [`Error::io`] returns the cause.
    Source,
    /// A callback of the caller (a predicate) failed; [`Error::into_cause`] returns its error.
    Callback,
    /// A bug in this crate. Please report it.
    Internal,
}

/// An error of this crate: its kind, its message and its position.
///
/// ```
/// use std::io;
///
/// use polars_avro::{Error, ErrorKind};
///
/// let error = Error::from(io::Error::from(io::ErrorKind::NotFound)).in_file("a.avro");
/// assert_eq!(error.kind(), ErrorKind::Source);
/// assert_eq!(error.to_string(), "a.avro: entity not found");
/// assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
/// ```
pub struct Error(Box<Inner>);

type Cause = Box<dyn std::error::Error + Send + Sync>;

struct Inner {
    kind: ErrorKind,
    message: String,
    position: Position,
    field_conflict: Option<FieldConflict>,
    is_invalid_value: bool,
    union_reads: bool,
    cause: Option<Cause>,
}

impl Error {
    /// Creates an error of `kind` without a position.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (message, position) = (message.into(), Position::default());
        let (is_invalid_value, union_reads) = (false, false);
        let (field_conflict, cause) = (None, None);
        Self(Box::new(Inner { kind, message, position, field_conflict, is_invalid_value, union_reads, cause }))
    }

    /// Creates an error of [`ErrorKind::Data`].
    #[cold]
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// Creates an error of [`ErrorKind::Schema`].
    #[cold]
    pub(crate) fn schema(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Schema, message)
    }

    /// Creates an error for an exceeded limit; `name` is the field of [`crate::Limits`].
    #[cold]
    pub(crate) fn limit(name: &str, message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Limit, format!("{message} (limit `{name}`)"))
    }

    /// Creates an error of [`ErrorKind::Argument`].
    #[cold]
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument, message)
    }

    /// Creates an error of [`ErrorKind::Source`].
    #[cold]
    pub(crate) fn source(error: io::Error) -> Self {
        Self::new(ErrorKind::Source, error.to_string()).with_cause(error)
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Changes the position. Callers add their part of it as the error propagates.
    #[must_use]
    pub(crate) fn at(mut self, fill: impl FnOnce(&mut Position)) -> Self {
        fill(&mut self.0.position);
        self
    }

    #[must_use]
    pub(crate) fn with_field_conflict(mut self, conflict: Option<FieldConflict>) -> Self {
        self.0.field_conflict = conflict;
        self
    }

    #[must_use]
    pub(crate) fn with_union_reads(mut self, union_reads: bool) -> Self {
        self.0.union_reads = union_reads;
        self
    }

    #[must_use]
    pub(crate) fn with_invalid_value(mut self, is_invalid_value: bool) -> Self {
        self.0.is_invalid_value = is_invalid_value;
        self
    }

    /// Appends a possible cause to the message.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.0.message = format!("{} ({hint})", self.0.message);
        self
    }

    /// Sets the name of the file, unless it is set already.
    #[must_use]
    pub fn in_file(self, name: &str) -> Self {
        self.at(|position| {
            position.file.get_or_insert_with(|| name.to_owned());
        })
    }

    /// Adds the name of an enclosing field to the path, unless the name is empty, as that of the root is.
    #[must_use]
    pub fn in_field(self, name: &str) -> Self {
        if name.is_empty() {
            return self;
        }
        self.at(|position| {
            position.path = Some(match position.path.take() {
                Some(path) => format!("{name}.{path}"),
                None => name.to_owned(),
            });
        })
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message without the position.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the position of the error.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.0.position
    }

    /// Returns the conflict between two schemas if it is about a field that an option may allow.
    #[must_use]
    pub fn field_conflict(&self) -> Option<FieldConflict> {
        self.0.field_conflict
    }

    /// Returns true if a reader's schema that is the [union](crate::Schema::union) of the two schemas would read the file.
    /// Always false if the reader's schema sets the dtypes, see [`Evolution`](crate::Evolution).
    #[must_use]
    pub fn union_reads(&self) -> bool {
        self.0.union_reads
    }

    /// Returns true if a value is complete and its logical type does not allow it: a uuid that is none, for example.
    /// [`OpenOptions::invalid_values`](crate::OpenOptions::invalid_values) reads such values as null or text.
    #[must_use]
    pub fn is_invalid_value(&self) -> bool {
        self.0.is_invalid_value
    }

    /// Returns the I/O error that caused this one, for [`ErrorKind::Source`].
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        self.0.cause.as_ref()?.downcast_ref()
    }

    /// Returns the error that caused this one.
    #[must_use]
    pub fn into_cause(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        self.0.cause
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { position, message, .. } = &*self.0;
        let path = position.path.as_deref().map(|path| format!("field `{path}`"));
        if path.is_some_and(|path| message.starts_with(&path)) {
            // The message contains the path already.
            return write!(f, "{}{message}", Position { path: None, ..position.clone() });
        }
        write!(f, "{position}{message}")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use polars_error::PolarsError;

    use super::*;

    #[test]
    fn the_message_names_every_part_of_the_position() {
        let error = Error::data("string of 9 bytes in 3").in_file("part-3.avro").at(|p| {
            p.block = Some(7);
            p.offset = Some(52113);
            p.record = Some(12);
            p.path = Some("items[].price".into());
        });
        let text = "part-3.avro: block 7 at byte 52113, record 12, field `items[].price`: string of 9 bytes in 3";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn a_field_is_named_once() {
        let at = |message: &str| Error::schema(message).in_file("a.avro").at(|p| p.path = Some("u".into())).to_string();
        assert_eq!(at("field `u` is long in one file"), "a.avro: field `u` is long in one file");
        assert_eq!(at("field `v` is missing"), "a.avro: field `u`: field `v` is missing");
    }

    #[test]
    fn an_io_error_comes_back_from_either_conversion() {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let error = Error::from(missing()).in_file("a.avro");
        assert_eq!((error.kind(), error.io().unwrap().kind()), (ErrorKind::Source, io::ErrorKind::NotFound));
        let text = error.to_string();
        let io = io::Error::from(error);
        assert_eq!((io.kind(), io.to_string()), (io::ErrorKind::NotFound, text.clone()));
        match PolarsError::from(Error::from(missing()).in_file("a.avro")) {
            PolarsError::IO { error, msg } => {
                assert_eq!(error.kind(), io::ErrorKind::NotFound);
                assert_eq!(msg.unwrap().to_string(), text);
            }
            other => panic!("{other:?}"),
        }
        let again = Error::from(PolarsError::from(missing()));
        assert_eq!((again.kind(), again.io().unwrap().kind()), (ErrorKind::Source, io::ErrorKind::NotFound));
    }

    #[test]
    fn an_error_of_polars_passes_through_a_callback() {
        let failed = PolarsError::ColumnNotFound("b".into());
        let error = Error::from(failed).in_file("a.avro");
        assert_eq!(error.kind(), ErrorKind::Callback);
        assert!(matches!(PolarsError::from(error), PolarsError::ColumnNotFound(name) if name.to_string() == "b"));
    }

    #[test]
    fn each_kind_has_its_counterpart_in_polars() {
        let polars = |kind| PolarsError::from(Error::new(kind, "x").in_file("a.avro"));
        assert!(matches!(polars(ErrorKind::Schema), PolarsError::SchemaMismatch(_)));
        assert!(matches!(polars(ErrorKind::Argument), PolarsError::InvalidOperation(_)));
        let PolarsError::ComputeError(message) = polars(ErrorKind::Data) else { panic!() };
        assert_eq!(message.to_string(), "a.avro: x");
    }

    #[test]
    fn a_message_without_a_position_stands_alone() {
        assert_eq!(Error::argument("n_rows must not be negative").to_string(), "n_rows must not be negative");
    }
}
