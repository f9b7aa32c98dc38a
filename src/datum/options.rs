//! How datums are decoded.

use std::sync::Arc;

use super::Framing;
use crate::{Limits, Schema};

/// How the rows of a column are decoded. At least one of the schemas is given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DatumOptions {
    /// What stands in front of each datum.
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
    /// What schemas and datums may ask for.
    pub limits: Limits,
}
