//! Conversion of arrays that the caller's schema has another type for. Each batch is converted once, and every value is
//! checked.

use std::collections::HashMap;
use std::sync::Arc;

use polars_arrow::array::{Array, BinaryViewArray, DictionaryArray, DictionaryKey, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;

use super::downcast;
use super::enumeration::AsUsize;
use crate::binary::Fault;

/// A conversion from an array to the array that a column is written from.
#[derive(Clone)]
pub(crate) enum Conversion {
    /// Integers to 32 bits.
    Int,
    /// Integers to 64 bits.
    Long,
    /// Integers to 128 bits.
    Wide,
    /// Integers to a float, which represents them exactly.
    Float,
    /// Integers to a double, which represents them exactly.
    Double,
    /// Counts of a unit to counts of a smaller one.
    Multiply { factor: i64, units: (&'static str, &'static str) },
    /// Counts of a unit to counts of a larger one, without a remainder.
    Divide { factor: i64, units: (&'static str, &'static str) },
    /// Texts to the indices of symbols.
    Symbols(Arc<HashMap<String, u32>>),
    /// Texts of UUIDs, which are checked.
    UuidText,
    /// Texts of UUIDs to their 16 bytes.
    UuidBytes,
}

/// Values that a conversion could not convert.
#[derive(Default)]
pub(super) struct Misfits {
    /// The rows in ascending order.
    pub(super) rows: Vec<usize>,
    pub(super) first: Option<Fault>,
}

impl Misfits {
    /// Records a value, and returns a placeholder for it.
    #[cold]
    fn note<T: Default>(&mut self, row: usize, value: impl std::fmt::Display, what: &str) -> T {
        self.rows.push(row);
        self.first.get_or_insert_with(|| Fault::data(format!("{value} {what}")));
        T::default()
    }
}

impl Conversion {
    /// Converts an array. Values that do not fit are recorded in `misfits` and replaced by placeholders.
    pub(super) fn apply(&self, array: &dyn Array, misfits: &mut Misfits) -> Box<dyn Array> {
        match self {
            Self::Int => integers(array, |value| i32::try_from(value).ok(), "does not fit an Avro int", misfits),
            Self::Long => integers(array, |value| i64::try_from(value).ok(), "does not fit an Avro long", misfits),
            Self::Wide => integers(array, Some, "does not fit a decimal", misfits),
            Self::Float => integers(array, |value| Some(value as f32), "does not fit an Avro float", misfits),
            Self::Double => integers(array, |value| Some(value as f64), "does not fit an Avro double", misfits),
            Self::Multiply { factor, units } => {
                let what = format!("{} do not fit 64 bits in {}", units.0, units.1);
                map(array, |count: i64| count.checked_mul(*factor), &what, misfits)
            }
            Self::Divide { factor, units } => {
                let how = match array.dtype() {
                    ArrowDataType::Time64(_) => &format!(
                        "truncate the column with `(column.cast(pl.Int64) // {factor} * {factor}).cast(pl.Time)`"
                    ),
                    _ => "round the column",
                };
                let what = format!(
                    "{} are no whole number of {}, which the Avro schema has here: {how}, or change the schema",
                    units.0, units.1
                );
                let whole = |count: i64| (count % factor == 0).then(|| count / factor);
                map(array, whole, &what, misfits)
            }
            Self::Symbols(symbols) => indices(array, symbols, misfits),
            Self::UuidText => uuids(array, |text, _| text.into(), misfits),
            Self::UuidBytes => uuids(array, |_, bytes| bytes.to_vec(), misfits),
        }
    }
}

/// Converts every value that is not null with a function that may reject it.
fn map<A: NativeType, B: NativeType>(
    array: &dyn Array,
    convert: impl Fn(A) -> Option<B>,
    what: &str,
    misfits: &mut Misfits,
) -> Box<dyn Array> {
    let array = downcast::<PrimitiveArray<A>>(array);
    let convert = |(row, value): (usize, Option<&A>)| match value {
        Some(&value) => convert(value).unwrap_or_else(|| misfits.note(row, value, what)),
        None => B::default(),
    };
    let values: Vec<B> = array.iter().enumerate().map(convert).collect();
    PrimitiveArray::new(B::PRIMITIVE.into(), values.into(), array.validity().cloned()).boxed()
}

/// Converts integers of any width.
fn integers<B: NativeType>(
    array: &dyn Array,
    convert: impl Fn(i128) -> Option<B>,
    what: &str,
    misfits: &mut Misfits,
) -> Box<dyn Array> {
    match array.dtype().to_storage() {
        ArrowDataType::Int8 => map(array, |value: i8| convert(value.into()), what, misfits),
        ArrowDataType::Int16 => map(array, |value: i16| convert(value.into()), what, misfits),
        ArrowDataType::Int32 => map(array, |value: i32| convert(value.into()), what, misfits),
        ArrowDataType::UInt8 => map(array, |value: u8| convert(value.into()), what, misfits),
        ArrowDataType::UInt16 => map(array, |value: u16| convert(value.into()), what, misfits),
        ArrowDataType::UInt32 => map(array, |value: u32| convert(value.into()), what, misfits),
        ArrowDataType::UInt64 => map(array, |value: u64| convert(value.into()), what, misfits),
        ArrowDataType::Int128 => map(array, convert, what, misfits),
        ArrowDataType::UInt128 => map(array, |value: u128| convert(value.try_into().ok()?), what, misfits),
        // Int64, and the counts of temporal types.
        _ => map(array, |value: i64| convert(value.into()), what, misfits),
    }
}

/// The end of the error message for a text that is not a symbol.
const NO_SYMBOL: &str = "does not fit the symbols of the Avro enum";

/// Returns the index of each text's symbol, from texts or categories.
fn indices(array: &dyn Array, symbols: &HashMap<String, u32>, misfits: &mut Misfits) -> Box<dyn Array> {
    let index = |text: &str| symbols.get(text).copied();
    let Some(texts) = array.as_any().downcast_ref::<Utf8ViewArray>() else {
        let any = array.as_any();
        return match any.downcast_ref::<DictionaryArray<u8>>() {
            Some(array) => category_indices(array, index, misfits),
            None => match any.downcast_ref::<DictionaryArray<u16>>() {
                Some(array) => category_indices(array, index, misfits),
                None => category_indices(downcast::<DictionaryArray<u32>>(array), index, misfits),
            },
        };
    };
    let key = |(row, text): (usize, Option<&str>)| match text {
        Some(text) => index(text).unwrap_or_else(|| misfits.note(row, format_args!("{text:?}"), NO_SYMBOL)),
        None => 0,
    };
    let keys: Vec<u32> = texts.iter().enumerate().map(key).collect();
    PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), texts.validity().cloned()).boxed()
}

