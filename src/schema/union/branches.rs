//! Matching of the branches of two unions.

use std::collections::{HashMap, HashSet};

use super::{Pair, Union};
use crate::schema::{Kind, Node, NodeId, Schema, full_name};

/// Kinds and short names of types.
pub(super) type ShortNames<'a> = HashSet<(&'static str, &'a str)>;

/// Returns the short names that several branches of one union share: these branches match by full name only.
pub(super) fn shared_names(schemas: &[Schema]) -> ShortNames<'_> {
    let mut shared = HashSet::new();
    for schema in schemas {
        for id in schema.ids() {
            if let Kind::Union(branches) = &schema.node(id).kind {
                let mut seen = HashSet::new();
                let names = branches.iter().filter_map(|&branch| short_name(schema.node(branch)));
                shared.extend(names.filter(|&name| !seen.insert(name)));
            }
        }
    }
    shared
}

fn short_name(node: &Node) -> Option<(&'static str, &str)> {
    node.kind.name().map(|name| (node.kind.type_name(), name.short()))
}

impl<'a> Union<'a> {
    /// Returns true if some schema has a union of several types at the path of a type.
    pub(super) fn are_told_apart(&self, id: NodeId) -> bool {
        self.paths.is_union(self.pairs[id.index()].1.path)
    }

    /// Returns true if two types of different schemas become branches: the types at this path are told apart, and these
    /// two do not match.
    pub(super) fn are_branches(&self, id: NodeId, pair: Pair) -> bool {
        let (Some(mine), Some(theirs)) = pair else { return false };
        self.are_told_apart(id) && self.partners(&[mine], &[theirs]).is_empty()
    }

    /// Pairs the branches of two unions, without nulls, in the order of the one with more. If both unions have a single
    /// branch, the two types form one column even if their names differ, unless some schema tells them apart.
    pub(super) fn branches(&self, id: NodeId, mine: &[NodeId], theirs: &[NodeId]) -> Vec<Pair> {
        if let (&[mine], &[theirs]) = (mine, theirs)
            && !self.are_branches(id, (Some(mine), Some(theirs)))
        {
            return vec![(Some(mine), Some(theirs))];
        }
        let mut partners = self.partners(mine, theirs);
        if mine.len() >= theirs.len() {
            let taken: HashSet<_> = partners.values().copied().collect();
            let pairs = mine.iter().map(|id| (Some(*id), partners.get(id).copied()));
            let rest = theirs.iter().filter(|id| !taken.contains(id)).map(|id| (None, Some(*id)));
            return pairs.chain(rest).collect();
        }
        let of_theirs: HashMap<_, _> = partners.iter().map(|(mine, theirs)| (*theirs, *mine)).collect();
        let mut pairs: Vec<Pair> = theirs.iter().map(|id| (of_theirs.get(id).copied(), Some(*id))).collect();
        pairs.extend(mine.iter().filter(|id| partners.remove(id).is_none()).map(|id| (Some(*id), None)));
        pairs
    }

    /// Maps branches of `mine` to those of `theirs`. Types match by kind and full name first. The remaining ones match
    /// by short name, unless some union has two branches of that name.
    fn partners(&self, mine: &[NodeId], theirs: &[NodeId]) -> HashMap<NodeId, NodeId> {
        let exact = |node: &'a Node| (node.kind.type_name(), full_name(node).unwrap_or_default());
        let mut by_name: HashMap<_, _> = theirs.iter().rev().map(|&id| (exact(self.other.node(id)), id)).collect();
        let mut partners = HashMap::new();
        for &id in mine {
            if let Some(found) = by_name.remove(&exact(self.one.node(id))) {
                partners.insert(id, found);
            }
        }
        let taken: HashSet<_> = partners.values().copied().collect();
        let short = |node: &'a Node| short_name(node).filter(|name| !self.shared.contains(name));
        let left = theirs.iter().filter(|id| !taken.contains(id));
        let mut by_short: HashMap<_, _> = left.filter_map(|&id| Some((short(self.other.node(id))?, id))).collect();
        for &id in mine {
            if !partners.contains_key(&id)
                && let Some(found) = short(self.one.node(id)).and_then(|name| by_short.remove(&name))
            {
                partners.insert(id, found);
            }
        }
        partners
    }
}
