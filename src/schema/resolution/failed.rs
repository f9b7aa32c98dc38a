//! Handling of pairs that cannot be read, and of pairs that depend on them.

use super::failure::{Failure, FailureMessage, Outcome, SHOWN};
use super::resolver::Resolver;
use super::{Branch, FieldAction, Refusal, ResolvedId, Wire};
use crate::schema::Kind;
use crate::{Error, Result};

/// The maximum number of steps from a failure to its cause.
const FOLLOWED: usize = 4096;

/// Ends the resolution of a root: its columns and branches that cannot be read are refused when they are met.
///
/// # Errors
/// If the root itself cannot be read.
pub(super) fn settle(resolver: &mut Resolver, root: ResolvedId) -> Result<()> {
    if resolver.wires.iter().all(Outcome::is_ok) {
        return Ok(());
    }
    spread(resolver);
    refuse_columns(resolver, root);
    if resolver.wires[root.0 as usize].is_err() {
        return Err(error(resolver, root));
    }
    refuse(resolver);
    Ok(())
}

/// Propagates every failure to the pairs that need the failed one. A file's record tolerates failed fields. By the
/// specification, a union tolerates failed branches while one is left.
fn spread(resolver: &mut Resolver) {
    let mut parents = vec![Vec::new(); resolver.wires.len()];
    let mut failed = Vec::new();
    // The number of failures below a pair that make it fail.
    let mut left = Vec::with_capacity(resolver.wires.len());
    for (at, wire) in resolver.wires.iter_mut().enumerate() {
        let mut children = 0;
        match wire {
            Ok(wire) => wire.each_child(|child| {
                children += 1;
                parents[child.0 as usize].push(at);
            }),
            Err(_) => failed.push(at),
        }
        left.push(match wire {
            Ok(Wire::Union(_)) if !resolver.evolution.by_columns => children,
            Ok(Wire::Record { .. }) if resolver.pairs[at].is_root => usize::MAX,
            _ => 1,
        });
    }
    while let Some(child) = failed.pop() {
        for &parent in &parents[child] {
            if left[parent] == 0 {
                continue;
            }
            left[parent] -= 1;
            if left[parent] == 0 {
                resolver.wires[parent] = Err(below(resolver, parent, ResolvedId(child as u32)));
                failed.push(parent);
            }
        }
    }
}

/// Returns the failure of `parent`, which needs `child`.
fn below(resolver: &Resolver, parent: usize, child: ResolvedId) -> Failure {
    let step = match (&resolver.wires[parent], resolver.kinds(ResolvedId(parent as u32)).0) {
        (Ok(Wire::Array(_)), _) => "[]",
        (Ok(Wire::Map(_)), _) => "{}",
        (Ok(Wire::Record { fields, .. }), Kind::Record(record)) => {
            let needs = |action: &FieldAction| matches!(action, FieldAction::Read { value, .. } if *value == child);
            fields.iter().position(needs).map_or("", |at| record.fields[at].name.as_str())
        }
        (Ok(Wire::Union(branches)), _) if !resolver.evolution.by_columns => {
            return none_left(resolver, parent, branches);
        }
        _ => "",
    };
    Failure::Below { step: step.to_owned(), child }
}

/// Returns the failure of a union whose branches all failed: that of a branch of the same kind, or else its own.
fn none_left(resolver: &Resolver, union: usize, branches: &[Branch]) -> Failure {
    let is_close = |child: &ResolvedId| {
        let (writer, reader) = resolver.kinds(*child);
        writer.type_name() == reader.type_name()
    };
    let mut children = branches.iter().filter_map(|branch| match branch {
        Branch::Read { value, .. } => Some(*value),
        Branch::Null | Branch::Skip(_) | Branch::Refuse(_) => None,
    });
    match children.find(is_close) {
        Some(child) => Failure::Below { step: String::new(), child },
        None => resolver.failure(resolver.pairs[union], ""),
    }
}

/// Replaces the failed branches by refusals.
fn refuse(resolver: &mut Resolver) {
    for at in 0..resolver.wires.len() {
        let Ok(Wire::Union(branches)) = &resolver.wires[at] else { continue };
        let refused = |(at, branch): (usize, &Branch)| match branch {
            Branch::Read { value, .. } if resolver.wires[value.0 as usize].is_err() => {
                let (path, mut message) = report(resolver, *value);
                if !path.is_empty() {
                    message.text = format!("field `{path}`: {}", message.text);
                }
                Some((at, message))
            }
            _ => None,
        };
        let refusals: Vec<_> = branches.iter().enumerate().filter_map(refused).collect();
        if let Ok(Wire::Union(branches)) = &mut resolver.wires[at] {
            for (at, message) in refusals {
                branches[at] = Branch::Refuse(message);
            }
        }
    }
}

/// Skips the failed columns, and records the reasons.
fn refuse_columns(resolver: &mut Resolver, root: ResolvedId) {
    let Ok(Wire::Record { fields, .. }) = &resolver.wires[root.0 as usize] else { return };
    let (Kind::Record(writer), Kind::Record(reader)) = resolver.kinds(root) else { return };
    let failed = |(at, action): (usize, &FieldAction)| match *action {
        FieldAction::Read { field, value } if resolver.wires[value.0 as usize].is_err() => {
            let (mut path, mut steps) = (reader.fields[field].name.clone(), 1);
            let (below, message) = report(resolver, value);
            extend(&mut path, &below, &mut steps);
            Some((at, field, Refusal { path, message }))
        }
        _ => None,
    };
    let failed: Vec<_> = fields.iter().enumerate().filter_map(failed).collect();
    let Ok(Wire::Record { fields, .. }) = &mut resolver.wires[root.0 as usize] else { return };
    for (at, field, why) in failed {
        fields[at] = FieldAction::Skip(writer.fields[at].schema);
        resolver.refused.push((field, why));
    }
}

/// Returns the error of a failed pair.
fn error(resolver: &Resolver, id: ResolvedId) -> Error {
    let (path, message) = report(resolver, id);
    message.error().at(|position| position.path = Some(path))
}

/// Follows a failure to its cause; returns the path and the message.
fn report(resolver: &Resolver, mut id: ResolvedId) -> (String, FailureMessage) {
    let (mut path, mut steps) = (String::new(), 0);
    for _ in 0..FOLLOWED {
        match &resolver.wires[id.0 as usize] {
            Err(Failure::Below { step, child }) => {
                extend(&mut path, step, &mut steps);
                id = *child;
            }
            Err(Failure::Here { field, message }) => {
                extend(&mut path, field, &mut steps);
                return (path, message.clone());
            }
            Ok(_) => break,
        }
    }
    (path, "the writer's type cannot be read as the reader's".to_owned().into())
}

/// Appends a step to a path, unless the path is too long.
fn extend(path: &mut String, step: &str, steps: &mut usize) {
    if step.is_empty() {
        return;
    }
    *steps += 1;
    if *steps > SHOWN {
        path.push_str(if *steps == SHOWN + 1 { ".." } else { "" });
        return;
    }
    path.push_str(if path.is_empty() || step.starts_with(['[', '{']) { "" } else { "." });
    path.push_str(step);
}
