//! Options of opening files.

use std::sync::Arc;

use crate::plan::Conversions;
use crate::{Annotations, Evolution, InvalidValues, Limits, Schema};

/// Options of opening a file: reader's schema, evolution, conversions and limits.
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
    /// The logical types of annotations by other tools, in the schemas of files.
    pub annotations: Annotations,
    /// The number of times that a recursive type becomes a struct inside itself. Deeper values are null, and counted. With
    /// `None` a recursive value becomes JSON text.
    pub recursion_depth: Option<usize>,
    /// Values that their logical type does not allow.
    pub invalid_values: InvalidValues,
    /// Bounds on the resources that the file may require.
    pub limits: Limits,
}

impl OpenOptions {
    pub(crate) fn conversions(&self) -> Conversions {
        Conversions { recursion_depth: self.recursion_depth, invalid_values: self.invalid_values }
    }
}

setters!(OpenOptions {
    with_reader_schema(schema: impl Into<Arc<Schema>>) => reader_schema = Some(schema.into());
    with_evolution(evolution: Evolution) => evolution = evolution;
    with_annotations(annotations: Annotations) => annotations = annotations;
    with_recursion_depth(depth: usize) => recursion_depth = Some(depth);
    with_invalid_values(invalid: InvalidValues) => invalid_values = invalid;
    with_limits(limits: Limits) => limits = limits;
});
