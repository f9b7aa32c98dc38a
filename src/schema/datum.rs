//! A JSON default as an Avro datum (specification, "Complex Types", the table of defaults).

use serde_json::Value;

use super::{Kind, NodeId, Properties, Record, Schema};
use crate::{Error, Result};

/// The maximum depth of one default: a record that contains its own default would nest without bound.
const DEPTH: usize = 256;

/// The maximum number of values in all defaults of one resolution. Defaults can omit fields that have defaults
/// themselves, which would expand without bound.
pub(super) const VALUES: usize = 1 << 20;

/// Encodes `value`, in the JSON form of a default, as the type `id`. `left` is the number of values that may still be
/// written.
///
/// # Errors
/// If the value is not of that type. For a union, the first branch that fits is used.
pub(super) fn encode_default(schema: &Schema, id: NodeId, value: &Value, left: &mut usize) -> Result<Vec<u8>> {
    let mut encoder = Encoder { schema, out: Vec::new(), depth: 0, left };
    encoder.encode(id, value)?;
    Ok(encoder.out)
}

/// Encodes one default with its own bound on values, see [`encode_default`].
pub(crate) fn encode_one_default(schema: &Schema, id: NodeId, value: &Value) -> Result<Vec<u8>> {
    encode_default(schema, id, value, &mut VALUES.clone())
}

struct Encoder<'a> {
    schema: &'a Schema,
    out: Vec<u8>,
    depth: usize,
    left: &'a mut usize,
}

impl Encoder<'_> {
    fn encode(&mut self, id: NodeId, value: &Value) -> Result<()> {
        if self.depth == DEPTH || *self.left == 0 {
            return Err(Error::schema("the default never ends or holds too many values"));
        }
        *self.left -= 1;
        self.depth += 1;
        let kind = &self.schema.node(id).kind;
        let encoded = match (kind, value) {
            (Kind::Array(items), Value::Array(values)) => self.array(*items, values),
            (Kind::Map(items), Value::Object(entries)) => self.map(*items, entries),
            (Kind::Record(record), Value::Object(given)) => self.record(record, given),
            (Kind::Union(branches), _) => self.union(branches, value),
            _ => self.leaf(kind, value).ok_or_else(|| {
                let name = kind.name().map(|name| format!(" {name}")).unwrap_or_default();
                Error::schema(format!("`{value}` is no {}{name}", kind.type_name()))
            }),
        };
        self.depth -= 1;
        encoded
    }

    /// Writes a value that is not nested; `None` if it is of another type.
    fn leaf(&mut self, kind: &Kind, value: &Value) -> Option<()> {
        match kind {
            Kind::Null => value.as_null()?,
            Kind::Boolean => self.out.push(value.as_bool()?.into()),
            Kind::Int => self.long(i32::try_from(value.as_i64()?).ok()?.into()),
            Kind::Long => self.long(value.as_i64()?),
            Kind::Float => {
                let (wide, narrow) = (number(value)?, number(value)? as f32);
                if wide.is_finite() != narrow.is_finite() {
                    return None;
                }
                self.out.extend(narrow.to_le_bytes());
            }
            Kind::Double => self.out.extend(number(value)?.to_le_bytes()),
            Kind::String => self.bytes(value.as_str()?.as_bytes()),
            Kind::Bytes => self.bytes(&code_points(value.as_str()?)?),
            Kind::Fixed(fixed) => {
                let bytes = code_points(value.as_str()?).filter(|bytes| bytes.len() == fixed.size)?;
                self.out.extend(bytes);
            }
            Kind::Enum(symbols) => {
                let symbol = value.as_str()?;
                self.long(symbols.symbols.iter().position(|known| known == symbol)? as i64);
            }
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Union(_) => return None,
        }
        Some(())
    }

    fn array(&mut self, items: NodeId, values: &[Value]) -> Result<()> {
        self.count(values.len());
        for value in values {
            self.encode(items, value)?;
        }
        self.end(values.len());
        Ok(())
    }

    fn map(&mut self, values: NodeId, entries: &Properties) -> Result<()> {
        self.count(entries.len());
        for (key, value) in entries {
            self.bytes(key.as_bytes());
            self.encode(values, value)?;
        }
        self.end(entries.len());
        Ok(())
    }

    /// Writes a record. Fields missing in the default get their own defaults.
    fn record(&mut self, record: &Record, given: &Properties) -> Result<()> {
        for field in &record.fields {
            let Some(value) = given.get(&field.name).or(field.default.as_ref()) else {
                let message = format!("field `{}` of record {} is missing", field.name, record.name);
                return Err(Error::schema(message));
            };
            self.encode(field.schema, value)?;
        }
        Ok(())
    }

    /// Writes the first branch that fits: version 1.12 of the specification allows any branch, earlier ones only the
    /// first.
    fn union(&mut self, branches: &[NodeId], value: &Value) -> Result<()> {
        let start = self.out.len();
        for (index, &branch) in branches.iter().enumerate() {
            self.long(index as i64);
            if self.encode(branch, value).is_ok() {
                return Ok(());
            }
            self.out.truncate(start);
        }
        Err(Error::schema(format!("`{value}` is of no branch of the union")))
    }

    /// Writes the count before the items of an array or a map; a count of 0 ends them.
    fn count(&mut self, count: usize) {
        self.long(count as i64);
    }

    fn end(&mut self, count: usize) {
        if count > 0 {
            self.long(0);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.long(bytes.len() as i64);
        self.out.extend(bytes);
    }

    /// Writes a zig-zag varint.
    fn long(&mut self, value: i64) {
        let mut rest = (value << 1 ^ value >> 63) as u64;
        while rest > 0x7f {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }
}

/// Parses a number, or a text for one that JSON cannot represent.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => value.as_f64(),
    }
}

