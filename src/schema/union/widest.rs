//! The type that holds the values of two types.

use std::collections::HashSet;

use polars_arrow::datatypes::TimeUnit;

use super::unused;
use crate::schema::typed::{Integer, Typed};
use crate::schema::{Enum, Fixed, Kind, Logical, Restored};

/// The common type of two types that are not unions. Its children are those of the first.
pub(super) struct Widest {
    pub(super) kind: Kind,
    pub(super) logical: Option<Logical>,
    pub(super) restored: Option<Restored>,
}

impl Widest {
    fn new(kind: Kind, logical: Option<Logical>, restored: Option<Restored>) -> Self {
        Self { kind, logical, restored }
    }
}

/// Returns the type that holds the values of two types; `None` if there is none.
pub(super) fn of(one: &Typed<'_>, other: &Typed<'_>) -> Option<Widest> {
    let (mine, theirs) = (one.node, other.node);
    let kept = || if one.restored == other.restored { one.restored.clone() } else { None };
    if let (Kind::Enum(mine), Kind::Enum(theirs)) = (&mine.kind, &theirs.kind) {
        return Some(all_texts(mine, one.texts(mine), theirs, other.texts(theirs)));
    }
    if let (Some(mine), Some(theirs)) = (one.integer(), other.integer()) {
        return integer(one, mine, other, theirs);
    }
    if one.restored.is_some() || other.restored.is_some() {
        if let (Some(mine), Some(theirs)) = (one.time_of_day(), other.time_of_day()) {
            // One of them is in nanoseconds.
            debug_assert_eq!(mine.max(theirs), 1_000_000_000);
            return Some(Widest::new(Kind::Long, None, Some(Restored::Time)));
        }
        if let (Some(mine), Some(theirs)) = (one.duration(), other.duration()) {
            return Some(Widest::new(Kind::Long, None, Some(Restored::Duration(unit(mine.max(theirs))))));
        }
        let counts = |typed: &Typed<'_>| typed.time_of_day().or(typed.duration()).is_some();
        if counts(one) || counts(other) {
            return None;
        }
    }
    if mine.logical.is_none() && theirs.logical.is_none() {
        return Some(Widest::new(plain(&mine.kind, &theirs.kind)?, None, kept()));
    }
    let is_text =
        |typed: &Typed<'_>| matches!((&typed.node.kind, typed.node.logical), (Kind::String, _) | (Kind::Enum(_), None));
    match (mine.logical, theirs.logical) {
        (Some(logical), Some(same)) if logical == same && mine.kind.type_name() == theirs.kind.type_name() => {
            Some(Widest::new(same_kind(&mine.kind, &theirs.kind), Some(logical), kept()))
        }
        _ if is_text(one) && is_text(other) => Some(Widest::new(Kind::String, None, None)),
        (Some(mine), Some(theirs)) => {
            let (kind, logical) = finest(mine, theirs)?;
            let is_text = matches!(logical, Logical::Decimal { precision, .. } if precision > DECIMAL_DIGITS);
            let is_whole = one.integer().is_some() || other.integer().is_some();
            // Integers do not become text.
            (!is_text || !is_whole).then(|| Widest::new(kind, Some(logical), kept()))
        }
        _ => None,
    }
}

/// Returns the narrowest integer type that holds both. Unsigned 64-bit and 128-bit integers are written as decimals,
/// the others are not.
fn integer(one: &Typed<'_>, mine: Integer, other: &Typed<'_>, theirs: Integer) -> Option<Widest> {
    let widest = if mine.holds(theirs) {
        mine
    } else if theirs.holds(mine) {
        theirs
    } else {
        let (signed, unsigned) = if mine.is_signed { (mine, theirs) } else { (theirs, mine) };
        Integer { is_signed: true, bits: signed.bits.max(unsigned.bits * 2) }
    };
    if let (Some(mine), Some(theirs)) = (one.node.logical, other.node.logical) {
        let restored = match (widest.is_signed, widest.bits) {
            (false, 64) => Restored::UInt64,
            (true, 128) => Restored::Int128,
            (false, 128) => Restored::UInt128,
            _ => return None,
        };
        let Logical::Decimal { precision, .. } = mine else { return None };
        let Logical::Decimal { precision: other_precision, .. } = theirs else { return None };
        let logical = Logical::Decimal { precision: precision.max(other_precision), scale: 0 };
        return Some(Widest::new(same_kind(&one.node.kind, &other.node.kind), Some(logical), Some(restored)));
    }
    if one.node.logical.is_some() || other.node.logical.is_some() {
        return None;
    }
    let (kind, restored) = match (widest.is_signed, widest.bits) {
        (true, 8) => (Kind::Int, Some(Restored::Int8)),
        (true, 16) => (Kind::Int, Some(Restored::Int16)),
        (true, 32) => (Kind::Int, None),
        (false, 8) => (Kind::Int, Some(Restored::UInt8)),
        (false, 16) => (Kind::Int, Some(Restored::UInt16)),
        (false, 32) => (Kind::Long, Some(Restored::UInt32)),
        _ => (Kind::Long, None),
    };
    Some(Widest::new(kind, None, restored))
}

