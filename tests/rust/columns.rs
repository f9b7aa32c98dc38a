//! Arrow arrays read back into cells and their dtypes into words.

use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, DictionaryArray, DictionaryKey, ListArray, MapArray, PrimitiveArray,
    StructArray, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field, IntegerType, TimeUnit};
use polars_arrow::offset::Offset;

use crate::expected::{Cell, struct_text};

/// The dtype of a column in words. What Polars would not take as it stands is in the words too.
pub(crate) fn dtype(field: &Field) -> String {
    match &field.dtype {
        ArrowDataType::Timestamp(unit, None) => format!("Datetime({})", unit_name(*unit)),
        ArrowDataType::Timestamp(unit, Some(zone)) => format!("Datetime({}, {zone})", unit_name(*unit)),
        ArrowDataType::Date32 => "Date".into(),
        ArrowDataType::Time64(TimeUnit::Nanosecond) => "Time".into(),
        ArrowDataType::BinaryView => "Binary".into(),
        ArrowDataType::Utf8View => "String".into(),
        ArrowDataType::LargeList(item) => format!("List({})", dtype(item)),
        ArrowDataType::Map(entries, false) => match &entries.dtype {
            ArrowDataType::Struct(fields) if fields.len() == 2 && fields[0].dtype == ArrowDataType::Utf8View => {
                assert_eq!((fields[0].name.as_str(), fields[1].name.as_str()), ("key", "value"));
                assert!(!fields[0].is_nullable && !entries.is_nullable, "the entries and keys of a map");
                format!("Map({})", dtype(&fields[1]))
            }
            other => format!("{other:?}"),
        },
        ArrowDataType::Struct(fields) => struct_text(fields.iter().map(|field| (field.name.as_str(), dtype(field)))),
        ArrowDataType::Dictionary(_, values, true) if **values == ArrowDataType::Utf8View => {
            let metadata = field.metadata.as_ref().expect("an enum's categories stand in the metadata");
            format!("Enum[{}]", categories(metadata["_PL_ENUM_VALUES2"].as_str()).join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// Splits what Polars keeps of an enum: each category behind its length in bytes.
fn categories(mut text: &str) -> Vec<String> {
    let mut categories = Vec::new();
    while !text.is_empty() {
        let (len, rest) = text.split_once(';').unwrap();
        let (category, rest) = rest.split_at(len.parse().unwrap());
        categories.push(category.to_owned());
        text = rest;
    }
    categories
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// Every value of a column.
pub(crate) fn cells(array: &dyn Array) -> Vec<Cell> {
    let len = array.len();
    let mut cells: Vec<Cell> = match array.dtype() {
        ArrowDataType::Null => vec![Cell::Null; len],
        ArrowDataType::Boolean => down::<BooleanArray>(array).values_iter().map(Cell::Boolean).collect(),
        ArrowDataType::Int32 | ArrowDataType::Date32 => numbers(array, Cell::Int32),
        ArrowDataType::Int64 | ArrowDataType::Time64(_) | ArrowDataType::Timestamp(..) => numbers(array, Cell::Int64),
        ArrowDataType::UInt32 => numbers(array, Cell::UInt32),
        ArrowDataType::Float32 => numbers(array, |v: f32| Cell::Float32(v.to_bits())),
        ArrowDataType::Float64 => numbers(array, |v: f64| Cell::Float64(v.to_bits())),
        ArrowDataType::Decimal(..) => numbers(array, Cell::Decimal),
        ArrowDataType::BinaryView => {
            down::<BinaryViewArray>(array).values_iter().map(|v| Cell::Binary(v.to_vec())).collect()
        }
        ArrowDataType::Utf8View => down::<Utf8ViewArray>(array).values_iter().map(|v| Cell::String(v.into())).collect(),
        ArrowDataType::Dictionary(IntegerType::UInt8, ..) => symbols::<u8>(array),
        ArrowDataType::Dictionary(IntegerType::UInt16, ..) => symbols::<u16>(array),
        ArrowDataType::Dictionary(IntegerType::UInt32, ..) => symbols::<u32>(array),
        ArrowDataType::LargeList(_) => {
            let list = down::<ListArray<i64>>(array);
            lists(list.offsets().as_slice(), &self::cells(list.values().as_ref())).map(Cell::List).collect()
        }
        ArrowDataType::Map(..) => {
            let map = down::<MapArray>(array);
            lists(map.offsets().as_slice(), &self::cells(map.field().as_ref())).map(entries).collect()
        }
        ArrowDataType::Struct(_) => {
            let children: Vec<_> =
                down::<StructArray>(array).values().iter().map(|v| self::cells(v.as_ref())).collect();
            assert!(children.iter().all(|child| child.len() == len), "the children of a struct are as long as it is");
            (0..len).map(|row| Cell::Struct(children.iter().map(|child| child[row].clone()).collect())).collect()
        }
        other => panic!("a column of {other:?}"),
    };
    assert_eq!(cells.len(), len);
    if let Some(validity) = array.validity() {
        assert_eq!(validity.len(), len);
        cells.iter_mut().zip(validity).filter(|(_, valid)| !valid).for_each(|(cell, _)| *cell = Cell::Null);
    }
    cells
}

fn down<T: 'static>(array: &dyn Array) -> &T {
    array.as_any().downcast_ref().unwrap_or_else(|| panic!("an array of {:?} that is none", array.dtype()))
}

fn numbers<T: polars_arrow::types::NativeType>(array: &dyn Array, cell: impl Fn(T) -> Cell) -> Vec<Cell> {
    down::<PrimitiveArray<T>>(array).values_iter().map(|value| cell(*value)).collect()
}

/// Keys below a null may be anything, so only the valid ones are looked up.
fn symbols<K: DictionaryKey>(array: &dyn Array) -> Vec<Cell> {
    let array = down::<DictionaryArray<K>>(array);
    let values = down::<Utf8ViewArray>(array.values().as_ref());
    array.keys_iter().map(|key| key.map_or(Cell::Null, |key| Cell::Enum(values.value(key).to_owned()))).collect()
}

fn lists<O: Offset>(offsets: &[O], items: &[Cell]) -> impl Iterator<Item = Vec<Cell>> {
    offsets.windows(2).map(|pair| items[pair[0].to_usize()..pair[1].to_usize()].to_vec())
}

fn entries(entries: Vec<Cell>) -> Cell {
    let entry = |entry| match entry {
        Cell::Struct(mut pair) => match (pair.pop(), pair.pop()) {
            (Some(value), Some(Cell::String(key))) => (key, value),
            other => panic!("a map's entry of {other:?}"),
        },
        other => panic!("a map's entry of {other:?}"),
    };
    Cell::Map(entries.into_iter().map(entry).collect())
}

#[test]
fn categories_are_cut_by_bytes() {
    assert_eq!(categories("1;a3;a;b2;é"), ["a", "a;b", "é"]);
}

#[test]
fn nulls_of_every_level_are_seen() {
    let inner = PrimitiveArray::<i32>::from([Some(1), None, Some(3)]);
    let list = ArrowDataType::LargeList(Box::new(Field::new("item".into(), ArrowDataType::Int32, true)));
    let offsets = polars_arrow::offset::OffsetsBuffer::try_from(vec![0i64, 2, 2, 3]).unwrap();
    let list = ListArray::new(list, offsets, inner.boxed(), Some([true, false, true].into_iter().collect()));
    let expected = [Cell::List(vec![Cell::Int32(1), Cell::Null]), Cell::Null, Cell::List(vec![Cell::Int32(3)])];
    assert_eq!(cells(&list), expected);
}
