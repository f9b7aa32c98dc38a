//! Types that Polars has no dtype for, as exact text.

use polars_arrow::array::Array;
use polars_arrow::datatypes::ArrowDataType;

use super::Column;
use super::view::{Utf8, Views};
use crate::binary::Fault;

/// The conversion of values to text.
pub(crate) trait TextFormat: Clone + Send + Sync + 'static {
    /// Appends the text of the value at `pos` to `out`; returns the position after the value.
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault>;

    /// Resets state that lasts for one batch.
    fn end_batch(&mut self) {}
}

/// A column of texts.
#[derive(Clone)]
pub(crate) struct Text<F> {
    form: F,
    values: Views<Utf8>,
    scratch: String,
}

impl<F: TextFormat> Text<F> {
    pub(crate) fn new(form: F) -> Self {
        Self { form, values: Views::default(), scratch: String::new() }
    }
}

impl<F: TextFormat> Column for Text<F> {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.scratch.clear();
        let pos = self.form.write(bytes, pos, &mut self.scratch)?;
        self.values.push_text(&self.scratch);
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.values.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.values.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        self.values.dtype()
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.form.end_batch();
        self.values.finish()
    }
}
