//! string, as a categorical: a dictionary of the distinct texts, and a key for every value.

use std::collections::HashMap;

use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, Field, IntegerType};

use super::Column;
use super::view::{Utf8, Views};
use crate::binary::Fault;
use crate::schema::Categories;

/// A column of texts that occur many times.
#[derive(Clone)]
pub(crate) struct Categorical {
    texts: Views<Utf8>,
    categories: Categories,
}

impl Categorical {
    pub(crate) fn new(categories: Categories) -> Self {
        Self { texts: Views::default(), categories }
    }
}

/// Returns a key for every text, and the distinct texts in the order of their first occurrence.
fn encode(texts: &Utf8ViewArray) -> (PrimitiveArray<u32>, Utf8ViewArray) {
    let mut known = HashMap::new();
    let mut categories = Vec::new();
    let mut key = |text| {
        *known.entry(text).or_insert_with(|| {
            categories.push(text);
            categories.len() as u32 - 1
        })
    };
    let keys: Vec<u32> = texts.iter().map(|text| text.map_or(0, &mut key)).collect();
    // A null has key 0, so there must be a category.
    if categories.is_empty() && !keys.is_empty() {
        categories.push("");
    }
    let keys = PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), texts.validity().cloned());
    (keys, Utf8ViewArray::from_slice_values(categories))
}

impl Column for Categorical {
    #[inline]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.texts.decode(bytes, pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.texts.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.texts.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::Utf8View), false)
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name.into(), self.dtype(), true).with_metadata(self.categories.metadata())
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let texts = self.texts.finish();
        let texts = texts.as_any().downcast_ref::<Utf8ViewArray>().expect("texts are views of text");
        let (keys, categories) = encode(texts);
        let array = DictionaryArray::try_new(self.dtype(), keys, categories.boxed());
        array.expect("every key was made with its category").boxed()
    }
}
