//! Timestamps whose writer's unit is not the reader's.

use super::primitive::Number;
use crate::binary::{Fault, read_long};

/// A long, multiplied.
#[derive(Clone)]
pub(crate) struct Times<const FACTOR: i64>;

/// A long, divided and rounded down.
#[derive(Clone)]
pub(crate) struct Over<const FACTOR: i64>;

impl<const FACTOR: i64> Number for Times<FACTOR> {
    type Native = i64;

    #[inline(always)]
    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        let (number, pos) = read_long(bytes, pos)?;
        match number.checked_mul(FACTOR) {
            Some(scaled) => Ok((scaled, pos)),
            None => Err(too_far(number)),
        }
    }
}

impl<const FACTOR: i64> Number for Over<FACTOR> {
    type Native = i64;

    #[inline(always)]
    fn read(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
        let (number, pos) = read_long(bytes, pos)?;
        Ok((number.div_euclid(FACTOR), pos))
    }
}

/// Returns the error of a number that the cast overflows. The file is valid.
#[cold]
#[inline(never)]
pub(super) fn too_far(number: i64) -> Fault {
    Fault::mismatch(format!("timestamp {number} does not fit in the finer unit of the schema that the file is read as"))
}
