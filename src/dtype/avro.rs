//! Polars' dtypes as Avro types: the schema that a frame is written with.

use std::collections::HashSet;

use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};
use serde_json::{Value, json};

use super::categories::enum_categories;
use super::extension;
use super::names::{avro_names, is_avro_name, unused};
use super::{map_entry, polars_name};
use crate::schema::{Categories, Properties, Restored, note_name};
use crate::{Error, ErrorKind, Limits, Result};

/// The name of the root record of a frame's schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct AvroNames {
    /// The name, with or without a namespace prefix.
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) doc: Option<String>,
}

/// The name of the root record if none is given.
const ROOT: &str = "Row";

/// The names of Avro's own types.
const RESERVED: [&str; 14] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "error", "enum", "array", "map",
    "fixed",
];

/// Returns the Avro schema of these columns, as JSON. An entry of `fine_times` is true if the column's times need
/// nanoseconds.
///
/// # Errors
/// If a dtype has no Avro type, or if the root's name is invalid.
pub(crate) fn to_avro(fields: &[Field], fine_times: &[bool], names: &AvroNames) -> Result<Value> {
    let (name, namespace) = names.split()?;
    let mut writer = Writer { taken: HashSet::from([name.clone()]), fine_times: false, depth: 1 };
    let mut columns = Vec::with_capacity(fields.len());
    for ((field, avro_name), &fine) in fields.iter().zip(column_names(fields)).zip(fine_times) {
        writer.fine_times = fine;
        columns.push(writer.field(field, avro_name, &name)?);
    }
    let mut record = Properties::from_iter([("type".to_owned(), "record".into()), ("name".to_owned(), name.into())]);
    let mut put = |key: &str, value: Option<Value>| record.extend(value.map(|value| (key.to_owned(), value)));
    put("namespace", namespace.map(Value::from));
    put("doc", names.doc.as_deref().map(Value::from));
    put("fields", Some(columns.into()));
    Ok(record.into())
}

impl AvroNames {
    /// Returns the short name and the namespace.
    fn split(&self) -> Result<(String, Option<String>)> {
        let given = self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(ROOT);
        let (namespace, name) = match given.rsplit_once('.') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (self.namespace.as_deref().filter(|namespace| !namespace.is_empty()), given),
        };
        let rule = "must be letters, digits and `_`, with no digit first";
        if !is_avro_name(name) || RESERVED.contains(&name) {
            let message = format!("`name` {rule}, and no type of Avro's own, got {given:?}");
            return Err(Error::argument(message));
        }
        if let Some(namespace) = namespace.filter(|namespace| !namespace.split('.').all(is_avro_name)) {
            return Err(Error::argument(format!("every part of `namespace` {rule}, got {namespace:?}")));
        }
        Ok((name.to_owned(), namespace.map(str::to_owned)))
    }
}

fn column_names(fields: &[Field]) -> Vec<String> {
    avro_names(fields.iter().map(|field| field.name.as_str()))
}

struct Writer {
    /// Names of types that are already used.
    taken: HashSet<String>,
    /// True if times of the current column need nanoseconds.
    fine_times: bool,
    /// The number of types that enclose the current one.
    depth: usize,
}

impl Writer {
    /// Returns a field of a record. It is nullable, as every column of Polars is.
    fn field(&mut self, field: &Field, avro_name: String, record: &str) -> Result<Value> {
        let path = format!("{record}_{avro_name}");
        let named = |error: Error| {
            error.at(|position| {
                position.path = Some(match position.path.take() {
                    Some(path) => format!("{}.{path}", field.name),
                    None => field.name.to_string(),
                });
            })
        };
        let schema = self.nullable(field, &path).map_err(named)?;
        let mut object = Properties::new();
        if field.name != avro_name.as_str() {
            note_name(&mut object, &field.name);
        }
        let mut value = Properties::from_iter([("name".to_owned(), avro_name.into()), ("type".to_owned(), schema)]);
        value.insert("default".to_owned(), Value::Null);
        value.append(&mut object);
        Ok(value.into())
    }

