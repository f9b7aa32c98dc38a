//! Decoding: one file per column kind, all implementing [`Column`].
//!
//! The plan makes an empty column, each task clones it, appends value after value, and finishes it as an Arrow array.
//! Each kind's file defines how a value is read, what a null appends and which array results. [`AnyColumn`] is the list
//! of kinds, and a macro generates its dispatch. This keeps the position in a register from one column to the next,
//! whereas every virtual call would pass it through memory.

mod across;
mod big_decimal;
mod boolean;
mod categorical;
mod decimal;
mod default;
mod duration;
mod entries;
mod enumeration;
mod extension;
mod fixed;
mod fixed_list;
mod interleave;
mod iso_timestamp;
mod json;
mod list;
mod map;
mod merge;
mod narrow;
mod null;
mod null_if_invalid;
mod nullable;
mod number;
mod primitive;
mod record;
mod replaced;
mod room;
mod scaled;
mod scaled_number;
mod shortfall;
mod skip;
mod skipped;
mod symbol;
mod text;
mod time;
mod too_deep;
mod union;
mod uuid;
mod validity;
mod value_text;
mod view;
mod view_array;
mod whole_number;
mod wide_decimal;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_utils::float16::pf16;

use crate::binary::Fault;

pub(crate) use across::Rows;
pub(crate) use big_decimal::BigDecimal;
pub(crate) use boolean::Boolean;
pub(crate) use categorical::Categorical;
pub(crate) use decimal::Decimal;
pub(crate) use default::DefaultValue;
pub(crate) use duration::Duration;
pub(crate) use entries::Entries;
pub(crate) use enumeration::Enumeration;
pub(crate) use extension::Extension;
pub(crate) use fixed::Fixed;
pub(crate) use fixed_list::FixedList;
pub(crate) use iso_timestamp::{LocalText, ZonedText};
pub(crate) use json::{Json, JsonGraph};
pub(crate) use list::{ItemBudget, List};
pub(crate) use map::Map;
pub(crate) use merge::Merge;
pub(crate) use narrow::{
    DoubleAsHalf, FloatAsHalf, Int8, Int16, IntAsHalf, LongAsHalf, LongAsUInt64, LongAsUInt128, UInt8, UInt16, UInt32,
};
pub(crate) use null::Null;
pub(crate) use null_if_invalid::NullIfInvalid;
pub(crate) use nullable::{Nullable, NullableUnion};
pub(crate) use number::{
    Double, DoubleAsFloat, Float, FloatAsDouble, Int, IntAsDouble, IntAsFloat, IntAsLong, Long, LongAsDouble,
    LongAsFloat, LongAsInt128,
};
pub(crate) use primitive::Primitive;
pub(crate) use record::Record;
pub(crate) use replaced::take_replaced;
pub(crate) use room::NextLook;
pub(crate) use scaled::{Over, Times};
pub(crate) use scaled_number::ScaledNumber;
pub(crate) use shortfall::explained;
pub(crate) use skip::{Skip, SkipPrograms};
pub(crate) use skipped::{Skipped, UNREAD};
pub(crate) use symbol::Symbol;
pub(crate) use text::Text;
pub(crate) use time::{TimeMicros, TimeMillis, TimeNanos};
pub(crate) use too_deep::TooDeep;
pub(crate) use union::{BranchAction, Union};
pub(crate) use uuid::{UuidBytes, UuidText};
pub(crate) use value_text::ValueText;
pub(crate) use view::{Bytes, Utf8, Views};
pub(crate) use whole_number::Whole;
pub(crate) use wide_decimal::WideDecimal;

/// A column of values of one type, decoded into the memory that becomes the array.
pub(crate) trait Column: Clone + Send + Sync {
    /// Appends the value at `pos`; returns the position after it. After an error the state of the column is
    /// unspecified.
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault>;

    /// Appends the value of each of these rows at its position, and advances the position. If it fails, earlier rows
    /// may be at fault too.
    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        rows.advance(positions, |bytes, pos| self.decode(bytes, pos))
    }

    /// Appends `n` nulls.
    fn push_nulls(&mut self, n: usize);

    /// Reserves capacity for `n` more values, assuming the size of the existing ones.
    fn reserve(&mut self, n: usize);

    /// Returns the dtype of the array, including nested names and metadata.
    fn dtype(&self) -> ArrowDataType;

    /// Returns the field of this name for the array.
    fn field(&self, name: &str) -> Field {
        Field::new(name.into(), self.dtype(), true)
    }

    /// Returns the array of all values so far; leaves the column empty.
    fn finish(&mut self) -> Box<dyn Array>;
}

/// Delegates all methods except decoding to the column in a field.
macro_rules! delegate_to {
    ($field:ident) => {
        fn push_nulls(&mut self, n: usize) {
            self.$field.push_nulls(n);
        }

        fn reserve(&mut self, n: usize) {
            self.$field.reserve(n);
        }

        fn dtype(&self) -> ArrowDataType {
            self.$field.dtype()
        }

        fn field(&self, name: &str) -> Field {
            self.$field.field(name)
        }

        fn finish(&mut self) -> Box<dyn Array> {
            self.$field.finish()
        }
    };
}

pub(crate) use delegate_to;