/// Returns the same for categories, each of which is looked up once. A category without rows need not be a symbol.
fn category_indices<K: DictionaryKey>(
    array: &DictionaryArray<K>,
    index: impl Fn(&str) -> Option<u32>,
    misfits: &mut Misfits,
) -> Box<dyn Array> {
    let categories = downcast::<Utf8ViewArray>(array.values().as_ref());
    let table: Vec<_> = categories.values_iter().map(index).collect();
    let key = |(row, key): (usize, Option<&K>)| match key.map(|key| key.to_index()) {
        Some(key) => {
            table[key].unwrap_or_else(|| misfits.note(row, format_args!("{:?}", categories.value(key)), NO_SYMBOL))
        }
        None => 0,
    };
    let keys: Vec<u32> = array.keys().iter().enumerate().map(key).collect();
    PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), array.keys().validity().cloned()).boxed()
}

/// Converts each UUID with `make`, from its text and its bytes.
fn uuids(array: &dyn Array, make: impl Fn(&[u8], [u8; 16]) -> Vec<u8>, misfits: &mut Misfits) -> Box<dyn Array> {
    let convert = |(row, text): (usize, Option<&str>)| {
        text.map(|text| match uuid(text) {
            Some(bytes) => make(text.as_bytes(), bytes),
            None => misfits.note(row, format_args!("{text:?}"), "does not fit the form of a UUID"),
        })
    };
    let texts = downcast::<Utf8ViewArray>(array);
    let values: Vec<_> = texts.iter().enumerate().map(convert).collect();
    BinaryViewArray::from_slice(values).boxed()
}

/// Parses a UUID in its canonical form, in upper or lower case.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens = [8, 13, 18, 23];
    let is_canonical = text.len() == 36 && hyphens.iter().all(|&at| text.as_bytes()[at] == b'-');
    let digits: Vec<u8> = text.chars().filter_map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    if !is_canonical || digits.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_in_its_canonical_form_alone() {
        let bytes = uuid("00112233-4455-6677-8899-aabbccddeeFF").unwrap();
        assert_eq!(
            bytes,
            [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]
        );
        for text in [
            "",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233445566778899aabbccddeeff00--",
            "0011223-34455-6677-8899-aabbccddeeff",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    fn applied(conversion: &Conversion, array: &dyn Array) -> (Box<dyn Array>, Misfits) {
        let mut misfits = Misfits::default();
        (conversion.apply(array, &mut misfits), misfits)
    }

    #[test]
    fn nulls_are_converted_whatever_lies_under_them() {
        let array = PrimitiveArray::from([Some(1_i64), None, Some(-1)]).boxed();
        let (ints, misfits) = applied(&Conversion::Int, array.as_ref());
        assert_eq!(ints, PrimitiveArray::from([Some(1_i32), None, Some(-1)]).boxed());
        assert!(misfits.rows.is_empty());
    }

    #[test]
    fn values_that_do_not_fit_are_told_by_their_rows() {
        let odd = PrimitiveArray::from_slice([0, 1_i64 << 31, 1500, -(1 << 40)]).boxed();
        let (_, misfits) = applied(&Conversion::Int, odd.as_ref());
        assert_eq!(misfits.rows, [1, 3]);
        assert_eq!(misfits.first.unwrap().into_error().message(), "2147483648 does not fit an Avro int");
        let units = ("ms", "s");
        assert_eq!(applied(&Conversion::Divide { factor: 1000, units }, odd.as_ref()).1.rows, [1, 2, 3]);
        assert_eq!(applied(&Conversion::Multiply { factor: i64::MAX / 2, units }, odd.as_ref()).1.rows, [1, 2, 3]);
    }
}