/// Decodes bytes that are written as the code points 0 to 255.
fn code_points(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|point| u8::try_from(point).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn encode(schema: &str, default: &str) -> Result<Vec<u8>> {
        let schema = Schema::parse(schema, &Limits::default()).unwrap();
        encode_default(&schema, schema.root(), &serde_json::from_str(default).unwrap(), &mut VALUES.clone())
    }

    const PAIR: &str = r#"{"type":"record","name":"P","fields":[
        {"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":"x"}]}"#;

    #[test]
    fn defaults_become_the_bytes_of_a_datum() {
        let table: [(&str, &str, &[u8]); 29] = [
            ("\"null\"", "null", &[]),
            ("\"boolean\"", "true", &[1]),
            ("\"int\"", "0", &[0]),
            ("\"int\"", "-1", &[1]),
            ("\"int\"", "64", &[0x80, 1]),
            ("\"int\"", "2147483647", &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            ("\"long\"", "-9223372036854775808", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            ("\"float\"", "1", &[0, 0, 0x80, 0x3f]),
            ("\"float\"", "\"-Infinity\"", &[0, 0, 0x80, 0xff]),
            ("\"double\"", "0.5", &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f]),
            ("\"double\"", "\"NaN\"", &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
            ("\"string\"", "\"é\"", &[4, 0xc3, 0xa9]),
            ("\"bytes\"", "\"\\u00ffA\"", &[4, 0xff, 0x41]),
            (r#"{"type":"fixed","name":"F","size":2}"#, "\"\\u0000é\"", &[0, 0xe9]),
            (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, "\"B\"", &[2]),
            (r#"{"type":"array","items":"int"}"#, "[]", &[0]),
            (r#"{"type":"array","items":"int"}"#, "[1,2]", &[4, 2, 4, 0]),
            (r#"{"type":"map","values":"int"}"#, "{}", &[0]),
            (r#"{"type":"map","values":"int"}"#, r#"{"k":1}"#, &[2, 2, b'k', 2, 0]),
            (r#"["null","string"]"#, "null", &[0]),
            (r#"["string","null"]"#, "null", &[2]),
            (r#"["null","string"]"#, "\"s\"", &[2, 2, b's']),
            (r#"["bytes","string"]"#, "\"s\"", &[0, 2, b's']),
            (r#"["bytes","string"]"#, "\"\u{2014}\"", &[2, 6, 0xe2, 0x80, 0x94]),
            (r#"["int","double"]"#, "1", &[0, 2]),
            (r#"["int","long"]"#, "2147483648", &[2, 0x80, 0x80, 0x80, 0x80, 0x10]),
            (r#"[{"type":"array","items":"int"},{"type":"map","values":"int"}]"#, "{}", &[2, 0]),
            (PAIR, r#"{"a":1}"#, &[2, 2, 2, b'x']),
            (PAIR, r#"{"b":null,"a":1,"c":2}"#, &[2, 0]),
        ];
        for (schema, default, bytes) in table {
            assert_eq!(encode(schema, default).unwrap(), bytes, "{schema} {default}");
        }
    }

    #[test]
    fn a_default_of_another_type_is_refused() {
        let table = [
            ("\"null\"", "0"),
            ("\"boolean\"", "0"),
            ("\"int\"", "2147483648"),
            ("\"int\"", "1.5"),
            ("\"long\"", "9223372036854775808"),
            ("\"float\"", "1e300"),
            ("\"double\"", "\"one\""),
            ("\"string\"", "null"),
            ("\"bytes\"", "\"\u{2014}\""),
            (r#"{"type":"fixed","name":"F","size":2}"#, "\"A\""),
            (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, "\"C\""),
            (r#"{"type":"array","items":"int"}"#, "[null]"),
            (r#"{"type":"map","values":"int"}"#, "[]"),
            (r#"["null","string"]"#, "1"),
            (PAIR, "{}"),
        ];
        for (schema, default) in table {
            let error = encode(schema, default).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Schema, "{schema} {default}");
        }
    }

    #[test]
    fn a_default_without_end_is_refused() {
        let own = r#"{"type":"record","name":"R","fields":[{"name":"next","type":"R","default":{}}]}"#;
        let mut doubling = r#"{"type":"record","name":"R0","fields":[]}"#.to_owned();
        for depth in 1..40 {
            let inner = depth - 1;
            doubling = format!(
                r#"{{"type":"record","name":"R{depth}","fields":[
                    {{"name":"a","type":{doubling},"default":{{}}}},{{"name":"b","type":"R{inner}","default":{{}}}}]}}"#
            );
        }
        for schema in [own, doubling.as_str()] {
            assert!(encode(schema, "{}").unwrap_err().message().contains("never ends"));
        }
    }
}
