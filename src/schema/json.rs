//! Conversion of a [`Schema`] to JSON.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Field, Kind, Name, NodeId, Properties, Schema};

impl Schema {
    /// Returns the complete schema as JSON text: with aliases, defaults, logical types and attributes that the
    /// specification does not define. A named type is written out at its first use and by its name after that.
    #[must_use]
    pub fn to_json(&self) -> String {
        let fullnames = self.nodes.iter().filter_map(|node| node.kind.name()).map(Name::fullname).collect();
        let mut writer = Writer { schema: self, fullnames, written: HashSet::new() };
        writer.node(self.root, None).to_string()
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    fullnames: HashSet<&'a str>,
    written: HashSet<NodeId>,
}

impl<'a> Writer<'a> {
    /// Returns one type within the namespace `enclosing`. The recursion follows first uses, so it is as deep as the
    /// JSON was.
    fn node(&mut self, id: NodeId, enclosing: Option<&'a str>) -> Value {
        let node = self.schema.node(id);
        if let Kind::Union(branches) = &node.kind {
            return branches.iter().map(|&branch| self.node(branch, enclosing)).collect();
        }
        let name = node.kind.name();
        if let Some(name) = name
            && !self.written.insert(id)
        {
            return self.reference(name, enclosing).into();
        }
        let is_bare = node.logical.is_none() && node.properties.is_empty();
        if is_bare && name.is_none() && !matches!(node.kind, Kind::Array(_) | Kind::Map(_)) {
            return node.kind.type_name().into();
        }
        let mut object = Properties::new();
        object.insert("type".to_owned(), node.kind.type_name().into());
        if let Some(name) = name {
            object.insert("name".to_owned(), name.short().into());
            if name.namespace() != enclosing {
                object.insert("namespace".to_owned(), name.namespace().unwrap_or_default().into());
            }
        }
        self.attributes(&node.kind, &mut object, enclosing);
        if let Some(logical) = node.logical {
            logical.write(&mut object);
        }
        fill(&mut object, &node.properties);
        object.into()
    }

    /// Returns the attributes of one kind of type.
    fn attributes(&mut self, kind: &'a Kind, object: &mut Properties, enclosing: Option<&'a str>) {
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        match kind {
            Kind::Array(items) => put("items", self.node(*items, enclosing)),
            Kind::Map(values) => put("values", self.node(*values, enclosing)),
            Kind::Fixed(fixed) => {
                named(&mut put, &fixed.name, &fixed.aliases, fixed.doc.as_deref());
                put("size", fixed.size.into());
            }
            Kind::Enum(symbols) => {
                named(&mut put, &symbols.name, &symbols.aliases, symbols.doc.as_deref());
                put("symbols", json!(symbols.symbols));
                if let Some(default) = symbols.default {
                    put("default", symbols.symbols[default].as_str().into());
                }
            }
            Kind::Record(record) => {
                if record.is_error {
                    put("type", "error".into());
                }
                named(&mut put, &record.name, &record.aliases, record.doc.as_deref());
                let namespace = record.name.namespace();
                put("fields", record.fields.iter().map(|field| self.field(field, namespace)).collect());
            }
            _ => {}
        }
    }

    fn field(&mut self, field: &'a Field, enclosing: Option<&'a str>) -> Value {
        let mut object = Properties::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        put("name", field.name.as_str().into());
        if !field.aliases.is_empty() {
            put("aliases", json!(field.aliases));
        }
        if let Some(doc) = &field.doc {
            put("doc", doc.as_str().into());
        }
        put("type", self.node(field.schema, enclosing));
        if let Some(default) = &field.default {
            put("default", default.clone());
        }
        if let Some(order) = &field.order {
            put("order", order.as_str().into());
        }
        fill(&mut object, &field.properties);
        object.into()
    }

