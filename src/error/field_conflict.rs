//! Fields on which two schemas do not agree.

use crate::casts::Cast;

/// A field on which two schemas do not agree, although the options do not allow it: the details of an
/// [`ErrorKind::Schema`](crate::ErrorKind::Schema).
///
/// ```
/// use polars_avro::{ContainerFile, FieldConflict, OpenOptions, Schema};
///
/// let schema: Schema = r#"{"type": "record", "name": "Measurement", "fields": [
///     {"name": "humidity", "type": "double"}
/// ]}"#.parse()?;
/// let options = OpenOptions::default().with_reader_schema(schema);
/// let error = ContainerFile::open("docs/sample.avro", &options).unwrap_err();
/// assert_eq!(error.field_conflict(), Some(FieldConflict::MissingColumn));
/// assert_eq!(error.position().path.as_deref(), Some("humidity"));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldConflict {
    /// The writer's root record lacks a field of the reader's, which has no default.
    MissingColumn,
    /// A nested record of the writer's lacks a field of the reader's, which has no default.
    MissingField,
    /// The writer's root record has a field that the reader's lacks.
    ExtraColumn,
    /// A nested record of the writer's has a field that the reader's lacks.
    ExtraField,
    /// Both records have the field, in names that differ in case.
    OtherCase,
    /// This cast would convert the values.
    Cast(Cast),
}
