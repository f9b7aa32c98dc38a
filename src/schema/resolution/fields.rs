//! Matching of the fields of a writer's record with those of a reader's record.

use std::collections::HashMap;

use crate::schema::{Field, Record, column_name};

/// The matching fields of two records.
pub(super) struct Matched {
    /// The reader's field for each of the writer's.
    pub(super) of_writer: Vec<Option<usize>>,
    /// The reader's fields that the writer did not write.
    pub(super) missing: Vec<usize>,
}

/// Matches fields by name, or by the names of their columns if `by_columns` is set; then by the reader's aliases.
///
/// A name that Avro does not allow is replaced by another one, which depends on the other fields. Therefore two such
/// fields never match by the replacement.
pub(super) fn matched(writer: &Record, reader: &Record, by_columns: bool) -> Matched {
    let (mut names, mut columns) = (HashMap::new(), HashMap::new());
    for (at, field) in writer.fields.iter().enumerate() {
        names.insert(field.name.as_str(), at);
        columns.entry(column_name(field)).or_insert(at);
    }
    let is_noted = |field: &Field| column_name(field) != field.name;
    let by_name = |wanted: &Field| {
        let at = *names.get(wanted.name.as_str())?;
        let field = &writer.fields[at];
        let compares = by_columns || (is_noted(field) && is_noted(wanted));
        (!compares || column_name(field) == column_name(wanted)).then_some(at)
    };
    let by_column = |wanted: &Field| {
        let at = *columns.get(column_name(wanted))?;
        (by_columns || (is_noted(&writer.fields[at]) && is_noted(wanted))).then_some(at)
    };
    let mut of_writer = vec![None; writer.fields.len()];
    let mut missing = Vec::new();
    for (field, wanted) in reader.fields.iter().enumerate() {
        let found = [by_name(wanted), by_column(wanted)].into_iter().flatten().find(|&at| of_writer[at].is_none());
        match found {
            Some(at) => of_writer[at] = Some(field),
            None => missing.push(field),
        }
    }
    missing.retain(|&field| {
        let places = reader.fields[field].aliases.iter().filter_map(|alias| names.get(alias.as_str()));
        let free = places.copied().find(|&at| of_writer[at].is_none());
        free.map(|at| of_writer[at] = Some(field)).is_none()
    });
    Matched { of_writer, missing }
}