    /// Returns the union of null and the type of a field. Nested types are named after `path`.
    fn nullable(&mut self, field: &Field, path: &str) -> Result<Value> {
        let storage = extension::storage(field);
        // The union, and the type inside.
        let is_null = matches!(storage.dtype(), ArrowDataType::Null);
        let storage = self.nested(if is_null { 1 } else { 2 }, |writer| writer.node(&storage, path))?;
        let noted = extension::note(field, storage);
        Ok(if is_null { noted } else { json!(["null", noted]) })
    }

    /// Makes a type this many levels below the current one, if it can be read back.
    fn nested(&mut self, levels: usize, make: impl FnOnce(&mut Self) -> Result<Value>) -> Result<Value> {
        let most = Limits::default().type_depth();
        self.depth += levels;
        if self.depth > most {
            let message = format!(
                "the dtype nests too deep to be written to Avro: its types nest deeper than {most} levels, two for each \
                 list or struct; flatten the column with `explode` or `unnest`"
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let value = make(self);
        self.depth -= levels;
        value
    }

    fn node(&mut self, field: &Field, path: &str) -> Result<Value> {
        if let Some(categories) = enum_categories(field) {
            return Ok(self.symbols(categories, path));
        }
        if let Some(categories) = Categories::of(field) {
            return Ok(annotated("string", None, Some(&Restored::Categorical(categories))));
        }
        match field.dtype() {
            ArrowDataType::LargeList(item) => Ok(json!({"type": "array", "items": self.nullable(item, path)?})),
            ArrowDataType::FixedSizeList(item, width) => {
                let items = self.nullable(item, path)?;
                Ok(with(json!({"type": "array", "items": items}), &Restored::Array(*width)))
            }
            ArrowDataType::Struct(fields) => self.record(fields, path),
            ArrowDataType::Map(entries, _) => match map_entry(entries) {
                Some((key, value)) if *key.dtype() == ArrowDataType::Utf8View => {
                    Ok(json!({"type": "map", "values": self.nullable(value, path)?}))
                }
                Some((key, value)) => {
                    let items = self.nested(1, |writer| writer.entry(key, value, path))?;
                    Ok(with(json!({"type": "array", "items": items}), &Restored::Map))
                }
                None => Err(unsupported(field)),
            },
            ArrowDataType::UInt64 => Ok(self.whole_number(path, 9, 20, &Restored::UInt64)),
            ArrowDataType::Int128 => Ok(self.whole_number(path, 17, 39, &Restored::Int128)),
            ArrowDataType::UInt128 => Ok(self.whole_number(path, 17, 39, &Restored::UInt128)),
            ArrowDataType::Decimal(precision, scale) => {
                let decimal =
                    json!({"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale});
                Ok(decimal)
            }
            ArrowDataType::Time64(_) if self.fine_times => Ok(annotated("long", None, Some(&Restored::Time))),
            _ => leaf(field),
        }
    }

    fn record(&mut self, fields: &[Field], path: &str) -> Result<Value> {
        let name = unused(path, &mut self.taken);
        let names = column_names(fields);
        let fields = fields.iter().zip(names).map(|(field, avro_name)| self.field(field, avro_name, &name));
        let fields = fields.collect::<Result<Vec<_>>>()?;
        Ok(json!({"type": "record", "name": name, "fields": fields}))
    }

    /// Returns the record of one entry of a map whose keys are not strings.
    fn entry(&mut self, key: &Field, value: &Field, path: &str) -> Result<Value> {
        let name = unused(path, &mut self.taken);
        let storage = self.node(&extension::storage(key), &format!("{name}_key"))?;
        let key = json!({"name": "key", "type": extension::note(key, storage)});
        let value = json!({"name": "value", "type": self.nullable(value, &format!("{name}_value"))?});
        Ok(json!({"type": "record", "name": name, "fields": [key, value]}))
    }

    fn symbols(&mut self, categories: Vec<String>, path: &str) -> Value {
        let name = unused(path, &mut self.taken);
        let symbols = avro_names(categories.iter().map(String::as_str));
        let value = json!({"type": "enum", "name": name, "symbols": symbols});
        if symbols == categories { value } else { with(value, &Restored::Enum(categories)) }
    }

    /// Returns a decimal of scale 0, for integers that do not fit 64 bits with a sign.
    fn whole_number(&mut self, path: &str, size: usize, precision: usize, restored: &Restored) -> Value {
        let name = unused(path, &mut self.taken);
        let decimal = json!({
            "type": "fixed", "name": name, "size": size,
            "logicalType": "decimal", "precision": precision, "scale": 0,
        });
        with(decimal, restored)
    }
}

fn with(mut value: Value, restored: &Restored) -> Value {
    if let Value::Object(object) = &mut value {
        restored.note(object);
    }
    value
}

/// Returns a type without parameters.
fn annotated(word: &str, logical: Option<&str>, restored: Option<&Restored>) -> Value {
    if logical.is_none() && restored.is_none() {
        return word.into();
    }
    let mut object = Properties::from_iter([("type".to_owned(), word.into())]);
    object.extend(logical.map(|logical| ("logicalType".to_owned(), logical.into())));
    if let Some(restored) = restored {
        restored.note(&mut object);
    }
    object.into()
}

/// Returns the type of a dtype that is not nested.
fn leaf(field: &Field) -> Result<Value> {
    use Restored as R;
    let (word, logical, restored) = match field.dtype() {
        ArrowDataType::Null => ("null", None, None),
        ArrowDataType::Boolean => ("boolean", None, None),
        ArrowDataType::Int8 => ("int", None, Some(R::Int8)),
        ArrowDataType::Int16 => ("int", None, Some(R::Int16)),
        ArrowDataType::Int32 => ("int", None, None),
        ArrowDataType::Int64 => ("long", None, None),
        ArrowDataType::UInt8 => ("int", None, Some(R::UInt8)),
        ArrowDataType::UInt16 => ("int", None, Some(R::UInt16)),
        ArrowDataType::UInt32 => ("long", None, Some(R::UInt32)),
        ArrowDataType::Float16 => ("float", None, Some(R::Float16)),
        ArrowDataType::Float32 => ("float", None, None),
        ArrowDataType::Float64 => ("double", None, None),
        ArrowDataType::Utf8View => ("string", None, None),
        ArrowDataType::BinaryView => ("bytes", None, None),
        ArrowDataType::Date32 => ("int", Some("date"), None),
        ArrowDataType::Time64(TimeUnit::Nanosecond) => ("long", Some("time-micros"), None),
        ArrowDataType::Duration(unit) if *unit != TimeUnit::Second => ("long", None, Some(R::Duration(*unit))),
        ArrowDataType::Timestamp(unit, zone) if *unit != TimeUnit::Second => {
            let zone = zone.as_deref();
            let restored = zone.filter(|zone| *zone != "UTC").map(|zone| R::Zone(zone.to_owned()));
            ("long", Some(timestamp(*unit, zone.is_some())), restored)
        }
        _ => return Err(unsupported(field)),
    };
    Ok(annotated(word, logical, restored.as_ref()))
}

fn timestamp(unit: TimeUnit, is_instant: bool) -> &'static str {
    match (unit, is_instant) {
        (TimeUnit::Nanosecond, true) => "timestamp-nanos",
        (TimeUnit::Nanosecond, false) => "local-timestamp-nanos",
        (TimeUnit::Microsecond, true) => "timestamp-micros",
        (TimeUnit::Microsecond, false) => "local-timestamp-micros",
        (_, true) => "timestamp-millis",
        (_, false) => "local-timestamp-millis",
    }
}

/// Returns the error for an Arrow type that Polars' frames never have, naming a type to use instead.
fn unsupported(field: &Field) -> Error {
    let instead = match field.dtype() {
        ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 => "`Utf8View`",
        ArrowDataType::Binary | ArrowDataType::LargeBinary | ArrowDataType::FixedSizeBinary(_) => "`BinaryView`",
        ArrowDataType::List(_) => "`LargeList`",
        ArrowDataType::Decimal32(..) | ArrowDataType::Decimal64(..) | ArrowDataType::Decimal256(..) => "`Decimal`",
        ArrowDataType::Date64 | ArrowDataType::Timestamp(..) => "a timestamp of milliseconds",
        ArrowDataType::Time32(_) | ArrowDataType::Time64(_) => "a time of nanoseconds",
        ArrowDataType::Dictionary(..) => "`Utf8View`, or give it the metadata of a categorical",
        _ => "a dtype that Avro has a type for",
    };
    let message = format!("the dtype {} cannot be written to Avro: cast it to {instead}", polars_name(field));
    Error::new(ErrorKind::Unsupported, message)
}
