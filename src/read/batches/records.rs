//! The context that decoding needs, and the walk over the records of a block.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Batch, TaskOutput, VirtualColumns};
use crate::binary::{Fault, data_end};
use crate::codec::{Decompressor, StreamEnd};
use crate::container::BlockFrame;
use crate::decode::take_replaced;
use crate::plan::Plan;
use crate::read::fetch::BufferPool;
use crate::read::files::{BadBlock, BlockData, OpenFile};
use crate::read::sections::{BlockSlice, FileTask, RecordRun, TaskKind};
use crate::read::settings::ReadSettings;
use crate::read::stats::Counters;
use crate::{Error, ErrorKind, Result};

/// Memory that a thread reuses from one task to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    decompressor: Decompressor,
    /// Memory for decompressed blocks.
    blocks: Vec<Vec<u8>>,
}

/// The state that the tasks of one section are decoded with.
#[derive(Clone, Copy)]
pub(crate) struct ReadContext<'a> {
    pub(crate) virtual_columns: &'a VirtualColumns,
    pub(crate) settings: ReadSettings,
    pub(crate) counters: &'a Counters,
    pub(crate) buffers: &'a BufferPool,
    pub(crate) scratch: &'a RefCell<Scratch>,
    /// Reports on blocks whose rows were all decoded, but that have trailing bytes or an unfinished stream.
    pub(crate) read_whole: &'a RefCell<Vec<BadBlock>>,
    /// True once the read is cancelled.
    pub(crate) cancelled: &'a AtomicBool,
}

impl ReadContext<'_> {
    /// Returns these batches, after the reports on their blocks.
    pub(crate) fn outputs(&self, batches: Vec<Batch>) -> impl Iterator<Item = TaskOutput> + use<> {
        let reports = self.read_whole.take().into_iter().map(TaskOutput::BadBlock);
        reports.chain(batches.into_iter().map(TaskOutput::Batch))
    }

    fn report(&self, bad: Option<BadBlock>) {
        self.read_whole.borrow_mut().extend(bad);
    }

    /// Keeps the memory of a decompressed block for the next one.
    pub(crate) fn reuse(&self, data: Cow<'_, [u8]>) {
        if let Cow::Owned(memory) = data {
            self.scratch.borrow_mut().blocks.push(memory);
        }
    }

    /// Returns the data of a block: in place, or in reused memory.
    fn decompress<'a>(
        &self,
        file: &OpenFile,
        bytes: &'a [u8],
        frame: &BlockFrame,
    ) -> Result<(Cow<'a, [u8]>, BlockData)> {
        let Scratch { decompressor, blocks } = &mut *self.scratch.borrow_mut();
        let mut memory = blocks.pop().unwrap_or_default();
        let place = file.decompress(bytes, frame, decompressor, &mut memory, self.counters)?;
        if place == BlockData::InPlace {
            blocks.push(memory);
            return Ok((Cow::Borrowed(bytes), place));
        }
        Ok((Cow::Owned(memory), place))
    }

    /// Decodes several tasks in order.
    pub(crate) fn decode_tasks<'a>(&self, tasks: &'a [FileTask], out: &mut impl DecodeRecords<'a>) -> Result<()> {
        for (i, task) in tasks.iter().enumerate() {
            out.switch_plan(&task.plan)?;
            match &task.kind {
                TaskKind::RecordRun(run) => {
                    out.begin(run.n.min(task.bytes.len() as u64));
                    decode_rows(self, task, run, out)?;
                    out.keep(Cow::Borrowed(&task.bytes));
                }
                TaskKind::Blocks(blocks) => self.decode_blocks(task, &blocks.slices, &tasks[i + 1..], out)?,
                TaskKind::BadBlock(_) => {}
            }
        }
        Ok(())
    }

    /// Decodes some blocks of a task; `after` are the tasks after it.
    pub(crate) fn decode_blocks<'a>(
        &self,
        task: &'a FileTask,
        slices: &'a [BlockSlice],
        after: &'a [FileTask],
        out: &mut impl DecodeRecords<'a>,
    ) -> Result<()> {
        for (i, slice) in slices.iter().enumerate() {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Internal, "the read was cancelled"));
            }
            out.begin(0);
            let bytes = &task.bytes[slice.range.clone()];
            let (data, place) = self.decompress(&task.file, bytes, &slice.frame)?;
            decode_block(self, task, slice, (&data, place), out)?;
            out.keep(data);
            let same = after.iter().take_while(|next| Arc::ptr_eq(&next.plan.fields, &task.plan.fields));
            out.reserve(slices[i + 1..].iter().chain(same.flat_map(|next| next.kind.slices())), slice);
        }
        Ok(())
    }
}

