//! The pairs of types that meet, each looked at once.

use std::collections::HashMap;

use super::branches::{Branches, names_agree};
use super::evolution::{EXTRA_COLUMN, EXTRA_FIELD, MISSING_COLUMN, MISSING_FIELD};
use super::failure::{self, Failure, Outcome, describe};
use super::{Branch, Evolution, Extra, FieldAction, Missing, Resolution, Resolved, ResolvedId, Wire};
use crate::schema::datum::{VALUES, encode_default};
use crate::schema::{Enum, Kind, NodeId, Record, Schema};
use crate::{Error, Result};

/// How many pairs may meet. Honest schemas meet in about as many pairs as they have types.
const PAIRS: usize = 1 << 22;

/// A writer's type and the reader's type that it is read as.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    writer: NodeId,
    reader: NodeId,
    /// Below a default both are types of the reader's schema, and the same one.
    writer_is_reader: bool,
}

pub(super) struct Resolver<'a> {
    writer: &'a Schema,
    reader: &'a Schema,
    evolution: Evolution,
    /// Every pair seen so far, in the order of their ids.
    pub(super) pairs: Vec<Pair>,
    ids: HashMap<Pair, ResolvedId>,
    /// What came of the pairs that were looked at, in the same order.
    pub(super) wires: Vec<Outcome<Wire>>,
    /// The branches of the reader's unions.
    unions: HashMap<NodeId, Branches<'a>>,
    /// How many values the defaults may still hold.
    default_values: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(writer: &'a Schema, reader: &'a Schema, evolution: Evolution) -> Self {
        let (pairs, ids, wires, unions) = (Vec::new(), HashMap::new(), Vec::new(), HashMap::new());
        Self { writer, reader, evolution, pairs, ids, wires, unions, default_values: VALUES }
    }

    pub(super) fn run(mut self) -> Result<Resolution> {
        let root = self.pair(self.writer.root(), self.reader.root());
        while let Some(&pair) = self.pairs.get(self.wires.len()) {
            if self.pairs.len() > PAIRS {
                return Err(Error::limit(
                    "schema_nodes",
                    "the writer's and the reader's schema meet in too many types",
                ));
            }
            let wire = if pair.writer_is_reader { Ok(self.own(pair.reader)) } else { self.meet(pair) };
            self.wires.push(wire);
        }
        if self.wires.iter().any(Outcome::is_err) {
            failure::spread(&mut self);
            if self.wires[root.0 as usize].is_err() {
                return Err(failure::error(&self, root));
            }
            failure::refuse(&mut self);
        }
        Ok(self.reachable(root))
    }

    /// The id of a pair, which is looked at later if it is new.
    fn id(&mut self, pair: Pair) -> ResolvedId {
        *self.ids.entry(pair).or_insert_with(|| {
            self.pairs.push(pair);
            ResolvedId(self.pairs.len() as u32 - 1)
        })
    }

    fn pair(&mut self, writer: NodeId, reader: NodeId) -> ResolvedId {
        self.id(Pair { writer, reader, writer_is_reader: false })
    }

    /// The writer's and the reader's kind of type.
    pub(super) fn kinds(&self, id: ResolvedId) -> (&'a Kind, &'a Kind) {
        let pair = self.pairs[id.0 as usize];
        let writer = if pair.writer_is_reader { self.reader } else { self.writer };
        (&writer.node(pair.writer).kind, &self.reader.node(pair.reader).kind)
    }

    /// What is wrong with two types that have nothing in common.
    #[cold]
    pub(super) fn mismatch(&self, pair: Pair, why: &str) -> String {
        let (from, to) = (describe(self.writer, pair.writer), describe(self.reader, pair.reader));
        format!("the writer's {from} cannot be read as the reader's {to}{why}")
    }

    /// A type below a default, which the reader's own schema has written.
    fn own(&mut self, reader: NodeId) -> Wire {
        let schema = self.reader;
        Wire::own(&schema.node(reader).kind, |id| self.id(Pair { writer: id, reader: id, writer_is_reader: true }))
    }

    fn meet(&mut self, pair: Pair) -> Outcome<Wire> {
        let (writer, reader) = (self.writer.node(pair.writer), self.reader.node(pair.reader));
        match (&writer.kind, &reader.kind) {
            (Kind::Union(branches), _) => return self.writer_union(pair, branches),
            (_, Kind::Union(branches)) => {
                let branch = self.branch(pair.writer, pair.reader, branches).map_err(Failure::here)?;
                return Ok(Wire::IntoUnion { branch, value: self.pair(pair.writer, branches[branch]) });
            }
            _ => {}
        }
        let differ = |why| Err(Failure::here(self.mismatch(pair, why)));
        if let (Some(from), Some(to)) = (writer.logical, reader.logical)
            && !from.reads_as(to)
        {
            return differ("");
        }
        if writer.kind.name().is_some()
            && writer.kind.type_name() == reader.kind.type_name()
            && !self.evolution.ignore_names
            && !names_agree(&writer.kind, &reader.kind)
        {
            return differ(": neither its name nor its aliases agree");
        }
        let wire = match (&writer.kind, &reader.kind) {
            (Kind::Null, Kind::Null) => Wire::Null,
            (Kind::Null, _) if self.evolution.keep_nulls => Wire::Null,
            (Kind::Boolean, Kind::Boolean) => Wire::Boolean,
            (Kind::Int, Kind::Int | Kind::Long | Kind::Float | Kind::Double) => Wire::Int,
            (Kind::Long, Kind::Long | Kind::Float | Kind::Double) => Wire::Long,
            (Kind::Float, Kind::Float | Kind::Double) => Wire::Float,
            (Kind::Double, Kind::Double) => Wire::Double,
            (Kind::Bytes, Kind::Bytes | Kind::String) => Wire::Bytes,
            (Kind::String, Kind::String | Kind::Bytes) => Wire::String,
            (Kind::Fixed(from), Kind::Fixed(to)) if from.size == to.size => Wire::Fixed(from.size),
            (Kind::Enum(from), Kind::Enum(to)) => symbols(from, to),
            (&Kind::Array(from), &Kind::Array(to)) => Wire::Array(self.pair(from, to)),
            (&Kind::Map(from), &Kind::Map(to)) => Wire::Map(self.pair(from, to)),
            (Kind::Record(from), Kind::Record(to)) => return self.record(pair, from, to),
            _ => return differ(""),
        };
        Ok(wire)
    }

    /// The reader's branch for one writer's type, or why there is none.
    fn branch(&mut self, writer: NodeId, union: NodeId, branches: &[NodeId]) -> std::result::Result<usize, String> {
        let index = self.unions.entry(union).or_insert_with(|| Branches::new(self.reader, branches));
        let branch = index.find(&self.writer.node(writer).kind);
        branch.ok_or_else(|| self.mismatch(Pair { writer, reader: union, writer_is_reader: false }, ""))
    }

    fn writer_union(&mut self, pair: Pair, branches: &[NodeId]) -> Outcome<Wire> {
        let (from, to) = (self.writer, self.reader);
        let is_null = |schema: &Schema, id: NodeId| matches!(schema.node(id).kind, Kind::Null);
        let Kind::Union(wanted) = &to.node(pair.reader).kind else {
            let keep_null = self.evolution.keep_nulls && !is_null(to, pair.reader);
            let read = |&branch: &NodeId| {
                if keep_null && is_null(from, branch) {
                    return Branch::Null;
                }
                Branch::Read { branch: None, value: self.pair(branch, pair.reader) }
            };
            return Ok(Wire::Union(branches.iter().map(read).collect()));
        };
        let keep_null = self.evolution.keep_nulls && !wanted.iter().any(|&branch| is_null(to, branch));
        let mut actions = Vec::with_capacity(branches.len());
        for &writer in branches {
            if keep_null && is_null(from, writer) {
                actions.push(Branch::Null);
                continue;
            }
            actions.push(match self.branch(writer, pair.reader, wanted) {
                Ok(branch) => Branch::Read { branch: Some(branch), value: self.pair(writer, wanted[branch]) },
                Err(message) => Branch::Refuse(message),
            });
        }
        let is_read = |action: &Branch| matches!(action, Branch::Read { .. });
        let is_refused = |action: &Branch| matches!(action, Branch::Refuse(_));
        if actions.iter().any(is_refused) && !actions.iter().any(is_read) {
            return Err(Failure::here(self.mismatch(pair, "")));
        }
        Ok(Wire::Union(actions))
    }

    /// Fields match by name, then by the reader's aliases; what the writer did not write is the reader's default.
    fn record(&mut self, pair: Pair, writer: &Record, reader: &Record) -> Outcome<Wire> {
        let Evolution { missing_columns, missing_fields, extra_columns, extra_fields, .. } = self.evolution;
        let is_root = pair.writer == self.writer.root() && pair.reader == self.reader.root();
        let on_missing = if is_root { (missing_columns, MISSING_COLUMN) } else { (missing_fields, MISSING_FIELD) };
        let (on_extra, extra) = if is_root { (extra_columns, EXTRA_COLUMN) } else { (extra_fields, EXTRA_FIELD) };
        let places: HashMap<_, _> = writer.fields.iter().enumerate().map(|(at, f)| (f.name.as_str(), at)).collect();
        let mut taken = vec![None; writer.fields.len()];
        let mut missing = Vec::new();
        for (field, wanted) in reader.fields.iter().enumerate() {
            match places.get(wanted.name.as_str()) {
                Some(&at) => taken[at] = Some(field),
                None => missing.push(field),
            }
        }
        missing.retain(|&field| {
            let places = reader.fields[field].aliases.iter().filter_map(|alias| places.get(alias.as_str()));
            let free = places.copied().find(|&at| taken[at].is_none());
            free.map(|at| taken[at] = Some(field)).is_none()
        });
        if on_extra == Extra::Refuse
            && let Some(at) = taken.iter().position(Option::is_none)
        {
            return Err(Failure::Here { field: writer.fields[at].name.clone(), message: extra.to_owned() });
        }
        let fields = writer.fields.iter().zip(taken).map(|(from, field)| match field {
            Some(field) => FieldAction::Read { field, value: self.pair(from.schema, reader.fields[field].schema) },
            None => FieldAction::Skip(from.schema),
        });
        let fields = fields.collect();
        let defaults =
            missing.into_iter().map(|field| self.default(reader, field, on_missing)).collect::<Outcome<_>>()?;
        Ok(Wire::Record { fields, defaults })
    }

    /// A field that the writer did not write.
    fn default(
        &mut self,
        record: &Record,
        at: usize,
        (on_missing, message): (Missing, &str),
    ) -> Outcome<(usize, Option<Vec<u8>>, ResolvedId)> {
        let field = &record.fields[at];
        let fail = |message| Failure::Here { field: field.name.clone(), message };
        let own = Pair { writer: field.schema, reader: field.schema, writer_is_reader: true };
        if on_missing == Missing::Insert && field.default.is_none() {
            return Ok((at, None, self.id(own)));
        }
        let Some(default) = &field.default else {
            return Err(fail(message.to_owned()));
        };
        let datum = encode_default(self.reader, field.schema, default, &mut self.default_values)
            .map_err(|error| fail(format!("the reader's default is not valid: {}", error.message())))?;
        Ok((at, Some(datum), self.id(own)))
    }

    /// The pairs that reading comes to, which leaves out those that failed.
    fn reachable(mut self, root: ResolvedId) -> Resolution {
        let mut order = vec![root];
        let mut renumbered = vec![None; self.wires.len()];
        renumbered[root.0 as usize] = Some(ResolvedId(0));
        let mut nodes = Vec::with_capacity(self.wires.len());
        while let Some(&id) = order.get(nodes.len()) {
            let wire = std::mem::replace(&mut self.wires[id.0 as usize], Ok(Wire::Null));
            let mut wire = wire.ok().expect("a pair lives only while all that it needs does");
            wire.each_child(|child| {
                *child = *renumbered[child.0 as usize].get_or_insert_with(|| {
                    order.push(*child);
                    ResolvedId(order.len() as u32 - 1)
                });
            });
            let Pair { writer, reader, writer_is_reader } = self.pairs[id.0 as usize];
            nodes.push(Resolved { writer, reader, writer_is_reader, wire });
        }
        Resolution { nodes, root: ResolvedId(0) }
    }
}

/// The reader's symbol for each of the writer's.
fn symbols(writer: &Enum, reader: &Enum) -> Wire {
    let places: HashMap<_, _> = reader.symbols.iter().enumerate().map(|(at, symbol)| (symbol, at)).collect();
    Wire::Enum(writer.symbols.iter().map(|symbol| places.get(symbol).copied().or(reader.default)).collect())
}
