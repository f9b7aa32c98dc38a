//! Resolution of types that contain no other types.

use std::collections::HashMap;

use super::Wire;
use super::failure::Reason;
use super::units;
use crate::casts::{Cast, Casts};
use crate::schema::typed::Typed;
use crate::schema::{Enum, Kind, Logical, Node, Restored};

/// Resolves by the rules of the specification, and by casts if the logical types differ.
pub(super) fn specified(from: &Typed<'_>, to: &Typed<'_>, casts: Casts) -> Result<Wire, Reason> {
    if let Some(scaled) = units::counts(from, to, casts) {
        return scaled;
    }
    let (writer, reader) = (from.node, to.node);
    if let (Some(from), Some(to)) = (writer.logical, reader.logical)
        && !from.reads_as(to)
    {
        return units::timestamps(from, to, casts);
    }
    Ok(match (&writer.kind, &reader.kind) {
        (Kind::Null, Kind::Null) => Wire::Null,
        (Kind::Boolean, Kind::Boolean) => Wire::Boolean,
        (Kind::Int, Kind::Int | Kind::Long | Kind::Float | Kind::Double) => Wire::Int,
        (Kind::Long, Kind::Long | Kind::Float | Kind::Double) => Wire::Long,
        (Kind::Float, Kind::Float | Kind::Double) => Wire::Float,
        (Kind::Bytes, Kind::Bytes | Kind::String) => Wire::Bytes,
        (Kind::String, Kind::String | Kind::Bytes) => Wire::String,
        (Kind::Fixed(from), Kind::Fixed(to)) if from.size == to.size => Wire::Fixed(from.size),
        (Kind::Enum(symbols), Kind::Enum(wanted)) => Wire::Enum(match (&from.restored, &to.restored) {
            (Some(_), Some(_)) => places(from.texts(symbols), to.texts(wanted), wanted.default),
            _ => places(&symbols.symbols, &wanted.symbols, wanted.default),
        }),
        (Kind::Double, Kind::Float | Kind::Double) => return double(&reader.kind, casts),
        (Kind::Enum(symbols), Kind::String) => return text_of_enum(from, symbols, casts),
        _ => return Err(Reason::default()),
    })
}

/// Resolves types that become the same column of Polars, or that a lossless promotion or a cast converts.
pub(super) fn by_columns(from: &Typed<'_>, to: &Typed<'_>, casts: Casts) -> Result<Wire, Reason> {
    let differ = Err(Reason::default());
    let (writer, reader) = (from.node, to.node);
    if matches!(writer.kind, Kind::Null) {
        return Ok(Wire::Null);
    }
    if let Some(scaled) = units::counts(from, to, casts) {
        return scaled;
    }
    if gains_zone(from, to) && !casts.allow(Cast::ConvertTimezone) {
        return Err(Reason::cast(Cast::ConvertTimezone));
    }
    if !is_restored(from, to, casts) {
        return differ;
    }
    match (writer.logical, reader.logical) {
        (None, None) => {}
        // Both are strings, and the writer's logical type decides whether the text is a uuid.
        (_, None | Some(Logical::Uuid)) if is_string(writer) && is_string(reader) => return Ok(Wire::String),
        (Some(from @ Logical::Decimal { .. }), Some(to)) if from.reads_as(to) => return Ok(number_bytes(writer)),
        (Some(from), Some(to)) if from == to && writer.kind.type_name() == reader.kind.type_name() => {}
        (Some(from), Some(to)) => return units::timestamps(from, to, casts),
        // Integers of more than 64 bits are written as decimals.
        (None, Some(Logical::Decimal { .. })) if from.integer().is_some() && to.integer().is_some() => {
            return Ok(if matches!(writer.kind, Kind::Int) { Wire::Int } else { Wire::Long });
        }
        (Some(_), None) if from.integer().is_some() && is_float(reader) && casts.allow(Cast::IntegerToFloat) => {
            return Ok(number_bytes(writer));
        }
        _ => return differ,
    }
    let to_float = casts.allow(Cast::IntegerToFloat);
    Ok(match (&writer.kind, &reader.kind) {
        (Kind::Boolean, Kind::Boolean) => Wire::Boolean,
        (Kind::Int, Kind::Int | Kind::Long | Kind::Double) => Wire::Int,
        (Kind::Int, Kind::Float) if to_float => Wire::Int,
        (Kind::Long, Kind::Long) => Wire::Long,
        (Kind::Long, Kind::Float | Kind::Double) if to_float => Wire::Long,
        (Kind::Int | Kind::Long, Kind::Float | Kind::Double) => {
            return Err(Reason::cast(Cast::IntegerToFloat));
        }
        (Kind::Float, _) if is_half(to) && !is_half(from) && !casts.allow(Cast::FloatDowncast) => {
            return Err(Reason::cast(Cast::FloatDowncast));
        }
        (Kind::Float, Kind::Float | Kind::Double) => Wire::Float,
        (Kind::Double, Kind::Float | Kind::Double) => return double(&reader.kind, casts),
        (Kind::String, Kind::String) => Wire::String,
        (Kind::String, Kind::Bytes) if casts.allow(Cast::StringToBytes) => Wire::String,
        (Kind::Bytes, Kind::Bytes | Kind::Fixed(_)) => Wire::Bytes,
        (Kind::Fixed(fixed), Kind::Bytes | Kind::Fixed(_)) => Wire::Fixed(fixed.size),
        (Kind::Enum(symbols), Kind::Enum(wanted)) => return all_texts(from.texts(symbols), to.texts(wanted), wanted),
        (Kind::Enum(symbols), Kind::String) => return text_of_enum(from, symbols, casts),
        _ => return differ,
    })
}

