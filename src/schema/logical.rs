//! Logical types (specification, "Logical Types").

use serde_json::Value;

use super::{Kind, Properties};

/// A logical type that is valid on the type it annotates.
///
/// ```
/// use polars_avro::schema::Logical;
///
/// assert_eq!(Logical::Decimal { precision: 10, scale: 2 }.name(), "decimal");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the specification's own words")]
#[non_exhaustive]
pub enum Logical {
    Decimal { precision: usize, scale: usize },
    BigDecimal,
    Uuid,
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    TimestampNanos,
    LocalTimestampMillis,
    LocalTimestampMicros,
    LocalTimestampNanos,
    Duration,
}

impl Logical {
    /// Returns the specification's name of this logical type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decimal { .. } => "decimal",
            Self::BigDecimal => "big-decimal",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::TimeMillis => "time-millis",
            Self::TimeMicros => "time-micros",
            Self::TimestampMillis => "timestamp-millis",
            Self::TimestampMicros => "timestamp-micros",
            Self::TimestampNanos => "timestamp-nanos",
            Self::LocalTimestampMillis => "local-timestamp-millis",
            Self::LocalTimestampMicros => "local-timestamp-micros",
            Self::LocalTimestampNanos => "local-timestamp-nanos",
            Self::Duration => "duration",
        }
    }

    /// Returns the logical type that `attributes` define for a type of `kind`, unless it is unknown or not valid for
    /// it.
    pub(super) fn read(kind: &Kind, attributes: &Properties) -> Option<Self> {
        let logical = match (attributes.get("logicalType")?.as_str()?, kind) {
            ("decimal", Kind::Bytes | Kind::Fixed(_)) => return decimal(kind, attributes),
            ("big-decimal", Kind::Bytes) => Self::BigDecimal,
            ("uuid", Kind::String) => Self::Uuid,
            ("uuid", Kind::Fixed(fixed)) if fixed.size == 16 => Self::Uuid,
            ("duration", Kind::Fixed(fixed)) if fixed.size == 12 => Self::Duration,
            ("date", Kind::Int) => Self::Date,
            ("time-millis", Kind::Int) => Self::TimeMillis,
            ("time-micros", Kind::Long) => Self::TimeMicros,
            ("timestamp-millis", Kind::Long) => Self::TimestampMillis,
            ("timestamp-micros", Kind::Long) => Self::TimestampMicros,
            ("timestamp-nanos", Kind::Long) => Self::TimestampNanos,
            ("local-timestamp-millis", Kind::Long) => Self::LocalTimestampMillis,
            ("local-timestamp-micros", Kind::Long) => Self::LocalTimestampMicros,
            ("local-timestamp-nanos", Kind::Long) => Self::LocalTimestampNanos,
            _ => return None,
        };
        Some(logical)
    }

    /// Returns the keys of the JSON attributes that define this logical type.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Decimal { .. } => &["logicalType", "precision", "scale"],
            _ => &["logicalType"],
        }
    }

    /// Writes the attributes that [`Logical::read`] reads.
    pub(super) fn write(self, attributes: &mut Properties) {
        attributes.insert("logicalType".to_owned(), Value::from(self.name()));
        if let Self::Decimal { precision, scale } = self {
            attributes.insert("precision".to_owned(), Value::from(precision));
            attributes.insert("scale".to_owned(), Value::from(scale));
        }
    }

    /// Returns the units per second of a timestamp, and true if it is in UTC.
    pub(super) fn timestamp(self) -> Option<(i64, bool)> {
        Some(match self {
            Self::TimestampMillis => (1_000, true),
            Self::TimestampMicros => (1_000_000, true),
            Self::TimestampNanos => (1_000_000_000, true),
            Self::LocalTimestampMillis => (1_000, false),
            Self::LocalTimestampMicros => (1_000_000, false),
            Self::LocalTimestampNanos => (1_000_000_000, false),
            _ => return None,
        })
    }

    /// Returns true if a value that was written as `self` keeps its meaning when it is read as `reader`.
    ///
    /// The specification defines this for decimals only. Other pairs are rejected if the number would be kept but its
    /// meaning would change, such as milliseconds read as microseconds. Only the zone may be reinterpreted.
    pub(super) fn reads_as(self, reader: Self) -> bool {
        let zoneless = |logical| match logical {
            Self::LocalTimestampMillis => Self::TimestampMillis,
            Self::LocalTimestampMicros => Self::TimestampMicros,
            Self::LocalTimestampNanos => Self::TimestampNanos,
            other => other,
        };
        match (self, reader) {
            (Self::Decimal { precision: from, scale }, Self::Decimal { precision: to, scale: wanted }) => {
                scale == wanted && from <= to
            }
            _ => zoneless(self) == zoneless(reader),
        }
    }
}

impl std::fmt::Display for Logical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Decimal { precision, scale } => write!(f, "({precision}, {scale})"),
            _ => Ok(()),
        }
    }
}

