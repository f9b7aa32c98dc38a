//! Decodes tasks into batches.

use std::borrow::Cow;
use std::sync::Arc;

use super::records::{DecodeRecords, RunLocation};
use super::{Batch, ReadContext, VirtualColumns};
use crate::Result;
use crate::decode::{NextLook, Record};
use crate::plan::Plan;
use crate::read::sections::{BlockSlice, FileTask};
use crate::read::settings::ReadSettings;
use crate::read::stats::add;

/// A builder of the batches of one run of tasks.
pub(crate) struct BatchBuilder<'a> {
    pub(super) context: &'a ReadContext<'a>,
    pub(super) settings: ReadSettings,
    pub(super) plan: &'a Plan,
    record: Record,
    pub(super) batches: Vec<Batch>,
    /// The number of batches that were complete when the current block began.
    block_began_at: usize,
    /// The number of the current batch's first row in the read, and the bytes decoded into the batch.
    pub(super) first_row: Option<u64>,
    pub(super) bytes: usize,
    /// Pairs of a file number and a row count, for the files of the current batch's rows.
    files: Vec<(usize, usize)>,
    /// The row count at which the current batch next reserves capacity.
    look: NextLook,
    /// The number of rows of the current run of records, 0 between runs.
    run_rows: u64,
}

/// Adds `rows` rows of file `number` to the row counts of a batch.
pub(crate) fn note_file(files: &mut Vec<(usize, usize)>, number: usize, rows: usize) {
    match files.last_mut() {
        Some((last, known)) if *last == number => *known += rows,
        _ => files.push((number, rows)),
    }
}

impl ReadContext<'_> {
    /// Decodes several tasks in order. Files that are read by the same plan share batches.
    ///
    /// If decoding fails, returns the batches before the error, without those that hold rows of the failed block.
    pub(crate) fn decode(&self, tasks: &[FileTask]) -> (Vec<Batch>, Result<()>) {
        let Some(first) = tasks.first() else { return (Vec::new(), Ok(())) };
        let mut out = BatchBuilder::new(self, &first.plan);
        let decoded = self.decode_tasks(tasks, &mut out).and_then(|()| {
            out.begin(0);
            out.flush()
        });
        if decoded.is_err() {
            out.batches.truncate(out.block_began_at);
        }
        (out.batches, decoded)
    }

    /// Decodes some blocks of a task, with the columns of `plan`.
    pub(crate) fn decode_slices(&self, task: &FileTask, plan: &Plan, slices: &[BlockSlice]) -> Result<Vec<Batch>> {
        let mut out = BatchBuilder::new(self, plan);
        self.decode_blocks(task, slices, &[], &mut out)?;
        out.finish()
    }
}

impl<'a> BatchBuilder<'a> {
    pub(crate) fn new(context: &'a ReadContext<'a>, plan: &'a Plan) -> Self {
        let (settings, record, look) = (context.settings.of_plan(plan), Record::clone(&plan.record), NextLook::at(1));
        let (batches, block_began_at, first_row, bytes, files, run_rows) = <_>::default();
        Self { context, settings, plan, record, batches, block_began_at, first_row, bytes, files, look, run_rows }
    }

    /// Returns all batches, the last one even if it is not full.
    pub(crate) fn finish(mut self) -> Result<Vec<Batch>> {
        self.flush()?;
        Ok(self.batches)
    }

    /// Ends the current batch, if it has any rows.
    fn flush(&mut self) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        let bytes = std::mem::take(&mut self.bytes);
        let (arrays, height) = self.record.finish_fields();
        let batch = Batch { fields: self.plan.fields.clone(), arrays, height, bytes };
        let VirtualColumns { row_index, .. } = self.context.virtual_columns;
        let index = row_index.as_ref().map(|index| index.array(first_row, height)).transpose()?;
        self.batches.push(self.context.virtual_columns.add_to(batch, index, &self.files));
        self.files.clear();
        self.look = NextLook::at(1);
        Ok(())
    }
}

impl<'a> DecodeRecords<'a> for BatchBuilder<'a> {
    /// Ends the current batch if the fields of the plans differ.
    fn switch_plan(&mut self, plan: &'a Plan) -> Result<()> {
        if !Arc::ptr_eq(&self.plan.fields, &plan.fields) {
            self.flush()?;
            (self.plan, self.record) = (plan, Record::clone(&plan.record));
            self.settings = self.context.settings.of_plan(plan);
        }
        Ok(())
    }

    fn begin(&mut self, run_rows: u64) {
        (self.block_began_at, self.run_rows) = (self.batches.len(), run_rows);
        if run_rows > 0 {
            self.record.reserve_rows(run_rows as usize);
        }
    }

    fn keep(&mut self, data: Cow<'a, [u8]>) {
        self.context.reuse(data);
    }

    /// The claimed counts may be wrong, so they are capped at twice the number that the row size of `last` predicts.
    fn reserve<'p>(&mut self, rest: impl Iterator<Item = &'p BlockSlice>, last: &BlockSlice) {
        if !self.look.is_due(self.record.len()) {
            return;
        }
        let (claimed, compressed) = rest.fold((0_u64, 0_u64), |(claimed, compressed), slice| {
            (claimed.saturating_add(slice.take), compressed + slice.range.len() as u64)
        });
        let likely = last.take.saturating_mul(compressed) / last.range.len() as u64;
        let (known, claimed) = (self.record.len() as u64, claimed.min(likely.saturating_mul(2)));
        let most = self.settings.batch_rows as u64;
        self.record.reserve_rows((known + claimed).min(most).saturating_sub(known) as usize);
    }

    fn rows(&mut self, location: &RunLocation<'a, '_>, first: usize, n: u64) -> Result<usize> {
        let (mut pos, mut done) = (first, 0);
        let stride = self.settings.stride(self.plan);
        while done < n {
            self.first_row.get_or_insert(location.first_row + done);
            let step = (n - done).min(stride).min(self.settings.room(self.record.len()));
            let start = pos;
            let decoded = self.record.decode_rows(location.data, pos, step as usize);
            pos = decoded.map_err(|(row, fault)| location.record_fault(fault, first, done + row as u64))?;
            self.bytes += pos - start;
            done += step;
            note_file(&mut self.files, location.task.file.number, step as usize);
            add(&self.context.counters.rows_decoded, step);
            if self.settings.is_full(self.record.len(), self.bytes) {
                self.flush()?;
            } else if self.run_rows > done && self.look.is_due(self.record.len()) {
                self.record.reserve_rows((self.run_rows - done) as usize);
            }
        }
        Ok(pos)
    }
}
