//! How datums are decoded.

use std::collections::HashSet;
use std::sync::Arc;

use super::Framing;
use crate::{Limits, Schema};

/// How the rows of a column are decoded. At least one of the schemas is given.
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
    /// What stands in front of each datum.
    pub framing: Framing,
    /// The schema that rows are written with whose framing names none.
    pub schema: Option<Arc<Schema>>,
    /// Ids of registries are not looked up: `schema` wrote every row. Fingerprints always are.
    pub ignore_ids: bool,
    /// The ids and fingerprints that may be asked for, see [`Decoded::Missing`](super::Decoded::Missing); any if `None`.
    /// Rows with another one are bad.
    pub ids: Option<HashSet<u64>>,
    /// The schema that all rows are read as; `schema` if there is none.
    pub reader_schema: Option<Arc<Schema>>,
    /// The fields of the root record that come out, in this order; all if `None`. Each is a name, or a path: names with
    /// dots between them.
    pub fields: Option<Vec<String>>,
    /// A bad row becomes null instead of an error.
    pub ignore_errors: bool,
    /// What schemas and datums may ask for.
    pub limits: Limits,
}

setters!(DatumOptions {
    with_framing(framing: Framing) => framing = framing;
    with_schema(schema: impl Into<Arc<Schema>>) => schema = Some(schema.into());
    with_ignore_ids(ignore: bool) => ignore_ids = ignore;
    with_ids(ids: impl IntoIterator<Item = u64>) => ids = Some(ids.into_iter().collect());
    with_reader_schema(schema: impl Into<Arc<Schema>>) => reader_schema = Some(schema.into());
    with_fields(fields: impl IntoIterator<Item = impl Into<String>>) =>
        fields = Some(fields.into_iter().map(Into::into).collect());
    with_ignore_errors(ignore: bool) => ignore_errors = ignore;
    with_limits(limits: Limits) => limits = limits;
});
