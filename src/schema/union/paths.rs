//! The paths at which some schema has a union of several types.

use std::collections::{HashMap, HashSet};

use super::values;
use crate::Limits;
use crate::schema::{Kind, NodeId, Schema, column_name};

/// The tree of paths of columns, items and values that lead to such a union. At its path, types of different schemas that
/// do not match become branches, so that the union does not depend on the order of the schemas.
#[derive(Default)]
pub(super) struct UnionPaths<'a> {
    /// The numbers of paths, by the number of the path before the last step, and that step. The empty path is 0.
    numbers: HashMap<(usize, &'a str), usize>,
    /// The paths that lead to a union, itself included.
    leading: HashSet<usize>,
    unions: HashSet<usize>,
}

impl<'a> UnionPaths<'a> {
    pub(super) fn of(schemas: &'a [Schema], limits: &Limits) -> Self {
        let mut paths = Self::default();
        for schema in schemas {
            if schema.ids().any(|id| values(schema, Some(id)).values.len() > 1) {
                let mut walk = Walk { schema, paths: &mut paths, open: Vec::new(), left: limits.schema_nodes };
                walk.node(schema.root(), 0);
            }
        }
        paths
    }

    /// Returns the path after one more step, if it leads to a union. The step to a branch is empty.
    pub(super) fn after(&self, path: Option<usize>, step: &'a str) -> Option<usize> {
        if step.is_empty() {
            return path;
        }
        self.numbers.get(&(path?, step)).copied().filter(|path| self.leading.contains(path))
    }

    /// Returns the empty path, if it leads to a union.
    pub(super) fn root(&self) -> Option<usize> {
        self.leading.contains(&0).then_some(0)
    }

    pub(super) fn is_union(&self, path: Option<usize>) -> bool {
        path.is_some_and(|path| self.unions.contains(&path))
    }
}

struct Walk<'a, 'p> {
    schema: &'a Schema,
    paths: &'p mut UnionPaths<'a>,
    /// The types around the current one. A recursive type ends the walk.
    open: Vec<NodeId>,
    /// The number of types that may still be visited. A type that is used at many paths is visited at each.
    left: usize,
}

impl<'a> Walk<'a, '_> {
    /// Notes the unions in a type. Returns true if there are any.
    fn node(&mut self, id: NodeId, path: usize) -> bool {
        if self.left == 0 || self.open.contains(&id) {
            return false;
        }
        self.left -= 1;
        self.open.push(id);
        let schema = self.schema;
        let leads = match &schema.node(id).kind {
            Kind::Record(record) => {
                let fields = record.fields.iter();
                fields.fold(false, |leads, field| self.step(field.schema, path, column_name(field)) | leads)
            }
            Kind::Array(items) => self.step(*items, path, "[]"),
            Kind::Map(items) => self.step(*items, path, "{}"),
            Kind::Union(branches) => {
                let is_union = values(schema, Some(id)).values.len() > 1;
                if is_union {
                    self.paths.unions.insert(path);
                }
                branches.iter().fold(is_union, |leads, branch| self.node(*branch, path) | leads)
            }
            _ => false,
        };
        if leads {
            self.paths.leading.insert(path);
        }
        self.open.pop();
        leads
    }

    fn step(&mut self, id: NodeId, path: usize, step: &'a str) -> bool {
        if step.is_empty() {
            return self.node(id, path);
        }
        let next = self.paths.numbers.len() + 1;
        let path = *self.paths.numbers.entry((path, step)).or_insert(next);
        self.node(id, path)
    }
}