/// Generates [`AnyColumn`] and its dispatch from the list of kinds.
macro_rules! columns {
    ($($kind:ident($column:ty)),* $(,)?) => {
        /// One column of any kind.
        ///
        /// The explicit tag selects the code of a kind directly. Without it the compiler stores the kind in a field of the
        /// largest column, and computes it again for every value: five instructions of the 45 that a value takes.
        #[derive(Clone)]
        #[repr(u8)]
        pub(crate) enum AnyColumn { $($kind($column)),* }

        impl Column for AnyColumn {
            #[inline(always)]
            fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
                // Each kind returns its own fault, so that no result is built and matched again.
                Ok(match self { $(Self::$kind(column) => column.decode(bytes, pos)?),* })
            }

            fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
                match self { $(Self::$kind(column) => column.decode_across(rows, positions)),* }
            }

            fn push_nulls(&mut self, n: usize) {
                match self { $(Self::$kind(column) => column.push_nulls(n)),* }
            }

            fn reserve(&mut self, n: usize) {
                match self { $(Self::$kind(column) => column.reserve(n)),* }
            }

            fn dtype(&self) -> ArrowDataType {
                match self { $(Self::$kind(column) => column.dtype()),* }
            }

            fn field(&self, name: &str) -> Field {
                match self { $(Self::$kind(column) => column.field(name)),* }
            }

            fn finish(&mut self) -> Box<dyn Array> {
                match self { $(Self::$kind(column) => column.finish()),* }
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
    Int(Primitive<Int>),
    Long(Primitive<Long>),
    Float(Primitive<Float>),
    Double(Primitive<Double>),
    IntAsLong(Primitive<IntAsLong>),
    IntAsFloat(Primitive<IntAsFloat>),
    IntAsDouble(Primitive<IntAsDouble>),
    LongAsFloat(Primitive<LongAsFloat>),
    LongAsDouble(Primitive<LongAsDouble>),
    FloatAsDouble(Primitive<FloatAsDouble>),
    DoubleAsFloat(Primitive<DoubleAsFloat>),
    TimesThousand(Primitive<Times<1_000>>),
    TimesMillion(Primitive<Times<1_000_000>>),
    OverThousand(Primitive<Over<1_000>>),
    OverMillion(Primitive<Over<1_000_000>>),
    TimeMillis(Primitive<TimeMillis>),
    TimeMicros(Primitive<TimeMicros>),
    TimeNanos(Primitive<TimeNanos>),
    Int8(Primitive<Int8>),
    Int16(Primitive<Int16>),
    UInt8(Primitive<UInt8>),
    UInt16(Primitive<UInt16>),
    UInt32(Primitive<UInt32>),
    FloatAsHalf(Primitive<FloatAsHalf>),
    IntAsHalf(Primitive<IntAsHalf>),
    LongAsHalf(Primitive<LongAsHalf>),
    DoubleAsHalf(Primitive<DoubleAsHalf>),
    LongAsUInt64(Primitive<LongAsUInt64>),
    LongAsInt128(Primitive<LongAsInt128>),
    LongAsUInt128(Primitive<LongAsUInt128>),
    UInt64(Whole<u64>),
    Int128(Whole<i128>),
    UInt128(Whole<u128>),
    WholeAsFloat(Whole<f32>),
    WholeAsDouble(Whole<f64>),
    WholeAsHalf(Whole<pf16>),
    Categorical(Box<Categorical>),
    String(Views<Utf8>),
    Bytes(Views<Bytes>),
    Fixed(Fixed),
    Enum8(Enumeration<u8>),
    Enum16(Enumeration<u16>),
    Enum32(Enumeration<u32>),
    Decimal(Decimal),
    WideDecimal(Box<Text<WideDecimal>>),
    BigDecimal(Box<Text<BigDecimal>>),
    UuidText(Box<Text<UuidText>>),
    UuidBytes(Box<Text<UuidBytes>>),
    Json(Box<Text<Json>>),
    Symbol(Box<Text<Symbol>>),
    Duration(Box<Duration>),
    NullableBoolean(Nullable<Boolean>),
    NullableInt(Nullable<Primitive<Int>>),
    NullableLong(Nullable<Primitive<Long>>),
    NullableFloat(Nullable<Primitive<Float>>),
    NullableDouble(Nullable<Primitive<Double>>),
    NullableString(Nullable<Views<Utf8>>),
    NullableBytes(Nullable<Views<Bytes>>),
    NullableTimeMillis(Nullable<Primitive<TimeMillis>>),
    NullableTimeMicros(Nullable<Primitive<TimeMicros>>),
    NullableEnum8(Nullable<Enumeration<u8>>),
    NullableDecimal(Nullable<Decimal>),
    NullableList(Nullable<Box<List>>),
    NullableMap(Nullable<Box<Map>>),
    NullableRecord(Nullable<Box<Record>>),
    Nullable(Nullable<Box<AnyColumn>>),
    NullableUnion(Box<NullableUnion>),
    List(Box<List>),
    Map(Box<Map>),
    FixedList(Box<FixedList>),
    Entries(Box<Entries>),
    Extension(Box<Extension>),
    Record(Box<Record>),
    Union(Box<Union>),
    Merge(Box<Merge>),
    Default(Box<DefaultValue>),
    Skipped(Skipped),
    LocalText(Primitive<LocalText>),
    ZonedText(Primitive<ZonedText>),
    ScaledNumber(Box<Text<ScaledNumber>>),
    ValueText(Box<Text<ValueText>>),
    NullIfInvalid(Box<NullIfInvalid>),
    TooDeep(Box<TooDeep>),
}

impl<C: Column> Column for Box<C> {
    #[inline]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        (**self).decode(bytes, pos)
    }

    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        (**self).decode_across(rows, positions)
    }

    fn push_nulls(&mut self, n: usize) {
        (**self).push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        (**self).reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        (**self).dtype()
    }

    fn field(&self, name: &str) -> Field {
        (**self).field(name)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        (**self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a hundred columns fit into half of an L1 cache of 32 kB.
    #[test]
    fn columns_are_small() {
        assert!(size_of::<AnyColumn>() <= 128);
    }
}
