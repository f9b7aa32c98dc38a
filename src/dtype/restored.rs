//! Dtypes that Avro has no type for, noted beside the type that their values are written as.
//!
//! The property `polars.dtype` of a type names the dtype; a parameter has a property of its own. A property that does
//! not fit its type is ignored, as logical types are.

use std::collections::HashSet;

use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use serde_json::{Value, json};

use super::categories::Categories;
use crate::schema::{Field, Kind, Logical, Node, Properties, Schema};

const DTYPE: &str = "polars.dtype";
const NAME: &str = "polars.name";
const TIME_ZONE: &str = "polars.time_zone";
const TIME_UNIT: &str = "polars.time_unit";
const WIDTH: &str = "polars.width";
const CATEGORIES: &str = "polars.categories";

/// A dtype of Polars' that the type alone does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    Int8,
    Int16,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Int128,
    UInt128,
    Float16,
    /// Nanoseconds since midnight.
    Time,
    Duration(TimeUnit),
    /// An instant shown in this zone.
    Zone(String),
    Categorical(Categories),
    /// These categories for the symbols, in their order.
    Enum(Vec<String>),
    /// Lists of this length.
    Array(usize),
    /// Entries whose keys are no strings.
    Map,
}

/// The name of the column that a field becomes.
pub(crate) fn column_name(field: &Field) -> &str {
    field.properties.get(NAME).and_then(Value::as_str).unwrap_or(&field.name)
}

/// Notes the name of a column that Avro does not allow as a name.
pub(super) fn note_name(field: &mut Properties, name: &str) {
    field.insert(NAME.to_owned(), name.into());
}

impl Restored {
    /// The dtype that the properties of a type name, if it fits the type.
    pub(crate) fn of(schema: &Schema, node: &Node) -> Option<Self> {
        let text = |key: &str| node.properties.get(key).and_then(Value::as_str);
        Some(match (text(DTYPE)?, &node.kind, node.logical) {
            ("Int8", Kind::Int, None) => Self::Int8,
            ("Int16", Kind::Int, None) => Self::Int16,
            ("UInt8", Kind::Int, None) => Self::UInt8,
            ("UInt16", Kind::Int, None) => Self::UInt16,
            ("UInt32", Kind::Long, None) => Self::UInt32,
            ("UInt64", _, Some(Logical::Decimal { scale: 0, .. })) => Self::UInt64,
            ("Int128", _, Some(Logical::Decimal { scale: 0, .. })) => Self::Int128,
            ("UInt128", _, Some(Logical::Decimal { scale: 0, .. })) => Self::UInt128,
            ("Float16", Kind::Float, None) => Self::Float16,
            ("Time", Kind::Long, None) => Self::Time,
            ("Duration", Kind::Long, None) => Self::Duration(time_unit(text(TIME_UNIT)?)?),
            (
                "Datetime",
                Kind::Long,
                Some(Logical::TimestampMillis | Logical::TimestampMicros | Logical::TimestampNanos),
            ) => Self::Zone(text(TIME_ZONE)?.to_owned()),
            ("Categorical", Kind::String, None) => {
                Self::Categorical(Categories::from_json(node.properties.get(CATEGORIES))?)
            }
            ("Enum", Kind::Enum(symbols), None) => {
                Self::Enum(strings(node.properties.get(CATEGORIES)?, symbols.symbols.len())?)
            }
            ("Array", Kind::Array(_), None) => {
                let width = node.properties.get(WIDTH)?.as_u64()?;
                // Polars takes no arrays of no items.
                Self::Array(u32::try_from(width).ok().filter(|&width| width > 0)? as usize)
            }
            ("Map", Kind::Array(items), None) => match &schema.node(*items).kind {
                Kind::Record(entry) => match &entry.fields[..] {
                    [key, _] if !may_be_null(&schema.node(key.schema).kind) => Self::Map,
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Returns true if values of a dtype as Arrow has it come back as what they were. Those that were checked when they
    /// were made, such as times, come from the very dtype alone.
    pub(crate) fn takes(&self, dtype: &ArrowDataType) -> bool {
        match self {
            Self::Int8 => *dtype == ArrowDataType::Int8,
            Self::Int16 => *dtype == ArrowDataType::Int16,
            Self::UInt8 => *dtype == ArrowDataType::UInt8,
            Self::UInt16 => *dtype == ArrowDataType::UInt16,
            Self::UInt32 => *dtype == ArrowDataType::UInt32,
            Self::UInt64 => *dtype == ArrowDataType::UInt64,
            Self::Int128 => *dtype == ArrowDataType::Int128,
            Self::UInt128 => *dtype == ArrowDataType::UInt128,
            Self::Float16 => *dtype == ArrowDataType::Float16,
            Self::Time => matches!(dtype, ArrowDataType::Time64(_)),
            Self::Duration(_) => matches!(dtype, ArrowDataType::Duration(_)),
            Self::Array(width) => matches!(dtype, ArrowDataType::FixedSizeList(_, n) if n == width),
            Self::Map => matches!(dtype, ArrowDataType::Map(..)),
            Self::Zone(_) | Self::Categorical(_) | Self::Enum(_) => true,
        }
    }

    /// Polars' name of the dtype, without its parameters.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Int8 => "Int8",
            Self::Int16 => "Int16",
            Self::UInt8 => "UInt8",
            Self::UInt16 => "UInt16",
            Self::UInt32 => "UInt32",
            Self::UInt64 => "UInt64",
            Self::Int128 => "Int128",
            Self::UInt128 => "UInt128",
            Self::Float16 => "Float16",
            Self::Time => "Time",
            Self::Duration(_) => "Duration",
            Self::Zone(_) => "Datetime",
            Self::Categorical(_) => "Categorical",
            Self::Enum(_) => "Enum",
            Self::Array(_) => "Array",
            Self::Map => "Map",
        }
    }

    /// Notes the dtype beside the type that its values are written as.
    pub(super) fn note(&self, properties: &mut Properties) {
        let mut put = |key: &str, value: Value| drop(properties.insert(key.to_owned(), value));
        put(DTYPE, self.name().into());
        match self {
            Self::Duration(unit) => put(TIME_UNIT, unit_name(*unit).into()),
            Self::Zone(zone) => put(TIME_ZONE, zone.as_str().into()),
            Self::Categorical(categories) => {
                if let Some(value) = categories.to_json() {
                    put(CATEGORIES, value);
                }
            }
            Self::Enum(categories) => put(CATEGORIES, json!(categories)),
            Self::Array(width) => put(WIDTH, (*width).into()),
            _ => {}
        }
    }
}

fn may_be_null(kind: &Kind) -> bool {
    matches!(kind, Kind::Union(_) | Kind::Null)
}

/// `len` different strings.
fn strings(value: &Value, len: usize) -> Option<Vec<String>> {
    let strings: Vec<String> =
        value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    let different: HashSet<&str> = strings.iter().map(String::as_str).collect();
    (strings.len() == len && different.len() == len).then_some(strings)
}

fn time_unit(name: &str) -> Option<TimeUnit> {
    [TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .find(|&unit| unit_name(unit) == name)
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Nanosecond => "ns",
        TimeUnit::Microsecond => "us",
        TimeUnit::Millisecond | TimeUnit::Second => "ms",
    }
}
