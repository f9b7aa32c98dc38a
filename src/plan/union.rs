//! Unions: which shape they get, and what becomes of each of the writer's branches.

use std::collections::HashMap;
use std::sync::Arc;

use super::compile::Compiler;
use super::{Projection, Schemas, skip};
use crate::Result;
use crate::decode::{AnyColumn, Choice, DefaultValue, Merge, Null, Nullable, Optional, Union};
use crate::schema::{Branch, Evolution, Kind, NodeId, ResolvedId, Schema};

/// What is not taken apart.
const UNION: &str = "a union of several types";

/// What a type of the reader's becomes where the writer may have written a union.
enum Shape {
    /// One value, or only nulls where `None`.
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

/// The branches' names, as Avro's JSON encoding has them; the full name where two share the short one.
pub(super) fn names(reader: &Schema, branches: &[(usize, NodeId)]) -> Vec<String> {
    let short = |&(_, id): &(usize, NodeId)| {
        let kind = &reader.node(id).kind;
        kind.name().map_or(kind.type_name(), |name| name.short()).to_owned()
    };
    let shorts: Vec<_> = branches.iter().map(short).collect();
    let name = |(i, &(_, id)): (usize, &(usize, NodeId))| {
        let shared = shorts.iter().filter(|&short| *short == shorts[i]).count() > 1;
        match reader.node(id).kind.name() {
            Some(name) if shared => name.fullname().to_string(),
            _ => shorts[i].clone(),
        }
    };
    branches.iter().enumerate().map(name).collect()
}

/// The wire forms in which values of one of the reader's branches come.
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
    /// The writer wrote a union.
    pub(super) fn union(&mut self, reader: NodeId, branches: &[Branch], projection: &Projection) -> Result<AnyColumn> {
        match shape(&self.schemas.reader, reader) {
            Shape::Value(None) => {
                projection.check_is_all("null")?;
                Ok(Box::new(Optional::new(Null::default().into(), self.choices(branches, |_| 0).0)).into())
            }
            Shape::Value(Some(value)) => {
                let (choices, mut variants) = self.choices(branches, |_| 0);
                let column = self.variants(value, &variants.remove(&0).unwrap_or_default(), projection)?;
                Ok(nullable(column, choices))
            }
            Shape::Struct(values) => {
                projection.check_is_all(UNION)?;
                let child =
                    |branch: Option<usize>| values.iter().position(|&(index, _)| Some(index) == branch).unwrap_or(0);
                let (choices, mut variants) = self.choices(branches, child);
                let mut children = Vec::with_capacity(values.len());
                for (i, name) in names(&self.schemas.reader, &values).into_iter().enumerate() {
                    let variants = variants.remove(&i).unwrap_or_default();
                    children.push((name, self.variants(values[i].1, &variants, &Projection::All)?));
                }
                Ok(Box::new(Union::new(children, choices)).into())
            }
        }
    }

    /// The writer wrote no union, but the reader has one: `value` is of its branch number `branch`.
    pub(super) fn union_of_one(
        &mut self,
        reader: NodeId,
        branch: usize,
        value: ResolvedId,
        projection: &Projection,
    ) -> Result<AnyColumn> {
        let values = match shape(&self.schemas.reader, reader) {
            Shape::Struct(values) => values,
            Shape::Value(Some(id)) if matches!(self.reader_kind(value), Kind::Null) => {
                return self.nulls(id, projection);
            }
            Shape::Value(_) => return self.column(value, projection),
        };
        projection.check_is_all(UNION)?;
        let mut children = Vec::with_capacity(values.len());
        let mut choice = Choice::Null;
        for (i, name) in names(&self.schemas.reader, &values).into_iter().enumerate() {
            let (index, id) = values[i];
            let column = if index == branch {
                choice = Choice::Value { child: i, variant: 0 };
                self.column(value, &Projection::All)?
            } else {
                self.absent(id, &Projection::All)?
            };
            children.push((name, column));
        }
        Ok(Box::new(Union::of_one(children, choice)).into())
    }

    /// What each of the writer's branches becomes, and the wire forms of each child.
    fn choices(
        &self,
        branches: &[Branch],
        child: impl Fn(Option<usize>) -> usize,
    ) -> (Vec<Choice>, HashMap<usize, Variants>) {
        let mut variants: HashMap<usize, Variants> = HashMap::new();
        let choice = |branch: &Branch| match branch {
            Branch::Null => Choice::Null,
            Branch::Refuse(reason) => Choice::Refuse(reason.clone()),
            Branch::Read { value, .. } if matches!(self.reader_kind(*value), Kind::Null) => Choice::Null,
            Branch::Read { branch, value } => {
                let child = child(*branch);
                Choice::Value { child, variant: variants.entry(child).or_default().number(*value) }
            }
        };
        let choices = branches.iter().map(choice).collect();
        (choices, variants)
    }

    /// The column of a reader's type that comes in these wire forms.
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

    /// The column of a reader's type of which the writer wrote nothing but nulls.
    pub(super) fn nulls(&mut self, reader: NodeId, projection: &Projection) -> Result<AnyColumn> {
        Ok(Box::new(DefaultValue::new(self.absent(reader, projection)?, None)).into())
    }

    /// The column of a reader's type that this writer never writes: it only ever gets nulls.
    fn absent(&mut self, reader: NodeId, projection: &Projection) -> Result<AnyColumn> {
        let identity = Schemas::new(self.schemas.reader.clone(), None, Evolution::default())?;
        let programs = Arc::new(skip::compile(&identity.writer, self.limits)?);
        let node = identity.resolution.nodes.iter().position(|node| node.reader == reader && node.writer == reader);
        let id = ResolvedId(node.expect("a schema resolved with itself has every type") as u32);
        let mut compiler = Compiler::new(&identity, programs, self.limits);
        compiler.open.clone_from(&self.open);
        compiler.depth = self.depth;
        compiler.column(id, projection)
    }
}

/// Null and one other branch have a quick way; any other union goes by its choices.
fn nullable(column: AnyColumn, choices: Vec<Choice>) -> AnyColumn {
    let null_index = match choices[..] {
        [Choice::Null, Choice::Value { .. }] => 0,
        [Choice::Value { .. }, Choice::Null] => 1,
        _ => return Box::new(Optional::new(column, choices)).into(),
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
