//! Columns of types that are not nested, with their logical types.

use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use polars_utils::float16::pf16;

use super::Projection;
use crate::decode::{
    AnyColumn, BigDecimal, Categorical, Decimal, Duration, Enumeration, Fixed, LocalText, Primitive, Text, UuidBytes,
    UuidText, ValueText, Views, Whole, WideDecimal, ZonedText,
};
use crate::dtype::DURATION;
use crate::schema::{Kind, Logical, Restored, Scale, Wire};
use crate::{Error, ErrorKind, Result};

/// The maximum precision of Polars' decimals.
pub(super) const DECIMAL_DIGITS: usize = 38;

/// Compiles int, long, float and double, their logical types, and the dtypes that a property restores.
pub(super) fn number(wire: &Wire, reader: &Kind, logical: Option<Logical>, restored: Option<&Restored>) -> AnyColumn {
    use crate::decode::{
        Double, DoubleAsFloat, Float, FloatAsDouble, Int, IntAsDouble, IntAsFloat, IntAsLong, Long, LongAsDouble,
        LongAsFloat, TimeMicros, TimeMillis,
    };
    if let Some(column) = restored.and_then(|restored| restored_number(wire, restored)) {
        return column;
    }
    let dtype = number_dtype(reader, logical, restored);
    match (wire, reader, logical) {
        (Wire::Int, _, Some(Logical::TimeMillis)) => Primitive::<TimeMillis>::new(dtype).into(),
        (Wire::Int | Wire::Long, _, Some(Logical::TimeMicros)) => Primitive::<TimeMicros>::new(dtype).into(),
        (Wire::Int, Kind::Long, _) => Primitive::<IntAsLong>::new(dtype).into(),
        (Wire::Int, Kind::Float, _) => Primitive::<IntAsFloat>::new(dtype).into(),
        (Wire::Int, Kind::Double, _) => Primitive::<IntAsDouble>::new(dtype).into(),
        (Wire::Int, ..) => Primitive::<Int>::new(dtype).into(),
        (Wire::Long, Kind::Float, _) => Primitive::<LongAsFloat>::new(dtype).into(),
        (Wire::Long, Kind::Double, _) => Primitive::<LongAsDouble>::new(dtype).into(),
        (Wire::Long, ..) => Primitive::<Long>::new(dtype).into(),
        (Wire::Float, Kind::Double, _) => Primitive::<FloatAsDouble>::new(dtype).into(),
        (Wire::Float, ..) => Primitive::<Float>::new(dtype).into(),
        (_, Kind::Float, _) => Primitive::<DoubleAsFloat>::new(dtype).into(),
        _ => Primitive::<Double>::new(dtype).into(),
    }
}

/// Compiles numbers that are narrower, finer or wider than the type on the wire.
fn restored_number(wire: &Wire, restored: &Restored) -> Option<AnyColumn> {
    use crate::decode::{
        DoubleAsHalf, FloatAsHalf, Int8, Int16, IntAsHalf, LongAsHalf, LongAsInt128, LongAsUInt64, LongAsUInt128,
        TimeNanos, UInt8, UInt16, UInt32,
    };
    Some(match (restored, wire) {
        (Restored::Int8, _) => Primitive::<Int8>::new(ArrowDataType::Int8).into(),
        (Restored::Int16, _) => Primitive::<Int16>::new(ArrowDataType::Int16).into(),
        (Restored::UInt8, _) => Primitive::<UInt8>::new(ArrowDataType::UInt8).into(),
        (Restored::UInt16, _) => Primitive::<UInt16>::new(ArrowDataType::UInt16).into(),
        (Restored::UInt32, _) => Primitive::<UInt32>::new(ArrowDataType::UInt32).into(),
        (Restored::Time, _) => Primitive::<TimeNanos>::new(ArrowDataType::Time64(TimeUnit::Nanosecond)).into(),
        (Restored::Float16, Wire::Int) => Primitive::<IntAsHalf>::new(ArrowDataType::Float16).into(),
        (Restored::Float16, Wire::Long) => Primitive::<LongAsHalf>::new(ArrowDataType::Float16).into(),
        (Restored::UInt64, _) => Primitive::<LongAsUInt64>::new(ArrowDataType::UInt64).into(),
        (Restored::Int128, _) => Primitive::<LongAsInt128>::new(ArrowDataType::Int128).into(),
        (Restored::UInt128, _) => Primitive::<LongAsUInt128>::new(ArrowDataType::UInt128).into(),
        (Restored::Float16, Wire::Double) => Primitive::<DoubleAsHalf>::new(ArrowDataType::Float16).into(),
        (Restored::Float16, _) => Primitive::<FloatAsHalf>::new(ArrowDataType::Float16).into(),
        _ => return None,
    })
}

