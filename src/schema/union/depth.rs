//! The depth of a schema, which a union can make larger than that of either part.

use std::collections::HashSet;

use crate::schema::{Kind, NodeId, Schema};
use crate::{Error, Limits, Result};

/// Refuses what is too deep to be written as JSON and read back.
pub(super) fn check(schema: &Schema, limits: &Limits) -> Result<()> {
    let mut written = HashSet::new();
    let mut left = vec![(schema.root(), 1)];
    while let Some((id, depth)) = left.pop() {
        let kind = &schema.node(id).kind;
        // A named type is written out once, as deep as where it comes first.
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