    /// Returns a text that parses back as this name. Other implementations do not support a leading dot, so it is
    /// written only if the plain name would mean another type.
    fn reference(&self, name: &Name, enclosing: Option<&str>) -> String {
        let hidden = |namespace: &str| self.fullnames.contains(format!("{namespace}.{}", name.short()).as_str());
        match (name.namespace(), enclosing) {
            (None, Some(namespace)) if !hidden(namespace) => name.short().to_owned(),
            _ => name.within(enclosing),
        }
    }
}

fn named(put: &mut impl FnMut(&str, Value), name: &Name, aliases: &[Name], doc: Option<&str>) {
    if !aliases.is_empty() {
        put("aliases", aliases.iter().map(|alias| Value::from(alias.within(name.namespace()))).collect());
    }
    if let Some(doc) = doc {
        put("doc", doc.into());
    }
}

/// Adds missing properties. Validated attributes take precedence over properties that are merely kept.
fn fill(object: &mut Properties, properties: &Properties) {
    for (key, value) in properties {
        object.entry(key.as_str()).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Schema};

    fn parse(json: &str) -> Schema {
        Schema::parse(json, &Limits::default()).unwrap()
    }

    /// Each of these schemas is written unchanged.
    #[test]
    fn a_schema_is_written_as_it_was_read() {
        let table = [
            r#""null""#,
            r#"["null","string"]"#,
            r#"{"type":"string","avro.java.string":"String"}"#,
            r#"{"type":"array","items":{"type":"map","values":"bytes"},"default":[]}"#,
            r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#,
            r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":9}"#,
            r#"{"type":"int","logicalType":"timestamp-millis"}"#,
            r#"{"type":"fixed","name":"F","namespace":"n","doc":"d","size":12,"logicalType":"duration"}"#,
            r#"{"type":"enum","name":"E","aliases":["F","a.b.G"],"symbols":["A","B"],"default":"B","x":[1,{}]}"#,
            r#"{"type":"record","name":"R","fields":[],"doc":5}"#,
            r#"{"type":"error","name":"R","namespace":"n","aliases":["S"],"doc":"d","fields":[{"name":"a","aliases":["b"],"doc":"e","type":"long","default":1.5,"order":"ignore","extra":null}],"tags":{"k":1}}"#,
            r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"next","type":["null","R"],"default":null},{"name":"other","type":{"type":"record","name":"O","namespace":"m","fields":[{"name":"up","type":"n.R"},{"name":"own","type":["null","O"]}]}},{"name":"bare","type":{"type":"fixed","name":"X","namespace":"","size":1}},{"name":"again","type":["X","m.O"]}]}"#,
        ];
        for json in table {
            assert_eq!(parse(json).to_json(), json);
        }
    }

    #[test]
    fn odd_spellings_are_written_plainly() {
        let table = [
            (r#"{"type":{"type":"string"}}"#, r#""string""#),
            (r#"{"type":["int"],"x":1}"#, r#"["int"]"#),
            (
                r#"{"type":{"type":"long"},"logicalType":"timestamp-millis","x":1}"#,
                r#"{"type":"long","logicalType":"timestamp-millis","x":1}"#,
            ),
            (
                r#"{"type":"record","name":"a.R","namespace":"b","aliases":null,"fields":[]}"#,
                r#"{"type":"record","name":"R","namespace":"a","fields":[]}"#,
            ),
        ];
        for (json, written) in table {
            assert_eq!(parse(json).to_json(), written);
        }
    }

    #[test]
    fn a_name_without_namespace_is_found_again_behind_one_that_hides_it() {
        let json = r#"{"type":"record","name":"Top","fields":[
            {"name":"bare","type":{"type":"fixed","name":"X","size":1}},
            {"name":"deep","type":{"type":"record","name":"n.R","fields":[
                {"name":"bare","type":".X"},{"name":"own","type":{"type":"fixed","name":"X","size":2}},
                {"name":"again","type":".X"}]}}]}"#;
        let schema = parse(json);
        assert_eq!(parse(&schema.to_json()).canonical_form(), schema.canonical_form());
        assert!(schema.to_json().contains(r#"{"name":"again","type":".X"}"#));
    }
}
