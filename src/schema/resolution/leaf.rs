//! Which types that hold no others are read as which.

use std::collections::HashMap;

use super::{Cast, Casts, Scale, Wire};
use crate::schema::{Enum, Kind, Logical, Node};

/// Why a type is not read as another; empty where nothing more is to say.
type Reason = String;

/// The rules of the specification, and casts where the logical types differ.
pub(super) fn specified(writer: &Node, reader: &Node, casts: Casts) -> Result<Wire, Reason> {
    if let (Some(from), Some(to)) = (writer.logical, reader.logical)
        && !from.reads_as(to)
    {
        return time(from, to, casts);
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
        (Kind::Enum(from), Kind::Enum(to)) => Wire::Enum(symbols(from, to)),
        (Kind::Double, Kind::Float | Kind::Double) => return double(&reader.kind, casts),
        (Kind::Enum(from), Kind::String) => return text_of_enum(from, casts),
        _ => return Err(Reason::new()),
    })
}

/// Types match that become the same column of Polars, and those that a lossless promotion or a cast leads to.
pub(super) fn by_columns(writer: &Node, reader: &Node, casts: Casts) -> Result<Wire, Reason> {
    let differ = Err(Reason::new());
    if matches!(writer.kind, Kind::Null) {
        return Ok(Wire::Null);
    }
    // The dtype that the reader's column is restored as.
    let dtype = |node: &Node| node.properties.get("polars.dtype").cloned();
    if dtype(reader).is_some() && dtype(reader) != dtype(writer) {
        return differ;
    }
    match (writer.logical, reader.logical) {
        (None, None) => {}
        // Both are strings; which text is a uuid's is the writer's to say.
        (_, None | Some(Logical::Uuid)) if is_string(writer) && is_string(reader) => return Ok(Wire::String),
        (Some(from @ Logical::Decimal { .. }), Some(to)) if from.reads_as(to) => {
            return Ok(match &writer.kind {
                Kind::Fixed(fixed) => Wire::Fixed(fixed.size),
                _ => Wire::Bytes,
            });
        }
        (Some(from), Some(to)) if from == to && writer.kind.type_name() == reader.kind.type_name() => {}
        (Some(from), Some(to)) => return time(from, to, casts),
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
            return Err(ask("which may lose digits", "integer_cast='allow-float'"));
        }
        (Kind::Float, Kind::Float | Kind::Double) => Wire::Float,
        (Kind::Double, Kind::Float | Kind::Double) => return double(&reader.kind, casts),
        (Kind::String, Kind::String) => Wire::String,
        (Kind::String, Kind::Bytes) if casts.allow(Cast::StringToBytes) => Wire::String,
        (Kind::Bytes, Kind::Bytes | Kind::Fixed(_)) => Wire::Bytes,
        (Kind::Fixed(fixed), Kind::Bytes | Kind::Fixed(_)) => Wire::Fixed(fixed.size),
        (Kind::Enum(from), Kind::Enum(to)) => return all_symbols(from, to),
        (Kind::Enum(from), Kind::String) => return text_of_enum(from, casts),
        _ => return differ,
    })
}

fn is_string(node: &Node) -> bool {
    matches!(node.kind, Kind::String)
}

/// The reader's symbol for each of the writer's.
fn symbols(writer: &Enum, reader: &Enum) -> Vec<Option<usize>> {
    let places: HashMap<_, _> = reader.symbols.iter().enumerate().map(|(at, symbol)| (symbol, at)).collect();
    writer.symbols.iter().map(|symbol| places.get(symbol).copied().or(reader.default)).collect()
}

/// The same, where the reader must have every symbol or a default.
fn all_symbols(writer: &Enum, reader: &Enum) -> Result<Wire, Reason> {
    let of_writer = symbols(writer, reader);
    match of_writer.iter().position(Option::is_none) {
        Some(at) => Err(format!(": it has no symbol {:?} and no default", writer.symbols[at])),
        None => Ok(Wire::Enum(of_writer)),
    }
}

fn text_of_enum(writer: &Enum, casts: Casts) -> Result<Wire, Reason> {
    if !casts.allow(Cast::EnumToString) {
        return Err(ask("", "categorical_to_string='allow'"));
    }
    Ok(Wire::Symbol(writer.symbols.clone()))
}

fn double(reader: &Kind, casts: Casts) -> Result<Wire, Reason> {
    if matches!(reader, Kind::Float) && !casts.allow(Cast::FloatDowncast) {
        return Err(ask("which loses digits", "float_cast='downcast'"));
    }
    Ok(Wire::Double)
}

/// Times and timestamps that count in different units.
fn time(from: Logical, to: Logical, casts: Casts) -> Result<Wire, Reason> {
    // Polars counts the time of day in nanoseconds whatever the file counts.
    match (from, to) {
        (Logical::TimeMillis, Logical::TimeMicros) => return Ok(Wire::Scaled(Scale::Times(1000))),
        (Logical::TimeMicros, Logical::TimeMillis) => return Ok(Wire::Scaled(Scale::Over(1000))),
        _ => {}
    }
    let (Some((from, is_utc)), Some((to, wants_utc))) = (from.timestamp(), to.timestamp()) else {
        return Err(Reason::new());
    };
    if is_utc && !wants_utc && !casts.allow(Cast::ConvertTimezone) {
        return Err(ask("", "datetime_cast='convert-timezone'"));
    }
    // Units are counts in a second.
    let (scale, cast, option) = match from.cmp(&to) {
        std::cmp::Ordering::Equal => return Ok(Wire::Long),
        std::cmp::Ordering::Less if from == 1_000 => {
            (Scale::Times(to / from), Cast::MillisecondUpcast, "millisecond-upcast")
        }
        std::cmp::Ordering::Less => (Scale::Times(to / from), Cast::MicrosecondUpcast, "microsecond-upcast"),
        std::cmp::Ordering::Greater if from == 1_000_000 => {
            (Scale::Over(from / to), Cast::MicrosecondDowncast, "microsecond-downcast")
        }
        std::cmp::Ordering::Greater => (Scale::Over(from / to), Cast::NanosecondDowncast, "nanosecond-downcast"),
    };
    if !casts.allow(cast) {
        return Err(ask("", &format!("datetime_cast='{option}'")));
    }
    Ok(Wire::Scaled(scale))
}

/// Names the option that allows a cast.
fn ask(why: &str, option: &str) -> Reason {
    let why = if why.is_empty() { String::new() } else { format!(", {why}") };
    format!("{why}; consider passing `cast_options=pl.ScanCastOptions({option})`")
}
