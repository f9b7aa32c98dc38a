//! The paths at which some schema has a union of several types.

use std::collections::{HashMap, HashSet};

use super::values;
use crate::Limits;
use crate::schema::{Kind, NodeId, Schema, column_name};

/// The paths of columns, items and values at which types are told apart. At such a path, types of different schemas that
/// do not match become branches, so that the union does not depend on the order of the schemas.
#[derive(Default)]
pub(super) struct UnionPaths<'a> {
    /// The ids of paths, by the id of the path before the last step, and that step. The empty path is 0.
    ids: HashMap<(usize, &'a str), usize>,
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

    pub(super) fn is_empty(&self) -> bool {
        self.unions.is_empty()
    }

    pub(super) fn has<'s>(&self, steps: impl IntoIterator<Item = &'s str>) -> bool {
        let mut steps = steps.into_iter();
        let path = steps.try_fold(0, |path, step| self.ids.get(&(path, step)).copied());
        path.is_some_and(|path| self.unions.contains(&path))
    }

    fn step(&mut self, path: usize, step: &'a str) -> usize {
        if step.is_empty() {
            return path;
        }
        let next = self.ids.len() + 1;
        *self.ids.entry((path, step)).or_insert(next)
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

impl Walk<'_, '_> {
    fn node(&mut self, id: NodeId, path: usize) {
        if self.left == 0 || self.open.contains(&id) {
            return;
        }
        self.left -= 1;
        self.open.push(id);
        match &self.schema.node(id).kind {
            Kind::Record(record) => {
                for field in &record.fields {
                    let path = self.paths.step(path, column_name(field));
                    self.node(field.schema, path);
                }
            }
            Kind::Array(items) => {
                let path = self.paths.step(path, "[]");
                self.node(*items, path);
            }
            Kind::Map(items) => {
                let path = self.paths.step(path, "{}");
                self.node(*items, path);
            }
            Kind::Union(branches) => {
                if values(self.schema, Some(id)).values.len() > 1 {
                    self.paths.unions.insert(path);
                }
                for branch in branches {
                    self.node(*branch, path);
                }
            }
            _ => {}
        }
        self.open.pop();
    }
}
