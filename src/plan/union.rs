//! Unions: their shape, and the action for each of the writer's branches.

use std::collections::HashMap;

use super::Projection;
use super::compile::Compiler;
use crate::Result;
use crate::decode::{AnyColumn, BranchAction, DefaultValue, Merge, Null, Nullable, NullableUnion, SkipPrograms, Union};
use crate::schema::{Branch, Kind, NodeId, ResolvedId, Schema, full_name};

/// The shape of the column for a reader's type, if the writer's type may be a union.
enum Shape {
    /// One value, or only nulls if `None`.
    Value(Option<NodeId>),
    /// A struct of these branches: index in the union, and type.
    Struct(Vec<(usize, NodeId)>),
}

fn shape(reader: &Schema, id: NodeId) -> Shape {
    let is_null = |id: NodeId| matches!(reader.node(id).kind, Kind::Null);
    let Kind::Union(branches) = &reader.node(id).kind else {
        return Shape::Value((!is_null(id)).then_some(id));
    };
    let values: Vec<_> = branches.iter().copied().enumerate().filter(|&(_, branch)| !is_null(branch)).collect();
    match values[..] {
        [] => Shape::Value(None),
        [(_, value)] => Shape::Value(Some(value)),
        _ => Shape::Struct(values),
    }
}

/// Returns the names of branches, as in Avro's JSON encoding; the full name if two share the short one.
pub(super) fn names(reader: &Schema, branches: &[(usize, NodeId)]) -> Vec<String> {
    let short = |&(_, id): &(usize, NodeId)| {
        let kind = &reader.node(id).kind;
        kind.name().map_or(kind.type_name(), |name| name.short()).to_owned()
    };
    let shorts: Vec<_> = branches.iter().map(short).collect();
    let full = |&(_, id): &(usize, NodeId)| full_name(reader.node(id));
    let name = |(i, branch): (usize, &(usize, NodeId))| {
        let shared = shorts.iter().filter(|&short| *short == shorts[i]).count() > 1;
        match (full(branch), reader.node(branch.1).kind.name()) {
            (Some(name), Some(own)) if shared => {
                // In a union of schemas, a record and an enum may have the same full name.
                let is_unique = branches.iter().filter(|other| full(other) == Some(name)).count() == 1;
                if is_unique { name.to_owned() } else { own.fullname().to_owned() }
            }
            _ => shorts[i].clone(),
        }
    };
    branches.iter().enumerate().map(name).collect()
}

/// The wire forms of the values of one of the reader's branches.
#[derive(Default)]
struct Variants(Vec<ResolvedId>);

impl Variants {
    fn number(&mut self, value: ResolvedId) -> usize {
        self.0.iter().position(|&known| known == value).unwrap_or_else(|| {
            self.0.push(value);
            self.0.len() - 1
        })
    }
}

