//! Options for decoding datums.

use std::sync::Arc;

use super::Framing;
use crate::{Limits, Schema};

/// Options for decoding the rows of a column. At least one of the schemas is given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DatumOptions {
    /// The header of each datum.
    pub framing: Framing,
    /// The schema that rows are written with whose framing names none.
    pub schema: Option<Arc<Schema>>,
    /// Ids of registries are not looked up: `schema` wrote every row. Fingerprints always are.
    pub ignore_ids: bool,
    /// The schema that all rows are read as; `schema` if there is none.
    pub reader_schema: Option<Arc<Schema>>,
    /// The fields of the root record that come out, in this order; all if `None`. Each is a name, or a path: names with
    /// dots between them.
    pub fields: Option<Vec<String>>,
    /// A bad row becomes null instead of an error.
    pub ignore_errors: bool,
    /// Bounds on what schemas and datums may cost.
    pub limits: Limits,
}
