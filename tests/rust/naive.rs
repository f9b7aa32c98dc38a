//! The specification read aloud: a schema as a tree, bytes in, values out. Slow and obvious on purpose.

use std::collections::HashMap;

use serde_json::Value as Json;

/// A type of a schema; names are full names, a second use of a named type is a [`Shape::Reference`].
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) shape: Shape,
    /// The JSON object that declares the type, empty where it is declared by its bare name.
    pub(crate) attributes: serde_json::Map<String, Json>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Fixed { name: String, size: usize },
    Enum { name: String, symbols: Vec<String> },
    Record { name: String, fields: Vec<(String, Type)> },
    Reference(String),
}

/// One value as the writer wrote it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Bytes(Vec<u8>),
    String(String),
    Fixed(Vec<u8>),
    Enum(usize),
    Array(Vec<Value>),
    Map(Vec<(String, Value)>),
    Union(usize, Box<Value>),
    Record(Vec<Value>),
}

/// A schema and what its names mean.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) root: Type,
    names: HashMap<String, Type>,
}

impl Schema {
    pub(crate) fn parse(json: &Json) -> Self {
        let mut names = HashMap::new();
        let root = parse(json, "", &mut names);
        Self { root, names }
    }

    /// The type itself, or what it refers to.
    pub(crate) fn target<'a>(&'a self, ty: &'a Type) -> &'a Type {
        match &ty.shape {
            Shape::Reference(name) => &self.names[name],
            _ => ty,
        }
    }

    pub(crate) fn decode(&self, ty: &Type, bytes: &mut &[u8]) -> Result<Value, String> {
        let ty = self.target(ty);
        Ok(match &ty.shape {
            Shape::Null => Value::Null,
            Shape::Boolean => match take(bytes, 1)? {
                [0] => Value::Boolean(false),
                [1] => Value::Boolean(true),
                other => return Err(format!("boolean of {other:?}")),
            },
            Shape::Int => Value::Int(i32::try_from(long(bytes)?).map_err(|_| "int out of range")?),
            Shape::Long => Value::Long(long(bytes)?),
            Shape::Float => Value::Float(f32::from_le_bytes(take(bytes, 4)?.try_into().unwrap())),
            Shape::Double => Value::Double(f64::from_le_bytes(take(bytes, 8)?.try_into().unwrap())),
            Shape::Bytes => Value::Bytes(prefixed(bytes)?.to_vec()),
            Shape::String => Value::String(text(bytes)?),
            Shape::Fixed { size, .. } => Value::Fixed(take(bytes, *size)?.to_vec()),
            Shape::Enum { symbols, .. } => Value::Enum(index(bytes, symbols.len())?),
            Shape::Array(items) => {
                let mut values = Vec::new();
                item_blocks(bytes, |bytes| {
                    values.push(self.decode(items, bytes)?);
                    Ok(())
                })?;
                Value::Array(values)
            }
            Shape::Map(of) => {
                let mut entries = Vec::new();
                item_blocks(bytes, |bytes| {
                    entries.push((text(bytes)?, self.decode(of, bytes)?));
                    Ok(())
                })?;
                Value::Map(entries)
            }
            Shape::Union(branches) => {
                let branch = index(bytes, branches.len())?;
                Value::Union(branch, Box::new(self.decode(&branches[branch], bytes)?))
            }
            Shape::Record { fields, .. } => {
                let values = fields.iter().map(|(_, field)| self.decode(field, bytes));
                Value::Record(values.collect::<Result<_, _>>()?)
            }
            Shape::Reference(name) => return Err(format!("{name} refers to a reference")),
        })
    }
}

/// A primitive's name, `None` for any other.
pub(crate) fn primitive(name: &str) -> Option<Shape> {
    Some(match name {
        "null" => Shape::Null,
        "boolean" => Shape::Boolean,
        "int" => Shape::Int,
        "long" => Shape::Long,
        "float" => Shape::Float,
        "double" => Shape::Double,
        "bytes" => Shape::Bytes,
        "string" => Shape::String,
        _ => return None,
    })
}

