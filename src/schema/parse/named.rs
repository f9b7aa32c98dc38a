//! Records, enums and fixeds, and the resolution of their names (specification, "Complex Types", "Names").

use std::collections::HashSet;

use serde_json::Value;

use super::{Parser, primitive, text, without};
use crate::Result;
use crate::schema::{Enum, Field, Fixed, Kind, Name, NodeId, Properties, Record};

/// The maximum size of a fixed: the bound of other implementations, and too small to overflow a position.
const FIXED_SIZE: u64 = i32::MAX as u64;

impl<'a> Parser<'a> {
    pub(super) fn record(&mut self, attributes: &'a Properties, enclosing: Option<&str>) -> Result<NodeId> {
        let is_error = attributes.get("type").is_some_and(|word| word == "error");
        let name = self.name(attributes, enclosing)?;
        if let Some(id) = self.defined_already(&name, attributes)? {
            return Ok(id);
        }
        let Some(Value::Array(values)) = attributes.get("fields") else {
            return Err(self.fail(format_args!("record {name} has no list of `fields`")));
        };
        let namespace = name.namespace().map(str::to_owned);
        let aliases = self.aliases(attributes, &name)?;
        let known = ["type", "name", "namespace", "aliases", "fields", "doc"];
        let record = Record { name, aliases, doc: text(attributes, "doc"), is_error, fields: Vec::new() };
        let id = self.define(Kind::Record(record), attributes, &known);
        let fields = self.fields(id, values, namespace.as_deref())?;
        if let Kind::Record(record) = &mut self.nodes[id.0 as usize].kind {
            record.fields = fields;
        }
        Ok(id)
    }

    fn fields(&mut self, record: NodeId, values: &'a [Value], namespace: Option<&str>) -> Result<Vec<Field>> {
        let mut fields = Vec::with_capacity(values.len());
        let mut seen = HashSet::with_capacity(values.len());
        for value in values {
            let name = value.get("name").and_then(Value::as_str);
            let (Value::Object(attributes), Some(name)) = (value, name) else {
                let record = self.title(record);
                return Err(self.fail(format_args!("record {record} has a field without a `name`")));
            };
            if !seen.insert(name) {
                let record = self.title(record);
                return Err(self.fail(format_args!("record {record} has two fields named `{name}`")));
            }
            self.places.push((record, name));
            fields.push(self.field(name, attributes, namespace)?);
            self.places.pop();
        }
        Ok(fields)
    }

    fn field(&mut self, name: &str, attributes: &'a Properties, namespace: Option<&str>) -> Result<Field> {
        let schema = self.child(attributes, "type", namespace)?;
        let aliases = self.strings(attributes, "aliases")?.into_iter().map(str::to_owned).collect();
        let (doc, order) = (text(attributes, "doc"), text(attributes, "order"));
        let default = attributes.get("default").cloned();
        let properties = without(attributes, &[&["type", "name", "aliases", "doc", "default", "order"]]);
        Ok(Field { name: name.to_owned(), aliases, doc, schema, default, order, properties })
    }

    pub(super) fn symbols(&mut self, attributes: &'a Properties, enclosing: Option<&str>) -> Result<NodeId> {
        let name = self.name(attributes, enclosing)?;
        if let Some(id) = self.defined_already(&name, attributes)? {
            return Ok(id);
        }
        if !attributes.contains_key("symbols") {
            return Err(self.fail(format_args!("enum {name} has no list of `symbols`")));
        }
        let symbols = self.strings(attributes, "symbols")?;
        let mut seen = HashSet::with_capacity(symbols.len());
        if let Some(twice) = symbols.iter().find(|symbol| !seen.insert(**symbol)) {
            return Err(self.fail(format_args!("enum {name} has the symbol `{twice}` twice")));
        }
        let default = match attributes.get("default") {
            None | Some(Value::Null) => None,
            Some(value) => match symbols.iter().position(|symbol| value == symbol) {
                None => return Err(self.fail(format_args!("the default {value} of enum {name} is no symbol of it"))),
                at => at,
            },
        };
        let symbols = symbols.into_iter().map(str::to_owned).collect();
        let aliases = self.aliases(attributes, &name)?;
        let known = ["type", "name", "namespace", "aliases", "symbols", "default", "doc"];
        let kind = Kind::Enum(Enum { name, aliases, doc: text(attributes, "doc"), symbols, default });
        Ok(self.define(kind, attributes, &known))
    }

    pub(super) fn fixed(&mut self, attributes: &'a Properties, enclosing: Option<&str>) -> Result<NodeId> {
        let name = self.name(attributes, enclosing)?;
        if let Some(id) = self.defined_already(&name, attributes)? {
            return Ok(id);
        }
        let size = attributes.get("size").and_then(Value::as_u64).filter(|&size| size <= FIXED_SIZE);
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return Err(self.fail(format_args!("fixed {name} has no `size` from 0 to {FIXED_SIZE}")));
        };
        let aliases = self.aliases(attributes, &name)?;
        let known = ["type", "name", "namespace", "aliases", "size", "doc"];
        let kind = Kind::Fixed(Fixed { name, aliases, doc: text(attributes, "doc"), size });
        Ok(self.define(kind, attributes, &known))
    }

    /// Returns the full name of the type that `attributes` define.
    fn name(&self, attributes: &Properties, enclosing: Option<&str>) -> Result<Name> {
        let namespace = match attributes.get("namespace") {
            None | Some(Value::Null) => enclosing,
            Some(Value::String(namespace)) => Some(namespace.as_str()),
            Some(other) => return Err(self.fail(format_args!("the namespace `{other}` is no string"))),
        };
        let given = attributes.get("name").and_then(Value::as_str);
        if given == Some("") {
            return Ok(Name::anonymous());
        }
        let name = given.and_then(|given| Name::new(given, namespace)).ok_or_else(|| {
            let word = attributes.get("type").and_then(Value::as_str).unwrap_or("type");
            self.fail(format_args!("a type `{word}` without a `name`"))
        })?;
        match primitive(name.fullname()) {
            Some(_) => Err(self.fail(format_args!("a type must not be named `{name}`, as a primitive type is"))),
            None => Ok(name),
        }
    }

    /// Returns the node of an earlier definition of the same name, which must be equal.
    fn defined_already(&mut self, name: &Name, attributes: &Properties) -> Result<Option<NodeId>> {
        match self.definitions.get(name.fullname()) {
            _ if name.is_anonymous() => Ok(None),
            None => Ok(None),
            Some(&(id, earlier)) if earlier == attributes => {
                self.redefined.get_or_insert_with(|| name.clone());
                Ok(Some(id))
            }
            Some(_) => Err(self.fail(format_args!("the name `{name}` is defined twice, as two different types"))),
        }
    }

    fn aliases(&self, attributes: &'a Properties, name: &Name) -> Result<Vec<Name>> {
        let aliases = self.strings(attributes, "aliases")?;
        aliases
            .into_iter()
            .map(|alias| {
                Name::new(alias, name.namespace()).ok_or_else(|| self.fail(format_args!("{name} has an empty alias")))
            })
            .collect()
    }

    /// Adds a named type, so that later references find it.
    fn define(&mut self, kind: Kind, attributes: &'a Properties, known: &[&str]) -> NodeId {
        let fullname = kind.name().map(|name| name.fullname().to_owned());
        let id = self.annotated(kind, attributes, known);
        self.definitions.extend(fullname.map(|fullname| (fullname, (id, attributes))));
        id
    }
}
