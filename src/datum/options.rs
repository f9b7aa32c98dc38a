//! Options for decoding datums.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Framing, SchemaId};
use crate::{Limits, Schema};

/// Options for decoding the rows of a column. At least one of the schemas is required.
///
/// ```
/// use polars_avro::{DatumOptions, Framing, Schema};
///
/// let schema: Schema = r#""long""#.parse()?;
/// let options = DatumOptions::default().with_schema(schema).with_framing(Framing::Confluent);
/// assert!(!options.ignore_errors);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DatumOptions {
    /// The framing of each datum.
    pub framing: Framing,
    /// The writer's schema of rows whose framing does not identify one.
    pub schema: Option<Arc<Schema>>,
    /// Does not look up registry ids: every row was written with `schema`. Fingerprints are always looked up.
    pub ignore_ids: bool,
    /// The ids and fingerprints that may be looked up, see [`Decoded::Missing`](super::Decoded::Missing); any if
    /// `None`. Rows with another one are bad.
    pub ids: Option<HashSet<SchemaId>>,
    /// The framings whose ids may be looked up; any if `None`. A registry has the ids of few framings.
    pub looked_up: Option<HashSet<Framing>>,
    /// The schema that all rows are read as; `schema` if `None`.
    pub reader_schema: Option<Arc<Schema>>,
    /// The fields of the root record to read, in this order; all if `None`. Each is a name, or a path of names
    /// separated by dots.
    pub fields: Option<Vec<String>>,
    /// A bad row becomes null instead of an error.
    pub ignore_errors: bool,
    /// The bounds on schemas and datums.
    pub limits: Limits,
}

setters!(DatumOptions {
    with_framing(framing: Framing) => framing = framing;
    with_schema(schema: impl Into<Arc<Schema>>) => schema = Some(schema.into());
    with_ignore_ids(ignore: bool) => ignore_ids = ignore;
    with_ids(ids: impl IntoIterator<Item = impl Into<SchemaId>>) => ids = Some(ids.into_iter().map(Into::into).collect());
    with_looked_up(framings: impl IntoIterator<Item = Framing>) => looked_up = Some(framings.into_iter().collect());
    with_reader_schema(schema: impl Into<Arc<Schema>>) => reader_schema = Some(schema.into());
    with_fields(fields: impl IntoIterator<Item = impl Into<String>>) =>
        fields = Some(fields.into_iter().map(Into::into).collect());
    with_ignore_errors(ignore: bool) => ignore_errors = ignore;
    with_limits(limits: Limits) => limits = limits;
});