fn decimal(kind: &Kind, attributes: &Properties) -> Option<Logical> {
    let number = |key| attributes.get(key).map_or(Some(0), |value| usize::try_from(value.as_u64()?).ok());
    let (precision, scale) = (number("precision")?, number("scale")?);
    let fits = match kind {
        Kind::Fixed(fixed) => precision <= digits(fixed.size),
        _ => true,
    };
    (precision > 0 && scale <= precision && fits).then_some(Logical::Decimal { precision, scale })
}

/// Returns the number of decimal digits that always fit a two's complement number of `size` bytes.
fn digits(size: usize) -> usize {
    let bits = size.saturating_mul(8).saturating_sub(1);
    (bits as f64 * std::f64::consts::LOG10_2).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Fixed, Name};

    fn fixed(size: usize) -> Kind {
        Kind::Fixed(Fixed { name: Name::new("f", None).unwrap(), aliases: vec![], doc: None, size })
    }

    fn read(kind: &Kind, json: &str) -> Option<Logical> {
        Logical::read(kind, &serde_json::from_str(json).unwrap())
    }

    #[test]
    fn digits_of_a_fixed_are_those_of_its_largest_number() {
        let table = [(0, 0), (1, 2), (2, 4), (3, 6), (4, 9), (8, 18), (12, 28), (16, 38), (32, 76)];
        for (size, expected) in table {
            assert_eq!(digits(size), expected, "{size}");
        }
    }

    #[test]
    fn logical_types_are_read_on_their_own_base_only() {
        let bases = || {
            [Kind::Null, Kind::Int, Kind::Long, Kind::Float, Kind::Bytes, Kind::String, fixed(12), fixed(16)]
                .map(|kind| (kind.type_name(), kind))
        };
        let table: [(&str, &[usize]); 14] = [
            ("decimal\",\"precision\":\"x", &[]),
            ("big-decimal", &[4]),
            ("uuid", &[5, 7]),
            ("date", &[1]),
            ("time-millis", &[1]),
            ("time-micros", &[2]),
            ("timestamp-millis", &[2]),
            ("timestamp-micros", &[2]),
            ("timestamp-nanos", &[2]),
            ("local-timestamp-millis", &[2]),
            ("local-timestamp-micros", &[2]),
            ("local-timestamp-nanos", &[2]),
            ("duration", &[6]),
            ("unheard-of", &[]),
        ];
        for (name, valid) in table {
            for (at, (base, kind)) in bases().iter().enumerate() {
                let logical = read(kind, &format!(r#"{{"logicalType":"{name}"}}"#));
                assert_eq!(logical.is_some(), valid.contains(&at), "{name} on {base}");
                assert!(logical.is_none_or(|logical| logical.name() == name), "{name}");
            }
        }
    }

    #[test]
    fn decimals_are_read_where_they_are_valid() {
        let table = [
            (Kind::Bytes, r#""precision":4,"scale":2"#, Some((4, 2))),
            (Kind::Bytes, r#""precision":76"#, Some((76, 0))),
            (Kind::Bytes, r#""precision":4,"scale":4"#, Some((4, 4))),
            (Kind::Bytes, r#""precision":4,"scale":5"#, None),
            (Kind::Bytes, r#""precision":0"#, None),
            (Kind::Bytes, r#""precision":-1"#, None),
            (Kind::Bytes, r#""precision":"4""#, None),
            (Kind::Bytes, r#""precision":4,"scale":-1"#, None),
            (Kind::Bytes, r#""scale":0"#, None),
            (Kind::String, r#""precision":4"#, None),
            (fixed(2), r#""precision":4"#, Some((4, 0))),
            (fixed(2), r#""precision":5"#, None),
            (fixed(0), r#""precision":1"#, None),
        ];
        for (kind, attributes, expected) in table {
            let expected = expected.map(|(precision, scale)| Logical::Decimal { precision, scale });
            assert_eq!(read(&kind, &format!(r#"{{"logicalType":"decimal",{attributes}}}"#)), expected, "{attributes}");
        }
    }

    #[test]
    fn what_would_change_the_value_is_not_read_as_another_logical_type() {
        use Logical::*;
        let decimal = |precision, scale| Decimal { precision, scale };
        let table = [
            (decimal(4, 2), decimal(9, 2), true),
            (decimal(9, 2), decimal(4, 2), false),
            (decimal(9, 2), decimal(9, 3), false),
            (Date, Date, true),
            (Date, TimestampMillis, false),
            (TimestampMillis, TimestampMicros, false),
            (TimestampMillis, LocalTimestampMillis, true),
            (LocalTimestampNanos, TimestampMicros, false),
            (BigDecimal, decimal(9, 2), false),
        ];
        for (writer, reader, expected) in table {
            assert_eq!(writer.reads_as(reader), expected, "{writer} {reader}");
        }
    }
}
