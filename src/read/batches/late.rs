//! Decodes tasks in two phases: the filter's columns first, then every column of the rows that pass.
//!
//! The first phase keeps the decompressed blocks and the offsets of their records. The second one therefore need not walk
//! over rows that did not pass. If most rows pass, the remaining rows are decoded in one phase.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use polars_arrow::bitmap::Bitmap;

use super::builder::{BatchBuilder, note_file};
use super::records::{DecodeRecords, RunLocation, decode_block, decode_rows};
use super::{Batch, Filter, ReadContext, Scratch};
use crate::container::BlockFrame;
use crate::decode::Record;
use crate::plan::{FilterPlan, Plan};
use crate::read::files::BlockData;
use crate::read::sections::{Blocks, FileTask, TaskKind};
use crate::read::settings::{ReadSettings, STRIDE};
use crate::read::stats::{add, add_time};
use crate::{Error, ErrorKind, Result};

/// Rows that the filter has not tested yet, and the batches of the rows that passed.
struct LateMaterializer<'a> {
    context: &'a ReadContext<'a>,
    settings: ReadSettings,
    filter: &'a Filter,
    plan: &'a Plan,
    filter_plan: &'a FilterPlan,
    tested: Record,
    wanted: Record,
    /// The number of the first untested row in the read.
    first_row: Option<u64>,
    /// The offset of each untested row in its block's data.
    starts: Vec<usize>,
    runs: Vec<Run<'a>>,
    /// The data of all blocks except the last, which is still being decoded.
    data: Vec<Cow<'a, [u8]>>,
    bytes: usize,
    /// Memory for decompressed blocks.
    buffers: Vec<Vec<u8>>,
    batches: Vec<Batch>,
    /// Decodes the remaining rows in one phase, once a test has shown that most rows pass.
    whole: Option<BatchBuilder<'a>>,
}

/// Consecutive rows of one block.
struct Run<'a> {
    task: &'a FileTask,
    frame: &'a BlockFrame,
    block: usize,
    /// The number of the first record in its block.
    record: u64,
    /// The indices of the rows among all untested rows.
    rows: Range<usize>,
}

/// Decodes the rows of several tasks that pass the filter, in order. If most rows pass, other rows are returned too.
pub(crate) fn decode(
    context: &ReadContext<'_>,
    filter: &Filter,
    tasks: &[FileTask],
    scratch: &mut Scratch,
) -> Result<Vec<Batch>> {
    let Some(first) = tasks.first() else { return Ok(Vec::new()) };
    let mut rows = LateMaterializer::new(context, filter, &first.plan, std::mem::take(&mut scratch.blocks))?;
    for (i, task) in tasks.iter().enumerate() {
        if let Some(whole) = &mut rows.whole {
            context.decode_tasks(&tasks[i..], scratch, whole)?;
            break;
        }
        rows.switch_plan(&task.plan)?;
        match &task.kind {
            TaskKind::BadBlock(_) => {}
            TaskKind::RecordRun(run) => {
                decode_rows(context, task, run, &mut rows)?;
                rows.keep(Cow::Borrowed(&run.data));
            }
            TaskKind::Blocks(blocks) => rows.blocks(task, blocks, &tasks[i + 1..], scratch)?,
        }
    }
    rows.ask(&[])?;
    scratch.blocks = rows.buffers;
    if let Some(whole) = rows.whole {
        rows.batches.extend(whole.finish()?);
    }
    Ok(rows.batches)
}

impl<'a> DecodeRecords<'a> for LateMaterializer<'a> {
    fn rows(&mut self, location: &RunLocation<'a, '_>, first: usize, n: u64) -> Result<usize> {
        let RunLocation { task, frame, data, .. } = *location;
        let (mut pos, mut done) = (first, 0);
        let stride = self.settings.stride(self.plan);
        while done < n {
            if let Some(whole) = &mut self.whole {
                let rest =
                    RunLocation { first_row: location.first_row + done, record: location.record + done, ..*location };
                return whole.rows(&rest, pos, n - done);
            }
            self.first_row.get_or_insert(task.base + location.first_row + done);
            let step = (n - done).min(stride).min(self.settings.room(self.starts.len()));
            let (start, record) = (pos, location.record + done);
            let rows = self.starts.len()..self.starts.len() + step as usize;
            self.runs.push(Run { task, frame, block: self.data.len(), record, rows });
            let decoded = self.tested.decode_noting(data, pos, step as usize, &mut self.starts);
            pos = decoded.map_err(|(row, fault)| location.record_fault(fault, first, done + row as u64))?;
            self.bytes += pos - start;
            done += step;
            let rows = self.starts.len();
            if self.settings.is_full(rows, self.bytes) || (rows >= STRIDE && !self.filter.is_selective()) {
                self.ask(data)?;
                if !self.filter.is_selective() {
                    self.whole = Some(BatchBuilder::new(self.context, self.plan));
                }
            }
        }
        Ok(pos)
    }
}

