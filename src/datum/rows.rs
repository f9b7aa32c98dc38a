//! Construction of a Binary column of encoded rows.

use polars_arrow::array::{Array, BinaryViewArray, View};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

use crate::binary::Fault;

/// The rows of one array under construction.
pub(super) struct Rows {
    views: Vec<View>,
    validity: Option<MutableBitmap>,
    /// The bytes of rows that are too long for their view.
    tail: Vec<u8>,
    full: Vec<Buffer<u8>>,
}

impl Rows {
    /// Returns an empty array builder with capacity for `n` rows.
    pub(super) fn new(n: usize) -> Self {
        Self { views: Vec::with_capacity(n), validity: None, tail: Vec::new(), full: Vec::new() }
    }

    /// Returns an array of nulls.
    pub(super) fn nulls(n: usize) -> Box<dyn Array> {
        BinaryViewArray::new_null(ArrowDataType::BinaryView, n).boxed()
    }

    pub(super) fn push_null(&mut self) {
        let len = self.views.len();
        self.validity.get_or_insert_with(|| MutableBitmap::from_len_set(len)).push(false);
        self.views.push(View::default());
    }

    /// Appends a row of two parts.
    #[inline]
    pub(super) fn push(&mut self, header: &[u8], datum: &[u8]) -> Result<(), Fault> {
        let len = header.len() + datum.len();
        if len > i32::MAX as usize {
            return Err(Fault::data("a datum of 2 GiB or more does not fit into a Polars binary"));
        }
        if let Some(validity) = &mut self.validity {
            validity.push(true);
        }
        let start = self.tail.len();
        self.tail.extend_from_slice(header);
        self.tail.extend_from_slice(datum);
        let view = View::new_from_bytes(&self.tail[start..], self.full.len() as u32, start as u32);
        self.views.push(view);
        if view.is_inline() {
            self.tail.truncate(start);
        } else if self.tail.len() > i32::MAX as usize {
            self.full.push(std::mem::take(&mut self.tail).into());
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Box<dyn Array> {
        if !self.tail.is_empty() {
            self.full.push(self.tail.into());
        }
        let validity = self.validity.map(Into::into);
        BinaryViewArray::try_new(ArrowDataType::BinaryView, self.views.into(), self.full.into(), validity)
            .expect("views of the bytes that were pushed")
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_length_come_out_as_they_went_in() {
        let values: Vec<Option<Vec<u8>>> = (0..40).map(|n| (n % 7 != 3).then(|| vec![n; n.into()])).collect();
        let mut rows = Rows::new(values.len());
        for value in &values {
            match value {
                Some(value) => {
                    let (header, datum) = value.split_at(value.len() / 3);
                    rows.push(header, datum).unwrap();
                }
                None => rows.push_null(),
            }
        }
        let array = rows.finish();
        let array = array.as_any().downcast_ref::<BinaryViewArray>().unwrap();
        let seen: Vec<_> = array.iter().map(|row| row.map(<[u8]>::to_vec)).collect();
        assert_eq!(seen, values);
        assert_eq!(array.null_count(), 6);
    }
}
