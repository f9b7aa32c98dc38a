//! Check that a reader with one schema can read files of another.

use pyo3::prelude::*;

use super::error::Raised;
use polars_avro::{Error, Limits, Schema};

/// Returns all incompatibilities of `reader` with data of `writer`: path, reason, and the values that fail, `None` if
/// all do.
#[pyfunction]
pub(super) fn incompatibilities(writer: &str, reader: &str) -> Result<Vec<(String, String, Option<String>)>, Raised> {
    let parse = |schema: &str, whose: &str| {
        let parsed = Schema::parse(schema, &Limits::default());
        parsed.map_err(|error: Error| error.in_file(whose))
    };
    let found = parse(reader, "the reader's schema")?.incompatibilities(&parse(writer, "the writer's schema")?)?;
    Ok(found.into_iter().map(|each| (each.path, each.message, each.values)).collect())
}
