//! The union of several schemas: all fields of all schemas, each of a type that holds the values of all.
//!
//! The result is a graph over pairs (type of one schema, type of the other), one of which may be missing. Each pair is
//! processed once, so recursive types are cycles here too, and nothing recurses.

mod branches;
mod depth;
mod paths;
mod widest;

use std::collections::{HashMap, HashSet};

use branches::{ShortNames, shared_names};
use paths::UnionPaths;
use widest::Widest;

use super::resolution::describe;
use super::restored::{forget, full_name, note_full_name};
use super::typed::Typed;
use super::{Field, Kind, Name, Node, NodeId, Properties, Record, Schema, column_name, note_name};
use crate::{Error, Limits, Result};

impl Schema {
    /// Returns one schema that reads the values of all schemas. Records have the fields of all, and numbers, texts and
    /// timestamps have the widest type and the finest unit. To read with it, set
    /// [`Evolution::by_columns`](crate::Evolution) and the casts [`Casts::OF_UNION`](crate::Casts), and insert missing
    /// columns and fields.
    ///
    /// The fields of the root record are in the order of their first occurrence. For nested records, the one with more
    /// fields determines the order, as with Polars' supertype of two structs. If there are several schemas, defaults,
    /// aliases and documentation are dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) with the path of a field if no type holds its values;
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) if there is no schema; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the result exceeds `limits`.
    pub fn union(schemas: &[Self], limits: &Limits) -> Result<Self> {
        Self::union_by_index(schemas, limits).map_err(|(_, error)| error)
    }

    /// The same; an error comes with the index of the schema that does not fit those before it.
    pub(crate) fn union_by_index(schemas: &[Self], limits: &Limits) -> std::result::Result<Self, (usize, Error)> {
        let first = schemas.first().ok_or_else(|| (0, Error::argument("there is no schema to unite")))?;
        let (shared, paths) = (shared_names(schemas), UnionPaths::of(schemas, limits));
        let unite = |union: Self, (at, other)| {
            Union::new(&union, other, limits, &shared, &paths).run().map_err(|error| (at, error))
        };
        schemas.iter().enumerate().skip(1).try_fold(first.clone(), unite)
    }

    /// Returns one schema with the columns of all that have one of these names, in this order. Each column has the type and
    /// the default of the first schema that has it. A type of nulls only does not count. Schemas whose root is not a record add no columns.
    ///
    /// # Errors
    /// If there is no schema, and [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the result exceeds `limits`.
    pub fn all_columns(schemas: &[Self], names: &[String], limits: &Limits) -> Result<Self> {
        let (first, others) =
            schemas.split_first().ok_or_else(|| Error::argument("there is no schema to add columns to"))?;
        let is_record = |schema: &Self| matches!(schema.node(schema.root()).kind, Kind::Record(_));
        let (mut columns, shared, paths) = (first.clone(), HashSet::new(), UnionPaths::default());
        for other in others.iter().filter(|other| is_record(first) && is_record(other)) {
            columns = Union { adds_columns: true, ..Union::new(&columns, other, limits, &shared, &paths) }.run()?;
        }
        Ok(columns.select_columns(names))
    }
}

/// Types of the two schemas that are united; at least one is present.
type Pair = (Option<NodeId>, Option<NodeId>);

struct Union<'a> {
    one: &'a Schema,
    other: &'a Schema,
    limits: &'a Limits,
    shared: &'a ShortNames<'a>,
    paths: &'a UnionPaths<'a>,
    /// True if the columns of `one` are kept unchanged, and only missing ones are added.
    adds_columns: bool,
    /// All pairs seen so far, in the order of their ids, each with a step that leads to it.
    pairs: Vec<(Pair, Step<'a>)>,
    /// The ids of pairs, by their path too if it leads to a union: a type may be a branch at one path and not at another.
    ids: HashMap<(Pair, Option<usize>), NodeId>,
    /// The results of the pairs so far, in the same order.
    nodes: Vec<Node>,
    names: HashSet<Name>,
}