/// The same without promotions, unless a cast allows them: both types become the same dtype.
pub(super) fn exact(from: &Typed<'_>, to: &Typed<'_>, casts: Casts) -> Result<Wire, Reason> {
    let wire = by_columns(from, to, casts)?;
    if matches!(wire, Wire::Null) {
        return Ok(wire);
    }
    let needed = match (from.integer(), to.integer(), float_bits(from), float_bits(to)) {
        (Some(from), Some(to), ..) if from != to => Cast::IntegerUpcast,
        (Some(_), None, ..) => Cast::IntegerToFloat,
        (.., Some(from), Some(to)) if from < to => Cast::FloatUpcast,
        _ if is_decimal(from) && from.node.logical != to.node.logical => Cast::IntegerUpcast,
        _ if is_string(from.node) && from.restored.is_some() && to.restored.is_none() => Cast::EnumToString,
        _ if zone(from) != zone(to) => Cast::ConvertTimezone,
        _ => return if is_same_dtype(from, to) { Ok(wire) } else { Err(": their categories differ".into()) },
    };
    if casts.allow(needed) { Ok(wire) } else { Err(Reason::cast(needed)) }
}

/// Returns true if two types of one kind have the same categories.
fn is_same_dtype(from: &Typed<'_>, to: &Typed<'_>) -> bool {
    match (&from.node.kind, &to.node.kind) {
        (Kind::Enum(symbols), Kind::Enum(wanted)) => from.texts(symbols) == to.texts(wanted),
        _ => true,
    }
}

/// Returns the time zone that a property of the type names.
fn zone<'a>(typed: &'a Typed<'_>) -> Option<&'a str> {
    match &typed.restored {
        Some(Restored::Zone(zone)) => Some(zone),
        _ => None,
    }
}

/// Returns true if the timestamps of a writer that names no zone are read in one.
fn gains_zone(from: &Typed<'_>, to: &Typed<'_>) -> bool {
    zone(to).is_some() && from.restored.is_none() && from.node.logical.and_then(Logical::timestamp).is_some()
}

fn is_decimal(typed: &Typed<'_>) -> bool {
    matches!(typed.node.logical, Some(Logical::Decimal { .. }))
}

fn float_bits(typed: &Typed<'_>) -> Option<u8> {
    match typed.node.kind {
        _ if is_half(typed) => Some(16),
        Kind::Float => Some(32),
        Kind::Double => Some(64),
        _ => None,
    }
}

/// Returns true if values keep their meaning as the dtype that the properties of the reader's type name.
fn is_restored(from: &Typed<'_>, to: &Typed<'_>, casts: Casts) -> bool {
    match (&from.restored, &to.restored) {
        // Their numbers are counts of a unit of time.
        (Some(Restored::Time | Restored::Duration(_)), None) => false,
        (_, None | Some(Restored::Enum(_))) => true,
        (Some(from), Some(to)) if from.name() == to.name() => true,
        (None, Some(Restored::Zone(_))) => gains_zone(from, to),
        (noted, Some(Restored::Float16)) => {
            let is_float = matches!(from.node.kind, Kind::Float | Kind::Double) && noted.is_none();
            is_float || (casts.allow(Cast::IntegerToHalf) && from.integer().is_some())
        }
        _ => matches!((from.integer(), to.integer()), (Some(from), Some(to)) if to.holds(from)),
    }
}

fn is_half(typed: &Typed<'_>) -> bool {
    typed.restored == Some(Restored::Float16)
}

/// Returns the wire form of a decimal.
fn number_bytes(node: &Node) -> Wire {
    match &node.kind {
        Kind::Fixed(fixed) => Wire::Fixed(fixed.size),
        _ => Wire::Bytes,
    }
}

fn is_float(node: &Node) -> bool {
    matches!(node.kind, Kind::Float | Kind::Double)
}

fn is_string(node: &Node) -> bool {
    matches!(node.kind, Kind::String)
}

/// Returns the index of the reader's text for each of the writer's, or the writer's text if there is none.
fn places(writer: &[String], reader: &[String], default: Option<usize>) -> Vec<Result<usize, String>> {
    let places: HashMap<_, _> = reader.iter().enumerate().map(|(at, text)| (text, at)).collect();
    writer.iter().map(|text| places.get(text).copied().or(default).ok_or_else(|| text.clone())).collect()
}

/// Resolves two enums, of which the reader must have every text of the writer or a default.
fn all_texts(writer: &[String], reader: &[String], wanted: &Enum) -> Result<Wire, Reason> {
    let of_writer = places(writer, reader, wanted.default);
    match of_writer.iter().find_map(|place| place.as_ref().err()) {
        Some(text) => Err(Reason::from(format!(": it has no symbol {text:?} and no default"))),
        None => Ok(Wire::Enum(of_writer)),
    }
}

fn text_of_enum(writer: &Typed<'_>, symbols: &Enum, casts: Casts) -> Result<Wire, Reason> {
    if !casts.allow(Cast::EnumToString) {
        return Err(Reason::cast(Cast::EnumToString));
    }
    Ok(Wire::Symbol(writer.texts(symbols).to_vec()))
}

fn double(reader: &Kind, casts: Casts) -> Result<Wire, Reason> {
    if matches!(reader, Kind::Float) && !casts.allow(Cast::FloatDowncast) {
        return Err(Reason::cast(Cast::FloatDowncast));
    }
    Ok(Wire::Double)
}
