//! The table of types: what becomes of an Avro value and of an Avro type in Polars.

use std::fmt::Write;

use num_bigint::BigInt;
use serde_json::Value as Json;

use crate::naive::{Schema, Shape, Type, Value, long, prefixed};

/// One value of a column. Floats are bits, so that every NaN equals itself and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Int32(i32),
    Int64(i64),
    UInt32(u32),
    Float32(u32),
    Float64(u64),
    Decimal(i128),
    Binary(Vec<u8>),
    String(String),
    Enum(String),
    List(Vec<Cell>),
    Map(Vec<(String, Cell)>),
    Struct(Vec<Cell>),
}

/// A logical type that is valid where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Logical {
    Decimal {
        precision: usize,
        scale: usize,
    },
    BigDecimal,
    Uuid,
    Date,
    /// Nanoseconds in one unit.
    Time(i64),
    /// The unit's name in Polars, and whether it is an instant in UTC.
    Timestamp(&'static str, bool),
    Duration,
}

pub(crate) fn logical(ty: &Type) -> Option<Logical> {
    let name = ty.attributes.get("logicalType")?.as_str()?;
    Some(match (&ty.shape, name) {
        (Shape::Bytes, "decimal") => decimal(ty, usize::MAX)?,
        (Shape::Fixed { size, .. }, "decimal") => decimal(ty, digits_in(*size))?,
        (Shape::Bytes, "big-decimal") => Logical::BigDecimal,
        (Shape::String | Shape::Fixed { size: 16, .. }, "uuid") => Logical::Uuid,
        (Shape::Fixed { size: 12, .. }, "duration") => Logical::Duration,
        (Shape::Int, "date") => Logical::Date,
        (Shape::Int, "time-millis") => Logical::Time(1_000_000),
        (Shape::Long, "time-micros") => Logical::Time(1000),
        (Shape::Long, "timestamp-millis") => Logical::Timestamp("ms", true),
        (Shape::Long, "timestamp-micros") => Logical::Timestamp("us", true),
        (Shape::Long, "timestamp-nanos") => Logical::Timestamp("ns", true),
        (Shape::Long, "local-timestamp-millis") => Logical::Timestamp("ms", false),
        (Shape::Long, "local-timestamp-micros") => Logical::Timestamp("us", false),
        (Shape::Long, "local-timestamp-nanos") => Logical::Timestamp("ns", false),
        _ => return None,
    })
}

fn decimal(ty: &Type, digits: usize) -> Option<Logical> {
    let precision = ty.attributes.get("precision")?.as_u64()? as usize;
    let scale = ty.attributes.get("scale").map_or(Some(0), Json::as_u64)? as usize;
    (precision > 0 && scale <= precision && precision <= digits).then_some(Logical::Decimal { precision, scale })
}

/// How many decimal digits always fit a two's complement number of so many bytes.
fn digits_in(size: usize) -> usize {
    if size == 0 {
        return 0;
    }
    let largest: BigInt = (BigInt::from(1) << (8 * size - 1)) - 1;
    largest.to_string().len() - 1
}

/// The types around a value: where one of them is met again, the value is text.
type Enclosing<'a> = Vec<&'a str>;

/// Branches that are not null, with their names as columns; `None` where the union is a nullable branch or nothing.
fn struct_of<'a>(schema: &Schema, branches: &'a [Type]) -> Option<Vec<(usize, String, &'a Type)>> {
    let named = |(at, branch)| {
        let target = schema.target(branch);
        (at, branch_name(target), target)
    };
    let all: Vec<_> =
        branches.iter().enumerate().map(named).filter(|(_, _, ty)| !matches!(ty.shape, Shape::Null)).collect();
    if all.len() < 2 {
        return None;
    }
    let short = |name: &str| name.rsplit('.').next().unwrap().to_owned();
    let unique = |name: &str| all.iter().filter(|(_, other, _)| short(other) == short(name)).count() == 1;
    let column = |name: &str| if unique(name) { short(name) } else { name.to_owned() };
    Some(all.iter().map(|(at, name, _)| (*at, column(name), &branches[*at])).collect())
}