fn unit(counts: i64) -> TimeUnit {
    match counts {
        1_000 => TimeUnit::Millisecond,
        1_000_000 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn plain(one: &Kind, other: &Kind) -> Option<Kind> {
    Some(match (one, other) {
        (Kind::Fixed(_) | Kind::Bytes, Kind::Fixed(_) | Kind::Bytes) => same_kind(one, other),
        _ if one.type_name() == other.type_name() => one.clone(),
        (Kind::Int, Kind::Long) | (Kind::Long, Kind::Int) => Kind::Long,
        (Kind::Int | Kind::Long | Kind::Float | Kind::Double, Kind::Float | Kind::Double)
        | (Kind::Float | Kind::Double, Kind::Int | Kind::Long) => Kind::Double,
        (Kind::String, Kind::Bytes | Kind::Fixed(_)) | (Kind::Bytes | Kind::Fixed(_), Kind::String) => Kind::Bytes,
        (Kind::String, Kind::Enum(_)) | (Kind::Enum(_), Kind::String) => Kind::String,
        _ => return None,
    })
}

/// Returns the same type, or bytes for fixed types of different sizes.
fn same_kind(one: &Kind, other: &Kind) -> Kind {
    let size = |kind: &Kind| match kind {
        Kind::Fixed(Fixed { size, .. }) => Some(*size),
        _ => None,
    };
    let is_binary = |kind: &Kind| matches!(kind, Kind::Fixed(_) | Kind::Bytes);
    if is_binary(one) && is_binary(other) && size(one) != size(other) { Kind::Bytes } else { one.clone() }
}

/// Returns the type of two branches of unions with several branches. Two fixed types remain a fixed, of the larger
/// size, because the union may also have branches of bytes or of other fixed types.
pub(super) fn named(widest: Kind, one: &Kind, other: &Kind) -> Kind {
    match (widest, one, other) {
        (Kind::Bytes, Kind::Fixed(mine), Kind::Fixed(theirs)) => {
            Kind::Fixed(Fixed { size: mine.size.max(theirs.size), ..mine.clone() })
        }
        (widest, ..) => widest,
    }
}

/// Returns an enum of the texts of both, with the symbols that represent them.
fn all_texts(one: &Enum, mine: &[String], other: &Enum, theirs: &[String]) -> Widest {
    let (mut symbols, mut texts) = (one.symbols.clone(), mine.to_vec());
    let (mut taken, known) = (symbols.iter().cloned().collect(), mine.iter().collect::<HashSet<_>>());
    for (symbol, text) in other.symbols.iter().zip(theirs).filter(|(_, text)| !known.contains(text)) {
        symbols.push(unused(symbol, &mut taken));
        texts.push(text.clone());
    }
    let restored = (symbols != texts).then_some(Restored::Enum(texts));
    Widest::new(Kind::Enum(Enum { symbols, default: None, ..one.clone() }), None, restored)
}

/// The maximum precision of a decimal that is not read as text.
const DECIMAL_DIGITS: usize = 38;

/// Returns the logical type with the finer unit, or with more digits.
fn finest(one: Logical, other: Logical) -> Option<(Kind, Logical)> {
    match (one, other) {
        (Logical::TimeMillis, Logical::TimeMicros) | (Logical::TimeMicros, Logical::TimeMillis) => {
            return Some((Kind::Long, Logical::TimeMicros));
        }
        (Logical::Decimal { precision: mine, scale }, Logical::Decimal { precision: theirs, scale: other })
            if scale == other =>
        {
            return Some((Kind::Bytes, Logical::Decimal { precision: mine.max(theirs), scale }));
        }
        _ => {}
    }
    let ((mine, is_utc), (theirs, other_is_utc)) = (one.timestamp()?, other.timestamp()?);
    (is_utc == other_is_utc).then_some((Kind::Long, if mine >= theirs { one } else { other }))
}
