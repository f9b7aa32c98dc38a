//! int, long, float and double, and the promotions between them (specification, "Schema Resolution").

use super::primitive::Number;
use crate::binary::{Fault, read_array, read_int, read_long};

/// Generates a reader of numbers: name, type in memory, reader, conversion.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident: $native:ty, $read:expr, $convert:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name;

        impl Number for $name {
            type Native = $native;

            #[inline(always)]
            fn read(bytes: &[u8], pos: usize) -> Result<($native, usize), Fault> {
                let (value, pos) = $read(bytes, pos)?;
                Ok(($convert(value), pos))
            }
        }
    };
}

number!(/// int
    Int: i32, read_int, std::convert::identity);
number!(/// long
    Long: i64, read_long, std::convert::identity);
number!(/// float
    Float: f32, read_array::<4>, |bytes: &[u8; 4]| f32::from_le_bytes(*bytes));
number!(/// double
    Double: f64, read_array::<8>, |bytes: &[u8; 8]| f64::from_le_bytes(*bytes));
number!(/// int, read as long
    IntAsLong: i64, read_int, i64::from);
number!(/// int, read as float
    IntAsFloat: f32, read_int, |int: i32| int as f32);
number!(/// int, read as double
    IntAsDouble: f64, read_int, f64::from);
number!(/// int or long, cast to Int128
    LongAsInt128: i128, read_long, i128::from);
number!(/// long, read as float
    LongAsFloat: f32, read_long, |long: i64| long as f32);
number!(/// long, read as double
    LongAsDouble: f64, read_long, |long: i64| long as f64);
number!(/// float, read as double
    FloatAsDouble: f64, read_array::<4>, |bytes: &[u8; 4]| f64::from(f32::from_le_bytes(*bytes)));
number!(/// double, cast to float
    DoubleAsFloat: f32, read_array::<8>, |bytes: &[u8; 8]| f64::from_le_bytes(*bytes) as f32);