fn branch_name(ty: &Type) -> String {
    match &ty.shape {
        Shape::Null => "null",
        Shape::Boolean => "boolean",
        Shape::Int => "int",
        Shape::Long => "long",
        Shape::Float => "float",
        Shape::Double => "double",
        Shape::Bytes => "bytes",
        Shape::String => "string",
        Shape::Array(_) => "array",
        Shape::Map(_) => "map",
        Shape::Fixed { name, .. } | Shape::Enum { name, .. } | Shape::Record { name, .. } => name,
        Shape::Union(_) | Shape::Reference(_) => panic!("no branch"),
    }
    .to_owned()
}

/// Column names and what each holds in words.
pub(crate) fn columns(schema: &Schema) -> Vec<(String, String)> {
    match &schema.root.shape {
        Shape::Record { name, fields } => {
            let mut enclosing = vec![name.as_str()];
            fields.iter().map(|(name, ty)| (name.clone(), dtype(schema, ty, &mut enclosing))).collect()
        }
        _ => vec![("value".into(), dtype(schema, &schema.root, &mut Vec::new()))],
    }
}

/// The dtype of a column in words, for comparison with what `columns::dtype` says.
fn dtype<'a>(schema: &'a Schema, ty: &'a Type, enclosing: &mut Enclosing<'a>) -> String {
    let ty = schema.target(ty);
    match logical(ty) {
        Some(Logical::Decimal { precision, scale }) if precision <= 38 => {
            return format!("Decimal({precision}, {scale})");
        }
        Some(Logical::Decimal { .. } | Logical::BigDecimal | Logical::Uuid) => return "String".into(),
        Some(Logical::Date) => return "Date".into(),
        Some(Logical::Time(_)) => return "Time".into(),
        Some(Logical::Timestamp(unit, utc)) => return format!("Datetime({unit}{})", if utc { ", UTC" } else { "" }),
        Some(Logical::Duration) => return "Struct{months: UInt32, days: UInt32, milliseconds: UInt32}".into(),
        None => {}
    }
    match &ty.shape {
        Shape::Null => "Null".into(),
        Shape::Boolean => "Boolean".into(),
        Shape::Int => "Int32".into(),
        Shape::Long => "Int64".into(),
        Shape::Float => "Float32".into(),
        Shape::Double => "Float64".into(),
        Shape::Bytes | Shape::Fixed { .. } => "Binary".into(),
        Shape::String => "String".into(),
        Shape::Enum { symbols, .. } => format!("Enum[{}]", symbols.join(", ")),
        Shape::Array(items) => format!("List({})", dtype(schema, items, enclosing)),
        Shape::Map(of) => format!("Map({})", dtype(schema, of, enclosing)),
        Shape::Union(branches) => match struct_of(schema, branches) {
            Some(columns) => {
                struct_text(columns.iter().map(|(_, name, ty)| (name.as_str(), dtype(schema, ty, enclosing))))
            }
            None => one_branch(schema, branches).map_or("Null".into(), |(_, ty)| dtype(schema, ty, enclosing)),
        },
        Shape::Record { name, .. } if enclosing.contains(&name.as_str()) => "String".into(),
        Shape::Record { name, fields } => {
            enclosing.push(name);
            let text = struct_text(fields.iter().map(|(name, ty)| (name.as_str(), dtype(schema, ty, enclosing))));
            enclosing.pop();
            text
        }
        Shape::Reference(name) => panic!("{name} is a reference to a reference"),
    }
}

pub(crate) fn struct_text<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<_> = fields.map(|(name, dtype)| format!("{name}: {dtype}")).collect();
    format!("Struct{{{}}}", fields.join(", "))
}

fn one_branch<'a>(schema: &'a Schema, branches: &'a [Type]) -> Option<(usize, &'a Type)> {
    branches.iter().enumerate().find(|(_, branch)| !matches!(schema.target(branch).shape, Shape::Null))
}

/// One row: a cell a column.
pub(crate) fn row(schema: &Schema, value: &Value) -> Vec<Cell> {
    match (&schema.root.shape, value) {
        (Shape::Record { name, fields }, Value::Record(values)) => {
            let mut enclosing = vec![name.as_str()];
            values.iter().zip(fields).map(|(value, (_, ty))| cell(schema, ty, value, &mut enclosing)).collect()
        }
        _ => vec![cell(schema, &schema.root, value, &mut Vec::new())],
    }
}

