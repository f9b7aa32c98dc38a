//! Encoding: one file per column kind, all implementing [`Column`], name for name as in `decode/`.
//!
//! The write plan makes columns without values. Each batch binds them to its arrays without a copy. Runs of rows are
//! then written value by value into memory that is large enough by an upper bound. [`AnyColumn`] is the list of kinds,
//! and a macro generates its dispatch.

mod boolean;
mod categorical;
mod convert;
mod converted;
mod decimal;
mod default;
mod duration;
mod enumeration;
mod fixed;
mod list;
mod map;
mod null;
mod nullable;
mod number;
mod primitive;
mod record;
mod staged;
mod union;
mod view;

use std::ops::Range;

use polars_arrow::array::Array;

use crate::binary::{Fault, put_byte};

pub(crate) use boolean::Boolean;
pub(crate) use categorical::Categorical;
pub(crate) use convert::Conversion;
pub(crate) use converted::Converted;
pub(crate) use decimal::Decimal;
pub(crate) use default::DefaultValue;
pub(crate) use duration::Duration;
pub(crate) use enumeration::Enumeration;
pub(crate) use fixed::Fixed;
pub(crate) use list::{FixedList, List};
pub(crate) use map::Map;
pub(crate) use null::Null;
pub(crate) use nullable::{Branch, Nullable, Required};
pub(crate) use number::{
    Double, Float, FloatAsDouble, HalfAsFloat, Int8, Int16, Int32, Int64, TimeMicros, UInt8, UInt16, UInt32,
};
pub(crate) use primitive::Primitive;
pub(crate) use record::Record;
pub(crate) use staged::Stage;
pub(crate) use union::Union;
pub(crate) use view::{Bytes, Utf8, Views};

/// A column of values of one type, written from the memory of an array.
pub(crate) trait Column: Clone + Send + Sync {
    /// True if [`Column::encode_each`] writes a record column by column, which pays off for many rows at once.
    const IN_COLUMNS: bool = false;

    /// Returns the column bound to the values of `array`, which has the dtype that the plan was made for.
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault>;

    /// Returns an upper bound of the size of these rows, in bytes.
    fn bound(&self, rows: Range<usize>) -> usize;

    /// Writes the value of `row` at `pos`; returns the position after it. Nulls are handled by the enclosing kinds.
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault>;

    /// Writes the values of these rows one after the other; returns the position after the last.
    #[inline]
    fn encode_run(&self, rows: Range<usize>, out: &mut [u8], mut pos: usize) -> Result<usize, Fault> {
        for row in rows {
            pos = self.encode(row, out, pos)?;
        }
        Ok(pos)
    }

    /// Returns an upper bound of the size of the largest value of these rows, in bytes.
    #[inline]
    fn widest(&self, rows: Range<usize>) -> usize {
        rows.map(|row| self.bound(row..row + 1)).max().unwrap_or(0)
    }

    /// Appends a value to each of these rows at its entry of `ends`, and advances the entry. A value is at most
    /// [`Column::widest`] bytes long, and [`SLACK`](crate::binary::SLACK) bytes after it may be overwritten.
    #[inline]
    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (row, end) in rows.zip(ends) {
            *end = self.encode(row, out, *end)?;
        }
        Ok(())
    }

    /// Writes the byte `first` and a value at the end of each of these rows, as [`Column::encode_each`].
    #[inline]
    fn encode_each_after(
        &self,
        first: u8,
        rows: Range<usize>,
        out: &mut [u8],
        ends: &mut [usize],
    ) -> Result<(), Fault> {
        for (row, end) in rows.zip(ends) {
            let pos = put_byte(out, *end, first);
            *end = self.encode(row, out, pos)?;
        }
        Ok(())
    }
}

/// Downcasts an array to the type of its dtype.
fn downcast<A: Array + 'static>(array: &dyn Array) -> &A {
    array.as_any().downcast_ref().expect("a batch has the dtypes that its plan was made for")
}

