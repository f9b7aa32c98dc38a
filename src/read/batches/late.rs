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
use super::records::{DecodeRecords, RunLocation};
use super::{Batch, Filter, ReadContext};
use crate::container::BlockFrame;
use crate::decode::Record;
use crate::plan::{FilterPlan, Plan};
use crate::read::sections::{BlockSlice, FileTask};
use crate::read::settings::STRIDE;
use crate::read::stats::{add, add_time};
use crate::{Error, ErrorKind, Result};

/// Rows that the filter has not tested yet, and the batches of the rows that passed.
struct LateMaterializer<'a> {
    /// Decodes the remaining rows in one phase, once a test has shown that most rows pass. Before that, it has the batches of
    /// the rows that passed, the number of the first untested row, and the bytes of the untested rows.
    whole: BatchBuilder<'a>,
    is_whole: bool,
    filter: &'a Filter,
    tested: Record,
    wanted: Record,
    /// The offset of each untested row in its block's data.
    starts: Vec<usize>,
    runs: Vec<Run<'a>>,
    /// The data of all blocks except the last, which is still being decoded.
    data: Vec<Cow<'a, [u8]>>,
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
pub(crate) fn decode(context: &ReadContext<'_>, filter: &Filter, tasks: &[FileTask]) -> Result<Vec<Batch>> {
    let Some(first) = tasks.first() else { return Ok(Vec::new()) };
    let (tested, wanted) = records_of(&first.plan)?;
    let (is_whole, starts, runs, data) = <_>::default();
    let whole = BatchBuilder::new(context, &first.plan);
    let mut rows = LateMaterializer { whole, is_whole, filter, tested, wanted, starts, runs, data };
    context.decode_tasks(tasks, &mut rows)?;
    rows.ask(&[])?;
    rows.whole.finish()
}

impl<'a> DecodeRecords<'a> for LateMaterializer<'a> {
    /// Tests the rows so far if the fields of the plans differ.
    fn switch_plan(&mut self, plan: &'a Plan) -> Result<()> {
        if !self.is_whole && !Arc::ptr_eq(&self.whole.plan.fields, &plan.fields) {
            self.ask(&[])?;
            (self.tested, self.wanted) = records_of(plan)?;
        }
        self.whole.switch_plan(plan)
    }

    fn begin(&mut self, run_rows: u64) {
        if self.is_whole {
            self.whole.begin(run_rows);
        }
    }

    fn rows(&mut self, location: &RunLocation<'a, '_>, first: usize, n: u64) -> Result<usize> {
        let RunLocation { task, frame, data, .. } = *location;
        let (mut pos, mut done) = (first, 0);
        let settings = self.whole.settings;
        let stride = settings.stride(self.whole.plan);
        while done < n {
            let (first_row, record) = (location.first_row + done, location.record + done);
            if self.is_whole {
                return self.whole.rows(&RunLocation { first_row, record, ..*location }, pos, n - done);
            }
            self.whole.first_row.get_or_insert(first_row);
            let step = (n - done).min(stride).min(settings.room(self.starts.len()));
            let start = pos;
            let rows = self.starts.len()..self.starts.len() + step as usize;
            self.runs.push(Run { task, frame, block: self.data.len(), record, rows });
            let decoded = self.tested.decode_noting(data, pos, step as usize, &mut self.starts);
            pos = decoded.map_err(|(row, fault)| location.record_fault(fault, first, done + row as u64))?;
            self.whole.bytes += pos - start;
            done += step;
            let rows = self.starts.len();
            if settings.is_full(rows, self.whole.bytes) || (rows >= STRIDE && !self.filter.is_selective()) {
                self.ask(data)?;
                self.is_whole = !self.filter.is_selective();
            }
        }
        Ok(pos)
    }

    /// Keeps the data for the second phase, unless its rows were tested.
    fn keep(&mut self, data: Cow<'a, [u8]>) {
        if self.starts.is_empty() { self.whole.keep(data) } else { self.data.push(data) }
    }

    fn reserve<'p>(&mut self, rest: impl Iterator<Item = &'p BlockSlice>, last: &BlockSlice) {
        if self.is_whole {
            self.whole.reserve(rest, last);
        }
    }
}

impl LateMaterializer<'_> {
    /// Tests all rows so far and decodes those that pass. `last` is the data of the last block if it is not kept yet.
    fn ask(&mut self, last: &[u8]) -> Result<()> {
        if self.is_whole {
            return Ok(());
        }
        let Some(first_row) = self.whole.first_row.take() else { return Ok(()) };
        let (context, plan) = (self.whole.context, self.whole.plan);
        let ReadContext { virtual_columns, counters, .. } = *context;
        let row_index = virtual_columns.row_index.as_ref();
        let start = Instant::now();
        let passed = self.filter.test(of_plan(plan)?, &mut self.tested, first_row, row_index)?;
        add_time(&counters.filter_ns, start);
        let height = passed.set_bits();
        add(&counters.rows_evaluated, passed.len() as u64);
        add(&counters.rows_filtered_out, (passed.len() - height) as u64);
        add(&counters.rows_decoded, height as u64);
        let files = self.decode(&passed, last)?;
        self.runs.clear();
        self.starts.clear();
        let bytes = std::mem::take(&mut self.whole.bytes);
        self.data.drain(..).for_each(|data| context.reuse(data));
        if height > 0 {
            let (arrays, height) = self.wanted.finish_fields();
            let batch = Batch { fields: plan.fields.clone(), arrays, height, bytes };
            let index = row_index.map(|index| index.of_set(first_row, &passed)).transpose()?;
            self.whole.batches.push(virtual_columns.add_to(batch, index, &files));
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

/// Returns an empty record of the filter's columns, and one of all wanted columns.
fn records_of(plan: &Plan) -> Result<(Record, Record)> {
    of_plan(plan).map(|plan| (Record::clone(&plan.record), plan.wanted.clone()))
}

/// Returns the plan of the filter's columns. Either all plans of a read have one, or none has.
fn of_plan(plan: &Plan) -> Result<&FilterPlan> {
    let missing = || Error::new(ErrorKind::Internal, "a plan without the columns that its filter looks at");
    plan.filter.as_deref().ok_or_else(missing)
}
