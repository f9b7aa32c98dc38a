//! Columns of types that are not nested, with their logical types.

use std::sync::Arc;

use polars_arrow::datatypes::{ArrowDataType, Field, IntegerType, TimeUnit};

use crate::dtype::{self, enum_categories, unit_name};
use crate::encode::{
    AnyColumn, Boolean, Categorical, Conversion, Converted, Decimal, Double, Duration, Enumeration, Fixed, Float,
    FloatAsDouble, HalfAsFloat, Int8, Int16, Int32, Int64, Primitive, TimeMicros, UInt8, UInt16, UInt32, Views,
};
use crate::plan::leaf::DECIMAL_DIGITS;
use crate::schema::{Enum, Kind, Logical, Node, Restored, Schema};

/// Returns the column that writes a dtype as a type; `None` if they do not fit.
pub(super) fn column(schema: &Schema, node: &Node, field: &Field) -> Option<AnyColumn> {
    let (dtype, logical) = (field.dtype(), node.logical);
    let restored = Restored::of(schema, node);
    match (&node.kind, logical) {
        (Kind::Boolean, _) => (*dtype == ArrowDataType::Boolean).then(|| Boolean::default().into()),
        (Kind::Int, None) => integer(dtype, Conversion::Int),
        (Kind::Long, None) => counts(restored, dtype).or_else(|| integer(dtype, Conversion::Long)),
        (Kind::Int | Kind::Long, Some(logical)) => temporal(logical, dtype),
        (Kind::Float, _) => float(dtype),
        (Kind::Double, _) => double(dtype),
        (Kind::String, logical) => text(logical, dtype),
        (Kind::Bytes, logical) => bytes(None, logical, dtype),
        (Kind::Fixed(fixed), logical) => bytes(Some(fixed.size), logical, dtype),
        (Kind::Enum(symbols), _) => {
            let categories = match restored {
                Some(Restored::Enum(categories)) => categories,
                _ => symbols.symbols.clone(),
            };
            enumeration(&categories, field)
        }
        _ => None,
    }
}

fn converted(conversion: Conversion, column: impl Into<AnyColumn>) -> AnyColumn {
    Converted::new(conversion, column.into()).into()
}

/// Returns a column of integers; values that may not fit are checked.
fn integer(dtype: &ArrowDataType, narrow: Conversion) -> Option<AnyColumn> {
    let is_long = matches!(narrow, Conversion::Long);
    Some(match dtype {
        ArrowDataType::Int8 => Primitive::<Int8>::default().into(),
        ArrowDataType::Int16 => Primitive::<Int16>::default().into(),
        ArrowDataType::Int32 => Primitive::<Int32>::default().into(),
        ArrowDataType::UInt8 => Primitive::<UInt8>::default().into(),
        ArrowDataType::UInt16 => Primitive::<UInt16>::default().into(),
        ArrowDataType::UInt32 if is_long => Primitive::<UInt32>::default().into(),
        ArrowDataType::Int64 if is_long => Primitive::<Int64>::default().into(),
        ArrowDataType::UInt32
        | ArrowDataType::Int64
        | ArrowDataType::UInt64
        | ArrowDataType::Int128
        | ArrowDataType::UInt128 => wide(narrow, is_long),
        _ => return None,
    })
}

fn wide(narrow: Conversion, is_long: bool) -> AnyColumn {
    if is_long {
        converted(narrow, Primitive::<Int64>::default())
    } else {
        converted(narrow, Primitive::<Int32>::default())
    }
}

/// Returns a column of times or durations that a property marks as stored in a long.
fn counts(restored: Option<Restored>, dtype: &ArrowDataType) -> Option<AnyColumn> {
    match (restored?, dtype) {
        (Restored::Time, ArrowDataType::Time64(TimeUnit::Nanosecond)) => Some(Primitive::<Int64>::default().into()),
        (Restored::Duration(to), ArrowDataType::Duration(from)) => Some(scaled(*from, to)),
        _ => None,
    }
}

/// Returns a column that converts counts of one unit of time to another.
fn scaled(from: TimeUnit, to: TimeUnit) -> AnyColumn {
    let nanos = |unit| match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    let units = (unit_name(from), unit_name(to));
    let (from, to): (i64, i64) = (nanos(from), nanos(to));
    let column = Primitive::<Int64>::default();
    match from.cmp(&to) {
        std::cmp::Ordering::Equal => column.into(),
        std::cmp::Ordering::Greater => converted(Conversion::Multiply { factor: from / to, units }, column),
        std::cmp::Ordering::Less => converted(Conversion::Divide { factor: to / from, units }, column),
    }
}

