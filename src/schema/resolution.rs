//! Schema resolution (specification, "Schema Resolution"): reading data of the writer's schema as the reader's.
//!
//! The result is a graph with one node for each pair (writer's type, reader's type), so a recursive type is a cycle
//! here too. It is built once per pair of schemas. The plan is compiled from it, so nothing is looked up per value.
//!
//! The resolution does not recurse, because references nest types far deeper than their JSON. Pairs are queued in a
//! list, and failures are propagated to the enclosing pairs afterwards.

mod branches;
mod compatibility;
mod evolution;
mod failed;
mod failure;
mod fields;
mod leaf;
mod resolver;
mod units;

pub use compatibility::Incompatibility;
pub use evolution::{Evolution, Extra, FieldMatching, Missing};
pub(crate) use failure::FailureMessage;
pub(super) use failure::describe;

use super::{Kind, Logical, NodeId, Schema};
use crate::{Error, Result};

/// Resolves the schema `writer` of the data with the schema `reader`. A schema resolved with itself (the same object)
/// matches itself branch by branch, independent of its names and defaults.
///
/// An unreadable field of the root record is not an error by itself: see [`Resolution::refused`].
///
/// # Errors
/// If no value of the writer can be read; the position's path names the field.
pub(crate) fn resolve(writer: &Schema, reader: &Schema, evolution: Evolution) -> Result<Resolution> {
    if std::ptr::eq(writer, reader) {
        return Ok(identity(reader));
    }
    let mut resolver = resolver::Resolver::new(writer, reader, evolution);
    let root = resolver.meet_all()?;
    failed::settle(&mut resolver, root)?;
    Ok(resolver.reachable(root))
}

/// Identifies one node of a [`Resolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResolvedId(pub(crate) u32);

/// The resolution of two schemas: an action for every pair of types that meet.
#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) nodes: Vec<Resolved>,
    pub(crate) root: ResolvedId,
    /// The index of the first node of the reader's types resolved with themselves.
    own: u32,
    /// The fields of the reader's root record that cannot be read, and the reason. They only matter to callers that
    /// read them.
    pub(crate) refused: Vec<(usize, Refusal)>,
    /// A field of the writer's root record that the reader lacks, if that is an error.
    pub(crate) extra: Option<Refusal>,
}

/// The reason for which a field cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    path: String,
    message: FailureMessage,
}

impl Refusal {
    /// Returns the error for a caller that needs the field.
    #[cold]
    pub(crate) fn error(&self) -> Error {
        self.message.clone().error().at(|position| position.path = Some(self.path.clone()))
    }
}

impl Resolution {
    /// Returns the node that reads a reader's type as itself: for defaults, and for values that the writer never wrote.
    pub(crate) fn own(&self, reader: NodeId) -> ResolvedId {
        ResolvedId(self.own + reader.0)
    }

    /// Returns the reason for which a field of the root record cannot be read; `None` if it can.
    pub(crate) fn refusal(&self, field: usize) -> Option<&Refusal> {
        self.refused.iter().find(|(refused, _)| *refused == field).map(|(_, why)| why)
    }
}

/// One writer's type, read as one reader's type.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The writer's type. The bytes of a default are written with the reader's schema, see `writer_is_reader`.
    pub(crate) writer: NodeId,
    /// The reader's type, which gives the value its kind, its logical type and its names.
    pub(crate) reader: NodeId,
    /// True for a reader's type as itself: `writer` is a node of the reader's schema.
    pub(crate) writer_is_reader: bool,
    /// The logical type by which the value is read.
    pub(crate) logical: Option<Logical>,
    /// The form on the wire.
    pub(crate) wire: Wire,
}

/// The form of a value on the wire; `Resolved::reader` is the type that it is read as.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Null,
    Boolean,
    /// An int, read as int, long, float or double.
    Int,
    /// A long, read as long, float or double.
    Long,
    /// A float, read as float or double.
    Float,
    /// A double, read as double or float.
    Double,
    /// A time or a timestamp in another unit than the reader's.
    Scaled(Scale),
    /// Bytes, read as bytes or string.
    Bytes,
    /// A string, read as string or bytes.
    String,
    Fixed(usize),
    /// The reader's symbol for each of the writer's; `Err`: this symbol, which the reader lacks and has no default for.
    Enum(Vec<std::result::Result<usize, String>>),
    /// An enum of these symbols, read as string.
    Symbol(Vec<String>),
    Array(ResolvedId),
    Map(ResolvedId),
    Record {
        /// One action for each of the writer's fields, in the writer's order.
        fields: Vec<FieldAction>,
        /// Reader's fields that the writer did not write: the index, and the default as a datum of the reader's own
        /// type. `None` is null for any type.
        defaults: Vec<(usize, Option<Vec<u8>>)>,
    },
    /// A union, with one entry for each branch. The reader may or may not be a union.
    Union(Vec<Branch>),
    /// No union, but the reader is one: the reader's branch, and the resolution with it.
    IntoUnion {
        branch: usize,
        value: ResolvedId,
    },
}

