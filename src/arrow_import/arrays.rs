//! Arrays from the buffers of a producer, without a copy if the layouts are the same.
//!
//! An array is imported as the range of rows that its parent covers. Therefore imported arrays have no offset, for
//! every kind of slicing by the producer: by offsets of parents, of children, or of both.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::{
    Array, BinaryArray, BinaryViewArrayGeneric, BooleanArray, DictionaryArray, DictionaryKey, FixedSizeBinaryArray,
    FixedSizeListArray, ListArray, MapArray, NullArray, PrimitiveArray, StructArray, Utf8Array, View, ViewType,
};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, PhysicalType, PrimitiveType};
use polars_arrow::offset::{Offset, OffsetsBuffer};
use polars_arrow::types::NativeType;
use polars_arrow::{match_integer_type, with_match_primitive_type_full};
use polars_buffer::Buffer;

use super::malformed;
use super::types::ColumnType;
use crate::Result;
use crate::ffi::arrow::CArray;

/// Imports an array.
///
/// # Errors
/// [`crate::ErrorKind::Argument`] if it is malformed.
pub(super) fn import(array: CArray, column: &ColumnType) -> Result<Box<dyn Array>> {
    let root = Arc::new(array);
    let node = Node { array: &root, root: &root, column };
    let length = root.len().map_err(|message| node.malformed(&message))?;
    node.import(0..length)
}

/// An array of the producer, and its type.
struct Node<'a> {
    array: &'a CArray,
    root: &'a Arc<CArray>,
    column: &'a ColumnType,
}

/// Conversion of messages to errors that name the array.
trait Located<T> {
    fn located(self, node: &Node<'_>) -> Result<T>;
}

impl<T, E: std::fmt::Display> Located<T> for std::result::Result<T, E> {
    fn located(self, node: &Node<'_>) -> Result<T> {
        self.map_err(|error| node.malformed(&error.to_string()))
    }
}

impl Node<'_> {
    #[cold]
    fn malformed(&self, message: &str) -> crate::Error {
        malformed(&self.column.path, message)
    }

