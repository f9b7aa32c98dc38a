//! Selection of the reader's union branch for a type of the writer.

use std::collections::{HashMap, HashSet};

use crate::schema::{Kind, Name, Node, NodeId, Schema, full_name};

/// The branches of one union, indexed by the types that they match, so that large unions are resolved in linear time.
///
/// Full names take precedence. Short names match only if they pair exactly one branch with one branch.
pub(super) struct Branches<'a>(HashMap<(Rank, &'static str, &'a str), Match>);

/// Ranks of a match between a type and a branch, best first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rank {
    /// The same type; of named types, the same full name.
    Same,
    Alias,
    ShortName,
    ShortAlias,
}

/// The first branch of a rank, with a flag that is set if others have the same name.
#[derive(Clone, Copy)]
struct Match {
    branch: usize,
    is_shared: bool,
}

impl<'a> Branches<'a> {
    pub(super) fn new(schema: &'a Schema, branches: &[NodeId]) -> Self {
        let mut index = HashMap::with_capacity(branches.len());
        for (branch, &id) in branches.iter().enumerate() {
            let node = schema.node(id);
            let kind = &node.kind;
            let mut add = |rank, name| {
                let known = index.entry((rank, kind.type_name(), name)).or_insert(Match { branch, is_shared: false });
                known.is_shared |= known.branch != branch;
            };
            let (Some(name), Some(full)) = (kind.name(), full_name(node)) else {
                add(Rank::Same, "");
                continue;
            };
            add(Rank::Same, full);
            add(Rank::ShortName, name.short());
            for alias in aliases(kind) {
                add(Rank::Alias, alias.fullname());
                add(Rank::ShortAlias, alias.short());
            }
        }
        Self(index)
    }

    /// Returns the branch for a writer's type: the same type, or else the first that it can be promoted to. Its short
    /// name is ambiguous if another of the writer's branches shares it.
    pub(super) fn find(&self, writer: &Node, shares_name: bool) -> Option<usize> {
        let kind = &writer.kind;
        let find = |rank, type_name, name| self.0.get(&(rank, type_name, name)).copied();
        let any = |rank, type_name, name| find(rank, type_name, name).map(|found| found.branch);
        let word = kind.type_name();
        let promoted = || promotions(kind).iter().filter_map(|word| any(Rank::Same, word, "")).min();
        let (Some(name), Some(full)) = (kind.name(), full_name(writer)) else {
            return any(Rank::Same, word, "").or_else(promoted);
        };
        let only = |rank| {
            find(rank, word, name.short()).filter(|found| !shares_name && !found.is_shared).map(|found| found.branch)
        };
        any(Rank::Same, word, full)
            .or_else(|| any(Rank::Alias, word, full))
            .or_else(|| only(Rank::ShortName))
            .or_else(|| only(Rank::ShortAlias))
            .or_else(promoted)
    }
}

/// The kinds and short names shared by several branches of a union.
pub(super) struct SharedNames<'a>(HashSet<(&'static str, &'a str)>);

impl<'a> SharedNames<'a> {
    pub(super) fn of(schema: &'a Schema, branches: &[NodeId]) -> Self {
        let mut seen = HashSet::new();
        Self(
            branches
                .iter()
                .filter_map(|&id| short_name(&schema.node(id).kind))
                .filter(|&name| !seen.insert(name))
                .collect(),
        )
    }

    pub(super) fn has(&self, kind: &'a Kind) -> bool {
        short_name(kind).is_some_and(|name| self.0.contains(&name))
    }
}

fn short_name(kind: &Kind) -> Option<(&'static str, &str)> {
    kind.name().map(|name| (kind.type_name(), name.short()))
}

/// Returns true if two named types match by name or by one of the reader's aliases, with or without the namespace.
pub(super) fn names_agree(writer: &Kind, reader: &Kind) -> bool {
    let (Some(from), Some(to)) = (writer.name(), reader.name()) else { return false };
    from.short() == to.short() || aliases(reader).iter().any(|alias| alias.short() == from.short())
}

/// Returns the types that a writer's type may be promoted to, or that a cast may convert it to.
fn promotions(writer: &Kind) -> &'static [&'static str] {
    match writer {
        Kind::Int => &["long", "float", "double"],
        Kind::Long => &["float", "double"],
        Kind::Float => &["double"],
        Kind::String => &["bytes"],
        Kind::Bytes | Kind::Enum(_) => &["string"],
        Kind::Double => &["float"],
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
