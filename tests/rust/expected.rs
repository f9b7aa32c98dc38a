//! The table of types: what becomes of an Avro value and of an Avro type in Polars.

use crate::logical::{self, Logical, logical};
use crate::naive::{Schema, Shape, Type, Value};

/// One value of a column. Floats are bits, so that every NaN equals itself and no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

/// One row: a cell a column; an error where a value is none of its logical type.
pub(crate) fn row(schema: &Schema, value: &Value) -> Result<Vec<Cell>, String> {
    match (&schema.root.shape, value) {
        (Shape::Record { name, fields }, Value::Record(values)) => {
            let mut enclosing = vec![name.as_str()];
            values.iter().zip(fields).map(|(value, (_, ty))| cell(schema, ty, value, &mut enclosing)).collect()
        }
        _ => Ok(vec![cell(schema, &schema.root, value, &mut Vec::new())?]),
    }
}

fn cell<'a>(schema: &'a Schema, ty: &'a Type, value: &Value, enclosing: &mut Enclosing<'a>) -> Result<Cell, String> {
    let ty = schema.target(ty);
    if let Some(logical) = logical(ty) {
        return logical::cell(logical, value);
    }
    Ok(match (&ty.shape, value) {
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
            Cell::List(items.iter().map(|item| cell(schema, of, item, enclosing)).collect::<Result<_, _>>()?)
        }
        (Shape::Map(of), Value::Map(entries)) => {
            let mut cells: Vec<(String, Cell)> = Vec::new();
            for (key, value) in entries {
                let value = cell(schema, of, value, enclosing)?;
                match cells.iter_mut().find(|(other, _)| other == key) {
                    Some((_, first)) => *first = value,
                    None => cells.push((key.clone(), value)),
                }
            }
            Cell::Map(cells)
        }
        (Shape::Union(branches), Value::Union(at, value)) => match struct_of(schema, branches) {
            None => cell(schema, &branches[*at], value, enclosing)?,
            Some(_) if matches!(**value, Value::Null) => Cell::Null,
            Some(columns) => {
                let of = |(branch, _, ty): &(usize, String, &'a Type)| {
                    if branch == at { cell(schema, ty, value, enclosing) } else { Ok(Cell::Null) }
                };
                Cell::Struct(columns.iter().map(of).collect::<Result<_, _>>()?)
            }
        },
        (Shape::Record { name, .. }, _) if enclosing.contains(&name.as_str()) => Cell::String(text(schema, ty, value)),
        (Shape::Record { name, fields }, Value::Record(values)) => {
            enclosing.push(name);
            let cells = values.iter().zip(fields).map(|(value, (_, ty))| cell(schema, ty, value, enclosing));
            let cells = cells.collect::<Result<_, _>>()?;
            enclosing.pop();
            Cell::Struct(cells)
        }
        (shape, value) => panic!("{value:?} is no {shape:?}"),
    })
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
