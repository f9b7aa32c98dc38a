//! Which branch of the reader's union takes a type of the writer's.

use std::collections::HashMap;

use crate::schema::{Kind, Name, NodeId, Schema};

/// The branches of one union by what they match, so that large unions meet in linear time.
pub(super) struct Branches<'a>(HashMap<(Rank, &'static str, &'a str), usize>);

/// Ranks of a match between a type and a branch, best first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rank {
    /// The same type; of named types, the same full name.
    Same,
    Alias,
    ShortName,
    ShortAlias,
}

impl<'a> Branches<'a> {
    pub(super) fn new(schema: &'a Schema, branches: &[NodeId]) -> Self {
        let mut index = HashMap::with_capacity(branches.len());
        for (branch, &id) in branches.iter().enumerate() {
            let kind = &schema.node(id).kind;
            let mut add = |rank, name| {
                index.entry((rank, kind.type_name(), name)).or_insert(branch);
            };
            let Some(name) = kind.name() else {
                add(Rank::Same, "");
                continue;
            };
            add(Rank::Same, name.fullname());
            add(Rank::ShortName, name.short());
            for alias in aliases(kind) {
                add(Rank::Alias, alias.fullname());
                add(Rank::ShortAlias, alias.short());
            }
        }
        Self(index)
    }

    /// The branch for a writer's type: the one that is the same type, or else the first that it can be promoted to.
    pub(super) fn find(&self, writer: &Kind) -> Option<usize> {
        let find = |rank, type_name, name| self.0.get(&(rank, type_name, name)).copied();
        let word = writer.type_name();
        let Some(name) = writer.name() else {
            let promoted = || promotions(writer).iter().filter_map(|word| find(Rank::Same, word, "")).min();
            return find(Rank::Same, word, "").or_else(promoted);
        };
        find(Rank::Same, word, name.fullname())
            .or_else(|| find(Rank::Alias, word, name.fullname()))
            .or_else(|| find(Rank::ShortName, word, name.short()))
            .or_else(|| find(Rank::ShortAlias, word, name.short()))
    }
}

/// Returns true if two named types are meant to be the same: by name, by one of the reader's aliases, and either
/// without its namespace.
pub(super) fn names_agree(writer: &Kind, reader: &Kind) -> bool {
    let (Some(from), Some(to)) = (writer.name(), reader.name()) else { return false };
    from.short() == to.short() || aliases(reader).iter().any(|alias| alias.short() == from.short())
}

/// The types that a writer's type may be read as, beside itself.
fn promotions(writer: &Kind) -> &'static [&'static str] {
    match writer {
        Kind::Int => &["long", "float", "double"],
        Kind::Long => &["float", "double"],
        Kind::Float => &["double"],
        Kind::String => &["bytes"],
        Kind::Bytes => &["string"],
        _ => &[],
    }
}

fn aliases(kind: &Kind) -> &[Name] {
    match kind {
        Kind::Record(record) => &record.aliases,
        Kind::Enum(symbols) => &symbols.aliases,
        Kind::Fixed(fixed) => &fixed.aliases,
        _ => &[],
    }
}
