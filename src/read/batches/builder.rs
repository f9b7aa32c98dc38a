//! Decodes tasks into batches.

use std::sync::Arc;

use super::records::{DecodeRecords, RunLocation, decode_block, decode_rows};
use super::{Batch, ReadContext, Scratch, VirtualColumns};
use crate::Result;
use crate::decode::{NextLook, Record};
use crate::plan::Plan;
use crate::read::files::BlockData;
use crate::read::sections::{BlockSlice, Blocks, FileTask, TaskKind};
use crate::read::settings::ReadSettings;
use crate::read::stats::add;

/// A builder of the batches of one run of tasks.
pub(crate) struct BatchBuilder<'a> {
    context: &'a ReadContext<'a>,
    pub(super) settings: ReadSettings,
    plan: &'a Plan,
    record: Record,
    batches: Vec<Batch>,
    /// The number of batches that were complete when the current block began.
    block_began_at: usize,
    /// The number of the current batch's first row in the read, and the bytes decoded into the batch.
    first_row: Option<u64>,
    bytes: usize,
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
    pub(crate) fn decode(&self, tasks: &[FileTask], scratch: &mut Scratch) -> (Vec<Batch>, Result<()>) {
        let Some(first) = tasks.first() else { return (Vec::new(), Ok(())) };
        let mut out = BatchBuilder::new(self, &first.plan);
        let decoded = self.decode_tasks(tasks, scratch, &mut out).and_then(|()| {
            out.block_began_at = out.batches.len();
            out.flush()
        });
        if decoded.is_err() {
            out.batches.truncate(out.block_began_at);
        }
        (out.batches, decoded)
    }

    pub(crate) fn decode_tasks<'p>(
        &self,
        tasks: &'p [FileTask],
        scratch: &mut Scratch,
        out: &mut BatchBuilder<'p>,
    ) -> Result<()> {
        for (i, task) in tasks.iter().enumerate() {
            out.switch_plan(&task.plan)?;
            self.decode_task(task, &tasks[i + 1..], scratch, out)?;
        }
        Ok(())
    }

    /// Decodes the rows of one task; `behind` are the tasks after it.
    pub(crate) fn decode_task(
        &self,
        task: &FileTask,
        behind: &[FileTask],
        scratch: &mut Scratch,
        out: &mut BatchBuilder<'_>,
    ) -> Result<()> {
        out.block_began_at = out.batches.len();
        match &task.kind {
            TaskKind::RecordRun(rows) => {
                let n = rows.n.min(rows.data.len() as u64);
                out.record.reserve_rows(n as usize);
                out.run_rows = n;
                decode_rows(self, task, rows, out)?;
                out.run_rows = 0;
            }
            TaskKind::Blocks(Blocks { window, slices, .. }) => {
                self.decode_blocks(task, window, slices, behind, scratch, out)?;
            }
            TaskKind::BadBlock(_) => {}
        }
        Ok(())
    }

    /// Decodes some blocks of a task, with the columns of `plan`.
    pub(crate) fn decode_slices(
        &self,
        task: &FileTask,
        plan: &Plan,
        window: &[u8],
        slices: &[BlockSlice],
        scratch: &mut Scratch,
    ) -> Result<Vec<Batch>> {
        let mut out = BatchBuilder::new(self, plan);
        self.decode_blocks(task, window, slices, &[], scratch, &mut out)?;
        out.finish()
    }

    pub(crate) fn decode_blocks(
        &self,
        task: &FileTask,
        window: &[u8],
        slices: &[BlockSlice],
        behind: &[FileTask],
        scratch: &mut Scratch,
        out: &mut BatchBuilder<'_>,
    ) -> Result<()> {
        for (i, slice) in slices.iter().enumerate() {
            self.check_cancelled()?;
            out.block_began_at = out.batches.len();
            let bytes = &window[slice.range.clone()];
            let Scratch { decompressor, data, .. } = scratch;
            let place = task.file.decompress(bytes, &slice.frame, decompressor, data, self.counters)?;
            let data = if place == BlockData::InPlace { bytes } else { data };
            decode_block(self, task, slice, (data, place), out)?;
            if out.look.is_due(out.record.len()) {
                let same = behind.iter().take_while(|next| Arc::ptr_eq(&next.plan.fields, &task.plan.fields));
                out.reserve(slices[i + 1..].iter().chain(same.flat_map(|next| next.kind.slices())), slice);
            }
        }
        Ok(())
    }
}

impl<'a> BatchBuilder<'a> {
    pub(crate) fn new(context: &'a ReadContext<'a>, plan: &'a Plan) -> Self {
        let record = Record::clone(&plan.record);
        let (batches, files) = (Vec::new(), Vec::new());
        let settings = context.settings.of_plan(plan);
        Self {
            context,
            settings,
            plan,
            record,
            batches,
            block_began_at: 0,
            first_row: None,
            bytes: 0,
            files,
            look: NextLook::at(1),
            run_rows: 0,
        }
    }

    /// Switches to `plan`; ends the current batch if the fields of the plans differ.
    pub(crate) fn switch_plan(&mut self, plan: &'a Plan) -> Result<()> {
        if !Arc::ptr_eq(&self.plan.fields, &plan.fields) {
            self.flush()?;
            (self.plan, self.record) = (plan, Record::clone(&plan.record));
            self.settings = self.context.settings.of_plan(plan);
        }
        Ok(())
    }

    /// Returns all batches, the last one even if it is not full.
    pub(crate) fn finish(mut self) -> Result<Vec<Batch>> {
        self.flush()?;
        Ok(self.batches)
    }

    /// Reserves capacity for the rows of the slices after `first`. The claimed counts may be wrong, so they are capped at
    /// twice the number that the row size of `first` predicts.
    fn reserve<'p>(&mut self, rest: impl Iterator<Item = &'p BlockSlice>, first: &BlockSlice) {
        let (claimed, compressed) = rest.fold((0_u64, 0_u64), |(claimed, compressed), slice| {
            (claimed.saturating_add(slice.take), compressed + slice.range.len() as u64)
        });
        let likely = first.take.saturating_mul(compressed) / first.range.len() as u64;
        let (known, claimed) = (self.record.len() as u64, claimed.min(likely.saturating_mul(2)));
        let most = self.settings.batch_rows as u64;
        self.record.reserve_rows((known + claimed).min(most).saturating_sub(known) as usize);
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

impl<'a> DecodeRecords<'a> for BatchBuilder<'_> {
    fn rows(&mut self, location: &RunLocation<'a, '_>, first: usize, n: u64) -> Result<usize> {
        let (mut pos, mut done) = (first, 0);
        let stride = self.settings.stride(self.plan);
        while done < n {
            self.first_row.get_or_insert(location.task.base + location.first_row + done);
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