/// The path to a type: the pair it comes from, and the field, `[]` or `{}`.
#[derive(Clone, Copy)]
struct Step<'a> {
    from: NodeId,
    name: &'a str,
    /// The whole path, if it leads to a union.
    path: Option<usize>,
}

impl<'a> Union<'a> {
    fn new(
        one: &'a Schema,
        other: &'a Schema,
        limits: &'a Limits,
        shared: &'a ShortNames<'a>,
        paths: &'a UnionPaths<'a>,
    ) -> Self {
        let (adds_columns, pairs, ids, nodes, names) = <_>::default();
        Self { one, other, limits, shared, paths, adds_columns, pairs, ids, nodes, names }
    }

    fn run(mut self) -> Result<Schema> {
        let root = self.id((Some(self.one.root()), Some(self.other.root())), NodeId(0), "");
        while let Some(&(pair, _)) = self.pairs.get(self.nodes.len()) {
            if self.pairs.len() > self.limits.schema_nodes {
                return Err(Error::limit(
                    "schema_nodes",
                    format!("the union of the schemas has more than {} types", self.limits.schema_nodes),
                ));
            }
            let node = self.node(NodeId(self.nodes.len() as u32), pair)?;
            self.nodes.push(node);
        }
        let schema = Schema { nodes: self.nodes, root, redefined: None, is_nested: false };
        depth::check(&schema, self.limits)?;
        Ok(schema)
    }

    /// Returns the id of a pair; a new pair is queued.
    fn id(&mut self, pair: Pair, from: NodeId, name: &'a str) -> NodeId {
        let path = match self.pairs.get(from.index()) {
            Some((_, step)) => self.paths.after(step.path, name),
            None => self.paths.root(),
        };
        let known = self.ids.get(&(pair, path)).copied();
        known.or_else(|| self.around(pair, from)).unwrap_or_else(|| {
            self.pairs.push((pair, Step { from, name, path }));
            let id = NodeId(self.pairs.len() as u32 - 1);
            self.ids.insert((pair, path), id);
            id
        })
    }

    /// Returns the id of a recursive pair that contains itself, at any path.
    fn around(&self, pair: Pair, from: NodeId) -> Option<NodeId> {
        self.paths.root()?;
        let outwards = |&id: &NodeId| (id != NodeId(0)).then(|| self.pairs[id.index()].1.from);
        std::iter::successors(Some(from), outwards)
            .find(|id| self.pairs.get(id.index()).is_some_and(|(p, _)| *p == pair))
    }

    /// Unites a pair; its children are queued.
    fn node(&mut self, id: NodeId, pair: Pair) -> Result<Node> {
        let (one, other) = (self.one, self.other);
        let nodes = (pair.0.map(|id| one.node(id)), pair.1.map(|id| other.node(id)));
        let is_union = |node: &Node| matches!(node.kind, Kind::Union(_) | Kind::Null);
        let mut properties = agreed(nodes.0.map(|node| &node.properties), nodes.1.map(|node| &node.properties));
        let (mut kind, logical) = match nodes {
            (Some(mine), Some(theirs)) if is_union(mine) || is_union(theirs) || self.are_branches(id, pair) => {
                (self.union(id, pair), None)
            }
            (Some(mine), Some(theirs)) => {
                let widest = widest::of(&Typed::of(one, mine), &Typed::of(other, theirs));
                let Widest { mut kind, logical, restored } = widest.ok_or_else(|| self.differ(id, pair))?;
                if self.are_told_apart(id) {
                    kind = widest::named(kind, &mine.kind, &theirs.kind);
                }
                forget(&mut properties);
                if let Some(restored) = restored {
                    restored.note(&mut properties);
                }
                (kind, logical)
            }
            (Some(node), None) | (None, Some(node)) => (node.kind.clone(), node.logical),
            (None, None) => return Err(Error::new(crate::ErrorKind::Internal, "a type of neither schema")),
        };
        match &mut kind {
            Kind::Array(items) => *items = self.child(id, nodes, "[]", items_of),
            Kind::Map(values) => *values = self.child(id, nodes, "{}", items_of),
            Kind::Union(branches) if pair.0.is_none() || pair.1.is_none() => {
                for branch in branches {
                    let alone = if pair.0.is_some() { (Some(*branch), None) } else { (None, Some(*branch)) };
                    *branch = self.id(alone, id, "");
                }
            }
            Kind::Record(record) => self.fields(id, record, nodes),
            _ => {}
        }
        let named = [nodes.0, nodes.1].into_iter().flatten().find(|node| node.kind.name() == kind.name());
        self.rename(&mut kind, named, &mut properties);
        Ok(Node { kind, logical, properties })
    }

