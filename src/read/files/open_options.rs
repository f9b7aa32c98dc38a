//! Options of opening files.

use std::sync::Arc;

use crate::{Evolution, Limits, Schema};

/// Options of opening a file: reader's schema, evolution and limits.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, Schema};
///
/// let schema: Schema = r#"{"type": "record", "name": "Measurement", "fields": [
///     {"name": "celsius", "type": ["null", "double"]}
/// ]}"#.parse()?;
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default().with_reader_schema(schema))?;
/// assert_eq!(file.fields().len(), 1);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The schema to read as, instead of the one the file was written with.
    pub reader_schema: Option<Arc<Schema>>,
    /// The differences that are allowed between the two schemas.
    pub evolution: Evolution,
    /// Bounds on the resources that the file may require.
    pub limits: Limits,
}

setters!(OpenOptions {
    with_reader_schema(schema: impl Into<Arc<Schema>>) => reader_schema = Some(schema.into());
    with_evolution(evolution: Evolution) => evolution = evolution;
    with_limits(limits: Limits) => limits = limits;
});
