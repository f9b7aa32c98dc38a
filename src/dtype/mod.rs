//! Arrow types as Polars spells them, where that takes more than naming a type.

use std::fmt::Write as _;

use polars_arrow::datatypes::{ArrowDataType, Field, Metadata};

/// The metadata that makes a dictionary of strings a `pl.Enum` with these categories in this order.
///
/// Polars reads `<length in bytes>;<category>` for each of them.
pub(crate) fn enum_metadata(categories: &[String]) -> Metadata {
    let mut text = String::new();
    for category in categories {
        write!(text, "{};{category}", category.len()).expect("writing to a String cannot fail");
    }
    Metadata::from([("_PL_ENUM_VALUES2".into(), text.as_str().into())])
}

/// `pl.Map(String, value)`.
pub(crate) fn map(value: Field) -> ArrowDataType {
    let key = Field::new("key".into(), ArrowDataType::Utf8View, false);
    let entries = ArrowDataType::Struct(vec![key, value]);
    ArrowDataType::Map(Box::new(Field::new("entries".into(), entries, false)), false)
}

/// A struct of the named parts of a duration: Polars has no interval type, and a month is not 30 days.
pub(crate) fn duration(parts: impl Iterator<Item = &'static str>) -> ArrowDataType {
    ArrowDataType::Struct(parts.map(|part| Field::new(part.into(), ArrowDataType::UInt32, true)).collect())
}