    /// Returns the id of the pair of two arrays' items, or of two maps' values.
    fn child(
        &mut self,
        id: NodeId,
        nodes: (Option<&Node>, Option<&Node>),
        step: &'a str,
        child: impl Fn(&Node) -> Option<NodeId>,
    ) -> NodeId {
        self.id((nodes.0.and_then(&child), nodes.1.and_then(&child)), id, step)
    }

    /// Unites the fields of two records, which match by the columns that they become.
    fn fields(&mut self, id: NodeId, record: &mut Record, nodes: (Option<&'a Node>, Option<&'a Node>)) {
        let (mine, theirs) = (fields_of(nodes.0), fields_of(nodes.1));
        let mine_first = mine.len() >= theirs.len() || self.is_root(id);
        let place = |fields: &'a [Field]| fields.iter().map(|field| (column_name(field), field));
        let (of_mine, of_theirs) = (place(mine).collect::<HashMap<_, _>>(), place(theirs).collect::<HashMap<_, _>>());
        let (first, second) = if mine_first { (mine, theirs) } else { (theirs, mine) };
        let known: HashSet<_> = first.iter().map(column_name).collect();
        let rest = second.iter().filter(|field| !known.contains(column_name(field)));
        let mut names = HashSet::new();
        let unite = |field: &'a Field| {
            let column = column_name(field);
            let (mine, theirs) = (of_mine.get(column).copied(), of_theirs.get(column).copied());
            let is_null = |field: &Field| {
                values(self.one, Some(field.schema))
                    .values
                    .iter()
                    .all(|id| matches!(self.one.node(*id).kind, Kind::Null))
            };
            let (mine, theirs) = match (mine, theirs) {
                (Some(mine), Some(theirs)) if self.adds_columns && is_null(mine) => (None, Some(theirs)),
                (Some(mine), Some(_)) if self.adds_columns => (Some(mine), None),
                pair => pair,
            };
            let schema = self.id((mine.map(|field| field.schema), theirs.map(|field| field.schema)), id, column);
            let (aliases, doc, default, order) = match mine.or(theirs) {
                Some(field) if self.adds_columns => {
                    (field.aliases.clone(), field.doc.clone(), field.default.clone(), field.order.clone())
                }
                _ => <_>::default(),
            };
            let mut properties = agreed(mine.map(|field| &field.properties), theirs.map(|field| &field.properties));
            let name = unused(&field.name, &mut names);
            if name != column {
                note_name(&mut properties, column);
            }
            Field { name, aliases, doc, schema, default, order, properties }
        };
        record.fields = first.iter().chain(rest).map(unite).collect();
    }

    /// Returns true for a root record, whose columns keep the order of their first occurrence.
    fn is_root(&self, id: NodeId) -> bool {
        self.pairs[id.index()].0 == (Some(self.one.root()), Some(self.other.root()))
    }

    /// Returns the union of all branches. If both have null and one other type, it is null and the union of these
    /// types.
    fn union(&mut self, id: NodeId, pair: Pair) -> Kind {
        let (mine, theirs) = (values(self.one, pair.0), values(self.other, pair.1));
        let has_null = mine.has_null || theirs.has_null;
        let pairs = self.branches(id, &mine.values, &theirs.values);
        if pairs.is_empty() {
            return Kind::Null;
        }
        let mut branches = Vec::with_capacity(pairs.len() + 1);
        if has_null {
            let null = values(self.one, pair.0).null.map(|null| (Some(null), None));
            let null = null.or_else(|| values(self.other, pair.1).null.map(|null| (None, Some(null))));
            branches.extend(null.map(|null| self.id(null, id, "")));
        }
        for pair in pairs {
            branches.push(self.id(pair, id, ""));
        }
        Kind::Union(branches)
    }

    /// Gives different types of the same name their own namespaces, and records their original names. Short names are
    /// kept, as they name columns. The original full names are kept, as branches match by them.
    fn rename(&mut self, kind: &mut Kind, named: Option<&Node>, properties: &mut Properties) {
        let (name, aliases, doc) = match kind {
            Kind::Record(record) => (&mut record.name, &mut record.aliases, &mut record.doc),
            Kind::Enum(symbols) => (&mut symbols.name, &mut symbols.aliases, &mut symbols.doc),
            Kind::Fixed(fixed) => (&mut fixed.name, &mut fixed.aliases, &mut fixed.doc),
            _ => return,
        };
        if !self.adds_columns {
            (*aliases, *doc) = (Vec::new(), None);
        }
        if let Some(original) = named.and_then(full_name).and_then(|name| Name::new(name, None)) {
            *name = original;
        }
        let original = name.clone();
        let (short, namespace) = (name.short().to_owned(), name.namespace().unwrap_or("other").to_owned());
        let mut number = 2;
        while !name.is_anonymous() && !self.names.insert(name.clone()) {
            *name = Name::new(&short, Some(&format!("{namespace}_{number}"))).unwrap_or_else(Name::anonymous);
            number += 1;
        }
        note_full_name(properties, (*name != original).then_some(&original));
    }

    #[cold]
    fn differ(&self, id: NodeId, pair: Pair) -> Error {
        let (Some(mine), Some(theirs)) = pair else { return Error::schema("a type of neither schema") };
        let (mine, theirs) = (describe(self.one, mine), describe(self.other, theirs));
        let path = self.path(id);
        let message = format!("field `{path}` is {mine} in one file and {theirs} in another: no type holds both");
        Error::schema(message).at(|position| position.path = Some(path))
    }

    /// Returns the path from the root to a type.
    fn path(&self, mut id: NodeId) -> String {
        let mut steps = Vec::new();
        while id != NodeId(0) {
            let Step { from, name, .. } = self.pairs[id.index()].1;
            steps.push(name);
            id = from;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev().filter(|step| !step.is_empty()) {
            path.push_str(if path.is_empty() || step.starts_with(['[', '{']) { "" } else { "." });
            path.push_str(step);
        }
        path
    }
}

