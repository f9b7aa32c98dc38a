//! array of records of a key and a value, as a map whose keys are not strings.

use polars_arrow::array::{Array, ListArray, MapArray, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::offset::OffsetsBuffer;

use super::Column;
use super::list::List;
use crate::binary::Fault;
use crate::dtype;

/// A column of maps.
#[derive(Clone)]
pub(crate) struct Entries {
    list: List,
}

impl Entries {
    /// `list` has records of two fields, the first of which is never null.
    pub(crate) fn new(list: List) -> Self {
        Self { list }
    }
}

impl Column for Entries {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let pos = self.list.decode(bytes, pos)?;
        match i32::try_from(self.list.items()) {
            Ok(_) => Ok(pos),
            Err(_) => Err(Fault::data("more than 2^31 map entries in a batch")),
        }
    }

    fn push_nulls(&mut self, n: usize) {
        self.list.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.list.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        let ArrowDataType::LargeList(item) = self.list.dtype() else { unreachable!("a list's dtype is a list") };
        let ArrowDataType::Struct(fields) = item.dtype() else { unreachable!("the items are records") };
        let named =
            |field: &Field, name: &str, nullable| Field { name: name.into(), is_nullable: nullable, ..field.clone() };
        dtype::map_of(named(&fields[0], "key", false), named(&fields[1], "value", true))
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let dtype = self.dtype();
        let ArrowDataType::Map(entries, _) = &dtype else { unreachable!("a map's dtype is a map") };
        let list = self.list.finish();
        let list = list.as_any().downcast_ref::<ListArray<i64>>().expect("a list column makes lists");
        let records = list.values().as_any().downcast_ref::<StructArray>().expect("the items are records");
        let offsets: Vec<i32> = list.offsets().iter().map(|&offset| offset as i32).collect();
        let offsets = OffsetsBuffer::try_from(offsets).expect("ends only grow");
        let entries = StructArray::new(entries.dtype().clone(), records.len(), records.values().to_vec(), None).boxed();
        MapArray::new(dtype, offsets, entries, list.validity().cloned()).boxed()
    }
}
