//! All incompatibilities of a reader's schema with a writer's schema.

use std::collections::HashSet;

use super::failure::Failure;
use super::fields::matched;
use super::resolver::Resolver;
use super::{Branch, Evolution, FieldMatching, Missing, ResolvedId, Wire};
use crate::Result;
use crate::schema::{Kind, NodeId, Record, Schema};

/// A position in a schema at which reading fails.
///
/// ```
/// use polars_avro::Schema;
///
/// let writer: Schema = r#"["null", "int"]"#.parse()?;
/// let reader: Schema = r#""int""#.parse()?;
/// let found = reader.incompatibilities(&writer)?;
/// assert_eq!(found[0].values.as_deref(), Some("null"));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Incompatibility {
    /// The path of the reader's field, such as `orders[].price`; empty for the root.
    pub path: String,
    /// The reason.
    pub message: String,
    /// The values that fail, as a branch of the writer's union or a symbol of its enum; `None` if all values fail.
    pub values: Option<String>,
}

impl Schema {
    /// Returns all reasons for which a reader with this schema cannot read data of the schema `writer` (specification,
    /// "Schema Resolution"); empty if it can read all values.
    ///
    /// # Errors
    /// If the two schemas meet in too many pairs of types.
    pub fn incompatibilities(&self, writer: &Schema) -> Result<Vec<Incompatibility>> {
        let mut resolver = Resolver::new(writer, self, Evolution::default());
        let root = resolver.meet_all()?;
        let walk = Walk { writer, resolver, visited: HashSet::new() };
        Ok(walk.run(root))
    }
}

/// A step of the walk, in the order of the reader's fields.
enum Step {
    /// Visits a pair of types, at this path and for these values.
    Pair(ResolvedId, String, Option<String>),
    Found(Incompatibility),
}

struct Walk<'a> {
    writer: &'a Schema,
    resolver: Resolver<'a>,
    /// Pairs of records already visited, for all values or for some: only records can make types recursive.
    visited: HashSet<(ResolvedId, bool)>,
}

impl Walk<'_> {
    fn run(mut self, root: ResolvedId) -> Vec<Incompatibility> {
        let mut steps = vec![Step::Pair(root, String::new(), None)];
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        while let Some(step) = steps.pop() {
            match step {
                Step::Pair(id, path, values) => steps.extend(self.pair(id, &path, values).into_iter().rev()),
                Step::Found(each) => found.extend(seen.insert(each.clone()).then_some(each)),
            }
        }
        found
    }

    /// Returns the next steps from a pair.
    fn pair(&mut self, id: ResolvedId, path: &str, values: Option<String>) -> Vec<Step> {
        let kinds = self.resolver.kinds(id);
        let found = |message: String, values| Step::Found(Incompatibility { path: path.to_owned(), message, values });
        match &self.resolver.wires[id.0 as usize] {
            Err(Failure::Here { field, message }) if field.is_empty() => vec![found(message.text.clone(), values)],
            Ok(Wire::Array(child)) => vec![Step::Pair(*child, format!("{path}[]"), values)],
            Ok(Wire::Map(child)) => vec![Step::Pair(*child, format!("{path}{{}}"), values)],
            Ok(Wire::IntoUnion { value, .. }) => vec![Step::Pair(*value, path.to_owned(), values)],
            Ok(Wire::Union(branches)) => {
                let Kind::Union(types) = kinds.0 else { return Vec::new() };
                let step = |(branch, writer): (&Branch, &NodeId)| match branch {
                    Branch::Read { value, .. } => {
                        Some(Step::Pair(*value, path.to_owned(), Some(word(self.writer, *writer))))
                    }
                    Branch::Refuse(message) => Some(found(message.text.clone(), Some(word(self.writer, *writer)))),
                    Branch::Null | Branch::Skip(_) => None,
                };
                branches.iter().zip(types).filter_map(step).collect()
            }
            Ok(Wire::Enum(symbols)) => {
                let message = "the reader's enum lacks the symbol, and has no default for it";
                let missing = symbols.iter().filter_map(|symbol| symbol.as_ref().err());
                missing.map(|symbol| found(message.to_owned(), Some(format!("'{symbol}'")))).collect()
            }
            _ => match kinds {
                (Kind::Record(writer), Kind::Record(reader)) if self.visited.insert((id, values.is_some())) => {
                    self.fields(writer, reader, path, values.as_ref())
                }
                _ => Vec::new(),
            },
        }
    }

    /// Returns the steps to every field, also of a record whose resolution stopped at the first failing field.
    fn fields(&mut self, writer: &Record, reader: &Record, path: &str, values: Option<&String>) -> Vec<Step> {
        // By names nothing is ambiguous.
        let Ok(matched) = matched(writer, reader, FieldMatching::Name, false) else { return Vec::new() };
        let mut steps = Vec::with_capacity(reader.fields.len());
        for (at, field) in reader.fields.iter().enumerate() {
            let path = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
            let values = values.cloned();
            if let Some(from) = matched.of_writer.iter().position(|to| *to == Some(at)) {
                steps.push(Step::Pair(self.resolver.pair(writer.fields[from].schema, field.schema), path, values));
            } else if let Err(message) = self.resolver.default(reader, at, Missing::Refuse, true) {
                steps.push(Step::Found(Incompatibility { path, message: message.text, values }));
            }
        }
        steps
    }
}

/// Returns the name of a type for messages.
fn word(schema: &Schema, id: NodeId) -> String {
    let kind = &schema.node(id).kind;
    kind.name().map_or_else(|| kind.type_name().to_owned(), |name| format!("{} {name}", kind.type_name()))
}
