//! The type that holds the values of two.

use crate::schema::{Enum, Fixed, Kind, Logical, Node};

/// The type of two that are no unions, children as in the first; `None` where there is none.
pub(super) fn of(one: &Node, other: &Node) -> Option<(Kind, Option<Logical>)> {
    if one.logical.is_none() && other.logical.is_none() {
        return Some((plain(&one.kind, &other.kind)?, None));
    }
    let is_text = |node: &Node| matches!((&node.kind, node.logical), (Kind::String, _) | (Kind::Enum(_), None));
    match (one.logical, other.logical) {
        (Some(mine), Some(theirs)) if mine == theirs && one.kind.type_name() == other.kind.type_name() => {
            Some((same_kind(&one.kind, &other.kind), Some(mine)))
        }
        _ if is_text(one) && is_text(other) => Some((Kind::String, None)),
        (Some(mine), Some(theirs)) => finest(mine, theirs),
        _ => None,
    }
}

fn plain(one: &Kind, other: &Kind) -> Option<Kind> {
    Some(match (one, other) {
        (Kind::Enum(mine), Kind::Enum(theirs)) => Kind::Enum(all_symbols(mine, theirs)),
        (Kind::Fixed(_) | Kind::Bytes, Kind::Fixed(_) | Kind::Bytes) => same_kind(one, other),
        _ if one.type_name() == other.type_name() => one.clone(),
        (Kind::Int, Kind::Long) | (Kind::Long, Kind::Int) => Kind::Long,
        (Kind::Int | Kind::Long | Kind::Float | Kind::Double, Kind::Float | Kind::Double)
        | (Kind::Float | Kind::Double, Kind::Int | Kind::Long) => Kind::Double,
        (Kind::String, Kind::Bytes) | (Kind::Bytes, Kind::String) => Kind::Bytes,
        (Kind::String, Kind::Enum(_)) | (Kind::Enum(_), Kind::String) => Kind::String,
        _ => return None,
    })
}

/// The same type, or bytes where two fixed types have sizes of their own.
fn same_kind(one: &Kind, other: &Kind) -> Kind {
    let size = |kind: &Kind| match kind {
        Kind::Fixed(Fixed { size, .. }) => Some(*size),
        _ => None,
    };
    let is_binary = |kind: &Kind| matches!(kind, Kind::Fixed(_) | Kind::Bytes);
    if is_binary(one) && is_binary(other) && size(one) != size(other) { Kind::Bytes } else { one.clone() }
}

fn all_symbols(one: &Enum, other: &Enum) -> Enum {
    let more = other.symbols.iter().filter(|symbol| !one.symbols.contains(symbol));
    Enum { symbols: one.symbols.iter().chain(more).cloned().collect(), default: None, ..one.clone() }
}

/// The logical type that counts in the finer unit, or has the more digits.
fn finest(one: Logical, other: Logical) -> Option<(Kind, Option<Logical>)> {
    match (one, other) {
        (Logical::TimeMillis, Logical::TimeMicros) | (Logical::TimeMicros, Logical::TimeMillis) => {
            return Some((Kind::Long, Some(Logical::TimeMicros)));
        }
        (Logical::Decimal { precision: mine, scale }, Logical::Decimal { precision: theirs, scale: other })
            if scale == other =>
        {
            return Some((Kind::Bytes, Some(Logical::Decimal { precision: mine.max(theirs), scale })));
        }
        _ => {}
    }
    let ((mine, is_utc), (theirs, other_is_utc)) = (one.timestamp()?, other.timestamp()?);
    (is_utc == other_is_utc).then_some((Kind::Long, Some(if mine >= theirs { one } else { other })))
}
