//! int, long, float and double, from types in memory whose every value fits.

use polars_arrow::types::NativeType;
use polars_utils::float16::pf16;

use super::primitive::Number;
use crate::binary::{Fault, MAX_VARINT, put_array, put_array_after, put_byte, put_long, put_long_after};

/// Generates a writer of numbers: name, type in memory, width, its functions without and with a byte before, and their
/// arguments.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident: $native:ty, $width:expr, $put:ident, $put_after:ident, |$value:ident| $wire:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name;

        impl Number for $name {
            type Native = $native;

            const WIDTH: usize = $width;

            #[inline(always)]
            fn write($value: $native, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
                Ok($put(out, pos, $wire))
            }

            #[inline(always)]
            fn write_after(first: u8, $value: $native, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
                Ok($put_after(out, pos, first, $wire))
            }
        }
    };
}

number!(/// int, from 8 bits
    Int8: i8, 2, put_long, put_long_after, |value| value.into());
number!(/// int, from 16 bits
    Int16: i16, 3, put_long, put_long_after, |value| value.into());
number!(/// int
    Int32: i32, 5, put_long, put_long_after, |value| value.into());
number!(/// long
    Int64: i64, MAX_VARINT, put_long, put_long_after, |value| value);
number!(/// int, from 8 bits without sign
    UInt8: u8, 2, put_long, put_long_after, |value| value.into());
number!(/// int, from 16 bits without sign
    UInt16: u16, 3, put_long, put_long_after, |value| value.into());
number!(/// long, from 32 bits without sign
    UInt32: u32, 5, put_long, put_long_after, |value| value.into());
number!(/// float
    Float: f32, 4, put_array, put_array_after, |value| value.to_le_bytes());
number!(/// float, from 16 bits
    HalfAsFloat: pf16, 4, put_array, put_array_after, |value| f32::from(value.0).to_le_bytes());
number!(/// double
    Double: f64, 8, put_array, put_array_after, |value| value.to_le_bytes());
number!(/// double, from a float
    FloatAsDouble: f32, 8, put_array, put_array_after, |value| f64::from(value).to_le_bytes());

/// time-micros on long, from nanoseconds in Polars
#[derive(Clone)]
pub(crate) struct TimeMicros;

impl Number for TimeMicros {
    type Native = i64;

    const WIDTH: usize = MAX_VARINT;

    #[inline(always)]
    fn write(nanos: i64, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        let micros = nanos / 1000;
        if micros * 1000 == nanos { Ok(put_long(out, pos, micros)) } else { Err(too_fine(nanos)) }
    }

    #[inline(always)]
    fn write_after(first: u8, nanos: i64, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        let pos = put_byte(out, pos, first);
        Self::write(nanos, out, pos)
    }
}

#[cold]
#[inline(never)]
fn too_fine(nanos: i64) -> Fault {
    Fault::data(format!(
        "time of day {nanos} ns is no whole number of microseconds, as `time-micros` needs: truncate the column with \
         `(column.cast(pl.Int64) // 1000 * 1000).cast(pl.Time)`, or give it \
         `{{\"type\": \"long\", \"polars.dtype\": \"Time\"}}` in the Avro schema"
    ))
}

/// Returns the maximum size of a value of this type as a varint.
pub(super) const fn varint_width<T: NativeType>() -> usize {
    (size_of::<T>() * 8 + 1).div_ceil(7)
}