fn cell<'a>(schema: &'a Schema, ty: &'a Type, value: &Value, enclosing: &mut Enclosing<'a>) -> Cell {
    let ty = schema.target(ty);
    if let Some(logical) = logical(ty) {
        return logical_cell(logical, value);
    }
    match (&ty.shape, value) {
        (_, Value::Null) => Cell::Null,
        (_, Value::Boolean(v)) => Cell::Boolean(*v),
        (_, Value::Int(v)) => Cell::Int32(*v),
        (_, Value::Long(v)) => Cell::Int64(*v),
        (_, Value::Float(v)) => Cell::Float32(v.to_bits()),
        (_, Value::Double(v)) => Cell::Float64(v.to_bits()),
        (_, Value::Bytes(v) | Value::Fixed(v)) => Cell::Binary(v.clone()),
        (_, Value::String(v)) => Cell::String(v.clone()),
        (Shape::Enum { symbols, .. }, Value::Enum(at)) => Cell::Enum(symbols[*at].clone()),
        (Shape::Array(of), Value::Array(items)) => {
            Cell::List(items.iter().map(|item| cell(schema, of, item, enclosing)).collect())
        }
        (Shape::Map(of), Value::Map(entries)) => {
            let mut cells: Vec<(String, Cell)> = Vec::new();
            for (key, value) in entries {
                let value = cell(schema, of, value, enclosing);
                match cells.iter_mut().find(|(other, _)| other == key) {
                    Some((_, first)) => *first = value,
                    None => cells.push((key.clone(), value)),
                }
            }
            Cell::Map(cells)
        }
        (Shape::Union(branches), Value::Union(at, value)) => match struct_of(schema, branches) {
            None => cell(schema, &branches[*at], value, enclosing),
            Some(_) if matches!(**value, Value::Null) => Cell::Null,
            Some(columns) => {
                let of = |(branch, _, ty): &(usize, String, &'a Type)| {
                    if branch == at { cell(schema, ty, value, enclosing) } else { Cell::Null }
                };
                Cell::Struct(columns.iter().map(of).collect())
            }
        },
        (Shape::Record { name, .. }, _) if enclosing.contains(&name.as_str()) => Cell::String(text(schema, ty, value)),
        (Shape::Record { name, fields }, Value::Record(values)) => {
            enclosing.push(name);
            let cells = values.iter().zip(fields).map(|(value, (_, ty))| cell(schema, ty, value, enclosing)).collect();
            enclosing.pop();
            Cell::Struct(cells)
        }
        (shape, value) => panic!("{value:?} is no {shape:?}"),
    }
}

fn logical_cell(logical: Logical, value: &Value) -> Cell {
    match (logical, value) {
        (Logical::Decimal { precision, scale }, Value::Bytes(bytes) | Value::Fixed(bytes)) => {
            let unscaled = BigInt::from_signed_bytes_be(bytes);
            if precision > 38 {
                return Cell::String(decimal_text(&unscaled, scale as i64));
            }
            Cell::Decimal(unscaled.try_into().unwrap())
        }
        (Logical::BigDecimal, Value::Bytes(bytes)) => {
            let mut bytes = bytes.as_slice();
            let unscaled = BigInt::from_signed_bytes_be(prefixed(&mut bytes).unwrap());
            Cell::String(decimal_text(&unscaled, long(&mut bytes).unwrap()))
        }
        // What else stands in the text of a UUID, hyphens in other places above all, is not part of it.
        (Logical::Uuid, Value::String(text)) => uuid(text.trim_start_matches("urn:uuid:").chars()),
        (Logical::Uuid, Value::Fixed(bytes)) => {
            let mut digits = String::new();
            for byte in bytes {
                write!(digits, "{byte:02x}").unwrap();
            }
            uuid(digits.chars())
        }
        (Logical::Date, Value::Int(days)) => Cell::Int32(*days),
        (Logical::Time(nanos), Value::Int(units)) => Cell::Int64(i64::from(*units) * nanos),
        (Logical::Time(nanos), Value::Long(units)) => Cell::Int64(units * nanos),
        (Logical::Timestamp(..), Value::Long(units)) => Cell::Int64(*units),
        (Logical::Duration, Value::Fixed(bytes)) => {
            let part = |part: &[u8]| Cell::UInt32(u32::from_le_bytes(part.try_into().unwrap()));
            Cell::Struct(bytes.chunks(4).map(part).collect())
        }
        (logical, value) => panic!("{value:?} is no {logical:?}"),
    }
}