impl RunLocation<'_, '_> {
    /// Returns the error of the record after the first `before` ones, which begin at `pos` and are sound.
    #[cold]
    pub(crate) fn record_fault(&self, fault: Fault, pos: usize, before: u64) -> Error {
        let Self { task, frame, data, record, .. } = *self;
        let (_, pos, _) = task.plan.skip_records(data, pos, before);
        task.file.record_fault(fault, frame, record + before, (data, pos))
    }
}

/// The location of a run of records.
pub(crate) struct RunLocation<'a, 'd> {
    pub(crate) task: &'a FileTask,
    pub(crate) frame: &'a BlockFrame,
    pub(crate) data: &'d [u8],
    pub(crate) first_row: u64,
    pub(crate) record: u64,
}

/// A consumer of runs of records, which receives all rows of some tasks in order.
pub(crate) trait DecodeRecords<'a> {
    /// Switches to the plan of the next rows.
    fn switch_plan(&mut self, plan: &'a Plan) -> Result<()>;

    /// Begins a block, or a run of `run_rows` records of a large one.
    fn begin(&mut self, run_rows: u64);

    /// Decodes `n` records from `pos` on; returns the position after them.
    fn rows(&mut self, location: &RunLocation<'a, '_>, pos: usize, n: u64) -> Result<usize>;

    /// Takes the data of a block or a run whose rows were decoded.
    fn keep(&mut self, data: Cow<'a, [u8]>);

    /// Reserves capacity for the blocks `rest` after `last`, if it is needed.
    fn reserve<'p>(&mut self, rest: impl Iterator<Item = &'p BlockSlice>, last: &BlockSlice);
}

/// Checks the row count of a block whose rows take no bytes: the size of the block does not bound it.
fn check_empty_rows(plan: &Plan, frame: &BlockFrame, file: &OpenFile) -> Result<()> {
    // The result must not depend on the columns that are read.
    let row_values = plan.all_columns.as_deref().unwrap_or(plan).row_values as u64;
    if !plan.rows_are_empty() || frame.rows.saturating_mul(row_values) <= file.limits.zero_byte_items as u64 {
        return Ok(());
    }
    let message = format!("{} rows that take no bytes", frame.rows);
    Err(file.block_error(Error::limit("zero_byte_items", message), frame))
}

/// Decodes the wanted rows of a block.
fn decode_block<'a>(
    context: &ReadContext<'_>,
    task: &'a FileTask,
    slice: &'a BlockSlice,
    (data, place): (&[u8], BlockData),
    out: &mut impl DecodeRecords<'a>,
) -> Result<()> {
    let (frame, strict) = (&slice.frame, context.settings.strict);
    let room = data_end(data);
    check_empty_rows(&task.plan, frame, &task.file)?;
    if place.stream_end() == StreamEnd::Missing {
        task.file.check_unfinished(&task.plan, frame, data)?;
    }
    let irregular = task.file.check_stream_end(place.stream_end(), frame, strict)?;
    let (record, pos, fault) = task.plan.skip_records(data, 0, slice.skip);
    if let Some(fault) = fault {
        return Err(task.file.record_fault(fault, frame, record, (data, pos)));
    }
    let location = RunLocation { task, frame, data, first_row: slice.first_row + slice.skip, record: slice.skip };
    take_replaced();
    let pos = out.rows(&location, pos, slice.take)?;
    context.report(task.file.replaced_values(frame));
    // Otherwise it is not known that the block has all of its rows.
    if slice.skip + slice.take == frame.rows {
        let trailing = |bytes| task.file.trailing_bytes(bytes, frame, strict).map(Some);
        context.report(if pos == room { irregular } else { trailing((room - pos) as u64)? });
    }
    Ok(())
}

/// Decodes a run of records of a large block.
fn decode_rows<'a>(
    context: &ReadContext<'_>,
    task: &'a FileTask,
    rows: &'a RecordRun,
    out: &mut impl DecodeRecords<'a>,
) -> Result<()> {
    let RecordRun { frame, start, stop, behind, stream_end, first_row, record, n } = rows;
    let (data, strict) = (&*task.bytes, context.settings.strict);
    take_replaced();
    let pos = out.rows(&RunLocation { task, frame, data, first_row: *first_row, record: *record }, *start, *n)?;
    context.report(task.file.replaced_values(frame));
    if let Some(behind) = behind {
        let left = (data_end(data) - pos) as u64 + behind;
        if left > 0 {
            context.report(Some(task.file.trailing_bytes(left, frame, strict)?));
        } else {
            context.report(task.file.check_stream_end(*stream_end, frame, strict)?);
        }
    }
    if stop.is_some_and(|stop| stop != pos) {
        let error = Error::new(ErrorKind::Internal, "decoding and skipping disagree about where a record ends");
        return Err(task.file.block_error(error, frame));
    }
    Ok(())
}
