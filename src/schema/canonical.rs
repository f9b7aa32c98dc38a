//! Parsing Canonical Form (specification, "Transforming into Parsing Canonical Form").

use std::collections::HashSet;

use serde_json::Value;

use super::{Kind, NodeId, Schema};

impl Schema {
    /// Returns the Parsing Canonical Form. Schemas that read the same data in the same way have the same text.
    ///
    /// An `error` is written as a record, as in the Java implementation; the specification does not define it.
    #[must_use]
    pub fn canonical_form(&self) -> String {
        let mut writer = Writer { schema: self, written: HashSet::new(), out: String::new() };
        writer.node(self.root);
        writer.out
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    written: HashSet<NodeId>,
    out: String,
}

impl Writer<'_> {
    /// Appends a type. The recursion follows first uses, so it is as deep as the JSON was.
    fn node(&mut self, id: NodeId) {
        let kind = &self.schema.node(id).kind;
        if let Some(name) = kind.name() {
            if !self.written.insert(id) {
                return self.text(name.fullname());
            }
            self.out.push_str(r#"{"name":"#);
            self.text(name.fullname());
            self.put(&[r#","type":""#, kind.type_name(), r#"","#]);
        }
        match kind {
            Kind::Array(child) | Kind::Map(child) => {
                let key = if matches!(kind, Kind::Array(_)) { "items" } else { "values" };
                self.put(&[r#"{"type":""#, kind.type_name(), r#"",""#, key, r#"":"#]);
                self.node(*child);
                self.out.push('}');
            }
            Kind::Union(branches) => self.list(branches, |writer, &branch| writer.node(branch)),
            Kind::Fixed(fixed) => self.put(&[r#""size":"#, &fixed.size.to_string(), "}"]),
            Kind::Enum(symbols) => {
                self.out.push_str(r#""symbols":"#);
                self.list(&symbols.symbols, |writer, symbol| writer.text(symbol));
                self.out.push('}');
            }
            Kind::Record(record) => {
                self.out.push_str(r#""fields":"#);
                self.list(&record.fields, |writer, field| {
                    writer.out.push_str(r#"{"name":"#);
                    writer.text(&field.name);
                    writer.out.push_str(r#","type":"#);
                    writer.node(field.schema);
                    writer.out.push('}');
                });
                self.out.push('}');
            }
            primitive => self.text(primitive.type_name()),
        }
    }

    fn put(&mut self, parts: &[&str]) {
        self.out.extend(parts.iter().copied());
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        let mut bracket = '[';
        for value in items {
            self.out.push(bracket);
            item(self, value);
            bracket = ',';
        }
        self.out.push_str(if items.is_empty() { "[]" } else { "]" });
    }

    /// Appends a JSON string with only those escapes that JSON requires.
    fn text(&mut self, text: &str) {
        self.out.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Schema};

    #[test]
    fn every_transformation_of_the_specification_is_made() {
        let table = [
            (r#"{"type":"int"}"#, r#""int""#),
            (r#"[ {"type": "null"}, "string" ]"#, r#"["null","string"]"#),
            (r#"{"type":"long","logicalType":"timestamp-millis"}"#, r#""long""#),
            (r#"{"type":{"type":"array","items":{"type":"int"},"x":1}}"#, r#"{"type":"array","items":"int"}"#),
            (r#"{"values":"bytes","type":"map","default":{}}"#, r#"{"type":"map","values":"bytes"}"#),
            (
                r#"{"type":"fixed","size":16,"namespace":"a.b","name":"F","aliases":["G"],"doc":"d"}"#,
                r#"{"name":"a.b.F","type":"fixed","size":16}"#,
            ),
            (
                r#"{"symbols":["A","\u0042"],"name":"x.E","type":"enum","default":"A","doc":"é"}"#,
                r#"{"name":"x.E","type":"enum","symbols":["A","B"]}"#,
            ),
            (
                r#"{"type":"error","name":"\u00e9","namespace":"n","fields":[
                    {"default":null,"name":"a","type":["null",{"type":"n.\u00e9"}],"order":"ignore"},
                    {"name":"b","type":{"type":"record","name":"B","namespace":"","fields":[]}},
                    {"name":"c","type":"B","aliases":["d"]}]}"#,
                r#"{"name":"n.é","type":"record","fields":[{"name":"a","type":["null","n.é"]},{"name":"b","type":{"name":"B","type":"record","fields":[]}},{"name":"c","type":"B"}]}"#,
            ),
        ];
        for (json, canonical) in table {
            assert_eq!(Schema::parse(json, &Limits::default()).unwrap().canonical_form(), canonical);
        }
    }
}
