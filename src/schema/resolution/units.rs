//! Times of day, timestamps and durations in different units.

use std::cmp::Ordering;

use super::failure::Reason;
use super::{Scale, Wire};
use crate::casts::{Cast, Casts};
use crate::schema::Logical;
use crate::schema::typed::Typed;

/// Resolves times of day, or durations, in different units; `None` if one type is neither, or if the units are equal.
pub(super) fn counts(from: &Typed<'_>, to: &Typed<'_>, casts: Casts) -> Option<Result<Wire, Reason>> {
    if let (Some(from), Some(to)) = (from.time_of_day(), to.time_of_day()) {
        // Polars stores the time of day in nanoseconds, independent of the unit in the file.
        return (from != to).then_some(Ok(Wire::Scaled(scale(from, to))));
    }
    let (from, to) = (from.duration()?, to.duration()?);
    (from != to).then(|| scaled(from, to, casts))
}

/// Resolves timestamps in different units.
pub(super) fn timestamps(from: Logical, to: Logical, casts: Casts) -> Result<Wire, Reason> {
    let (Some((from, is_utc)), Some((to, wants_utc))) = (from.timestamp(), to.timestamp()) else {
        return Err(Reason::default());
    };
    if is_utc && !wants_utc && !casts.allow(Cast::ConvertTimezone) {
        return Err(Reason::cast(Cast::ConvertTimezone));
    }
    if from == to { Ok(Wire::Long) } else { scaled(from, to, casts) }
}

/// Returns the conversion between units per second, if a cast allows it.
fn scaled(from: i64, to: i64, casts: Casts) -> Result<Wire, Reason> {
    let cast = match from.cmp(&to) {
        Ordering::Less if from == 1_000 => Cast::MillisecondUpcast,
        Ordering::Less | Ordering::Equal => Cast::MicrosecondUpcast,
        Ordering::Greater if from == 1_000_000 => Cast::MicrosecondDowncast,
        Ordering::Greater => Cast::NanosecondDowncast,
    };
    if !casts.allow(cast) {
        return Err(Reason::cast(cast));
    }
    Ok(Wire::Scaled(scale(from, to)))
}

fn scale(from: i64, to: i64) -> Scale {
    if from <= to { Scale::Times(to / from) } else { Scale::Over(from / to) }
}