impl Compiler<'_> {
    /// Compiles a union of the writer's.
    pub(super) fn union(&mut self, id: ResolvedId, branches: &[Branch], projection: &Projection) -> Result<AnyColumn> {
        let programs = self.programs_of(id)?;
        let reader = self.node(id).reader;
        match shape(&self.schemas.reader, reader) {
            Shape::Value(None) => {
                projection.check_is_all("null")?;
                let (actions, _) = self.actions(branches, &programs, |_| None);
                Ok(Box::new(NullableUnion::new(Null::default().into(), actions)).into())
            }
            Shape::Value(Some(value)) => {
                let (actions, mut variants) = self.actions(branches, &programs, |_| Some(0));
                let column = self.variants(value, &variants.remove(&0).unwrap_or_default(), projection)?;
                Ok(nullable(column, actions))
            }
            Shape::Struct(values) => {
                let wanted = self.wanted_branches(&values, projection)?;
                let child =
                    |branch: Option<usize>| wanted.iter().position(|(value, ..)| Some(values[*value].0) == branch);
                let (actions, mut variants) = self.actions(branches, &programs, child);
                let mut children = Vec::with_capacity(wanted.len());
                for (i, (value, name, projection)) in wanted.into_iter().enumerate() {
                    let variants = variants.remove(&i).unwrap_or_default();
                    children.push((name, self.variants(values[value].1, &variants, &projection)?));
                }
                Ok(Box::new(Union::new(children, actions, programs)).into())
            }
        }
    }

    /// Compiles a reader's union for a writer's type that is not one: `value` is of branch number `branch`.
    pub(super) fn union_of_one(
        &mut self,
        id: ResolvedId,
        branch: usize,
        value: ResolvedId,
        projection: &Projection,
    ) -> Result<AnyColumn> {
        let values = match shape(&self.schemas.reader, self.node(id).reader) {
            Shape::Struct(values) => values,
            Shape::Value(Some(id)) if matches!(self.reader_kind(value), Kind::Null) => {
                return self.nulls(id, projection);
            }
            Shape::Value(_) => return self.column(value, projection),
        };
        let programs = self.programs_of(id)?;
        let wanted = self.wanted_branches(&values, projection)?;
        let mut children = Vec::with_capacity(wanted.len());
        let mut action = match self.reader_kind(value) {
            Kind::Null => BranchAction::Null,
            _ => BranchAction::Skip(programs.of(self.node(value).writer).into()),
        };
        for (i, (at, name, projection)) in wanted.into_iter().enumerate() {
            let (index, id) = values[at];
            let column = if index == branch {
                action = BranchAction::Value { child: i, variant: 0 };
                self.column(value, &projection)?
            } else {
                self.absent(id, &projection)?
            };
            children.push((name, column));
        }
        Ok(Box::new(Union::of_one(children, action, programs)).into())
    }

    /// Returns the selected branches of a union that becomes a struct: index, name of the field, and projection.
    fn wanted_branches(
        &self,
        values: &[(usize, NodeId)],
        projection: &Projection,
    ) -> Result<Vec<(usize, String, Projection)>> {
        let names = names(&self.schemas.reader, values);
        let wanted = projection.of_names(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(wanted.into_iter().map(|(value, inside)| (value, names[value].clone(), inside)).collect())
    }

    /// Returns the action for each of the writer's branches, and the wire forms of each child. `child` returns the
    /// index of a reader's branch, `None` if it is not selected.
    fn actions(
        &self,
        branches: &[Branch],
        programs: &SkipPrograms,
        child: impl Fn(Option<usize>) -> Option<usize>,
    ) -> (Vec<BranchAction>, HashMap<usize, Variants>) {
        let mut variants: HashMap<usize, Variants> = HashMap::new();
        let action = |branch: &Branch| match branch {
            Branch::Null => BranchAction::Null,
            Branch::Skip(writer) => BranchAction::Skip(programs.of(*writer).into()),
            Branch::Refuse(reason) => BranchAction::Refuse(reason.clone()),
            Branch::Read { value, .. } if matches!(self.reader_kind(*value), Kind::Null) => BranchAction::Null,
            Branch::Read { branch, value } => match child(*branch) {
                Some(child) => {
                    BranchAction::Value { child, variant: variants.entry(child).or_default().number(*value) }
                }
                None => BranchAction::Skip(programs.of(self.node(*value).writer).into()),
            },
        };
        let actions = branches.iter().map(action).collect();
        (actions, variants)
    }

    /// Compiles the column of a reader's type with these wire forms.
    fn variants(&mut self, reader: NodeId, variants: &Variants, projection: &Projection) -> Result<AnyColumn> {
        match variants.0[..] {
            [] => self.absent(reader, projection),
            [value] => self.column(value, projection),
            _ => {
                let columns = variants.0.iter().map(|&value| self.column(value, projection)).collect::<Result<_>>()?;
                Ok(Box::new(Merge::new(columns)).into())
            }
        }
    }

    /// Returns the column of a reader's type that has only nulls.
    pub(super) fn nulls(&mut self, reader: NodeId, projection: &Projection) -> Result<AnyColumn> {
        Ok(Box::new(DefaultValue::new(self.absent(reader, projection)?, None)).into())
    }

    /// Returns the column of a reader's type that this writer never writes. It only gets nulls.
    fn absent(&mut self, reader: NodeId, projection: &Projection) -> Result<AnyColumn> {
        self.column(self.own(reader), projection)
    }
}

/// Returns a nullable column. Null and one other branch have a fast path; any other union looks up the action.
fn nullable(column: AnyColumn, actions: Vec<BranchAction>) -> AnyColumn {
    let null_index = match actions[..] {
        [BranchAction::Null, BranchAction::Value { .. }] => 0,
        [BranchAction::Value { .. }, BranchAction::Null] => 1,
        _ => return Box::new(NullableUnion::new(column, actions)).into(),
    };
    match column {
        AnyColumn::Boolean(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Int(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Long(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Float(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Double(column) => Nullable::new(column, null_index).into(),
        AnyColumn::String(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Bytes(column) => Nullable::new(column, null_index).into(),
        AnyColumn::TimeMillis(column) => Nullable::new(column, null_index).into(),
        AnyColumn::TimeMicros(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Enum8(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Decimal(column) => Nullable::new(column, null_index).into(),
        AnyColumn::List(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Map(column) => Nullable::new(column, null_index).into(),
        AnyColumn::Record(column) => Nullable::new(column, null_index).into(),
        column => Nullable::new(Box::new(column), null_index).into(),
    }
}
