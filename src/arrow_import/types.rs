//! Types of Arrow that Polars can import, from their format strings.

use polars_arrow::datatypes::{
    ArrowDataType, DTYPE_CATEGORICAL_NEW, DTYPE_ENUM_VALUES_NEW, ExtensionType, Field, IntegerType, Metadata, TimeUnit,
};

use super::malformed;
use crate::ffi::arrow::CSchema;
use crate::{Error, ErrorKind, Result};

const EXTENSION_NAME: &str = "ARROW:extension:name";

/// The maximum depth of nested types, which are read recursively.
const MAX_DEPTH: usize = 64;

/// Bits of `flags`.
const IS_ORDERED: i64 = 1;
const IS_NULLABLE: i64 = 2;
const HAS_SORTED_KEYS: i64 = 4;

/// The type of an array that is imported, and those of its children.
#[derive(Debug)]
pub(super) struct ColumnType {
    /// Names the array in errors.
    pub(super) path: String,
    /// The field as it is imported.
    pub(super) field: Field,
    /// The size of a decimal in the producer's buffer, in bytes; all become 128 bits wide.
    pub(super) decimal_width: usize,
    /// The types of the children, or of a dictionary's values.
    pub(super) children: Vec<ColumnType>,
}

impl ColumnType {
    /// Reads the type of a stream or an array.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if Polars cannot import the type; [`ErrorKind::Argument`] if the schema is malformed.
    pub(super) fn read(schema: &CSchema) -> Result<Self> {
        Self::at(schema, String::new(), 0)
    }

    fn at(schema: &CSchema, path: String, depth: usize) -> Result<Self> {
        let bad = |message: String| malformed(&path, &message);
        if depth > MAX_DEPTH {
            return Err(bad(format!("types are nested more than {MAX_DEPTH} deep")));
        }
        let format = schema.format().map_err(bad)?;
        let metadata = schema.metadata().map_err(bad)?;
        let (children, dtype) = if let Some(values) = schema.dictionary() {
            let values = Self::at(values, path.clone(), depth + 1)?;
            let key =
                key_type(&format).ok_or_else(|| bad(format!("a dictionary with keys of the format {format:?}")))?;
            let dtype = Box::new(values.field.dtype().clone());
            (vec![values], ArrowDataType::Dictionary(key, dtype, schema.flag(IS_ORDERED)))
        } else if let Some(key) = key_type(&format).filter(|_| is_extension_of_categories(&metadata)) {
            // For an extension of a categorical, Polars exports the schema of the keys, without the dictionary.
            let field = Field::new("".into(), ArrowDataType::Utf8View, true);
            let values = Self { path: path.clone(), field, decimal_width: 16, children: Vec::new() };
            (vec![values], ArrowDataType::Dictionary(key, Box::new(ArrowDataType::Utf8View), false))
        } else {
            if let Some((kind, instead)) = refused(&format) {
                let message = format!("the Arrow type {kind} cannot be written to Avro: cast it to {instead}");
                return Err(Error::new(ErrorKind::Unsupported, message).at(|position| position.path = Some(path)));
            }
            let children = Self::children(schema, &format, &path, depth)?;
            let fields = children.iter().map(|child: &Self| child.field.clone()).collect();
            let dtype = dtype(&format, fields, schema.flag(HAS_SORTED_KEYS));
            (children, dtype.ok_or_else(|| bad(format!("the format {format:?} is no Arrow type that is known")))?)
        };
        let (metadata, dtype) = with_metadata(metadata, dtype);
        let field = Field::new(schema.name().into(), dtype, schema.flag(IS_NULLABLE)).with_metadata(metadata);
        let decimal_width = decimal(&format).map_or(16, |decimal| decimal.bits / 8);
        Ok(Self { path, field, decimal_width, children })
    }

    fn children(schema: &CSchema, format: &str, path: &str, depth: usize) -> Result<Vec<Self>> {
        let bad = |message: String| malformed(path, &message);
        let n_children = if format.starts_with('+') { schema.n_children().map_err(bad)? } else { 0 };
        let read = |index| {
            let child = schema.child(index).map_err(bad)?;
            let below = match (format, path) {
                ("+s", "") => child.name(),
                ("+s", _) => format!("{path}.{}", child.name()),
                _ => format!("{path}[]"),
            };
            Self::at(child, below, depth + 1)
        };
        (0..n_children).map(read).collect()
    }
}

/// Returns the name of a type that Polars cannot import, and the type to cast it to.
fn refused(format: &str) -> Option<(String, String)> {
    if let Some(Decimal { precision, scale, bits }) = decimal(format) {
        let kind = format!("decimal{bits}({precision}, {scale})");
        let instead = "a decimal128 of at most 38 digits and no negative scale, or to a string";
        return (precision > 38 || scale < 0 || bits > 128).then(|| (kind, instead.to_owned()));
    }
    let (kind, instead) = match format {
        "+w:0" => ("fixed-size list of size 0", "a list"),
        "w:0" => ("fixed-size binary of size 0", "binary"),
        _ => match format.get(..2)? {
            "+u" => ("union", "a struct"),
            "ti" => ("interval", "a duration or a struct"),
            "+r" => ("run-end encoded", "the type of its values"),
            "+v" => ("list view", "a list"),
            _ => return None,
        },
    };
    Some((kind.to_owned(), instead.to_owned()))
}

