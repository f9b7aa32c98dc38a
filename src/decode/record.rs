//! record: its fields one after the other. The root of every file's plan is a record.

use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::validity::Validity;
use super::{AnyColumn, Column, Rows};
use crate::binary::{Fault, PADDING, data_end};

/// Number of rows that a batch reserves before the first one: enough for a small file, so that its columns need not
/// grow. Larger batches reserve more after their first block, when the size of rows is known.
const FIRST_ROWS: usize = 1024;

/// Decodes one record; returns the position after it.
#[inline(always)]
fn decode_steps(steps: &mut [AnyColumn], names: &[String], bytes: &[u8], mut pos: usize) -> Result<usize, Fault> {
    let mut steps = steps.iter_mut();
    while let Some(step) = steps.next() {
        match step.decode(bytes, pos) {
            Ok(next) => pos = next,
            Err(fault) => return Err(fault.in_field(&names[names.len() - steps.len() - 1])),
        }
    }
    Ok(pos)
}

/// A column of records.
#[derive(Clone)]
pub(crate) struct Record {
    /// The steps in the writer's order. Fields that are not read are [`Skipped`](super::Skipped).
    steps: Vec<AnyColumn>,
    /// The name of each step's field, for errors; of the first one for a skip.
    names: Arc<[String]>,
    /// The output fields: name and step, in the reader's or the caller's order.
    outputs: Arc<[(String, usize)]>,
    len: usize,
    /// The number of nulls at the end that were not appended to the fields yet.
    pending: usize,
    validity: Validity,
}

impl Record {
    /// `outputs` must contain every step that is read exactly once.
    pub(crate) fn new(steps: Vec<(String, AnyColumn)>, outputs: Vec<(String, usize)>) -> Self {
        let (names, steps): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let (names, outputs) = (names.into(), outputs.into());
        Self { steps, names, outputs, len: 0, pending: 0, validity: Validity::default() }
    }

    /// Returns the output fields.
    pub(crate) fn fields(&self) -> Vec<Field> {
        self.outputs.iter().map(|(name, step)| self.steps[*step].field(name)).collect()
    }

    /// Returns the arrays of the output fields and their length; leaves the column empty.
    pub(crate) fn finish_fields(&mut self) -> (Vec<Box<dyn Array>>, usize) {
        self.settle();
        let arrays = self.outputs.iter().map(|&(_, step)| self.steps[step].finish()).collect();
        (arrays, std::mem::take(&mut self.len))
    }

    /// Returns the number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends `n` records from `pos` on; a fault comes with the number of records before it.
    pub(crate) fn decode_rows(&mut self, bytes: &[u8], pos: usize, n: usize) -> Result<usize, (usize, Fault)> {
        self.decode_each(bytes, pos, n, |pos| pos)
    }

    /// Appends records as [`Self::decode_rows`], and appends the position of each to `starts`.
    pub(crate) fn decode_noting(
        &mut self,
        bytes: &[u8],
        pos: usize,
        n: usize,
        starts: &mut Vec<usize>,
    ) -> Result<usize, (usize, Fault)> {
        self.decode_each(bytes, pos, n, |pos| {
            starts.push(pos);
            pos
        })
    }

    /// Appends the records that begin at the first `n` of these positions; a fault comes with the number of records
    /// before it.
    pub(crate) fn decode_at(
        &mut self,
        bytes: &[u8],
        n: usize,
        mut starts: impl Iterator<Item = usize>,
    ) -> Result<(), (usize, Fault)> {
        self.decode_each(bytes, 0, n, |pos| starts.next().unwrap_or(pos)).map(|_| ())
    }

    /// Appends `n` records. `start` returns the position of a record, given the end of the previous one.
    #[inline(always)]
    fn decode_each(
        &mut self,
        bytes: &[u8],
        mut pos: usize,
        n: usize,
        mut start: impl FnMut(usize) -> usize,
    ) -> Result<usize, (usize, Fault)> {
        // Asserted once, so that per-value bounds checks are optimised away.
        assert!(bytes.len() >= PADDING, "a block without padding");
        self.settle();
        if self.len == 0 {
            // A value takes at least one byte, except for nulls, so the size of the data bounds a count that is too
            // high.
            self.reserve(n.min(FIRST_ROWS).min(bytes.len() / self.steps.len().max(1)));
        }
        let end = data_end(bytes);
        let (steps, names) = (&mut *self.steps, &*self.names);
        for row in 0..n {
            match decode_steps(steps, names, bytes, start(pos)) {
                // Short reads may run into the padding, which is detected here.
                Ok(next) if next <= end => pos = next,
                Ok(_) => return Err((row, Fault::truncated())),
                Err(fault) => return Err((row, fault)),
            }
        }
        self.len += n;
        Ok(pos)
    }

    /// Decodes one value as [`Column::decode`], inlined into a loop over rows.
    #[inline(always)]
    pub(crate) fn decode_one(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        if self.pending > 0 {
            self.settle();
        }
        let pos = decode_steps(&mut self.steps, &self.names, bytes, pos)?;
        self.len += 1;
        Ok(pos)
    }

    /// Drops the skip after the last selected field, for records that are decoded one by one from their positions.
    pub(crate) fn without_rest(mut self) -> Self {
        if matches!(self.steps.last(), Some(AnyColumn::Skipped(_))) {
            self.steps.pop();
            self.names = self.names[..self.steps.len()].into();
        }
        self
    }

    /// Reserves capacity for `n` more records.
    pub(crate) fn reserve_rows(&mut self, n: usize) {
        self.reserve(n);
    }

    /// Appends the pending nulls to the fields.
    #[cold]
    #[inline(never)]
    fn settle(&mut self) {
        if self.pending > 0 {
            let n = std::mem::take(&mut self.pending);
            for step in &mut self.steps {
                step.push_nulls(n);
            }
        }
    }
}

impl Column for Record {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.decode_one(bytes, pos)
    }

    /// Decodes field by field: each has its own loop without dispatch.
    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        self.settle();
        for step in &mut self.steps {
            step.decode_across(rows, positions)?;
        }
        self.len += rows.len();
        Ok(())
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.mark_nulls(self.len, n);
        self.len += n;
        self.pending += n;
    }

    fn reserve(&mut self, n: usize) {
        let n = n + self.pending;
        for step in &mut self.steps {
            step.reserve(n);
        }
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Struct(self.fields())
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let (arrays, len) = self.finish_fields();
        StructArray::new(self.dtype(), len, arrays, self.validity.finish(len)).boxed()
    }
}