/// Returns the unit of a timestamp, and true if it is an instant.
fn timestamp(logical: Logical) -> Option<(TimeUnit, bool)> {
    Some(match logical {
        Logical::TimestampMillis => (TimeUnit::Millisecond, true),
        Logical::TimestampMicros => (TimeUnit::Microsecond, true),
        Logical::TimestampNanos => (TimeUnit::Nanosecond, true),
        Logical::LocalTimestampMillis => (TimeUnit::Millisecond, false),
        Logical::LocalTimestampMicros => (TimeUnit::Microsecond, false),
        Logical::LocalTimestampNanos => (TimeUnit::Nanosecond, false),
        _ => return None,
    })
}

/// Returns a column of dates, times or timestamps. A datetime without zone is written as UTC if the type is an instant.
fn temporal(logical: Logical, dtype: &ArrowDataType) -> Option<AnyColumn> {
    match (logical, dtype) {
        (Logical::Date, ArrowDataType::Date32) => Some(Primitive::<Int32>::default().into()),
        (Logical::TimeMicros, ArrowDataType::Time64(TimeUnit::Nanosecond)) => {
            Some(Primitive::<TimeMicros>::default().into())
        }
        (Logical::TimeMillis, ArrowDataType::Time64(TimeUnit::Nanosecond)) => {
            let millis = converted(Conversion::Int, Primitive::<Int32>::default());
            Some(converted(Conversion::Divide { factor: 1_000_000, units: ("ns", "ms") }, millis))
        }
        (logical, ArrowDataType::Timestamp(from, zone)) => {
            let (to, is_instant) = timestamp(logical)?;
            (is_instant || zone.is_none()).then(|| scaled(*from, to))
        }
        _ => None,
    }
}

fn float(dtype: &ArrowDataType) -> Option<AnyColumn> {
    Some(match dtype {
        ArrowDataType::Float32 => Primitive::<Float>::default().into(),
        ArrowDataType::Float16 => Primitive::<HalfAsFloat>::default().into(),
        ArrowDataType::Int8 | ArrowDataType::Int16 | ArrowDataType::UInt8 | ArrowDataType::UInt16 => {
            converted(Conversion::Float, Primitive::<Float>::default())
        }
        _ => return None,
    })
}

fn double(dtype: &ArrowDataType) -> Option<AnyColumn> {
    Some(match dtype {
        ArrowDataType::Float64 => Primitive::<Double>::default().into(),
        ArrowDataType::Float32 => Primitive::<FloatAsDouble>::default().into(),
        ArrowDataType::Int8
        | ArrowDataType::Int16
        | ArrowDataType::Int32
        | ArrowDataType::UInt8
        | ArrowDataType::UInt16
        | ArrowDataType::UInt32 => converted(Conversion::Double, Primitive::<Double>::default()),
        _ => return None,
    })
}

fn text(logical: Option<Logical>, dtype: &ArrowDataType) -> Option<AnyColumn> {
    Some(match (logical, dtype) {
        (Some(Logical::Uuid), ArrowDataType::Utf8View) => {
            converted(Conversion::UuidText, Views::<crate::encode::Bytes>::default())
        }
        (_, ArrowDataType::Utf8View) => Views::<crate::encode::Utf8>::default().into(),
        (None, ArrowDataType::Dictionary(key, values, _)) if **values == ArrowDataType::Utf8View => match key {
            IntegerType::UInt8 => Categorical::<u8>::default().into(),
            IntegerType::UInt16 => Categorical::<u16>::default().into(),
            IntegerType::UInt32 => Categorical::<u32>::default().into(),
            _ => return None,
        },
        _ => return None,
    })
}

/// Returns a column for bytes, or for a fixed of this size.
fn bytes(size: Option<usize>, logical: Option<Logical>, dtype: &ArrowDataType) -> Option<AnyColumn> {
    Some(match (logical, dtype) {
        (Some(Logical::Decimal { precision, scale }), dtype) => return decimal(size, precision, scale, dtype),
        (Some(Logical::Uuid), ArrowDataType::Utf8View) => converted(Conversion::UuidBytes, Fixed::new(size?)),
        (Some(Logical::Duration), dtype) => {
            let is_duration = same_parts(dtype, &dtype::duration(dtype::DURATION.into_iter()));
            return is_duration.then(|| Duration::default().into());
        }
        (None | Some(Logical::Uuid), ArrowDataType::BinaryView) => match size {
            Some(size) => Fixed::new(size).into(),
            None => Views::<crate::encode::Bytes>::default().into(),
        },
        _ => return None,
    })
}

/// Returns true if two structs have the same fields, nullable or not.
fn same_parts(dtype: &ArrowDataType, other: &ArrowDataType) -> bool {
    let (ArrowDataType::Struct(fields), ArrowDataType::Struct(others)) = (dtype, other) else { return false };
    let parts =
        |fields: &[Field]| fields.iter().map(|field| (field.name.clone(), field.dtype.clone())).collect::<Vec<_>>();
    parts(fields) == parts(others)
}