    fn child(&self, index: usize) -> Result<Node<'_>> {
        let array = self.array.child(index).located(self)?;
        Ok(Node { array, root: self.root, column: &self.column.children[index] })
    }

    /// Imports the values of a range.
    fn import(&self, rows: Range<usize>) -> Result<Box<dyn Array>> {
        let length = self.array.len().located(self)?;
        if rows.end > length {
            return Err(self.malformed(&format!("{length} values where {} are needed", rows.end)));
        }
        let dtype = self.column.field.dtype().clone();
        let physical = dtype.to_physical_type();
        if physical == PhysicalType::Null {
            return Ok(NullArray::try_new(dtype, rows.len()).located(self)?.boxed());
        }
        let validity = self.validity(&rows)?;
        match physical {
            PhysicalType::Boolean => {
                let bits = self.array.bits(self.root, 1, &self.places(&rows)?).located(self)?;
                let bits = bits.ok_or_else(|| self.malformed("no buffer 1"))?;
                Ok(BooleanArray::try_new(dtype, bits, validity).located(self)?.boxed())
            }
            PhysicalType::Primitive(primitive) => self.primitive(dtype, primitive, &rows, validity),
            PhysicalType::Utf8 => self.texts::<i32>(dtype, &rows, validity),
            PhysicalType::LargeUtf8 => self.texts::<i64>(dtype, &rows, validity),
            PhysicalType::Binary => self.binary::<i32>(dtype, &rows, validity),
            PhysicalType::LargeBinary => self.binary::<i64>(dtype, &rows, validity),
            PhysicalType::Utf8View => self.views::<str>(dtype, &rows, validity),
            PhysicalType::BinaryView => self.views::<[u8]>(dtype, &rows, validity),
            PhysicalType::FixedSizeBinary => {
                let places = self.wide(&rows, FixedSizeBinaryArray::get_size(&dtype))?;
                let values = self.array.values(self.root, 1, &places).located(self)?;
                Ok(FixedSizeBinaryArray::try_new(dtype, values, validity).located(self)?.boxed())
            }
            PhysicalType::List => self.list::<i32>(dtype, &rows, validity),
            PhysicalType::LargeList => self.list::<i64>(dtype, &rows, validity),
            PhysicalType::FixedSizeList => self.fixed_list(dtype, &rows, validity),
            PhysicalType::Struct => self.record(dtype, &rows, validity),
            PhysicalType::Map => {
                let (offsets, items) = self.offsets::<i32>(&rows)?;
                let entries = self.child(0)?.import(items)?;
                Ok(MapArray::try_new(dtype, offsets, entries, validity).located(self)?.boxed())
            }
            PhysicalType::Dictionary(key) => {
                match_integer_type!(key, |$K| self.dictionary::<$K>(dtype, &rows, validity))
            }
            PhysicalType::Null | PhysicalType::Union => Err(self.malformed("a type that cannot be imported")),
        }
    }

    /// Returns the range of rows in the array's buffers and in its children.
    fn places(&self, rows: &Range<usize>) -> Result<Range<usize>> {
        self.array.places(rows).located(self)
    }

    /// Returns the range of values that take `width` places each.
    fn wide(&self, rows: &Range<usize>, width: usize) -> Result<Range<usize>> {
        let places = self.places(rows)?;
        let end = places.end.checked_mul(width).ok_or_else(|| self.malformed(&format!("values {width} wide")))?;
        Ok(places.start * width..end)
    }

    fn validity(&self, rows: &Range<usize>) -> Result<Option<Bitmap>> {
        // An unknown count is -1. Without a bitmap there are no nulls.
        if self.array.has_no_nulls() || rows.is_empty() {
            return Ok(None);
        }
        let bits = self.array.bits(self.root, 0, &self.places(rows)?).located(self)?;
        Ok(bits.filter(|bits| bits.unset_bits() > 0))
    }

    fn values<T: NativeType>(&self, index: usize, rows: &Range<usize>) -> Result<Buffer<T>> {
        self.array.values(self.root, index, &self.places(rows)?).located(self)
    }

    fn primitive(
        &self,
        dtype: ArrowDataType,
        primitive: PrimitiveType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        if matches!(dtype.to_storage(), ArrowDataType::Decimal(..)) && self.column.decimal_width < 16 {
            let wide: Vec<i128> = match self.column.decimal_width {
                4 => self.values::<i32>(1, rows)?.iter().map(|&value| value.into()).collect(),
                _ => self.values::<i64>(1, rows)?.iter().map(|&value| value.into()).collect(),
            };
            return Ok(PrimitiveArray::try_new(dtype, wide.into(), validity).located(self)?.boxed());
        }
        with_match_primitive_type_full!(primitive, |$T| {
            Ok(PrimitiveArray::<$T>::try_new(dtype, self.values(1, rows)?, validity).located(self)?.boxed())
        })
    }

    /// Returns offsets that begin at 0, and the range of values that they divide.
    fn offsets<O: Offset>(&self, rows: &Range<usize>) -> Result<(OffsetsBuffer<O>, Range<usize>)> {
        if rows.is_empty() {
            // The buffer may be missing if there are no rows.
            return Ok((OffsetsBuffer::new(), 0..0));
        }
        let offsets: Buffer<O> = self.values(1, &(rows.start..rows.end + 1))?;
        let offsets = OffsetsBuffer::try_from(offsets).located(self)?;
        let (first, last) = (offsets.first().to_usize(), offsets.last().to_usize());
        if first == 0 {
            return Ok((offsets, first..last));
        }
        let first_offset = *offsets.first();
        let from_0: Vec<O> = offsets.as_slice().iter().map(|&offset| offset - first_offset).collect();
        Ok((OffsetsBuffer::try_from(from_0).located(self)?, first..last))
    }

    /// Returns offsets and the bytes that they divide. The array's offset does not apply to the bytes.
    fn strings<O: Offset>(&self, rows: &Range<usize>) -> Result<(OffsetsBuffer<O>, Buffer<u8>)> {
        let (offsets, bytes) = self.offsets(rows)?;
        Ok((offsets, self.array.values(self.root, 2, &bytes).located(self)?))
    }

    fn binary<O: Offset>(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let (offsets, bytes) = self.strings::<O>(rows)?;
        Ok(BinaryArray::try_new(dtype, offsets, bytes, validity).located(self)?.boxed())
    }

    fn texts<O: Offset>(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let (offsets, bytes) = self.strings::<O>(rows)?;
        let texts = Utf8Array::try_new(dtype.clone(), offsets.clone(), bytes.clone(), validity.clone());
        let Err(error) = texts else { return Ok(texts.located(self)?.boxed()) };
        // The bytes of nulls may be anything.
        let validity = validity.ok_or_else(|| self.malformed(&error.to_string()))?;
        let text = |(row, is_valid): (usize, bool)| {
            let (start, end) = offsets.start_end(row);
            is_valid.then(|| str::from_utf8(&bytes[start..end])).transpose()
        };
        let texts = validity.iter().enumerate().map(text).collect::<std::result::Result<Vec<_>, _>>().located(self)?;
        let (_, offsets, bytes, validity) = Utf8Array::<O>::from(texts).into_inner();
        Ok(Utf8Array::try_new(dtype, offsets, bytes, validity).located(self)?.boxed())
    }

    fn views<T: ViewType + ?Sized>(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let mut views: Buffer<View> = self.values(1, rows)?;
        if let Some(validity) = &validity {
            // The views of nulls may be anything.
            let known = |(view, is_valid): (&View, bool)| if is_valid { *view } else { View::default() };
            views = views.iter().zip(validity.iter()).map(known).collect::<Vec<_>>().into();
        }
        // The validity and the views are followed by the data buffers. The last buffer has their sizes.
        let n_data = self.array.n_buffers().located(self)?.saturating_sub(3);
        let sizes: Buffer<i64> = self.array.values(self.root, n_data + 2, &(0..n_data)).located(self)?;
        let data = |(index, &size): (usize, &i64)| {
            let size = usize::try_from(size).map_err(|_| self.malformed(&format!("data of the size {size}")))?;
            self.array.values(self.root, index + 2, &(0..size)).located(self)
        };
        let data = sizes.iter().enumerate().map(data).collect::<Result<Vec<Buffer<u8>>>>()?;
        Ok(BinaryViewArrayGeneric::<T>::try_new(dtype, views, data.into(), validity).located(self)?.boxed())
    }

    fn list<O: Offset>(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let (offsets, items) = self.offsets::<O>(rows)?;
        let values = self.child(0)?.import(items)?;
        Ok(ListArray::try_new(dtype, offsets, values, validity).located(self)?.boxed())
    }

    fn fixed_list(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let &ArrowDataType::FixedSizeList(_, width) = dtype.to_storage() else {
            return Err(self.malformed("no fixed-size list"));
        };
        let values = self.child(0)?.import(self.wide(rows, width)?)?;
        Ok(FixedSizeListArray::try_new(dtype, rows.len(), values, validity).located(self)?.boxed())
    }

    fn record(&self, dtype: ArrowDataType, rows: &Range<usize>, validity: Option<Bitmap>) -> Result<Box<dyn Array>> {
        let places = self.places(rows)?;
        let value = |index| self.child(index)?.import(places.clone());
        let values = (0..self.column.children.len()).map(value).collect::<Result<_>>()?;
        Ok(StructArray::try_new(dtype, rows.len(), values, validity).located(self)?.boxed())
    }

    fn dictionary<K: DictionaryKey>(
        &self,
        dtype: ArrowDataType,
        rows: &Range<usize>,
        validity: Option<Bitmap>,
    ) -> Result<Box<dyn Array>> {
        let mut keys: Buffer<K> = self.values(1, rows)?;
        if let Some(validity) = &validity {
            // The keys of nulls may be anything.
            let known = |(key, is_valid): (&K, bool)| if is_valid { *key } else { K::default() };
            keys = keys.iter().zip(validity.iter()).map(known).collect::<Vec<_>>().into();
        }
        let array = self.array.dictionary().located(self)?;
        let values = Node { array, root: self.root, column: &self.column.children[0] };
        let values = values.import(0..array.len().located(self)?)?;
        // The check of `DictionaryArray::try_new` lets an unsigned key pass that is the number of values.
        let is_valid = |row| validity.as_ref().is_none_or(|validity| validity.get_bit(row));
        let is_known = |key: &K| (*key).try_into().is_ok_and(|key: usize| key < values.len());
        if let Some((_, key)) = keys.iter().enumerate().find(|(row, key)| is_valid(*row) && !is_known(key)) {
            return Err(self.malformed(&format!("the key {key:?} of a dictionary of {} values", values.len())));
        }
        let keys = PrimitiveArray::try_new(K::PRIMITIVE.into(), keys, validity).located(self)?;
        Ok(DictionaryArray::try_new(dtype, keys, values).located(self)?.boxed())
    }
}
