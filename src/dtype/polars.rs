//! Polars' names of dtypes, for messages.

use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};

use super::categories::enum_categories;
use crate::schema::Categories;

/// Returns Polars' name of a field's dtype.
pub(crate) fn polars_name(field: &Field) -> String {
    if enum_categories(field).is_some() {
        return "Enum".to_owned();
    }
    if Categories::of(field).is_some() {
        return "Categorical".to_owned();
    }
    match field.dtype() {
        ArrowDataType::Utf8View => "String".to_owned(),
        ArrowDataType::BinaryView => "Binary".to_owned(),
        ArrowDataType::Date32 => "Date".to_owned(),
        ArrowDataType::Time64(_) => "Time".to_owned(),
        ArrowDataType::Timestamp(unit, None) => format!("Datetime({:?})", unit_name(*unit)),
        ArrowDataType::Timestamp(unit, Some(zone)) => format!("Datetime({:?}, {zone:?})", unit_name(*unit)),
        ArrowDataType::Duration(unit) => format!("Duration({:?})", unit_name(*unit)),
        ArrowDataType::Decimal(precision, scale) => format!("Decimal({precision}, {scale})"),
        ArrowDataType::LargeList(item) => format!("List({})", polars_name(item)),
        ArrowDataType::FixedSizeList(item, width) => format!("Array({}, {width})", polars_name(item)),
        ArrowDataType::Map(..) => "Map".to_owned(),
        ArrowDataType::Struct(_) => "Struct".to_owned(),
        ArrowDataType::Extension(extension) => format!("extension type {:?}", extension.name.as_str()),
        other => format!("{other:?}"),
    }
}

/// Returns Polars' name of a unit of time.
pub(crate) fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}
