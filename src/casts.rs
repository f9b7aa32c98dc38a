//! Conversions that options allow beyond the rules of schema resolution.

/// A conversion that is not part of schema resolution, or that is lossy.
///
/// ```
/// use polars_avro::{Cast, Evolution};
///
/// let evolution = Evolution::default().with_casts([Cast::EnumToString]);
/// assert!(evolution.casts.allow(Cast::EnumToString));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cast {
    /// Integers to wider ones, and decimals to ones of more digits. Only [`Evolution::exact`](crate::Evolution::exact) needs it.
    IntegerUpcast,
    /// Floats to wider ones. Only [`Evolution::exact`](crate::Evolution::exact) needs it.
    FloatUpcast,
    /// int and long to float and double, even if a float has too few digits.
    IntegerToFloat,
    /// int and long to Float16: the nearest one, or an infinity.
    IntegerToHalf,
    /// double to float: the nearest one, or an infinity.
    FloatDowncast,
    /// Nanoseconds to microseconds and milliseconds, rounded down.
    NanosecondDowncast,
    /// Microseconds to milliseconds, rounded down.
    MicrosecondDowncast,
    /// Microseconds to nanoseconds.
    MicrosecondUpcast,
    /// Milliseconds to microseconds and nanoseconds.
    MillisecondUpcast,
    /// Timestamps to those in another time zone, or without one, of the same numbers.
    ConvertTimezone,
    /// An enum to string: the symbol.
    EnumToString,
    /// string to bytes.
    StringToBytes,
}

/// A set of [`Cast`]s.
///
/// ```
/// use polars_avro::{Cast, Casts};
///
/// let casts = Casts::none().with(Cast::IntegerToFloat);
/// assert!(casts.allow(Cast::IntegerToFloat) && !casts.allow(Cast::FloatDowncast));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Casts(u16);

impl Casts {
    /// The casts that the union of several schemas needs, see [`Schema::union`](crate::Schema::union).
    pub const OF_UNION: Self = Self::none()
        .with(Cast::IntegerToFloat)
        .with(Cast::MicrosecondUpcast)
        .with(Cast::MillisecondUpcast)
        .with(Cast::EnumToString)
        .with(Cast::StringToBytes);

    /// Returns an empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Returns these casts and one more.
    #[must_use]
    pub const fn with(self, cast: Cast) -> Self {
        Self(self.0 | 1 << cast as u16)
    }

    /// Returns true if a cast is one of these.
    #[must_use]
    pub const fn allow(self, cast: Cast) -> bool {
        self.0 & 1 << cast as u16 != 0
    }
}

impl FromIterator<Cast> for Casts {
    fn from_iter<I: IntoIterator<Item = Cast>>(casts: I) -> Self {
        casts.into_iter().fold(Self::none(), Self::with)
    }
}