/// Generates [`AnyColumn`] and its dispatch from the list of kinds.
macro_rules! columns {
    ($($kind:ident($column:ty)),* $(,)?) => {
        /// One column of any kind.
        #[derive(Clone)]
        pub(crate) enum AnyColumn { $($kind($column)),*, Required(Required), Converted(Box<Converted>) }

        impl Column for AnyColumn {
            fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
                match self {
                    // A bound conversion is only the inner column, and so is a check for nulls if there are none.
                    Self::Converted(converted) => converted.bind(array),
                    Self::Required(required) => required.bind(array),
                    $(Self::$kind(column) => column.bind(array).map(Self::$kind)),*
                }
            }

            fn bound(&self, rows: Range<usize>) -> usize {
                match self {
                    Self::Converted(converted) => converted.column().bound(rows),
                    Self::Required(required) => required.bound(rows),
                    $(Self::$kind(column) => column.bound(rows)),*
                }
            }

            fn encode_run(&self, rows: Range<usize>, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
                match self {
                    Self::Converted(converted) => converted.encode_run(rows, out, pos),
                    Self::Required(required) => required.encode_run(rows, out, pos),
                    $(Self::$kind(column) => column.encode_run(rows, out, pos)),*
                }
            }

            fn widest(&self, rows: Range<usize>) -> usize {
                match self {
                    Self::Converted(converted) => converted.column().widest(rows),
                    Self::Required(required) => required.widest(rows),
                    $(Self::$kind(column) => column.widest(rows)),*
                }
            }

            fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
                match self {
                    Self::Converted(converted) => converted.encode_each(rows, out, ends),
                    Self::Required(required) => required.encode_each(rows, out, ends),
                    $(Self::$kind(column) => column.encode_each(rows, out, ends)),*
                }
            }

            #[inline(always)]
            fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
                Ok(match self {
                    $(Self::$kind(column) => column.encode(row, out, pos)?,)*
                    Self::Required(required) => required.encode(row, out, pos)?,
                    Self::Converted(converted) => converted.encode(row, out, pos)?,
                })
            }
        }

        $(impl From<$column> for AnyColumn {
            fn from(column: $column) -> Self { Self::$kind(column) }
        })*
    };
}

columns! {
    Null(Null),
    Boolean(Boolean),
    Int8(Primitive<Int8>),
    Int16(Primitive<Int16>),
    Int32(Primitive<Int32>),
    Int64(Primitive<Int64>),
    UInt8(Primitive<UInt8>),
    UInt16(Primitive<UInt16>),
    UInt32(Primitive<UInt32>),
    Float(Primitive<Float>),
    Double(Primitive<Double>),
    HalfAsFloat(Primitive<HalfAsFloat>),
    FloatAsDouble(Primitive<FloatAsDouble>),
    TimeMicros(Primitive<TimeMicros>),
    String(Views<Utf8>),
    Bytes(Views<Bytes>),
    Fixed(Fixed),
    Enum8(Enumeration<u8>),
    Enum16(Enumeration<u16>),
    Enum32(Enumeration<u32>),
    Categorical8(Categorical<u8>),
    Categorical16(Categorical<u16>),
    Categorical32(Categorical<u32>),
    Decimal(Decimal<i128>),
    UInt64(Decimal<u64>),
    UInt128(Decimal<u128>),
    Duration(Duration),
    NullableBoolean(Nullable<Boolean>),
    NullableInt32(Nullable<Primitive<Int32>>),
    NullableInt64(Nullable<Primitive<Int64>>),
    NullableUInt32(Nullable<Primitive<UInt32>>),
    NullableFloat(Nullable<Primitive<Float>>),
    NullableDouble(Nullable<Primitive<Double>>),
    NullableString(Nullable<Views<Utf8>>),
    NullableBytes(Nullable<Views<Bytes>>),
    NullableEnum8(Nullable<Enumeration<u8>>),
    NullableCategorical32(Nullable<Categorical<u32>>),
    NullableDecimal(Nullable<Decimal<i128>>),
    NullableList(Nullable<Box<List>>),
    NullableMap(Nullable<Box<Map>>),
    NullableRecord(Nullable<Box<Record>>),
    Nullable(Nullable<Box<AnyColumn>>),
    List(Box<List>),
    FixedList(Box<FixedList>),
    Map(Box<Map>),
    Record(Box<Record>),
    Union(Box<Union>),
    Default(DefaultValue),
}

impl<C: Column> Column for Box<C> {
    const IN_COLUMNS: bool = C::IN_COLUMNS;

    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        (**self).bind(array).map(Self::new)
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        (**self).bound(rows)
    }

    #[inline]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        (**self).encode(row, out, pos)
    }

    fn encode_run(&self, rows: Range<usize>, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        (**self).encode_run(rows, out, pos)
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        (**self).widest(rows)
    }

    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        (**self).encode_each(rows, out, ends)
    }
}