impl<'a> LateMaterializer<'a> {
    fn new(context: &'a ReadContext<'a>, filter: &'a Filter, plan: &'a Plan, buffers: Vec<Vec<u8>>) -> Result<Self> {
        let filter_plan = of_plan(plan)?;
        let (tested, wanted) = (Record::clone(&filter_plan.record), filter_plan.wanted.clone());
        let (first_row, starts, runs, data, bytes, batches, whole) = <_>::default();
        Ok(Self {
            context,
            settings: context.settings.of_plan(plan),
            filter,
            plan,
            filter_plan,
            tested,
            wanted,
            first_row,
            starts,
            runs,
            data,
            bytes,
            buffers,
            batches,
            whole,
        })
    }

    /// Switches to `plan`; tests the rows so far if the fields of the plans differ.
    fn switch_plan(&mut self, plan: &'a Plan) -> Result<()> {
        if !Arc::ptr_eq(&self.plan.fields, &plan.fields) {
            self.ask(&[])?;
            (self.plan, self.filter_plan) = (plan, of_plan(plan)?);
            self.settings = self.context.settings.of_plan(plan);
            (self.tested, self.wanted) = (Record::clone(&self.filter_plan.record), self.filter_plan.wanted.clone());
        }
        Ok(())
    }

    /// Decodes some blocks of a task; `behind` are the tasks after it.
    fn blocks(
        &mut self,
        task: &'a FileTask,
        blocks: &'a Blocks,
        behind: &[FileTask],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Blocks { window, slices, .. } = blocks;
        for (i, slice) in slices.iter().enumerate() {
            self.context.check_cancelled()?;
            if let Some(whole) = &mut self.whole {
                return self.context.decode_blocks(task, window, &slices[i..], behind, scratch, whole);
            }
            let bytes = &window[slice.range.clone()];
            let mut data = self.buffers.pop().unwrap_or_default();
            let Scratch { decompressor, .. } = scratch;
            let place = task.file.decompress(bytes, &slice.frame, decompressor, &mut data, self.context.counters)?;
            let data = if place == BlockData::InPlace { Cow::Borrowed(bytes) } else { Cow::Owned(data) };
            decode_block(self.context, task, slice, (&data, place), self)?;
            self.keep(data);
        }
        Ok(())
    }

    /// Keeps the data of the last block for the second phase. If no untested rows are left, its memory is reused.
    fn keep(&mut self, data: Cow<'a, [u8]>) {
        match data {
            Cow::Owned(memory) if self.starts.is_empty() => self.buffers.push(memory),
            data => self.data.push(data),
        }
    }

    /// Tests all rows so far and decodes those that pass. `last` is the data of the last block if it is not kept yet.
    fn ask(&mut self, last: &[u8]) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        let ReadContext { virtual_columns, counters, .. } = *self.context;
        let row_index = virtual_columns.row_index.as_ref();
        let start = Instant::now();
        let passed = self.filter.test(self.filter_plan, &mut self.tested, first_row, row_index)?;
        add_time(&counters.filter_ns, start);
        let height = passed.set_bits();
        add(&counters.rows_evaluated, passed.len() as u64);
        add(&counters.rows_filtered_out, (passed.len() - height) as u64);
        add(&counters.rows_decoded, height as u64);
        let files = self.decode(&passed, last)?;
        self.runs.clear();
        self.starts.clear();
        let bytes = std::mem::take(&mut self.bytes);
        self.buffers.extend(self.data.drain(..).filter_map(|data| match data {
            Cow::Owned(memory) => Some(memory),
            Cow::Borrowed(_) => None,
        }));
        if height > 0 {
            let (arrays, height) = self.wanted.finish_fields();
            let batch = Batch { fields: self.plan.fields.clone(), arrays, height, bytes };
            let index = row_index.map(|index| index.of_set(first_row, &passed)).transpose()?;
            self.batches.push(virtual_columns.add_to(batch, index, &files));
        }
        Ok(())
    }

    /// Decodes every wanted column of the rows that passed; returns the number of rows of each file.
    fn decode(&mut self, passed: &Bitmap, last: &[u8]) -> Result<Vec<(usize, usize)>> {
        self.wanted.reserve_rows(passed.set_bits());
        let mut files = Vec::new();
        for Run { task, frame, block, record, rows } in &self.runs {
            let data = self.data.get(*block).map_or(last, |data| data);
            let starts = &self.starts[rows.clone()];
            let passed = passed.clone().sliced(rows.start, rows.len());
            let height = passed.set_bits();
            note_file(&mut files, task.file.number, height);
            self.wanted.decode_at(data, height, passed.true_idx_iter().map(|row| starts[row])).map_err(
                |(nth, fault)| {
                    let row = passed.true_idx_iter().nth(nth).unwrap_or_default();
                    task.file.record_fault(fault, frame, record + row as u64, (data, starts[row]))
                },
            )?;
        }
        Ok(files)
    }
}

/// Returns the plan of the filter's columns. Either all plans of a read have one, or none has.
fn of_plan(plan: &Plan) -> Result<&FilterPlan> {
    let missing = || Error::new(ErrorKind::Internal, "a plan without the columns that its filter looks at");
    plan.filter.as_deref().ok_or_else(missing)
}
