//! Options that make schema resolution stricter or laxer than the specification.

use crate::casts::{Cast, Casts};

/// Options for schema differences beyond the rules of schema resolution. The default is the specification itself.
///
/// ```
/// use polars_avro::{ContainerFile, Evolution, Missing, OpenOptions, Schema};
///
/// let schema: Schema = r#"{"type": "record", "name": "Measurement", "fields": [
///     {"name": "station", "type": "string"}, {"name": "humidity", "type": "double"}
/// ]}"#.parse()?;
/// let options = OpenOptions::default().with_reader_schema(schema);
/// assert!(ContainerFile::open("docs/sample.avro", &options).is_err());
/// let options = options.with_evolution(Evolution::default().with_missing_columns(Missing::Insert));
/// assert_eq!(ContainerFile::open("docs/sample.avro", &options)?.fields().len(), 2);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Evolution {
    /// Columns that a file lacks and that have no default.
    pub missing_columns: Missing,
    /// The same of nested records.
    pub missing_fields: Missing,
    /// Columns that the reader's schema lacks.
    pub extra_columns: Extra,
    /// The same of nested records, and of branches of unions that become structs.
    pub extra_fields: Extra,
    /// Types match by the columns that they become, as Polars matches them. Names of records, enums and fixeds are
    /// ignored. A null is read as any type, and a union of null and one type matches as that type does. Every value of
    /// the writer must be readable: a difference is an error of the schemas, not of single values. Lossy promotions
    /// need a cast.
    pub by_columns: bool,
    /// With `by_columns`, every column must already become the reader's dtype: promotions need a cast too, and a field is
    /// missing even if it has a default.
    pub exact: bool,
    /// Casts beyond the promotions.
    pub casts: Casts,
    /// The fields of two records that belong together.
    pub field_matching: FieldMatching,
}

/// The rule that tells which fields of a writer's record are read as which of a reader's.
///
/// ```
/// use polars_avro::{ContainerFile, Evolution, FieldMatching, OpenOptions, Schema};
///
/// let schema: Schema =
///     r#"{"type": "record", "name": "Measurement", "fields": [{"name": "Station", "type": "string"}]}"#.parse()?;
/// let evolution = Evolution::default().with_field_matching(FieldMatching::CaseInsensitive);
/// let options = OpenOptions::default().with_reader_schema(schema).with_evolution(evolution);
/// assert_eq!(ContainerFile::open("docs/sample.avro", &options)?.fields()[0].name, "Station");
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FieldMatching {
    /// Equal names, then the reader's aliases, as the specification says.
    #[default]
    Name,
    /// The same, then names that differ in case. It is an error if several match.
    CaseInsensitive,
    /// The first field is the first, and so on, whatever their names.
    Position,
}

/// The action for a field that the reader's schema has, the writer did not write, and that has no default.
///
/// ```
/// use polars_avro::{Evolution, Missing};
///
/// let evolution = Evolution::default().with_missing_columns(Missing::Insert);
/// assert_eq!(evolution.missing_fields, Missing::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Missing {
    /// It is an error.
    #[default]
    Refuse,
    /// It is null, for any type.
    Insert,
}

/// The action for a field that the writer wrote and the reader's schema lacks.
///
/// ```
/// use polars_avro::{ContainerFile, Evolution, Extra, OpenOptions, Schema};
///
/// let schema: Schema =
///     r#"{"type": "record", "name": "Measurement", "fields": [{"name": "station", "type": "string"}]}"#.parse()?;
/// let evolution = Evolution::default().with_extra_columns(Extra::Refuse);
/// let options = OpenOptions::default().with_reader_schema(schema).with_evolution(evolution);
/// assert!(ContainerFile::open("docs/sample.avro", &options).is_err());
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Extra {
    /// It is skipped.
    #[default]
    Ignore,
    /// It is an error.
    Refuse,
}

setters!(Evolution {
    with_missing_columns(missing: Missing) => missing_columns = missing;
    with_missing_fields(missing: Missing) => missing_fields = missing;
    with_extra_columns(extra: Extra) => extra_columns = extra;
    with_extra_fields(extra: Extra) => extra_fields = extra;
    with_by_columns(by_columns: bool) => by_columns = by_columns;
    with_exact(exact: bool) => exact = exact;
    with_field_matching(matching: FieldMatching) => field_matching = matching;
    with_casts(casts: impl IntoIterator<Item = Cast>) => casts = casts.into_iter().collect();
});
