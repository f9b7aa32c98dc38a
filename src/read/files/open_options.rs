//! How files are opened.

use std::sync::Arc;

use crate::{Evolution, Limits, Schema};

/// How to open a file.
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
    /// How far the file may differ from it.
    pub evolution: Evolution,
    /// What the file may ask for.
    pub limits: Limits,
}

setters!(OpenOptions {
    with_reader_schema(schema: impl Into<Arc<Schema>>) => reader_schema = Some(schema.into());
    with_evolution(evolution: Evolution) => evolution = evolution;
    with_limits(limits: Limits) => limits = limits;
});
