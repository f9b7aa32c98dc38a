//! Schema resolution (specification, "Schema Resolution"): what the writer wrote, as the reader wants it.
//!
//! The result is a graph over pairs (writer's type, reader's type), one node a pair, so a recursive type is a cycle
//! here too. It is made once per pair of schemas; the plan is compiled from it and nothing is looked up per value.
//!
//! Nothing recurses: references make types nest far deeper than their JSON does, so pairs wait in a list and failures
//! are spread to the pairs above them afterwards.

mod branches;
mod evolution;
mod failure;
mod resolver;

#[cfg(feature = "python")]
pub(crate) use evolution::{EXTRA_COLUMN, EXTRA_FIELD, MISSING_COLUMN, MISSING_FIELD};
pub use evolution::{Evolution, Extra, Missing};

use super::{Kind, NodeId, Schema};
use crate::Result;

/// Resolves what `writer` wrote with what `reader` wants. A schema resolved with itself (the same object) is itself,
/// branch by branch, whatever its names and defaults are.
///
/// # Errors
/// Where no value of the writer's could be read; the position's path says where in the record.
pub(crate) fn resolve(writer: &Schema, reader: &Schema, evolution: Evolution) -> Result<Resolution> {
    if std::ptr::eq(writer, reader) {
        return Ok(identity(reader));
    }
    resolver::Resolver::new(writer, reader, evolution).run()
}

/// Names one node of a [`Resolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResolvedId(pub(crate) u32);

/// How every pair of types that meet is read.
#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) nodes: Vec<Resolved>,
    pub(crate) root: ResolvedId,
}

/// How one writer's type is read as one reader's type.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The writer's type. For a default it is the reader's schema too that wrote the bytes, see `writer_is_reader`.
    pub(crate) writer: NodeId,
    /// The reader's type: the kind, the logical type and the names that the value gets.
    pub(crate) reader: NodeId,
    /// Set below a default: `writer` is a node of the reader's schema, which the default was encoded with.
    pub(crate) writer_is_reader: bool,
    /// What stands on the wire.
    pub(crate) wire: Wire,
}

/// What stands on the wire for one value; `Resolved::reader` says what becomes of it.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Null,
    Boolean,
    /// Into int, long, float or double.
    Int,
    /// Into long, float or double.
    Long,
    /// Into float or double.
    Float,
    Double,
    /// Into bytes or string.
    Bytes,
    /// Into string or bytes.
    String,
    Fixed(usize),
    /// The reader's symbol for each of the writer's; `None`: the reader has no such symbol and no default.
    Enum(Vec<Option<usize>>),
    Array(ResolvedId),
    Map(ResolvedId),
    Record {
        /// One action a writer's field, in the writer's order.
        fields: Vec<FieldAction>,
        /// Reader's fields that the writer did not write: index, the default as a datum (`None` is null, whatever the
        /// type), how to read that datum.
        defaults: Vec<(usize, Option<Vec<u8>>, ResolvedId)>,
    },
    /// The writer wrote a union; one entry a branch. The reader may or may not be a union.
    Union(Vec<Branch>),
    /// The writer wrote no union but the reader is one: the reader's branch, and how to read it.
    IntoUnion {
        branch: usize,
        value: ResolvedId,
    },
}

/// What to do with one of the writer's fields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FieldAction {
    /// It becomes this field of the reader's record.
    Read { field: usize, value: ResolvedId },
    /// The reader has no such field; the writer's type says how to pass over it.
    Skip(NodeId),
}

/// What to do with one branch of the writer's union.
#[derive(Clone, Debug)]
pub(crate) enum Branch {
    /// Read it; `branch` is the branch of the reader's union, `None` where the reader is no union.
    Read { branch: Option<usize>, value: ResolvedId },
    /// A null that the reader's type does not have.
    Null,
    /// The reader cannot take this branch: a value of it is an error, with this message.
    Refuse(String),
}

/// A schema read as it stands; every node has its own number.
fn identity(schema: &Schema) -> Resolution {
    let node = |index| {
        let id = NodeId(index);
        let wire = Wire::own(&schema.node(id).kind, |child| ResolvedId(child.0));
        Resolved { writer: id, reader: id, writer_is_reader: false, wire }
    };
    Resolution { nodes: (0..schema.len() as u32).map(node).collect(), root: ResolvedId(schema.root().0) }
}

impl Wire {
    /// What stands on the wire of a type that is read as itself.
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
            Kind::Enum(symbols) => Self::Enum((0..symbols.symbols.len()).map(Some).collect()),
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

    /// Shows every node below this one, so that it can be followed or renumbered.
    fn each_child(&mut self, mut visit: impl FnMut(&mut ResolvedId)) {
        match self {
            Self::Array(child) | Self::Map(child) | Self::IntoUnion { value: child, .. } => visit(child),
            Self::Record { fields, defaults } => {
                for field in fields {
                    if let FieldAction::Read { value, .. } = field {
                        visit(value);
                    }
                }
                for (_, _, value) in defaults {
                    visit(value);
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
