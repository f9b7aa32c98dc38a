//! The type table in both directions: Avro types as dtypes of Arrow and Polars, and Polars' dtypes as Avro types.

mod avro;
mod categories;
mod extension;
mod names;
mod polars;
mod restored;

use polars_arrow::datatypes::{ArrowDataType, Field};

pub(crate) use self::polars::{polars_name, unit_name};
pub(crate) use avro::{AvroNames, to_avro};
pub(crate) use categories::{enum_categories, enum_metadata};
pub(crate) use extension::{extension_metadata, storage};

/// Returns the dtype `pl.Map(String, value)`.
pub(crate) fn map(value: Field) -> ArrowDataType {
    map_of(Field::new("key".into(), ArrowDataType::Utf8View, false), value)
}

/// Returns the dtype `pl.Map(key, value)`.
pub(crate) fn map_of(key: Field, value: Field) -> ArrowDataType {
    let entries = ArrowDataType::Struct(vec![key, value]);
    ArrowDataType::Map(Box::new(Field::new("entries".into(), entries, false)), false)
}

/// Returns the key and the value of a map's entries.
pub(crate) fn map_entry(entries: &Field) -> Option<(&Field, &Field)> {
    match entries.dtype() {
        ArrowDataType::Struct(fields) => match &fields[..] {
            [key, value] => Some((key, value)),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of a duration, in their order on the wire.
pub(crate) const DURATION: [&str; 3] = ["months", "days", "milliseconds"];

/// Returns a struct of the named parts of a duration: Polars has no interval type, and months have no fixed length.
pub(crate) fn duration(parts: impl Iterator<Item = &'static str>) -> ArrowDataType {
    ArrowDataType::Struct(parts.map(|part| Field::new(part.into(), ArrowDataType::UInt32, true)).collect())
}

/// Returns true if two fields have the same dtype. Arrow's nullability is ignored, as every column may have nulls.
pub(crate) fn same_dtype(a: &Field, b: &Field) -> bool {
    let all = |a: &[Field], b: &[Field]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && same_dtype(a, b))
    };
    let same = match (a.dtype(), b.dtype()) {
        (ArrowDataType::FixedSizeList(a, n), ArrowDataType::FixedSizeList(b, m)) => n == m && same_dtype(a, b),
        (ArrowDataType::LargeList(a), ArrowDataType::LargeList(b))
        | (ArrowDataType::Map(a, _), ArrowDataType::Map(b, _)) => same_dtype(a, b),
        (ArrowDataType::Struct(a), ArrowDataType::Struct(b)) => all(a, b),
        (a, b) => a == b,
    };
    same && a.metadata == b.metadata
}