/// Compiles times and timestamps whose writer's unit is not the reader's.
pub(super) fn scaled(scale: Scale, logical: Option<Logical>, restored: Option<&Restored>) -> Result<AnyColumn> {
    use crate::decode::{Over, Times};
    let dtype = number_dtype(&Kind::Long, logical, restored);
    Ok(match (logical, scale) {
        (Some(Logical::TimeMillis), _) => time_of_day(1_000, scale),
        (Some(Logical::TimeMicros), _) => time_of_day(1_000_000, scale),
        _ if restored == Some(&Restored::Time) => time_of_day(1_000_000_000, scale),
        (_, Scale::Times(1_000)) => Primitive::<Times<1_000>>::new(dtype).into(),
        (_, Scale::Times(1_000_000)) => Primitive::<Times<1_000_000>>::new(dtype).into(),
        (_, Scale::Over(1_000)) => Primitive::<Over<1_000>>::new(dtype).into(),
        (_, Scale::Over(1_000_000)) => Primitive::<Over<1_000_000>>::new(dtype).into(),
        _ => return Err(Error::new(ErrorKind::Internal, "timestamps of units that no logical type has")),
    })
}

/// Compiles times of day. They are nanoseconds in Polars, so they are converted from the writer's unit directly.
fn time_of_day(reader: i64, scale: Scale) -> AnyColumn {
    use crate::decode::{TimeMicros, TimeMillis, TimeNanos};
    let writer = match scale {
        Scale::Times(factor) => reader / factor,
        Scale::Over(factor) => reader * factor,
    };
    let dtype = ArrowDataType::Time64(TimeUnit::Nanosecond);
    match writer {
        1_000 => Primitive::<TimeMillis>::new(dtype).into(),
        1_000_000 => Primitive::<TimeMicros>::new(dtype).into(),
        _ => Primitive::<TimeNanos>::new(dtype).into(),
    }
}

/// Compiles a logical type whose values may be invalid as text; `None` for other types.
pub(super) fn value_text(wire: &Wire, logical: Option<Logical>, restored: Option<&Restored>) -> Option<AnyColumn> {
    let written = |per_second: i64| match wire {
        Wire::Scaled(Scale::Times(factor)) => per_second / factor,
        Wire::Scaled(Scale::Over(factor)) => per_second * factor,
        _ => per_second,
    };
    let size = if let Wire::Fixed(size) = wire { Some(*size) } else { None };
    let text = match (logical?, wire) {
        _ if restored.is_some() => return None,
        (Logical::Uuid, Wire::Bytes | Wire::String) => ValueText::Uuid,
        (Logical::TimeMillis, Wire::Int | Wire::Long | Wire::Scaled(_)) => ValueText::Time(written(1_000)),
        (Logical::TimeMicros, Wire::Int | Wire::Long | Wire::Scaled(_)) => ValueText::Time(written(1_000_000)),
        (Logical::Decimal { precision, scale }, Wire::Bytes | Wire::String | Wire::Fixed(_)) => {
            ValueText::Decimal(WideDecimal { size, precision, scale })
        }
        _ => return None,
    };
    Some(Box::new(Text::new(text)).into())
}

/// Compiles the selected parts of a duration.
pub(super) fn duration(projection: &Projection) -> Result<Duration> {
    let mut parts = Vec::new();
    for (part, inside) in projection.of_names(&DURATION)? {
        inside.check_is_all("a part of a duration")?;
        parts.push(part);
    }
    Ok(Duration::new(parts))
}

