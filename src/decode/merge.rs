//! One type with several wire forms, such as a union of int and long that is read as long.

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::interleave::{Run, interleave};
use super::{AnyColumn, Column};
use crate::binary::Fault;

/// One column for each wire form. They are merged at the end in the order in which the values were decoded.
#[derive(Clone)]
pub(crate) struct Merge {
    variants: Vec<AnyColumn>,
    lens: Vec<usize>,
    runs: Vec<Run>,
}

impl Merge {
    /// All variants must have the same dtype.
    pub(crate) fn new(variants: Vec<AnyColumn>) -> Self {
        let lens = vec![0; variants.len()];
        Self { variants, lens, runs: Vec::new() }
    }

    /// Begins with a column of `len` values. Columns of further wire forms can be added.
    pub(crate) fn beginning_with(column: AnyColumn, len: usize) -> Self {
        let runs = if len == 0 { Vec::new() } else { vec![Run { array: 0, start: 0, len }] };
        Self { variants: vec![column], lens: vec![len], runs }
    }

    /// Adds an empty column for a further wire form.
    pub(crate) fn add_variant(&mut self, column: AnyColumn) {
        self.variants.push(column);
        self.lens.push(0);
    }

    /// Appends the value at `pos`, which is in wire form number `variant`.
    pub(crate) fn decode_form(&mut self, variant: usize, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let pos = self.variants[variant].decode(bytes, pos)?;
        self.note(variant, 1);
        Ok(pos)
    }

    fn note(&mut self, variant: usize, n: usize) {
        let start = self.lens[variant];
        self.lens[variant] += n;
        match self.runs.last_mut() {
            Some(run) if run.array == variant => run.len += n,
            _ => self.runs.push(Run { array: variant, start, len: n }),
        }
    }
}

impl AnyColumn {
    /// Appends a value in wire form number `variant`; a column with a single form ignores the number.
    pub(super) fn decode_variant(&mut self, variant: usize, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        match self {
            Self::Merge(merge) => merge.decode_form(variant, bytes, pos),
            column => column.decode(bytes, pos),
        }
    }
}

impl Column for Merge {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.decode_form(0, bytes, pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.variants[0].push_nulls(n);
        self.note(0, n);
    }

    fn reserve(&mut self, _n: usize) {}

    fn dtype(&self) -> ArrowDataType {
        self.variants[0].dtype()
    }

    fn field(&self, name: &str) -> Field {
        self.variants[0].field(name)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.lens.fill(0);
        let arrays: Vec<_> = self.variants.iter_mut().map(Column::finish).collect();
        interleave(&arrays, &std::mem::take(&mut self.runs))
    }
}
