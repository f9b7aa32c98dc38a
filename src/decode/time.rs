//! Times of day (specification, "Time"). Polars stores nanoseconds since midnight.

use super::primitive::Number;
use crate::binary::{Fault, read_int, read_long};

const DAY: i64 = 86_400_000_000_000;

/// time-millis on int
#[derive(Clone)]
pub(crate) struct TimeMillis;

/// time-micros on long; an int promoted to long is written the same way
#[derive(Clone)]
pub(crate) struct TimeMicros;

impl Number for TimeMillis {
    type Native = i64;

    #[inline(always)]
    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        let (millis, pos) = read_int(bytes, pos)?;
        Ok((of_day(i64::from(millis), 1_000_000)?, pos))
    }
}

impl Number for TimeMicros {
    type Native = i64;

    #[inline(always)]
    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        let (micros, pos) = read_long(bytes, pos)?;
        Ok((of_day(micros, 1_000)?, pos))
    }
}

/// Nanoseconds on long, which Avro has no logical type for
#[derive(Clone)]
pub(crate) struct TimeNanos;

impl Number for TimeNanos {
    type Native = i64;

    #[inline(always)]
    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        let (nanos, pos) = read_long(bytes, pos)?;
        Ok((of_day(nanos, 1)?, pos))
    }
}

/// Checks that a time is within one day: Polars would show other values as another time.
#[inline(always)]
fn of_day(count: i64, nanos: i64) -> Result<i64, Fault> {
    if (0..DAY / nanos).contains(&count) { Ok(count * nanos) } else { Err(outside(count)) }
}

#[cold]
#[inline(never)]
fn outside(count: i64) -> Fault {
    Fault::invalid(format!("time of day {count} is outside 00:00-24:00"))
}