/// The conversion factor between two units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Times(i64),
    /// Divides, rounding down.
    Over(i64),
}

impl Scale {
    /// Returns the number in the reader's unit; `None` if it does not fit.
    pub(crate) fn apply(self, number: i64) -> Option<i64> {
        match self {
            Self::Times(factor) => number.checked_mul(factor),
            Self::Over(factor) => Some(number.div_euclid(factor)),
        }
    }
}

/// The action for one of the writer's fields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FieldAction {
    /// It becomes this field of the reader's record.
    Read { field: usize, value: ResolvedId },
    /// The reader has no such field; values of this writer's type are skipped.
    Skip(NodeId),
}

/// The resolution of one branch of the writer's union.
#[derive(Clone, Debug)]
pub(crate) enum Branch {
    /// Reads the value; `branch` is the branch of the reader's union, `None` if the reader is not a union.
    Read { branch: Option<usize>, value: ResolvedId },
    /// A null that becomes a null of the column, although the reader's type has none.
    Null,
    /// Skips a value of this type, as the reader's struct has no field for it.
    Skip(NodeId),
    /// Fails with this message if a value is of this branch.
    Refuse(FailureMessage),
}

/// Returns the resolution of a schema with itself; every node keeps its number.
fn identity(schema: &Schema) -> Resolution {
    let nodes = own_nodes(schema, 0, false).collect();
    Resolution { nodes, root: ResolvedId(schema.root().0), own: 0, refused: Vec::new(), extra: None }
}

/// Returns the nodes that read every type of a schema as itself, numbered from `first` on.
fn own_nodes(schema: &Schema, first: u32, writer_is_reader: bool) -> impl Iterator<Item = Resolved> {
    schema.ids().map(move |id| {
        let node = schema.node(id);
        let wire = Wire::own(&node.kind, |child| ResolvedId(first + child.0));
        Resolved { writer: id, reader: id, writer_is_reader, logical: node.logical, wire }
    })
}

impl Wire {
    /// Returns the wire form of a type that is read as itself.
    fn own(kind: &Kind, mut child: impl FnMut(NodeId) -> ResolvedId) -> Self {
        match kind {
            Kind::Null => Self::Null,
            Kind::Boolean => Self::Boolean,
            Kind::Int => Self::Int,
            Kind::Long => Self::Long,
            Kind::Float => Self::Float,
            Kind::Double => Self::Double,
            Kind::Bytes => Self::Bytes,
            Kind::String => Self::String,
            Kind::Fixed(fixed) => Self::Fixed(fixed.size),
            Kind::Enum(symbols) => Self::Enum((0..symbols.symbols.len()).map(Ok).collect()),
            Kind::Array(items) => Self::Array(child(*items)),
            Kind::Map(values) => Self::Map(child(*values)),
            Kind::Union(branches) => {
                let read = |(index, &branch)| Branch::Read { branch: Some(index), value: child(branch) };
                Self::Union(branches.iter().enumerate().map(read).collect())
            }
            Kind::Record(record) => {
                let read = |(field, own): (usize, &super::Field)| FieldAction::Read { field, value: child(own.schema) };
                let fields = record.fields.iter().enumerate().map(read).collect();
                Self::Record { fields, defaults: Vec::new() }
            }
        }
    }

    /// Visits the id of every child node, so that it can be followed or renumbered.
    fn each_child(&mut self, mut visit: impl FnMut(&mut ResolvedId)) {
        match self {
            Self::Array(child) | Self::Map(child) | Self::IntoUnion { value: child, .. } => visit(child),
            Self::Record { fields, .. } => {
                for field in fields {
                    if let FieldAction::Read { value, .. } = field {
                        visit(value);
                    }
                }
            }
            Self::Union(branches) => {
                for branch in branches {
                    if let Branch::Read { value, .. } = branch {
                        visit(value);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
