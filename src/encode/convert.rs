//! Arrays that a schema of the caller's wants as another type: converted once a batch, checked value by value.

use std::collections::HashMap;
use std::sync::Arc;

use polars_arrow::array::{Array, BinaryViewArray, DictionaryArray, DictionaryKey, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;

use super::enumeration::AsUsize;
use super::{AnyColumn, Column, downcast};
use crate::binary::Fault;

/// A conversion from an array to the one that a column is written from.
#[derive(Clone)]
pub(crate) enum Conversion {
    /// Whole numbers to 32 bits.
    Int,
    /// Whole numbers to 64 bits.
    Long,
    /// Whole numbers to 128 bits.
    Wide,
    /// Whole numbers to a float, which holds them exactly.
    Float,
    /// Whole numbers to a double, which holds them exactly.
    Double,
    /// Counts of one unit to counts of a smaller one.
    Multiply(i64),
    /// Counts of one unit to counts of a larger one, without a rest.
    Divide(i64),
    /// Texts to the indices of symbols.
    Symbols(Arc<HashMap<String, u32>>),
    /// Texts of UUIDs, checked.
    UuidText,
    /// Texts of UUIDs to their 16 bytes.
    UuidBytes,
}

/// A column of converted values. Binding it returns the inner column.
#[derive(Clone)]
pub(crate) struct Converted {
    conversion: Conversion,
    column: AnyColumn,
}

impl Converted {
    /// `column` takes what `conversion` makes.
    pub(crate) fn new(conversion: Conversion, column: AnyColumn) -> Self {
        Self { conversion, column }
    }

    pub(super) fn bind(&self, array: &dyn Array) -> Result<AnyColumn, Fault> {
        self.column.bind(self.conversion.apply(array)?.as_ref())
    }

    pub(super) fn column(&self) -> &AnyColumn {
        &self.column
    }
}

impl From<Converted> for AnyColumn {
    fn from(converted: Converted) -> Self {
        Self::Converted(Box::new(converted))
    }
}

impl Conversion {
    fn apply(&self, array: &dyn Array) -> Result<Box<dyn Array>, Fault> {
        match self {
            Self::Int => integers(array, |value| i32::try_from(value).ok(), "an Avro int"),
            Self::Long => integers(array, |value| i64::try_from(value).ok(), "an Avro long"),
            Self::Wide => integers(array, Some, "a decimal"),
            Self::Float => integers(array, |value| Some(value as f32), "an Avro float"),
            Self::Double => integers(array, |value| Some(value as f64), "an Avro double"),
            Self::Multiply(factor) => map(array, |count: i64| count.checked_mul(*factor), "the smaller time unit"),
            Self::Divide(factor) => {
                let whole = |count: i64| (count % factor == 0).then(|| count / factor);
                map(array, whole, "the larger time unit without a rest")
            }
            Self::Symbols(symbols) => indices(array, symbols),
            Self::UuidText => uuids(array, |text, _| text.into()),
            Self::UuidBytes => uuids(array, |_, bytes| bytes.to_vec()),
        }
    }
}

#[cold]
fn misfit(value: impl std::fmt::Display, what: &str) -> Fault {
    Fault::data(format!("{value} does not fit {what}"))
}

/// Every value that is not null, through a function that may refuse it.
fn map<A: NativeType, B: NativeType>(
    array: &dyn Array,
    convert: impl Fn(A) -> Option<B>,
    what: &str,
) -> Result<Box<dyn Array>, Fault> {
    let array = downcast::<PrimitiveArray<A>>(array);
    let convert = |value: Option<&A>| match value {
        Some(&value) => convert(value).ok_or_else(|| misfit(value, what)),
        None => Ok(B::default()),
    };
    let values = array.iter().map(convert).collect::<Result<Vec<_>, _>>()?;
    Ok(PrimitiveArray::new(B::PRIMITIVE.into(), values.into(), array.validity().cloned()).boxed())
}

/// Whole numbers of any width.
fn integers<B: NativeType>(
    array: &dyn Array,
    convert: impl Fn(i128) -> Option<B>,
    what: &str,
) -> Result<Box<dyn Array>, Fault> {
    match array.dtype().to_storage() {
        ArrowDataType::Int8 => map(array, |value: i8| convert(value.into()), what),
        ArrowDataType::Int16 => map(array, |value: i16| convert(value.into()), what),
        ArrowDataType::Int32 => map(array, |value: i32| convert(value.into()), what),
        ArrowDataType::UInt8 => map(array, |value: u8| convert(value.into()), what),
        ArrowDataType::UInt16 => map(array, |value: u16| convert(value.into()), what),
        ArrowDataType::UInt32 => map(array, |value: u32| convert(value.into()), what),
        ArrowDataType::UInt64 => map(array, |value: u64| convert(value.into()), what),
        ArrowDataType::Int128 => map(array, convert, what),
        ArrowDataType::UInt128 => map(array, |value: u128| convert(value.try_into().ok()?), what),
        // Int64, and the counts of temporal types.
        _ => map(array, |value: i64| convert(value.into()), what),
    }
}

/// The index of each text's symbol, from texts or categories.
fn indices(array: &dyn Array, symbols: &HashMap<String, u32>) -> Result<Box<dyn Array>, Fault> {
    let index = |text: &str| symbols.get(text).copied();
    let refused = |text: &str| misfit(format_args!("{text:?}"), "the symbols of the Avro enum");
    let Some(texts) = array.as_any().downcast_ref::<Utf8ViewArray>() else {
        let any = array.as_any();
        return match any.downcast_ref::<DictionaryArray<u8>>() {
            Some(array) => category_indices(array, index, refused),
            None => match any.downcast_ref::<DictionaryArray<u16>>() {
                Some(array) => category_indices(array, index, refused),
                None => category_indices(downcast::<DictionaryArray<u32>>(array), index, refused),
            },
        };
    };
    let key = |text: Option<&str>| text.map_or(Ok(0), |text| index(text).ok_or_else(|| refused(text)));
    let keys = texts.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), texts.validity().cloned()).boxed())
}

