//! Dtypes that Avro has no type for, recorded as a property of the type that their values are written as.
//!
//! The property `polars.dtype` of a type names the dtype; a parameter has its own property. A property that does not
//! fit its type is ignored, as with logical types.

use std::collections::HashSet;
use std::fmt;

use polars_arrow::datatypes::{IntegerType, TimeUnit};
use serde_json::{Value, json};

use super::{Field, Kind, Logical, Node, Properties, Schema};

const LOGICAL_TYPE: &str = "logicalType";
pub(super) const DTYPE: &str = "polars.dtype";
const NAME: &str = "polars.name";
pub(super) const TIME_ZONE: &str = "polars.time_zone";
const TIME_UNIT: &str = "polars.time_unit";
const WIDTH: &str = "polars.width";
const CATEGORIES: &str = "polars.categories";
const FULL_NAME: &str = "polars.full_name";

/// A dtype of Polars that cannot be derived from the Avro type alone.
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
    /// A timestamp in microseconds, written as text; true if it is in UTC.
    TextTimestamp(bool),
    /// The text of a number that a record of a scale and an unscaled number represents.
    ScaledNumber,
    Categorical(Categories),
    /// These categories for the symbols, in their order.
    Enum(Vec<String>),
    /// Lists of this length.
    Array(usize),
    /// Entries whose keys are not strings.
    Map,
}

/// Returns the name of the column that a field becomes.
pub(crate) fn column_name(field: &Field) -> &str {
    field.properties.get(NAME).and_then(Value::as_str).unwrap_or(&field.name)
}

/// Records the name of a column that Avro does not allow as a name.
pub(crate) fn note_name(field: &mut Properties, name: &str) {
    field.insert(NAME.to_owned(), name.into());
}

/// Returns the full name of a type, or the one that it had before a union of schemas gave it another namespace.
pub(crate) fn full_name(node: &Node) -> Option<&str> {
    let name = node.kind.name()?;
    let noted = node.properties.get(FULL_NAME).and_then(Value::as_str);
    let noted = noted.filter(|noted| noted.rsplit('.').next() == Some(name.short()));
    Some(noted.unwrap_or(name.fullname()))
}

/// Records the full name that a type had, or removes the record.
pub(super) fn note_full_name(properties: &mut Properties, name: Option<&super::Name>) {
    properties.shift_remove(FULL_NAME);
    if let Some(name) = name {
        properties.insert(FULL_NAME.to_owned(), name.fullname().into());
    }
}