struct Decimal {
    precision: usize,
    scale: i64,
    bits: usize,
}

/// Reads `d:precision,scale` and `d:precision,scale,bits`.
fn decimal(format: &str) -> Option<Decimal> {
    let mut numbers = format.strip_prefix("d:")?.split(',');
    let (precision, scale) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let bits = numbers.next().map_or(Some(128), |bits| bits.parse().ok())?;
    ([32, 64, 128, 256].contains(&bits) && numbers.next().is_none()).then_some(Decimal { precision, scale, bits })
}

/// Returns the type of a format, with the fields of its children.
fn dtype(format: &str, fields: Vec<Field>, has_sorted_keys: bool) -> Option<ArrowDataType> {
    if let Some(decimal) = decimal(format) {
        return Some(ArrowDataType::Decimal(decimal.precision, usize::try_from(decimal.scale).ok()?));
    }
    let one = || <[Field; 1]>::try_from(fields.clone()).ok().map(|[field]| Box::new(field));
    match format {
        "+s" => return Some(ArrowDataType::Struct(fields)),
        "+l" => return Some(ArrowDataType::List(one()?)),
        "+L" => return Some(ArrowDataType::LargeList(one()?)),
        "+m" => return Some(ArrowDataType::Map(one()?, has_sorted_keys)),
        _ => {}
    }
    match format.split_once(':') {
        Some(("+w", size)) => Some(ArrowDataType::FixedSizeList(one()?, size.parse().ok()?)),
        Some(("w", size)) => Some(ArrowDataType::FixedSizeBinary(size.parse().ok()?)),
        Some((timestamp, zone)) => {
            let unit = unit(timestamp.strip_prefix("ts")?)?;
            Some(ArrowDataType::Timestamp(unit, (!zone.is_empty()).then(|| zone.into())))
        }
        None => leaf(format),
    }
}

fn leaf(format: &str) -> Option<ArrowDataType> {
    use ArrowDataType as A;
    Some(match format {
        "n" => A::Null,
        "b" => A::Boolean,
        "c" => A::Int8,
        "C" => A::UInt8,
        "s" => A::Int16,
        "S" => A::UInt16,
        "i" => A::Int32,
        "I" => A::UInt32,
        "l" => A::Int64,
        "L" => A::UInt64,
        // Formats that Polars defines itself.
        "_pli128" => A::Int128,
        "_plu128" => A::UInt128,
        "e" => A::Float16,
        "f" => A::Float32,
        "g" => A::Float64,
        "z" => A::Binary,
        "Z" => A::LargeBinary,
        "vz" => A::BinaryView,
        "u" => A::Utf8,
        "U" => A::LargeUtf8,
        "vu" => A::Utf8View,
        "tdD" => A::Date32,
        "tdm" => A::Date64,
        "tts" => A::Time32(TimeUnit::Second),
        "ttm" => A::Time32(TimeUnit::Millisecond),
        "ttu" => A::Time64(TimeUnit::Microsecond),
        "ttn" => A::Time64(TimeUnit::Nanosecond),
        _ => A::Duration(unit(format.strip_prefix("tD")?)?),
    })
}

fn unit(letter: &str) -> Option<TimeUnit> {
    Some(match letter {
        "s" => TimeUnit::Second,
        "m" => TimeUnit::Millisecond,
        "u" => TimeUnit::Microsecond,
        "n" => TimeUnit::Nanosecond,
        _ => return None,
    })
}

fn key_type(format: &str) -> Option<IntegerType> {
    use IntegerType as I;
    Some(match format {
        "c" => I::Int8,
        "C" => I::UInt8,
        "s" => I::Int16,
        "S" => I::UInt16,
        "i" => I::Int32,
        "I" => I::UInt32,
        "l" => I::Int64,
        "L" => I::UInt64,
        _ => return None,
    })
}

/// Returns true for an extension type whose storage is a `pl.Categorical` or a `pl.Enum`.
fn is_extension_of_categories(metadata: &[(String, String)]) -> bool {
    let has = |name: &str| metadata.iter().any(|(key, _)| key == name);
    has(EXTENSION_NAME) && (has(DTYPE_CATEGORICAL_NEW) || has(DTYPE_ENUM_VALUES_NEW))
}

/// Removes the extension type from the metadata of a field.
fn with_metadata(entries: Vec<(String, String)>, dtype: ArrowDataType) -> (Metadata, ArrowDataType) {
    let (mut name, mut text, mut rest) = (None, None, Metadata::new());
    for (key, value) in entries {
        match key.as_str() {
            EXTENSION_NAME => name = Some(value.into()),
            "ARROW:extension:metadata" => text = Some(value.into()),
            _ => drop(rest.insert(key.into(), value.into())),
        }
    }
    let dtype = match name {
        Some(name) => ArrowDataType::Extension(Box::new(ExtensionType { name, inner: dtype, metadata: text })),
        None => dtype,
    };
    (rest, dtype)
}
