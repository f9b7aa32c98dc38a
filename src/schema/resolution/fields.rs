//! Matching of the fields of a writer's record with those of a reader's record.

use std::collections::{BTreeMap, HashMap};

use super::FieldMatching;
use crate::schema::{Field, Record, column_name};

/// The matching fields of two records.
pub(super) struct Matched {
    /// The reader's field for each of the writer's.
    pub(super) of_writer: Vec<Option<usize>>,
    /// The reader's fields that the writer did not write.
    pub(super) missing: Vec<usize>,
}

/// Matches the fields of two records.
///
/// # Errors
/// If names that differ only in case match in several ways.
pub(super) fn matched(
    writer: &Record,
    reader: &Record,
    matching: FieldMatching,
    by_columns: bool,
) -> Result<Matched, String> {
    match matching {
        FieldMatching::Name => Ok(by_name(writer, reader, by_columns)),
        FieldMatching::CaseInsensitive => by_lowercase_name(writer, reader, by_name(writer, reader, by_columns)),
        FieldMatching::Position => {
            let (written, wanted) = (writer.fields.len(), reader.fields.len());
            let of_writer = (0..written).map(|at| (at < wanted).then_some(at)).collect();
            Ok(Matched { of_writer, missing: (written..wanted).collect() })
        }
    }
}

impl Matched {
    /// Returns the writer's and the reader's fields that have no match, and whose names differ in case only: groups in the
    /// order of the names, so that errors do not depend on chance.
    pub(super) fn other_case(&self, writer: &Record, reader: &Record) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut names: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        if self.missing.is_empty() {
            return Vec::new();
        }
        for (at, field) in writer.fields.iter().enumerate().filter(|(at, _)| self.of_writer[*at].is_none()) {
            names.entry(column_name(field).to_lowercase()).or_default().0.push(at);
        }
        for &at in &self.missing {
            names.entry(column_name(&reader.fields[at]).to_lowercase()).or_default().1.push(at);
        }
        names.into_values().filter(|(written, wanted)| !written.is_empty() && !wanted.is_empty()).collect()
    }
}

/// Matches the fields that have no match yet by names that differ in case.
fn by_lowercase_name(writer: &Record, reader: &Record, mut matched: Matched) -> Result<Matched, String> {
    for (written, wanted) in matched.other_case(writer, reader) {
        if let (&[from], &[to]) = (&written[..], &wanted[..]) {
            matched.of_writer[from] = Some(to);
            matched.missing.retain(|&at| at != to);
        } else {
            let of = |record: &Record, at: &[usize]| {
                let names = at.iter().map(|&at| format!("{:?}", record.fields[at].name));
                names.collect::<Vec<_>>().join(" and ")
            };
            let (written, wanted) = (of(writer, &written), of(reader, &wanted));
            return Err(format!("the writer's {written} match the reader's {wanted} in several ways without case"));
        }
    }
    Ok(matched)
}

/// Matches fields by name, or by the names of their columns if `by_columns` is set; then by the reader's aliases.
///
/// A name that Avro does not allow is replaced by another one, which depends on the other fields. Therefore two such
/// fields never match by the replacement.
fn by_name(writer: &Record, reader: &Record, by_columns: bool) -> Matched {
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::schema::resolution::{Evolution, resolve};
    use crate::{Limits, Schema};

    #[test]
    fn fields_of_another_case_are_found_without_comparing_all_pairs() {
        let record = |prefix: &str| {
            let field = |i| format!(r#"{{"name": "{prefix}{i}", "type": "int"}}"#);
            let fields = (0..30_000).map(field).collect::<Vec<_>>().join(",");
            let json = format!(r#"{{"type": "record", "name": "R", "fields": [{fields}]}}"#);
            Schema::parse(&json, &Limits::default()).unwrap()
        };
        let (writer, reader) = (record("a"), record("b"));
        let start = Instant::now();
        let resolution = resolve(&writer, &reader, Evolution::default()).unwrap();
        assert_eq!(resolution.refused.len(), 30_000);
        // Comparing every pair would take a billion steps.
        assert!(start.elapsed().as_secs() < 10);
    }
}