/// The same from categories, each of which is looked up once; one that no row has need not be a symbol.
fn category_indices<K: DictionaryKey>(
    array: &DictionaryArray<K>,
    index: impl Fn(&str) -> Option<u32>,
    refused: impl Fn(&str) -> Fault,
) -> Result<Box<dyn Array>, Fault> {
    let categories = downcast::<Utf8ViewArray>(array.values().as_ref());
    let table: Vec<_> = categories.values_iter().map(index).collect();
    let key = |key: Option<&K>| match key.map(|key| key.to_index()) {
        Some(key) => table[key].ok_or_else(|| refused(categories.value(key))),
        None => Ok(0),
    };
    let keys = array.keys().iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), array.keys().validity().cloned()).boxed())
}

/// Converts the text of each UUID, and its bytes.
fn uuids(array: &dyn Array, make: impl Fn(&[u8], [u8; 16]) -> Vec<u8>) -> Result<Box<dyn Array>, Fault> {
    let convert = |text: Option<&str>| match text {
        Some(text) => match uuid(text) {
            Some(bytes) => Ok(Some(make(text.as_bytes(), bytes))),
            None => Err(misfit(format_args!("{text:?}"), "the form of a UUID")),
        },
        None => Ok(None),
    };
    let texts = downcast::<Utf8ViewArray>(array);
    let values = texts.iter().map(convert).collect::<Result<Vec<_>, _>>()?;
    Ok(BinaryViewArray::from_slice(values).boxed())
}

/// The bytes of a UUID in its canonical form, upper case allowed.
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

    #[test]
    fn nulls_are_converted_whatever_lies_under_them() {
        let array = PrimitiveArray::from([Some(1_i64), None, Some(-1)]).boxed();
        let ints = Conversion::Int.apply(array.as_ref()).unwrap();
        assert_eq!(ints, PrimitiveArray::from([Some(1_i32), None, Some(-1)]).boxed());
        let error = Conversion::Int.apply(PrimitiveArray::from_slice([1_i64 << 31]).boxed().as_ref()).unwrap_err();
        assert_eq!(error.into_error().message(), "2147483648 does not fit an Avro int");
        let odd = PrimitiveArray::from_slice([1500_i64]).boxed();
        assert!(Conversion::Divide(1000).apply(odd.as_ref()).is_err());
        assert!(Conversion::Multiply(i64::MAX).apply(odd.as_ref()).is_err());
    }
}
