//! Logical types: what their values become, and which are none.

use num_bigint::{BigInt, BigUint};
use serde_json::Value as Json;

use crate::expected::Cell;
use crate::naive::{Shape, Type, Value, long, prefixed};

/// A logical type that is valid where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Logical {
    Decimal {
        precision: usize,
        scale: usize,
    },
    BigDecimal,
    Uuid,
    Date,
    /// Nanoseconds in one unit.
    Time(i64),
    /// The unit's name in Polars, and whether it is an instant in UTC.
    Timestamp(&'static str, bool),
    Duration,
}

pub(crate) fn logical(ty: &Type) -> Option<Logical> {
    let name = ty.attributes.get("logicalType")?.as_str()?;
    Some(match (&ty.shape, name) {
        (Shape::Bytes, "decimal") => decimal(ty, usize::MAX)?,
        (Shape::Fixed { size, .. }, "decimal") => decimal(ty, digits_in(*size))?,
        (Shape::Bytes, "big-decimal") => Logical::BigDecimal,
        (Shape::String | Shape::Fixed { size: 16, .. }, "uuid") => Logical::Uuid,
        (Shape::Fixed { size: 12, .. }, "duration") => Logical::Duration,
        (Shape::Int, "date") => Logical::Date,
        (Shape::Int, "time-millis") => Logical::Time(1_000_000),
        (Shape::Long, "time-micros") => Logical::Time(1000),
        (Shape::Long, "timestamp-millis") => Logical::Timestamp("ms", true),
        (Shape::Long, "timestamp-micros") => Logical::Timestamp("us", true),
        (Shape::Long, "timestamp-nanos") => Logical::Timestamp("ns", true),
        (Shape::Long, "local-timestamp-millis") => Logical::Timestamp("ms", false),
        (Shape::Long, "local-timestamp-micros") => Logical::Timestamp("us", false),
        (Shape::Long, "local-timestamp-nanos") => Logical::Timestamp("ns", false),
        _ => return None,
    })
}

fn decimal(ty: &Type, digits: usize) -> Option<Logical> {
    let precision = ty.attributes.get("precision")?.as_u64()? as usize;
    let scale = ty.attributes.get("scale").map_or(Some(0), Json::as_u64)? as usize;
    (precision > 0 && scale <= precision && precision <= digits).then_some(Logical::Decimal { precision, scale })
}

/// How many decimal digits always fit a two's complement number of so many bytes.
fn digits_in(size: usize) -> usize {
    if size == 0 {
        return 0;
    }
    let largest: BigInt = (BigInt::from(1) << (8 * size - 1)) - 1;
    largest.to_string().len() - 1
}

/// The cell of a value; an error where the value is none of the logical type.
pub(crate) fn cell(logical: Logical, value: &Value) -> Result<Cell, String> {
    Ok(match (logical, value) {
        (Logical::Decimal { precision, scale }, Value::Bytes(bytes) | Value::Fixed(bytes)) => {
            let unscaled = BigInt::from_signed_bytes_be(bytes);
            if *unscaled.magnitude() >= BigUint::from(10u8).pow(precision as u32) {
                return Err("a decimal of too many digits".into());
            }
            if precision > 38 {
                return Ok(Cell::String(decimal_text(&unscaled, scale as i64)));
            }
            Cell::Decimal(unscaled.try_into().unwrap())
        }
        (Logical::BigDecimal, Value::Bytes(bytes)) => {
            let mut bytes = bytes.as_slice();
            let unscaled = BigInt::from_signed_bytes_be(prefixed(&mut bytes)?);
            let scale = i32::try_from(long(&mut bytes)?).map_err(|_| "a scale out of range")?;
            if !bytes.is_empty() {
                return Err("bytes behind the scale".into());
            }
            Cell::String(decimal_text(&unscaled, i64::from(scale)))
        }
        (Logical::Uuid, Value::String(text)) => {
            let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
            let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
            uuid(&text.replace('-', ""))?
        }
        (Logical::Uuid, Value::Fixed(bytes)) => {
            let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            uuid(&digits.concat())?
        }
        (Logical::Date, Value::Int(days)) => Cell::Int32(*days),
        (Logical::Time(nanos), Value::Int(units)) => time(i64::from(*units), nanos)?,
        (Logical::Time(nanos), Value::Long(units)) => time(*units, nanos)?,
        (Logical::Timestamp(..), Value::Long(units)) => Cell::Int64(*units),
        (Logical::Duration, Value::Fixed(bytes)) => {
            let part = |part: &[u8]| Cell::UInt32(u32::from_le_bytes(part.try_into().unwrap()));
            Cell::Struct(bytes.chunks(4).map(part).collect())
        }
        (logical, value) => panic!("{value:?} is no {logical:?}"),
    })
}

/// The canonical text of so many hexadecimal digits.
fn uuid(digits: &str) -> Result<Cell, String> {
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("{digits} is no UUID"));
    }
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits[part].to_lowercase());
    Ok(Cell::String(parts.join("-")))
}

fn time(units: i64, nanos: i64) -> Result<Cell, String> {
    let time = i128::from(units) * i128::from(nanos);
    if !(0..24 * 3600 * 1_000_000_000).contains(&time) {
        return Err("not a time of day".into());
    }
    Ok(Cell::Int64(time as i64))
}

/// `unscaled` * 10^-`scale`, every digit written out, unless that takes more than 1024 zeros.
pub(crate) fn decimal_text(unscaled: &BigInt, scale: i64) -> String {
    let text = unscaled.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let zeros = if scale < 0 { -scale } else { scale + 1 - digits.len() as i64 };
    if zeros > 1024 {
        return format!("{text}E{:+}", -scale);
    }
    let zeros = "0".repeat(zeros.max(0) as usize);
    match usize::try_from(scale) {
        Ok(0) => text,
        Ok(scale) => {
            let digits = format!("{zeros}{digits}");
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        Err(_) if digits == "0" => text,
        Err(_) => format!("{text}{zeros}"),
    }
}

#[test]
fn decimals_are_written_out() {
    let cases = [(12345, 2, "123.45"), (-5, 3, "-0.005"), (0, 2, "0.00"), (7, 0, "7"), (7, -2, "700"), (0, -2, "0")];
    for (unscaled, scale, text) in cases {
        assert_eq!(decimal_text(&BigInt::from(unscaled), scale), text);
    }
}

#[test]
fn digits_that_fit() {
    assert_eq!([0, 1, 2, 4, 8, 16].map(digits_in), [0, 2, 4, 9, 18, 38]);
}
