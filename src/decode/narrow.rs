//! Numbers of dtypes that Avro has no type for, from the wider type that they were written as. Every value is checked.

use polars_utils::float16::pf16;

use super::number::{DoubleAsFloat, Float, IntAsFloat, LongAsFloat};
use super::primitive::Number;
use crate::binary::{Fault, read_long};

/// Generates a reader of integers that may not fit: name, type in memory and dtype. An int is read like a long.
macro_rules! narrow {
    ($($(#[$doc:meta])* $name:ident: $native:ty = $dtype:literal),* $(,)?) => {
        $($(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name;

        impl Number for $name {
            type Native = $native;

            #[inline(always)]
            fn read(bytes: &[u8], pos: usize) -> Result<($native, usize), Fault> {
                let (value, pos) = read_long(bytes, pos)?;
                match <$native>::try_from(value) {
                    Ok(value) => Ok((value, pos)),
                    Err(_) => Err(misfit(value, $dtype)),
                }
            }
        })*
    };
}

narrow!(/// `Int8`
    Int8: i8 = "Int8", /// `Int16`
    Int16: i16 = "Int16", /// `UInt8`
    UInt8: u8 = "UInt8", /// `UInt16`
    UInt16: u16 = "UInt16", /// `UInt32`
    UInt32: u32 = "UInt32", /// A narrower number, cast to `UInt64`
    LongAsUInt64: u64 = "UInt64", /// A narrower number, cast to `UInt128`
    LongAsUInt128: u128 = "UInt128");

/// Generates a reader of Float16: name, and the number that it is read as first.
macro_rules! half {
    ($($(#[$doc:meta])* $name:ident: $float:ty),* $(,)?) => {
        $($(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name;

        impl Number for $name {
            type Native = pf16;

            #[inline(always)]
            fn read(bytes: &[u8], pos: usize) -> Result<(pf16, usize), Fault> {
                let (value, pos) = <$float>::read(bytes, pos)?;
                Ok((pf16::from(value), pos))
            }
        })*
    };
}

half!(/// float, read as Float16
    FloatAsHalf: Float, /// double, cast to Float16
    DoubleAsHalf: DoubleAsFloat, /// int, read as Float16
    IntAsHalf: IntAsFloat, /// long, read as Float16
    LongAsHalf: LongAsFloat);

#[cold]
#[inline(never)]
fn misfit(value: i64, dtype: &str) -> Fault {
    Fault::invalid(format!("{value} does not fit {dtype}, which the schema says the column is"))
}