fn number_dtype(reader: &Kind, logical: Option<Logical>, restored: Option<&Restored>) -> ArrowDataType {
    let utc = || match restored {
        Some(Restored::Zone(zone)) => Some(zone.as_str().into()),
        _ => Some("UTC".into()),
    };
    if let Some(Restored::Duration(unit)) = restored {
        return ArrowDataType::Duration(*unit);
    }
    match (reader, logical) {
        (_, Some(Logical::Date)) => ArrowDataType::Date32,
        (_, Some(Logical::TimeMillis | Logical::TimeMicros)) => ArrowDataType::Time64(TimeUnit::Nanosecond),
        (_, Some(Logical::TimestampMillis)) => ArrowDataType::Timestamp(TimeUnit::Millisecond, utc()),
        (_, Some(Logical::TimestampMicros)) => ArrowDataType::Timestamp(TimeUnit::Microsecond, utc()),
        (_, Some(Logical::TimestampNanos)) => ArrowDataType::Timestamp(TimeUnit::Nanosecond, utc()),
        (_, Some(Logical::LocalTimestampMillis)) => ArrowDataType::Timestamp(TimeUnit::Millisecond, None),
        (_, Some(Logical::LocalTimestampMicros)) => ArrowDataType::Timestamp(TimeUnit::Microsecond, None),
        (_, Some(Logical::LocalTimestampNanos)) => ArrowDataType::Timestamp(TimeUnit::Nanosecond, None),
        (Kind::Int, _) => ArrowDataType::Int32,
        (Kind::Long, _) => ArrowDataType::Int64,
        (Kind::Float, _) => ArrowDataType::Float32,
        _ => ArrowDataType::Float64,
    }
}

/// Compiles bytes, string and fixed (`size` bytes each), their logical types, and the dtypes that a property restores.
/// Whole numbers may be cast to floats.
pub(super) fn bytes(
    size: Option<usize>,
    reader: &Kind,
    logical: Option<Logical>,
    restored: Option<&Restored>,
) -> AnyColumn {
    match restored {
        Some(Restored::UInt64) => return Whole::<u64>::new(size).into(),
        Some(Restored::Int128) => return Whole::<i128>::new(size).into(),
        Some(Restored::UInt128) => return Whole::<u128>::new(size).into(),
        Some(Restored::Float16) => return Whole::<pf16>::new(size).into(),
        Some(Restored::TextTimestamp(is_utc)) => {
            let dtype = ArrowDataType::Timestamp(TimeUnit::Microsecond, is_utc.then(|| "UTC".into()));
            return if *is_utc {
                Primitive::<ZonedText>::new(dtype).into()
            } else {
                Primitive::<LocalText>::new(dtype).into()
            };
        }
        Some(Restored::Categorical(categories)) => return Box::new(Categorical::new(categories.clone())).into(),
        _ => {}
    }
    match (logical, size) {
        _ if matches!(reader, Kind::Float) => Whole::<f32>::new(size).into(),
        _ if matches!(reader, Kind::Double) => Whole::<f64>::new(size).into(),
        (Some(Logical::Decimal { precision, scale }), _) if precision <= DECIMAL_DIGITS => {
            Decimal::new(size, precision, scale).into()
        }
        (Some(Logical::Decimal { precision, scale }), _) => {
            Box::new(Text::new(WideDecimal { size, precision, scale })).into()
        }
        (Some(Logical::BigDecimal), None) => Box::new(Text::new(BigDecimal)).into(),
        (Some(Logical::Uuid), None) => Box::new(Text::new(UuidText)).into(),
        (Some(Logical::Uuid), Some(_)) => Box::new(Text::new(UuidBytes)).into(),
        (_, Some(size)) => Fixed::new(size).into(),
        (_, None) if matches!(reader, Kind::String) => Views::<crate::decode::Utf8>::default().into(),
        (_, None) => Views::<crate::decode::Bytes>::default().into(),
    }
}

/// Compiles an enum with the narrowest keys that can number every symbol, as Polars does.
pub(super) fn enumeration(
    reader: &Kind,
    of_writer: &[std::result::Result<usize, String>],
    restored: Option<&Restored>,
) -> AnyColumn {
    let Kind::Enum(reader) = reader else { unreachable!("an enum resolves with an enum") };
    let categories = match restored {
        Some(Restored::Enum(categories)) => categories,
        _ => &reader.symbols,
    };
    match categories.len() {
        0..0xff => Enumeration::<u8>::new(categories, of_writer).into(),
        0xff..0xffff => Enumeration::<u16>::new(categories, of_writer).into(),
        _ => Enumeration::<u32>::new(categories, of_writer).into(),
    }
}
