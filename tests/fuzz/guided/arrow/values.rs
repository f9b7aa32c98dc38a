//! Values of arrays, one by one.

use polars_arrow::array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, FixedSizeListArray,
    ListArray, MapArray, PrimitiveArray, StructArray, Utf8Array, Utf8ViewArray,
};
use polars_arrow::datatypes::PhysicalType;
use polars_arrow::{match_integer_type, with_match_primitive_type_full};

/// A value, whatever its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bytes(Vec<u8>),
    List(Vec<Value>),
}

/// Every value of an array.
pub fn values(array: &dyn Array) -> Vec<Value> {
    let value = |row| if array.is_null(row) { Value::Null } else { value(array, row) };
    (0..array.len()).map(value).collect()
}

fn value(array: &dyn Array, row: usize) -> Value {
    let list = |items: Box<dyn Array>| Value::List(values(items.as_ref()));
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    match array.dtype().to_physical_type() {
        PhysicalType::Null | PhysicalType::Union => Value::Null,
        PhysicalType::Boolean => bytes(&[u8::from(down::<BooleanArray>(array).value(row))]),
        PhysicalType::Primitive(primitive) => with_match_primitive_type_full!(primitive, |$T| {
            bytes(polars_arrow::types::NativeType::to_le_bytes(&down::<PrimitiveArray<$T>>(array).value(row)).as_ref())
        }),
        PhysicalType::Utf8 => bytes(down::<Utf8Array<i32>>(array).value(row).as_bytes()),
        PhysicalType::LargeUtf8 => bytes(down::<Utf8Array<i64>>(array).value(row).as_bytes()),
        PhysicalType::Binary => bytes(down::<BinaryArray<i32>>(array).value(row)),
        PhysicalType::LargeBinary => bytes(down::<BinaryArray<i64>>(array).value(row)),
        PhysicalType::Utf8View => bytes(down::<Utf8ViewArray>(array).value(row).as_bytes()),
        PhysicalType::BinaryView => bytes(down::<BinaryViewArray>(array).value(row)),
        PhysicalType::FixedSizeBinary => bytes(down::<FixedSizeBinaryArray>(array).value(row)),
        PhysicalType::List => list(down::<ListArray<i32>>(array).value(row)),
        PhysicalType::LargeList => list(down::<ListArray<i64>>(array).value(row)),
        PhysicalType::FixedSizeList => list(down::<FixedSizeListArray>(array).value(row)),
        PhysicalType::Map => list(down::<MapArray>(array).value(row)),
        PhysicalType::Struct => {
            let children = down::<StructArray>(array).values().iter();
            Value::List(
                children
                    .map(|child| if child.is_null(row) { Value::Null } else { self::value(child.as_ref(), row) })
                    .collect(),
            )
        }
        PhysicalType::Dictionary(key) => match_integer_type!(key, |$K| {
            let array = down::<DictionaryArray<$K>>(array);
            let (values, key) = (array.values().as_ref(), array.key_value(row));
            if values.is_null(key) { Value::Null } else { self::value(values, key) }
        }),
    }
}

fn down<T: 'static>(array: &dyn Array) -> &T {
    array.as_any().downcast_ref().unwrap_or_else(|| panic!("an array of {:?} that is none", array.dtype()))
}
