//! The depth check of a union: its schema can be deeper than each of its parts.

use std::collections::HashSet;

use crate::schema::{Kind, NodeId, Schema};
use crate::{Error, Limits, Result};

/// Rejects schemas that are too deep to be written as JSON and parsed again.
pub(super) fn check(schema: &Schema, limits: &Limits) -> Result<()> {
    let mut written = HashSet::new();
    let mut left = vec![(schema.root(), 1)];
    while let Some((id, depth)) = left.pop() {
        let kind = &schema.node(id).kind;
        // A named type is written out once, at the depth of its first use.
        if kind.name().is_some() && !written.insert(id) {
            continue;
        }
        if depth > limits.schema_depth {
            let message = format!("the types of the union of the schemas nest more than {} deep", limits.schema_depth);
            return Err(Error::limit("schema_depth", message));
        }
        left.extend(children(kind).into_iter().rev().map(|child| (child, depth + 1)));
    }
    Ok(())
}

fn children(kind: &Kind) -> Vec<NodeId> {
    match kind {
        Kind::Array(child) | Kind::Map(child) => vec![*child],
        Kind::Union(branches) => branches.clone(),
        Kind::Record(record) => record.fields.iter().map(|field| field.schema).collect(),
        _ => Vec::new(),
    }
}