/// Returns a column of decimals of the same scale, or of integers as decimals of scale 0.
fn decimal(size: Option<usize>, precision: usize, scale: usize, dtype: &ArrowDataType) -> Option<AnyColumn> {
    let checked_below = |digits: usize| (precision < digits).then_some(precision);
    Some(match dtype {
        ArrowDataType::Decimal(digits, of) if *of == scale => Decimal::<i128>::new(size, checked_below(*digits)).into(),
        ArrowDataType::UInt64 if scale == 0 => Decimal::<u64>::new(size, checked_below(20)).into(),
        ArrowDataType::UInt128 if scale == 0 => Decimal::<u128>::new(size, checked_below(39)).into(),
        ArrowDataType::Int128 if scale == 0 => Decimal::<i128>::new(size, checked_below(39)).into(),
        dtype if scale == 0 && integer(dtype, Conversion::Long).is_some() => {
            converted(Conversion::Wide, Decimal::<i128>::new(size, checked_below(19)))
        }
        _ => return None,
    })
}

fn enumeration(symbols: &[String], field: &Field) -> Option<AnyColumn> {
    let look_up = || {
        let symbols = symbols.iter().enumerate().map(|(index, symbol)| (symbol.clone(), index as u32)).collect();
        converted(Conversion::Symbols(Arc::new(symbols)), Primitive::<UInt32>::default())
    };
    match field.dtype() {
        ArrowDataType::Utf8View => Some(look_up()),
        ArrowDataType::Dictionary(key, values, _) if **values == ArrowDataType::Utf8View => {
            if enum_categories(field).as_deref() != Some(symbols) {
                return matches!(key, IntegerType::UInt8 | IntegerType::UInt16 | IntegerType::UInt32).then(look_up);
            }
            Some(match key {
                IntegerType::UInt8 => Enumeration::<u8>::default().into(),
                IntegerType::UInt16 => Enumeration::<u16>::default().into(),
                IntegerType::UInt32 => Enumeration::<u32>::default().into(),
                _ => return None,
            })
        }
        _ => None,
    }
}

/// Returns true if a cast of Polars converts a dtype to one that fits a type, for a message.
pub(super) fn is_cast(from: &ArrowDataType, to: &Node) -> bool {
    use ArrowDataType::{FixedSizeList, LargeList, Map, Struct, Utf8View};
    let is_nested = matches!(from, Struct(_) | LargeList(_) | FixedSizeList(..) | Map(..));
    let is_parsed = *from == Utf8View && (to.logical.is_some() || matches!(to.kind, Kind::Boolean));
    let becomes_nested = matches!(to.kind, Kind::Array(_) | Kind::Map(_) | Kind::Null);
    !is_nested && !is_parsed && !becomes_nested && to.logical != Some(Logical::Duration)
}

/// Returns the dtypes that fit a type, for a message; `None` if there are none.
pub(super) fn fitting(schema: &Schema, node: &Node) -> Option<String> {
    if let Some(restored) = Restored::of(schema, node) {
        return Some(format!("`pl.{}`", restored.name()));
    }
    let fitting = match (&node.kind, node.logical) {
        (_, Some(Logical::Decimal { precision, .. })) if precision > DECIMAL_DIGITS => return None,
        (_, Some(Logical::Decimal { precision, scale })) => return Some(format!("`pl.Decimal({precision}, {scale})`")),
        (_, Some(Logical::Date)) => "`pl.Date`",
        (_, Some(Logical::TimeMillis | Logical::TimeMicros)) => "`pl.Time`",
        (_, Some(Logical::Uuid)) => "`pl.String`",
        (_, Some(Logical::Duration)) => "a struct of `months`, `days` and `milliseconds`, all `pl.UInt32`",
        (_, Some(Logical::BigDecimal)) => return None,
        (_, Some(logical)) => match timestamp(logical) {
            Some((_, true)) => "`pl.Datetime` with a time zone",
            _ => "`pl.Datetime`, by `.dt.replace_time_zone(None)` if it has a time zone",
        },
        (Kind::Null, _) => "`pl.Null`",
        (Kind::Boolean, _) => "`pl.Boolean`",
        (Kind::Int, _) => "`pl.Int32`",
        (Kind::Long, _) => "`pl.Int64`",
        (Kind::Float, _) => "`pl.Float32`",
        (Kind::Double, _) => "`pl.Float64`",
        (Kind::Bytes | Kind::Fixed(_), _) => "`pl.Binary`",
        (Kind::String, _) => "`pl.String`",
        (Kind::Array(_), _) => "`pl.List` or `pl.Array`",
        (Kind::Map(_), _) => "`pl.Map` with keys of `pl.String`",
        (Kind::Enum(Enum { .. }), _) => "`pl.Enum` or `pl.String`",
        (Kind::Record(_), _) => "`pl.Struct`",
        (Kind::Union(_), _) => "the dtype of one of its branches",
    };
    Some(fitting.to_owned())
}
