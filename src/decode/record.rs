//! record: its fields one after the other. The root of every file's plan is one.

use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::skip::{Skip, SkipPrograms};
use super::validity::Validity;
use super::{AnyColumn, Column, Rows};
use crate::binary::{Fault, PADDING, data_end};

/// Rows that a batch reserves room for before the first one: the rows of a small file, so that its columns need not grow
/// from nothing. Larger batches reserve more when their first block tells how large rows are.
const FIRST_ROWS: usize = 1024;

/// A step of a record, in the writer's order.
#[derive(Clone)]
pub(crate) enum Step {
    /// Decode a field.
    Column(AnyColumn),
    /// Skips one or several fields that are not selected.
    Skip(Box<[Skip]>),
}

impl Step {
    #[inline(always)]
    fn decode(&mut self, programs: &SkipPrograms, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        Ok(match self {
            Self::Column(column) => column.decode(bytes, pos)?,
            Self::Skip(skips) => programs.skip(skips, bytes, pos)?,
        })
    }
}

/// Decodes one record; returns the position after it.
#[inline(always)]
fn decode_steps(
    steps: &mut [Step],
    names: &[String],
    programs: &SkipPrograms,
    bytes: &[u8],
    mut pos: usize,
) -> Result<usize, Fault> {
    let mut steps = steps.iter_mut();
    while let Some(step) = steps.next() {
        match step.decode(programs, bytes, pos) {
            Ok(next) => pos = next,
            Err(fault) => return Err(fault.in_field(&names[names.len() - steps.len() - 1])),
        }
    }
    Ok(pos)
}

/// A column of records.
#[derive(Clone)]
pub(crate) struct Record {
    steps: Vec<Step>,
    /// The name of each step's field, for errors; of the first one for a skip.
    names: Arc<[String]>,
    /// The fields that come out: name and step, in the reader's or the caller's order.
    outputs: Arc<[(String, usize)]>,
    programs: Arc<SkipPrograms>,
    len: usize,
    /// Nulls at the end that the fields have not been given yet.
    pending: usize,
    validity: Validity,
}

impl Record {
    /// Every step of `outputs` is a `Step::Column`, and every column is in `outputs` once.
    pub(crate) fn new(steps: Vec<(String, Step)>, outputs: Vec<(String, usize)>, programs: Arc<SkipPrograms>) -> Self {
        let (names, steps): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let (names, outputs) = (names.into(), outputs.into());
        Self { steps, names, outputs, programs, len: 0, pending: 0, validity: Validity::default() }
    }

    /// The fields that come out.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let field = |(name, step): &(String, usize)| match &self.steps[*step] {
            Step::Column(column) => column.field(name),
            Step::Skip(_) => unreachable!("outputs are columns"),
        };
        self.outputs.iter().map(field).collect()
    }

    /// The arrays that come out, and how many values they have; leaves the column empty.
    pub(crate) fn finish_fields(&mut self) -> (Vec<Box<dyn Array>>, usize) {
        self.settle();
        let finish = |&(_, step): &(String, usize)| match &mut self.steps[step] {
            Step::Column(column) => column.finish(),
            Step::Skip(_) => unreachable!("outputs are columns"),
        };
        let arrays = self.outputs.clone().iter().map(finish).collect();
        (arrays, std::mem::take(&mut self.len))
    }

    /// Returns how many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends `n` records from `pos` on; a fault comes with the number of records before it.
    pub(crate) fn decode_rows(&mut self, bytes: &[u8], pos: usize, n: usize) -> Result<usize, (usize, Fault)> {
        self.decode_each(bytes, pos, n, |pos| pos)
    }

    /// The same; tells `starts` where each of the records begins.
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

    /// Appends `n` records; `start` tells where each one begins, given where the one before it ends.
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
            // A value takes a byte, but for nulls, so a count that is too high reserves no more than the data justify.
            self.reserve(n.min(FIRST_ROWS).min(bytes.len() / self.steps.len().max(1)));
        }
        let end = data_end(bytes);
        let (steps, names, programs) = (&mut *self.steps, &*self.names, &*self.programs);
        for row in 0..n {
            match decode_steps(steps, names, programs, bytes, start(pos)) {
                // Short reads may run into the padding; here is where that is noticed.
                Ok(next) if next <= end => pos = next,
                Ok(_) => return Err((row, Fault::truncated())),
                Err(fault) => return Err((row, fault)),
            }
        }
        self.len += n;
        Ok(pos)
    }

    /// The same as [`Column::decode`], for a loop over rows.
    #[inline(always)]
    pub(crate) fn decode_one(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        if self.pending > 0 {
            self.settle();
        }
        let pos = decode_steps(&mut self.steps, &self.names, &self.programs, bytes, pos)?;
        self.len += 1;
        Ok(pos)
    }

    /// The first fault of the record at `pos`, with the field in which the data ends if that is the fault. Decodes
    /// again, into a column that is thrown away: no step asks where the data ends.
    #[cold]
    pub(crate) fn find_fault(mut self, bytes: &[u8], mut pos: usize) -> Option<Fault> {
        let (end, programs) = (data_end(bytes), self.programs.clone());
        for (step, name) in self.steps.iter_mut().zip(&*self.names) {
            let inner = match step {
                Step::Column(AnyColumn::Record(record)) => Some(record.clone()),
                _ => None,
            };
            match step.decode(&programs, bytes, pos) {
                Ok(next) if next <= end => pos = next,
                Ok(_) => {
                    let fault = inner.and_then(|record| record.find_fault(bytes, pos));
                    return Some(fault.unwrap_or_else(Fault::truncated).in_field(name));
                }
                Err(fault) => return Some(fault.in_field(name)),
            }
        }
        None
    }

    /// Drops the skip after the last selected field: for records that are decoded one by one, from their positions.
    pub(crate) fn without_rest(mut self) -> Self {
        if matches!(self.steps.last(), Some(Step::Skip(_))) {
            self.steps.pop();
            self.names = self.names[..self.steps.len()].into();
        }
        self
    }

    /// Makes room for `n` more records.
    pub(crate) fn reserve_rows(&mut self, n: usize) {
        self.reserve(n);
    }

    /// Gives the fields the nulls that they have not seen.
    #[cold]
    #[inline(never)]
    fn settle(&mut self) {
        if self.pending > 0 {
            let n = std::mem::take(&mut self.pending);
            for step in &mut self.steps {
                if let Step::Column(column) = step {
                    column.push_nulls(n);
                }
            }
        }
    }
}

impl Column for Record {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.decode_one(bytes, pos)
    }

    /// Field by field: each has a loop of its own, without dispatch.
    fn decode_across(&mut self, rows: Rows<'_>, positions: &mut [usize]) -> Result<(), Fault> {
        self.settle();
        for step in &mut self.steps {
            match step {
                Step::Column(column) => column.decode_across(rows, positions)?,
                Step::Skip(skips) => {
                    rows.advance(positions, |bytes, pos| self.programs.skip(skips, bytes, pos))?;
                }
            }
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
            if let Step::Column(column) = step {
                column.reserve(n);
            }
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
