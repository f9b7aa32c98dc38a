//! Resolution of all reachable pairs of types, each one once.

use std::collections::{HashMap, HashSet};

use super::branches::{Branches, SharedNames, names_agree};
use super::failure::{Failure, FailureMessage, Outcome, Reason, describe};
use super::fields::{Matched, matched};
use super::{Branch, Evolution, Extra, FieldAction, Missing, Refusal, Resolution, Resolved, ResolvedId, Wire};
use super::{leaf, own_nodes};
use crate::schema::datum::{VALUES, encode_default};
use crate::schema::typed::Typed;
use crate::schema::{Kind, Logical, NodeId, Record, Restored, Schema};
use crate::{Error, FieldConflict, Result};

/// The maximum number of pairs. Ordinary schemas have about as many pairs as types.
const PAIRS: usize = 1 << 22;

/// A writer's type and the reader's type that it is read as.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    writer: NodeId,
    reader: NodeId,
    /// True for the root record of a file, whose fields are columns. The same types nested elsewhere are another pair.
    pub(super) is_root: bool,
}

pub(super) struct Resolver<'a> {
    writer: &'a Schema,
    reader: &'a Schema,
    pub(super) evolution: Evolution,
    /// Every pair seen so far, in the order of their ids.
    pub(super) pairs: Vec<Pair>,
    ids: HashMap<Pair, ResolvedId>,
    /// The results of the pairs so far, in the same order.
    pub(super) wires: Vec<Outcome<Wire>>,
    /// The branches of the reader's unions.
    unions: HashMap<NodeId, Branches<'a>>,
    /// The number of values that defaults may still hold.
    default_values: usize,
    /// The fields of the root record that cannot be read, and the reasons.
    pub(super) refused: Vec<(usize, Refusal)>,
    extra: Option<Refusal>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(writer: &'a Schema, reader: &'a Schema, evolution: Evolution) -> Self {
        let (pairs, ids, wires, unions) = (Vec::new(), HashMap::new(), Vec::new(), HashMap::new());
        let (default_values, refused, extra) = (VALUES, Vec::new(), None);
        Self { writer, reader, evolution, pairs, ids, wires, unions, default_values, refused, extra }
    }

    /// Resolves the root and every pair reachable from it; returns the root.
    ///
    /// # Errors
    /// If there are too many pairs.
    pub(super) fn meet_all(&mut self) -> Result<ResolvedId> {
        let root = self.id(Pair { writer: self.writer.root(), reader: self.reader.root(), is_root: true });
        while let Some(&pair) = self.pairs.get(self.wires.len()) {
            if self.pairs.len() > PAIRS {
                return Err(Error::limit(
                    "schema_nodes",
                    "the writer's and the reader's schema meet in too many types",
                ));
            }
            let wire = self.meet(pair);
            self.wires.push(wire);
        }
        Ok(root)
    }

    /// Returns the id of a pair; a new pair is queued.
    fn id(&mut self, pair: Pair) -> ResolvedId {
        *self.ids.entry(pair).or_insert_with(|| {
            self.pairs.push(pair);
            ResolvedId(self.pairs.len() as u32 - 1)
        })
    }

    pub(super) fn pair(&mut self, writer: NodeId, reader: NodeId) -> ResolvedId {
        self.id(Pair { writer, reader, is_root: false })
    }

    /// Returns the writer's and the reader's kind of type.
    pub(super) fn kinds(&self, id: ResolvedId) -> (&'a Kind, &'a Kind) {
        let pair = self.pairs[id.0 as usize];
        (&self.writer.node(pair.writer).kind, &self.reader.node(pair.reader).kind)
    }

    /// Returns the message for two types that do not match.
    #[cold]
    pub(super) fn mismatch(&self, pair: Pair, why: &str) -> String {
        let (from, to) = (describe(self.writer, pair.writer), describe(self.reader, pair.reader));
        format!("the writer's {from} cannot be read as the reader's {to}{why}")
    }

    /// Returns the failure of two types that do not match.
    #[cold]
    pub(super) fn failure(&self, pair: Pair, reason: impl Into<Reason>) -> Failure {
        let Reason { why, conflict } = reason.into();
        Failure::Here { field: String::new(), message: FailureMessage::new(self.mismatch(pair, &why), conflict) }
    }

    fn meet(&mut self, pair: Pair) -> Outcome<Wire> {
        let (writer, reader) = (self.writer.node(pair.writer), self.reader.node(pair.reader));
        let Evolution { by_columns, exact, casts, .. } = self.evolution;
        match (&writer.kind, &reader.kind) {
            (Kind::Union(branches), _) => return self.writer_union(pair, branches),
            (Kind::Null, Kind::Union(_)) if by_columns => return Ok(Wire::Null),
            (_, Kind::Union(branches)) => {
                let branch = self.branch(pair.writer, pair.reader, branches, false);
                let branch = branch.map_err(|_| self.failure(pair, ""))?;
                return Ok(Wire::IntoUnion { branch, value: self.pair(pair.writer, branches[branch]) });
            }
            _ => {}
        }
        if let Some(name) = writer.kind.name()
            && writer.kind.type_name() == reader.kind.type_name()
            && !by_columns
            && !names_agree(&writer.kind, &reader.kind)
        {
            let why = format!(": neither its name nor its aliases agree; the reader's alias \"{name}\" would match");
            return Err(self.failure(pair, why));
        }
        match (&writer.kind, &reader.kind) {
            (Kind::Array(_), Kind::Array(_)) if by_columns && self.widths_differ(pair) => Err(self.failure(pair, "")),
            (&Kind::Array(from), &Kind::Array(to)) => Ok(Wire::Array(self.pair(from, to))),
            (&Kind::Map(from), &Kind::Map(to)) => Ok(Wire::Map(self.pair(from, to))),
            (Kind::Record(from), Kind::Record(to)) => self.record(pair, from, to),
            _ => {
                let (from, to) = (Typed::of(self.writer, writer), Typed::of(self.reader, reader));
                let met = match by_columns {
                    true if exact => leaf::exact,
                    true => leaf::by_columns,
                    false => leaf::specified,
                };
                let met = met(&from, &to, casts);
                met.map_err(|reason| self.failure(pair, reason))
            }
        }
    }

    /// Returns true if both are arrays of a fixed width and the widths differ.
    fn widths_differ(&self, pair: Pair) -> bool {
        let width = |schema: &Schema, id| match Restored::of(schema, schema.node(id)) {
            Some(Restored::Array(width)) => Some(width),
            _ => None,
        };
        let (from, to) = (width(self.writer, pair.writer), width(self.reader, pair.reader));
        from != to && (self.evolution.exact || from.is_some() && to.is_some())
    }

    /// Returns the reader's branch for one writer's type, or the reason for which there is none.
    fn branch(
        &mut self,
        writer: NodeId,
        union: NodeId,
        branches: &[NodeId],
        shares_name: bool,
    ) -> std::result::Result<usize, String> {
        if self.evolution.by_columns
            && let Some(branch) = self.only_value(branches)
        {
            return Ok(branch);
        }
        let index = self.unions.entry(union).or_insert_with(|| Branches::new(self.reader, branches));
        let branch = index.find(self.writer.node(writer), shares_name);
        branch.ok_or_else(|| self.mismatch(Pair { writer, reader: union, is_root: false }, ""))
    }

    /// Returns the branch of a reader's union that is not null, if there is exactly one: the column has its type.
    fn only_value(&self, branches: &[NodeId]) -> Option<usize> {
        let mut values =
            branches.iter().enumerate().filter(|&(_, &id)| !matches!(self.reader.node(id).kind, Kind::Null));
        let (branch, _) = values.next()?;
        values.next().is_none().then_some(branch)
    }

    /// Returns the branches of the writer's union that have the kind of the reader's only type but do not match it. At
    /// most one branch matches.
    fn others(&self, branches: &[NodeId], reader: NodeId) -> Vec<NodeId> {
        let kind = &self.reader.node(reader).kind;
        let is_named = |id: &NodeId| {
            let writer = &self.writer.node(*id).kind;
            writer.name().is_some() && writer.type_name() == kind.type_name()
        };
        let alike: Vec<_> = branches.iter().copied().filter(is_named).collect();
        if alike.len() < 2 {
            return Vec::new();
        }
        let (index, shared) = (Branches::new(self.reader, &[reader]), SharedNames::of(self.writer, &alike));
        let is_meant = |id: &NodeId| {
            let writer = self.writer.node(*id);
            index.find(writer, shared.has(&writer.kind)).is_some()
        };
        alike.into_iter().filter(|id| !is_meant(id)).collect()
    }

    fn writer_union(&mut self, pair: Pair, branches: &[NodeId]) -> Outcome<Wire> {
        let Evolution { by_columns, extra_fields, .. } = self.evolution;
        let (from, to) = (self.writer, self.reader);
        let wanted = match &to.node(pair.reader).kind {
            Kind::Union(wanted) => Some(wanted),
            _ => None,
        };
        let is_struct = wanted.is_some_and(|wanted| wanted.len() > 1 && self.only_value(wanted).is_none());
        let value = match wanted {
            None => Some(pair.reader),
            Some(wanted) => self.only_value(wanted).filter(|_| by_columns).map(|branch| wanted[branch]),
        };
        let others = value.map(|value| self.others(branches, value)).unwrap_or_default();
        let shared = SharedNames::of(from, branches);
        let mut actions = Vec::with_capacity(branches.len());
        for &writer in branches {
            if by_columns && matches!(from.node(writer).kind, Kind::Null) {
                actions.push(Branch::Null);
                continue;
            }
            if others.contains(&writer) {
                let message = self.mismatch(Pair { writer, ..pair }, ": another branch of the writer's has its name");
                if by_columns {
                    return Err(Failure::here(message));
                }
                actions.push(Branch::Refuse(message.into()));
                continue;
            }
            let Some(wanted) = wanted else {
                actions.push(Branch::Read { branch: None, value: self.pair(writer, pair.reader) });
                continue;
            };
            actions.push(match self.branch(writer, pair.reader, wanted, shared.has(&from.node(writer).kind)) {
                Ok(branch) => Branch::Read { branch: Some(branch), value: self.pair(writer, wanted[branch]) },
                Err(_) if by_columns && is_struct && extra_fields == Extra::Ignore => Branch::Skip(writer),
                Err(message) if by_columns => return Err(Failure::here(message)),
                Err(message) => Branch::Refuse(message.into()),
            });
        }
        let is_read = |action: &Branch| matches!(action, Branch::Read { .. });
        let is_refused = |action: &Branch| matches!(action, Branch::Refuse(_));
        if actions.iter().any(is_refused) && !actions.iter().any(is_read) {
            return Err(self.failure(pair, ""));
        }
        Ok(Wire::Union(actions))
    }

    /// Resolves two records. Fields that the writer did not write get the reader's default.
    fn record(&mut self, pair: Pair, writer: &Record, reader: &Record) -> Outcome<Wire> {
        let Evolution { missing_columns, missing_fields, extra_columns, extra_fields, .. } = self.evolution;
        let (on_missing, on_extra) =
            if pair.is_root { (missing_columns, extra_columns) } else { (missing_fields, extra_fields) };
        let fields = matched(writer, reader, self.evolution.field_matching, self.evolution.by_columns);
        let fields = fields.map_err(Failure::here)?;
        let other_case = fields.other_case(writer, reader);
        let Matched { of_writer: taken, missing } = fields;
        // A field of another case is reported first: ignoring it would lose its values.
        let other = other_case.iter().find_map(|(written, _)| written.first().copied());
        if on_extra == Extra::Refuse
            && let Some(at) = other.or_else(|| taken.iter().position(Option::is_none))
        {
            let path = writer.fields[at].name.clone();
            let extra = if pair.is_root { FieldConflict::ExtraColumn } else { FieldConflict::ExtraField };
            let message = if other.is_some() { FieldConflict::OtherCase } else { extra }.into();
            if !pair.is_root {
                return Err(Failure::Here { field: path, message });
            }
            self.extra = Some(Refusal { path, message });
        }
        let fields = writer.fields.iter().zip(taken).map(|(from, field)| match field {
            Some(field) => FieldAction::Read { field, value: self.pair(from.schema, reader.fields[field].schema) },
            None => FieldAction::Skip(from.schema),
        });
        let fields = fields.collect();
        let cased: HashSet<usize> = other_case.into_iter().flat_map(|(_, wanted)| wanted).collect();
        let mut defaults = Vec::with_capacity(missing.len());
        for field in missing {
            let default = self.default(reader, field, on_missing, pair.is_root);
            match default.map_err(|error| if cased.contains(&field) { FieldConflict::OtherCase.into() } else { error })
            {
                Ok(datum) => defaults.push((field, datum)),
                Err(message) if pair.is_root => {
                    let path = reader.fields[field].name.clone();
                    self.refused.push((field, Refusal { path, message }));
                }
                Err(message) => return Err(Failure::Here { field: reader.fields[field].name.clone(), message }),
            }
        }
        Ok(Wire::Record { fields, defaults })
    }

    /// Returns the datum of a field that the writer did not write, `None` for null; or the failure if there is none.
    pub(super) fn default(
        &mut self,
        record: &Record,
        at: usize,
        on_missing: Missing,
        is_column: bool,
    ) -> std::result::Result<Option<Vec<u8>>, FailureMessage> {
        let field = &record.fields[at];
        match &field.default {
            Some(default) if !self.evolution.exact => {
                encode_default(self.reader, field.schema, default, &mut self.default_values)
                    .map(Some)
                    .map_err(|error| format!("the reader's default is not valid: {}", error.message()).into())
            }
            _ if on_missing == Missing::Insert => Ok(None),
            _ => Err(if is_column { FieldConflict::MissingColumn } else { FieldConflict::MissingField }.into()),
        }
    }

    /// Returns a resolution of the reachable pairs only, without those that failed.
    pub(super) fn reachable(mut self, root: ResolvedId) -> Resolution {
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
            let Pair { writer, reader, .. } = self.pairs[id.0 as usize];
            let logical = self.logical(writer, reader);
            nodes.push(Resolved { writer, reader, writer_is_reader: false, logical, wire });
        }
        let own = nodes.len() as u32;
        nodes.extend(own_nodes(self.reader, own, true));
        Resolution { nodes, root: ResolvedId(0), own, refused: self.refused, extra: self.extra }
    }

    /// Returns the logical type by which a value is read.
    fn logical(&self, writer: NodeId, reader: NodeId) -> Option<Logical> {
        let (writer, reader) = (self.writer.node(writer), self.reader.node(reader));
        let are_strings = matches!((&writer.kind, &reader.kind), (Kind::String, Kind::String));
        if self.evolution.by_columns && are_strings { writer.logical } else { reader.logical }
    }
}
