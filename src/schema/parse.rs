//! JSON to a validated [`Schema`] (specification, "Schema Declaration").
//!
//! Ambiguous schemas are rejected. Harmless errors of existing files (names outside the grammar, defaults of another
//! type, annotations of the wrong shape) are kept unchanged. Nested types are parsed recursively, so every entry point
//! counts the depth.

mod named;

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Logical, Name, Node, NodeId, Properties, Schema};
use crate::{Error, Limits, Result};

/// JSON levels of one type at most: an object, the list of its fields, a field.
const LEVELS_A_TYPE: usize = 3;

/// JSON levels of defaults and attributes within the innermost type at most.
const SPARE_LEVELS: usize = 128;

/// Attributes that the specification defines for some type.
const DEFINED: [&str; 10] =
    ["type", "name", "namespace", "aliases", "doc", "fields", "symbols", "items", "values", "size"];

impl Schema {
    /// Parses a schema from its JSON text.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) if the text is not a valid schema, with the record and the field
    /// at fault; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it nests deeper or is larger than `limits` allow.
    pub fn parse(json: &str, limits: &Limits) -> Result<Self> {
        // Parsing recurses, so JSON deeper than any allowed schema is rejected before.
        let levels = LEVELS_A_TYPE * limits.type_depth() + SPARE_LEVELS;
        if nesting(json) > levels {
            return Err(Error::limit("schema_depth", format!("the schema's JSON nests deeper than {levels} levels")));
        }
        let value = value(json).or_else(|error| match quote_numbers(json) {
            Some(quoted) => value(&quoted).map_err(|_| error),
            None => Err(error),
        });
        match value {
            Ok(value) => Self::from_value(&value, limits),
            Err(error) => Err(Error::schema(format!("the schema is not valid JSON: {error}")).with_cause(error)),
        }
    }

    /// Parses a schema from JSON that is parsed already.
    fn from_value(value: &Value, limits: &Limits) -> Result<Self> {
        let mut parser = Parser {
            limits,
            nodes: Vec::new(),
            definitions: HashMap::new(),
            plain: HashMap::new(),
            places: Vec::new(),
            redefined: None,
            is_nested: false,
            types: 0,
            depth: 0,
        };
        let root = parser.parse(value, None)?;
        let Parser { nodes, redefined, is_nested, .. } = parser;
        Ok(Self { nodes, root, redefined, is_nested })
    }
}

/// Parses a schema within the default limits, see [`Schema::parse`].
impl FromStr for Schema {
    type Err = Error;

    fn from_str(json: &str) -> Result<Self> {
        Self::parse(json, &Limits::default())
    }
}