/// The branches of a union that are not null, and its null; for another type, the type itself.
struct Values {
    values: Vec<NodeId>,
    null: Option<NodeId>,
    has_null: bool,
}

fn values(schema: &Schema, id: Option<NodeId>) -> Values {
    let branches = match id.map(|id| (id, &schema.node(id).kind)) {
        Some((_, Kind::Union(branches))) => branches.clone(),
        Some((id, _)) => vec![id],
        None => Vec::new(),
    };
    let (nulls, values): (Vec<_>, Vec<_>) =
        branches.into_iter().partition(|&branch| matches!(schema.node(branch).kind, Kind::Null));
    Values { values, null: nulls.first().copied(), has_null: !nulls.is_empty() }
}

fn items_of(node: &Node) -> Option<NodeId> {
    match node.kind {
        Kind::Array(items) | Kind::Map(items) => Some(items),
        _ => None,
    }
}

fn fields_of(node: Option<&Node>) -> &[Field] {
    match node.map(|node| &node.kind) {
        Some(Kind::Record(record)) => &record.fields,
        _ => &[],
    }
}

/// Returns the name, or a variant of it if it is taken.
fn unused(name: &str, taken: &mut HashSet<String>) -> String {
    let mut unused = name.to_owned();
    let mut number = 2;
    while !taken.insert(unused.clone()) {
        unused = format!("{name}_{number}");
        number += 1;
    }
    unused
}

/// Returns the attributes that are equal in both.
fn agreed(one: Option<&Properties>, other: Option<&Properties>) -> Properties {
    let (Some(one), Some(other)) = (one, other) else { return one.or(other).cloned().unwrap_or_default() };
    let agreed = one.iter().filter(|&(key, value)| other.get(key) == Some(value));
    agreed.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests;