/// The canonical text of the hexadecimal digits among these.
fn uuid(text: impl Iterator<Item = char>) -> Cell {
    let mut digits = text.filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
    for at in [20, 16, 12, 8] {
        digits.insert(at, '-');
    }
    Cell::String(digits)
}

/// `unscaled` * 10^-`scale`, every digit written out.
pub(crate) fn decimal_text(unscaled: &BigInt, scale: i64) -> String {
    let text = unscaled.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let Ok(scale) = usize::try_from(scale) else {
        let zeros = if digits == "0" { 0 } else { scale.unsigned_abs() as usize };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    };
    if scale == 0 {
        return text;
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// A value inside a recursive type, as plain JSON; what `serde_json` would write for each scalar.
fn text(schema: &Schema, ty: &Type, value: &Value) -> String {
    let ty = schema.target(ty);
    match (&ty.shape, value) {
        (_, Value::Null) => "null".into(),
        (_, Value::Boolean(v)) => v.to_string(),
        (_, Value::Int(v)) => v.to_string(),
        (_, Value::Long(v)) => v.to_string(),
        (_, Value::Float(v)) if !v.is_finite() => not_finite(f64::from(*v)).into(),
        (_, Value::Double(v)) if !v.is_finite() => not_finite(*v).into(),
        (_, Value::Float(v)) => serde_json::to_string(v).unwrap(),
        (_, Value::Double(v)) => serde_json::to_string(v).unwrap(),
        (_, Value::Bytes(v) | Value::Fixed(v)) => quoted(&v.iter().map(|&byte| char::from(byte)).collect::<String>()),
        (_, Value::String(v)) => quoted(v),
        (Shape::Enum { symbols, .. }, Value::Enum(at)) => quoted(&symbols[*at]),
        (Shape::Array(of), Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| text(schema, of, item)).collect();
            format!("[{}]", items.join(","))
        }
        (Shape::Map(of), Value::Map(entries)) => {
            object(entries.iter().map(|(key, value)| (key.as_str(), text(schema, of, value))))
        }
        (Shape::Union(branches), Value::Union(at, value)) => text(schema, &branches[*at], value),
        (Shape::Record { fields, .. }, Value::Record(values)) => {
            object(fields.iter().zip(values).map(|((name, ty), value)| (name.as_str(), text(schema, ty, value))))
        }
        (shape, value) => panic!("{value:?} is no {shape:?}"),
    }
}

fn not_finite(v: f64) -> &'static str {
    if v.is_nan() {
        "\"NaN\""
    } else if v > 0.0 {
        "\"Infinity\""
    } else {
        "\"-Infinity\""
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Keys that come again keep their first place and get the last value, as in a map.
fn object<'a>(members: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut unique: Vec<(&str, String)> = Vec::new();
    for (key, value) in members {
        match unique.iter_mut().find(|(other, _)| *other == key) {
            Some((_, first)) => *first = value,
            None => unique.push((key, value)),
        }
    }
    let members: Vec<_> = unique.iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn decimals_are_written_out() {
    let cases = [(12345, 2, "123.45"), (-5, 3, "-0.005"), (0, 2, "0.00"), (7, 0, "7"), (7, -2, "700"), (0, -2, "0")];
    for (unscaled, scale, text) in cases {
        assert_eq!(decimal_text(&BigInt::from(unscaled), scale), text);
    }
}

#[test]
fn digits_that_fit() {
    assert_eq!([0, 1, 2, 4, 8, 16].map(digits_in), [0, 2, 4, 9, 18, 38]);
}
