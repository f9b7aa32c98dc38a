//! The rules of the specification that apply to written schemas but not to schemas of files that are read.
//!
//! Other implementations reject a file whose header violates one of them. Unknown logical types and attributes are
//! valid, as the specification requires that they are ignored.

use super::datum::{VALUES, encode_default};
use super::{Enum, Field, Kind, Name, Node, NodeId, Record, Schema};
use crate::{Error, Result};

/// The values of a field's `order`.
const ORDERS: [&str; 3] = ["ascending", "descending", "ignore"];

impl Schema {
    /// Checks a schema before it is written. [`Schema::parse`] accepts more, because existing files contain invalid
    /// schemas.
    ///
    /// Names, aliases and symbols must be `[A-Za-z_][A-Za-z0-9_]*`, and a default must be a value of its field's type:
    /// for a union, of any branch, as in version 1.12 of the specification. A type must be defined once, a union must
    /// not have null twice, and `order` must be one of its three values. A decimal must have a precision that its bytes
    /// can hold, and a scale that does not exceed it.
    ///
    /// ```
    /// use polars_avro::Schema;
    ///
    /// let schema: Schema = r#"{"type": "enum", "name": "Size", "symbols": ["S", "X L"]}"#.parse()?;
    /// assert_eq!(schema.validate().unwrap_err().message(), "enum Size: the symbol `X L` is not an Avro name");
    /// # Ok::<(), polars_avro::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) with the type, or the record and its field.
    pub fn validate(&self) -> Result<()> {
        if let Some(name) = &self.redefined {
            return Err(Error::schema(format!("schema: `{name}` is defined twice; refer to it by its name instead")));
        }
        let mut left = VALUES;
        for id in self.ids() {
            let node = self.node(id);
            let place = match node.kind.name() {
                Some(name) => format!("{} {name}", node.kind.type_name()),
                None => node.kind.type_name().to_owned(),
            };
            let failed = |message: String| Error::schema(format!("{place}: {message}"));
            check_type(node).map_err(failed)?;
            match &node.kind {
                Kind::Record(record) => self.check_fields(record, &mut left)?,
                Kind::Union(branches) => self.check_union(branches).map_err(failed)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns true if the text that was parsed has a type inside another one, as in `{"type": {"type": "int"}}`. Not all
    /// readers accept it; [`Schema::to_json`] has none.
    pub(crate) fn has_nested_types(&self) -> bool {
        self.is_nested
    }

    fn check_union(&self, branches: &[NodeId]) -> std::result::Result<(), String> {
        let nulls = branches.iter().filter(|&&branch| matches!(self.node(branch).kind, Kind::Null)).count();
        if nulls > 1 { Err("it must not hold `null` twice".to_owned()) } else { Ok(()) }
    }

    fn check_fields(&self, record: &Record, left: &mut usize) -> Result<()> {
        for field in &record.fields {
            let failed =
                |message: &str| Error::schema(format!("record {}, field {}: {message}", record.name, field.name));
            check_field(field).map_err(|message| failed(&message))?;
            if let Some(default) = &field.default {
                encode_default(self, field.schema, default, left)
                    .map_err(|error| failed(&format!("the default does not fit the type: {}", error.message())))?;
            }
        }
        Ok(())
    }
}

/// Checks the attributes of a type.
fn check_type(node: &Node) -> std::result::Result<(), String> {
    let aliases = match &node.kind {
        Kind::Record(Record { aliases, .. }) | Kind::Enum(Enum { aliases, .. }) => &aliases[..],
        Kind::Fixed(fixed) => &fixed.aliases,
        _ => &[],
    };
    let names = node.kind.name().into_iter().map(|name| ("name", name));
    for (what, name) in names.chain(aliases.iter().map(|alias| ("alias", alias))) {
        if !is_full_name(name) {
            return Err(format!("the {what} `{name}` is not an Avro name"));
        }
    }
    if let Kind::Enum(Enum { symbols, .. }) = &node.kind
        && let Some(symbol) = symbols.iter().find(|symbol| !is_name(symbol))
    {
        return Err(format!("the symbol `{symbol}` is not an Avro name"));
    }
    // A logical type that does not fit its type is a property, except for a decimal on bytes, which must be valid.
    let is_bytes = matches!(node.kind, Kind::Bytes | Kind::Fixed(_));
    if is_bytes && node.logical.is_none() && node.properties.get("logicalType").is_some_and(|name| name == "decimal") {
        return Err(
            "the decimal needs a `precision` of at least 1 that its bytes hold, and a `scale` from 0 to it".into()
        );
    }
    Ok(())
}

fn check_field(field: &Field) -> std::result::Result<(), String> {
    if !is_name(&field.name) {
        return Err("the name is not an Avro name".to_owned());
    }
    if let Some(alias) = field.aliases.iter().find(|alias| !is_name(alias)) {
        return Err(format!("the alias `{alias}` is not an Avro name"));
    }
    // An `order` that is not a string was kept as a property.
    match (&field.order, field.properties.get("order")) {
        (Some(order), _) if !ORDERS.contains(&order.as_str()) => {
            Err(format!("`order` must be one of {ORDERS:?}, got {order:?}"))
        }
        (None, Some(order)) => Err(format!("`order` must be one of {ORDERS:?}, got {order}")),
        _ => Ok(()),
    }
}

fn is_full_name(name: &Name) -> bool {
    name.fullname().split('.').all(is_name)
}

fn is_name(name: &str) -> bool {
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.as_bytes().first().is_some_and(is_start) && name.bytes().all(|byte| is_start(&byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Option<String> {
        let schema: Schema = json.parse().unwrap();
        schema.validate().err().map(|error| error.to_string())
    }

    fn field(attributes: &str) -> String {
        format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a",{attributes}}}]}}"#)
    }

    #[test]
    fn what_other_readers_refuse_is_refused() {
        let table = [
            (field(r#""type":"string","default":0"#), "record R, field a: the default does not fit"),
            (field(r#""type":"string","default":null"#), "`null` is no string"),
            (field(r#""type":"int","default":1.0"#), "`1.0` is no int"),
            (field(r#""type":"int","default":2147483648"#), "is no int"),
            (field(r#""type":["null","int"],"default":"x""#), "of no branch"),
            (field(r#""type":{"type":"array","items":"int"},"default":[null]"#), "is no int"),
            (field(r#""type":{"type":"fixed","name":"F","size":2},"default":"a""#), "is no fixed F"),
            (field(r#""type":{"type":"enum","name":"E","symbols":["A"]},"default":"B""#), "is no enum E"),
            (field(r#""type":{"type":"enum","name":"E","symbols":["x y"]}"#), "enum E: the symbol `x y`"),
            (field(r#""type":{"type":"enum","name":"E","symbols":["é"]}"#), "the symbol `é`"),
            (field(r#""type":{"type":"enum","name":"E","symbols":[""]}"#), "the symbol ``"),
            (field(r#""type":["null","null"]"#), "union: it must not hold `null` twice"),
            (field(r#""type":["null","int","null"]"#), "`null` twice"),
            (field(r#""type":"int","order":"upward""#), r#"`order` must be one of ["ascending", "#),
            (field(r#""type":"int","order":1"#), "got 1"),
            (field(r#""type":"int","aliases":["b-c"]"#), "the alias `b-c`"),
            (r#"{"type":"record","name":"R","fields":[{"name":"a.b","type":"int"}]}"#.into(), "field a.b: the name"),
            (r#"{"type":"record","name":"R","fields":[{"name":"1a","type":"int"}]}"#.into(), "field 1a: the name"),
            (r#"{"type":"record","name":"my rec","fields":[]}"#.into(), "record my rec: the name `my rec`"),
            (r#"{"type":"record","name":"","fields":[]}"#.into(), "the name ``"),
            (r#"{"type":"record","name":"R","namespace":"a-b.c","fields":[]}"#.into(), "the name `a-b.c.R`"),
            (r#"{"type":"record","name":"a..R","fields":[]}"#.into(), "the name `a..R`"),
            (r#"{"type":"error","name":"R","aliases":["x y"],"fields":[]}"#.into(), "the alias `x y`"),
            (r#"{"type":"fixed","name":"F","size":1,"aliases":["n.1"]}"#.into(), "fixed F: the alias `n.1`"),
            (
                r#"["null",{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}]"#.into(),
                "bytes: the decimal",
            ),
            (r#"{"type":"bytes","logicalType":"decimal"}"#.into(), "the decimal"),
            (r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":-1}"#.into(), "the decimal"),
            (
                r#"{"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":3}"#.into(),
                "fixed F: the decimal",
            ),
            (
                r#"[{"type":"array","items":{"type":"fixed","name":"F","size":1}},
                    {"type":"map","values":{"type":"fixed","name":"F","size":1}}]"#
                    .into(),
                "`F` is defined twice",
            ),
        ];
        for (json, expected) in table {
            let fault = fault(&json).unwrap_or_else(|| panic!("{json} is valid"));
            assert!(fault.contains(expected), "{json}: {fault}");
        }
    }

    #[test]
    fn what_the_specification_allows_is_valid() {
        let table = [
            field(r#""type":["null","string"],"default":"x""#),
            field(r#""type":["string","null"],"default":null"#),
            field(r#""type":"double","default":1"#),
            field(r#""type":"int","order":"ignore","aliases":["b"],"doc":"d","unit":7"#),
            field(r#""type":"R2","default":{}"#).replace(
                r#""R2""#,
                r#"{"type":"record","name":"x.R2","fields":[{"name":"b","type":"int","default":1}]}"#,
            ),
            field(r#""type":["null","R"],"default":null"#),
            r#"{"type":"int","logicalType":"unheard-of"}"#.into(),
            r#"{"type":"int","logicalType":"uuid"}"#.into(),
            r#"{"type":"string","logicalType":"decimal","precision":2,"scale":3}"#.into(),
            r#"{"type":"bytes","logicalType":"decimal","precision":76,"scale":76}"#.into(),
            r#"{"type":"enum","name":"_a.B_1","symbols":[],"aliases":["c.D","E"]}"#.into(),
            r#"[{"type":"fixed","name":"F","size":1},{"type":"array","items":"F"}]"#.into(),
        ];
        for json in table {
            assert_eq!(fault(&json), None, "{json}");
        }
    }

    #[test]
    fn a_default_without_end_is_refused() {
        let json = field(r#""type":"R","default":{}"#);
        assert!(fault(&json).unwrap().contains("never ends"));
    }
}