fn parse(json: &Json, namespace: &str, names: &mut HashMap<String, Type>) -> Type {
    let plain = |shape| Type { shape, attributes: serde_json::Map::new() };
    let object = match json {
        Json::String(name) => {
            return plain(primitive(name).unwrap_or_else(|| Shape::Reference(full_name(name, namespace))));
        }
        Json::Array(branches) => {
            return plain(Shape::Union(branches.iter().map(|branch| parse(branch, namespace, names)).collect()));
        }
        Json::Object(object) => object,
        other => panic!("no schema: {other}"),
    };
    let Json::String(kind) = &object["type"] else { return parse(&object["type"], namespace, names) };
    let namespace = object.get("namespace").map_or(namespace, |own| own.as_str().unwrap());
    let name = || full_name(object["name"].as_str().unwrap(), namespace);
    let shape = match kind.as_str() {
        "array" => Shape::Array(Box::new(parse(&object["items"], namespace, names))),
        "map" => Shape::Map(Box::new(parse(&object["values"], namespace, names))),
        "fixed" => Shape::Fixed { name: name(), size: object["size"].as_u64().unwrap() as usize },
        "enum" => {
            Shape::Enum { name: name(), symbols: object["symbols"].as_array().unwrap().iter().map(word).collect() }
        }
        "record" => {
            let name = name();
            let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
            let fields = object["fields"].as_array().unwrap().iter();
            let fields = fields.map(|field| (word(&field["name"]), parse(&field["type"], inner, names))).collect();
            Shape::Record { name, fields }
        }
        kind => primitive(kind).unwrap_or_else(|| Shape::Reference(full_name(kind, namespace))),
    };
    let ty = Type { shape, attributes: object.clone() };
    if let Shape::Fixed { name, .. } | Shape::Enum { name, .. } | Shape::Record { name, .. } = &ty.shape {
        names.insert(name.clone(), ty.clone());
    }
    ty
}

fn word(json: &Json) -> String {
    json.as_str().unwrap().to_owned()
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

pub(crate) fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or_else(|| format!("{len} bytes wanted of {}", bytes.len()))?;
    *bytes = rest;
    Ok(taken)
}

pub(crate) fn long(bytes: &mut &[u8]) -> Result<i64, String> {
    let mut raw = 0u128;
    for shift in (0..70).step_by(7) {
        let byte = take(bytes, 1)?[0];
        raw |= u128::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let raw = u64::try_from(raw).map_err(|_| "long out of range")?;
            return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
        }
    }
    Err("varint of more than ten bytes".into())
}

fn index(bytes: &mut &[u8], len: usize) -> Result<usize, String> {
    let index = long(bytes)?;
    usize::try_from(index).ok().filter(|&index| index < len).ok_or_else(|| format!("index {index} of {len}"))
}

pub(crate) fn prefixed<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let len = long(bytes)?;
    take(bytes, usize::try_from(len).map_err(|_| "negative length")?)
}

pub(crate) fn text(bytes: &mut &[u8]) -> Result<String, String> {
    String::from_utf8(prefixed(bytes)?.to_vec()).map_err(|error| error.to_string())
}

/// No file of a test holds more items in a run. Some take no bytes: how many of those is right, only a limit says.
const MOST_ITEMS: u64 = 1 << 18;
const TOO_MANY_ITEMS: &str = "more items than a test has";

/// Returns true if a value was given up for its cost, so that it may be good or bad.
pub(crate) fn is_given_up(error: &str) -> bool {
    error == TOO_MANY_ITEMS
}

/// Arrays and maps: runs of a count and that many items; a negative count is followed by a size in bytes.
pub(crate) fn item_blocks(
    bytes: &mut &[u8],
    mut item: impl FnMut(&mut &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    loop {
        let count = long(bytes)?;
        if count == 0 {
            return Ok(());
        }
        let size = if count < 0 { Some(long(bytes)?) } else { None };
        let before = bytes.len();
        if count.unsigned_abs() > MOST_ITEMS {
            return Err(TOO_MANY_ITEMS.into());
        }
        for _ in 0..count.unsigned_abs() {
            item(bytes)?;
        }
        if size.is_some_and(|size| size != (before - bytes.len()) as i64) {
            return Err("the size of an item block is wrong".into());
        }
    }
}