struct Parser<'a> {
    limits: &'a Limits,
    nodes: Vec<Node>,
    /// The named types so far, and the JSON that defined each.
    definitions: HashMap<String, (NodeId, &'a Properties)>,
    /// Primitive types without attributes are one node each.
    plain: HashMap<&'static str, NodeId>,
    /// The records and fields that enclose the type being parsed.
    places: Vec<(NodeId, &'a str)>,
    /// A type that was defined twice, with equal definitions.
    redefined: Option<Name>,
    is_nested: bool,
    types: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn parse(&mut self, value: &'a Value, enclosing: Option<&str>) -> Result<NodeId> {
        self.types += 1;
        self.depth += 1;
        if self.types > self.limits.schema_nodes {
            let message = format!("the schema has more than {} types", self.limits.schema_nodes);
            return Err(Error::limit("schema_nodes", message));
        }
        if self.depth > self.limits.type_depth() {
            let message = format!("the schema's types nest deeper than {} levels", self.limits.type_depth());
            return Err(Error::limit("schema_depth", message));
        }
        let id = match value {
            Value::String(word) => self.word(word, enclosing),
            Value::Array(branches) => self.union(branches, enclosing),
            Value::Object(attributes) => self.object(attributes, enclosing),
            _ => Err(self.fail(format_args!("a type is a name, a list or an object, not `{value}`"))),
        }?;
        self.depth -= 1;
        Ok(id)
    }

    /// Returns a primitive type, or resolves a reference to a named type.
    fn word(&mut self, word: &str, enclosing: Option<&str>) -> Result<NodeId> {
        if let Some(kind) = primitive(word) {
            let name = kind.type_name();
            if let Some(&id) = self.plain.get(name) {
                return Ok(id);
            }
            let id = self.push(kind, None, Properties::new());
            self.plain.insert(name, id);
            return Ok(id);
        }
        let inside = Name::new(word, enclosing);
        let outside = || Name::new(word, None);
        let find = |name: Name| self.definitions.get(name.fullname()).map(|definition| definition.0);
        inside.and_then(find).or_else(|| outside().and_then(find)).ok_or_else(|| match word {
            "record" | "error" | "enum" | "fixed" | "array" | "map" => self.fail(format_args!(
                "`{word}` alone is no type: the type is an object of its own, `\"type\": {{\"type\": \"{word}\", ...}}`"
            )),
            _ => self.fail(format_args!("no type is named `{word}` (a named type must be defined before it is used)")),
        })
    }

    fn union(&mut self, values: &'a [Value], enclosing: Option<&str>) -> Result<NodeId> {
        let mut branches = Vec::with_capacity(values.len());
        let mut seen = HashSet::with_capacity(values.len());
        for value in values {
            let id = self.parse(value, enclosing)?;
            let kind = &self.nodes[id.0 as usize].kind;
            if matches!(kind, Kind::Union(_)) {
                return Err(self.fail("a union must not hold a union"));
            }
            // A named type is identified by its node, as full names are unique. A second null is not valid either, but
            // some writers produce it for columns of nulls, and its meaning is unambiguous.
            if !matches!(kind, Kind::Null) && !seen.insert((kind.type_name(), kind.name().map(|_| id))) {
                let name = kind.name().map_or(kind.type_name(), Name::fullname);
                return Err(self.fail(format_args!("a union must not hold `{name}` twice")));
            }
            branches.push(id);
        }
        // Some writers produce unions without branches for lists and maps that are empty in every row. No value has
        // this type.
        Ok(self.push(Kind::Union(branches), None, Properties::new()))
    }

    fn object(&mut self, attributes: &'a Properties, enclosing: Option<&str>) -> Result<NodeId> {
        match attributes.get("type") {
            None => Err(self.fail("an object without `type` is no type")),
            Some(Value::String(word)) => match word.as_str() {
                "record" | "error" => self.record(attributes, enclosing),
                "enum" => self.symbols(attributes, enclosing),
                "fixed" => self.fixed(attributes, enclosing),
                "array" => {
                    let items = self.child(attributes, "items", enclosing)?;
                    Ok(self.annotated(Kind::Array(items), attributes, &["type", "items"]))
                }
                "map" => {
                    let values = self.child(attributes, "values", enclosing)?;
                    Ok(self.annotated(Kind::Map(values), attributes, &["type", "values"]))
                }
                word => match primitive(word) {
                    Some(kind) if attributes.len() > 1 => Ok(self.annotated(kind, attributes, &["type"])),
                    // Attributes next to a reference are ignored: the type was defined elsewhere.
                    _ => self.word(word, enclosing),
                },
            },
            Some(nested) => self.nested(nested, attributes, enclosing),
        }
    }

    /// Parses `{"type": {"type": ..}, ..}`: the attributes belong to the inner type, unless that was defined elsewhere.
    fn nested(&mut self, inner: &'a Value, attributes: &'a Properties, enclosing: Option<&str>) -> Result<NodeId> {
        self.is_nested = true;
        let before = self.nodes.len();
        let mut id = self.parse(inner, enclosing)?;
        let node = &self.nodes[id.0 as usize];
        let is_plain = self.plain.get(node.kind.type_name()) == Some(&id);
        let is_elsewhere = (id.0 as usize) < before && !is_plain;
        if attributes.len() == 1 || is_elsewhere || matches!(node.kind, Kind::Union(_)) {
            return Ok(id);
        }
        if is_plain {
            id = self.push(node.kind.clone(), None, Properties::new());
        }
        let node = &mut self.nodes[id.0 as usize];
        let inherited = node.logical;
        node.logical = inherited.or_else(|| Logical::read(&node.kind, attributes));
        let accounted = node.logical.map_or(&[][..], Logical::keys);
        for (key, value) in without(attributes, &[&DEFINED, accounted]) {
            node.properties.entry(key).or_insert(value);
        }
        Ok(id)
    }

    /// Parses the type under `key`.
    fn child(&mut self, attributes: &'a Properties, key: &str, enclosing: Option<&str>) -> Result<NodeId> {
        match attributes.get(key) {
            Some(value) => self.parse(value, enclosing),
            None => Err(self.fail(format_args!("`{key}` is missing"))),
        }
    }

    /// Returns the list of strings under `key`; empty if it is missing.
    fn strings(&self, attributes: &'a Properties, key: &str) -> Result<Vec<&'a str>> {
        let strings: Option<Vec<_>> = match attributes.get(key) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        strings.ok_or_else(|| self.fail(format_args!("`{key}` is not a list of strings")))
    }

    /// Adds a type. Attributes that are not `known` become its properties.
    fn annotated(&mut self, kind: Kind, attributes: &Properties, known: &[&str]) -> NodeId {
        let logical = Logical::read(&kind, attributes);
        let accounted = logical.map_or(&[][..], Logical::keys);
        self.push(kind, logical, without(attributes, &[known, accounted]))
    }

    fn push(&mut self, kind: Kind, logical: Option<Logical>, properties: Properties) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { kind, logical, properties });
        id
    }

    /// Returns the name of a named type.
    fn title(&self, id: NodeId) -> &str {
        self.nodes[id.0 as usize].kind.name().map_or("", Name::fullname)
    }

    #[cold]
    fn fail(&self, message: impl std::fmt::Display) -> Error {
        Error::schema(match self.places.last() {
            Some(&(record, field)) => format!("record {}, field {field}: {message}", self.title(record)),
            None => format!("schema: {message}"),
        })
    }
}