impl Restored {
    /// Returns the dtype that the properties of a type name, if it fits the type.
    pub(crate) fn of(schema: &Schema, node: &Node) -> Option<Self> {
        let text = |key: &str| node.properties.get(key).and_then(Value::as_str);
        // Iceberg, Hudi and Paimon write maps whose keys are not strings in this way.
        let is_map = text(LOGICAL_TYPE) == Some("map");
        let dtype = text(DTYPE).or(is_map.then_some("Map"))?;
        Some(match (dtype, &node.kind, node.logical) {
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
            ("Datetime", Kind::String, None) => Self::TextTimestamp(text(TIME_ZONE).is_some()),
            ("String", Kind::Record(record), None) => match &record.fields[..] {
                [scale, value]
                    if matches!(schema.node(scale.schema).kind, Kind::Int)
                        && matches!(schema.node(value.schema).kind, Kind::Bytes) =>
                {
                    Self::ScaledNumber
                }
                _ => return None,
            },
            ("Categorical", Kind::String, None) => {
                Self::Categorical(Categories::from_json(node.properties.get(CATEGORIES))?)
            }
            ("Enum", Kind::Enum(symbols), None) => {
                Self::Enum(strings(node.properties.get(CATEGORIES)?, symbols.symbols.len())?)
            }
            ("Array", Kind::Array(_), None) => {
                let width = node.properties.get(WIDTH)?.as_u64()?;
                // Polars does not accept arrays of width 0.
                Self::Array(u32::try_from(width).ok().filter(|&width| width > 0)? as usize)
            }
            ("Map", Kind::Array(items), None) => match &schema.node(*items).kind {
                Kind::Record(entry) => match &entry.fields[..] {
                    [key, value]
                        if !may_be_null(&schema.node(key.schema).kind)
                            && (!is_map || (key.name == "key" && value.name == "value")) =>
                    {
                        Self::Map
                    }
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Returns Polars' name of the dtype, without its parameters.
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
            Self::Zone(_) | Self::TextTimestamp(_) => "Datetime",
            Self::ScaledNumber => "String",
            Self::Categorical(_) => "Categorical",
            Self::Enum(_) => "Enum",
            Self::Array(_) => "Array",
            Self::Map => "Map",
        }
    }

    /// Records the dtype in the properties of the type that its values are written as.
    pub(crate) fn note(&self, properties: &mut Properties) {
        let mut put = |key: &str, value: Value| drop(properties.insert(key.to_owned(), value));
        put(DTYPE, self.name().into());
        match self {
            Self::Duration(unit) => put(TIME_UNIT, unit_name(*unit).into()),
            Self::Zone(zone) => put(TIME_ZONE, zone.as_str().into()),
            Self::TextTimestamp(true) => put(TIME_ZONE, "UTC".into()),
            Self::Categorical(categories) => {
                if let Some(value) = categories.to_json() {
                    put(CATEGORIES, value);
                }
            }
            Self::Enum(categories) => put(CATEGORIES, json!(categories)),
            Self::Array(width) => put(WIDTH, (*width).into()),
            Self::Map => put(LOGICAL_TYPE, "map".into()),
            _ => {}
        }
    }
}

/// Formats the dtype as Polars does.
impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Duration(unit) => write!(f, "('{}')", unit_name(*unit)),
            Self::Zone(zone) => write!(f, " in {zone}"),
            Self::Array(width) => write!(f, " of width {width}"),
            _ => Ok(()),
        }
    }
}

/// The categories of a `pl.Categorical`, shared by all columns with categories of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categories {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// The type of the keys, which is part of Polars' dtype.
    pub(crate) physical: IntegerType,
}

impl Categories {
    /// Returns the default categories of a `pl.Categorical`.
    pub(crate) fn global() -> Self {
        Self { name: String::new(), namespace: String::new(), physical: IntegerType::UInt32 }
    }

    /// Parses the categories of a property; without a value they are the global ones.
    pub(crate) fn from_json(value: Option<&Value>) -> Option<Self> {
        let Some(value) = value else { return Some(Self::global()) };
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let (name, namespace, physical) = (text("name")?, text("namespace")?, physical(&text("physical")?)?);
        // Polars reserves the empty name for the global categories.
        let categories = Self { name, namespace, physical };
        (!categories.name.is_empty() || categories == Self::global()).then_some(categories)
    }

    pub(crate) fn to_json(&self) -> Option<Value> {
        let Self { name, namespace, .. } = self;
        let value = || json!({"name": name, "namespace": namespace, "physical": self.physical_name()});
        (*self != Self::global()).then(value)
    }

    /// Returns Polars' name of the type of the keys.
    pub(crate) fn physical_name(&self) -> &'static str {
        match self.physical {
            IntegerType::UInt8 => "u8",
            IntegerType::UInt16 => "u16",
            _ => "u32",
        }
    }
}

/// Returns the type that [`Categories::physical_name`] names.
pub(crate) fn physical(name: &str) -> Option<IntegerType> {
    Some(match name {
        "u8" => IntegerType::UInt8,
        "u16" => IntegerType::UInt16,
        "u32" => IntegerType::UInt32,
        _ => return None,
    })
}

/// Removes all properties that record a dtype.
pub(super) fn forget(properties: &mut Properties) {
    for key in [DTYPE, TIME_ZONE, TIME_UNIT, WIDTH, CATEGORIES] {
        properties.shift_remove(key);
    }
}

fn may_be_null(kind: &Kind) -> bool {
    matches!(kind, Kind::Union(_) | Kind::Null)
}

/// Parses a list of `len` distinct strings.
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