fn primitive(word: &str) -> Option<Kind> {
    Some(match word {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

fn text(attributes: &Properties, key: &str) -> Option<String> {
    attributes.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Returns the attributes whose keys are in none of the `known` lists. A `doc` or `order` that is not a string is
/// included.
fn without(attributes: &Properties, known: &[&[&str]]) -> Properties {
    let is_taken = |key: &str, value: &Value| {
        let is_text = matches!(key, "doc" | "order");
        known.iter().any(|keys| keys.contains(&key)) && (!is_text || value.is_string())
    };
    let left = attributes.iter().filter(|(key, value)| !is_taken(key, value));
    left.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn value(json: &str) -> serde_json::Result<Value> {
    let mut parser = serde_json::Deserializer::from_str(json);
    parser.disable_recursion_limit();
    Value::deserialize(&mut parser).and_then(|value| parser.end().map(|()| value))
}

/// Quotes the numbers that JSON cannot represent, as Python writes them in defaults; `None` if there are none.
fn quote_numbers(json: &str) -> Option<String> {
    let (mut quoted, mut rest, mut is_changed) = (String::with_capacity(json.len()), json, false);
    while let Some(byte) = rest.bytes().next() {
        let is_word = |word: &&&str| {
            let ends = rest[word.len()..].starts_with(|next: char| !next.is_ascii_alphanumeric() && next != '_');
            ends && quoted.ends_with(|before: char| matches!(before, ':' | ',' | '[') || before.is_ascii_whitespace())
        };
        let word = ["NaN", "-Infinity", "Infinity"].iter().filter(|word| rest.starts_with(**word)).find(is_word);
        let len = match (byte, word) {
            (b'"', _) => string_len(rest),
            (_, Some(word)) => word.len(),
            (_, None) => rest.chars().next().map_or(1, char::len_utf8),
        };
        let (token, behind) = rest.split_at(len);
        if word.is_some() {
            quoted.extend(["\"", token, "\""]);
            is_changed = true;
        } else {
            quoted.push_str(token);
        }
        rest = behind;
    }
    is_changed.then_some(quoted)
}

/// Returns the length of the string that `json` begins with, including its quotes.
fn string_len(json: &str) -> usize {
    let mut bytes = json.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

/// Returns the depth of brackets in a JSON text, outside of strings.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests;
