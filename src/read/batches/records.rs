//! The context that decoding needs, and the walk over the records of a block.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{TaskOutput, VirtualColumns};
use crate::binary::{Fault, data_end};
use crate::codec::{Decompressor, StreamEnd};
use crate::container::BlockFrame;
use crate::decode::take_replaced;
use crate::plan::Plan;
use crate::read::files::{BadBlock, BlockData, OpenFile};
use crate::read::sections::{BlockSlice, FileTask, RecordRun};
use crate::read::settings::ReadSettings;
use crate::read::stats::Counters;
use crate::{Error, ErrorKind, Result};

/// Memory that a thread reuses from one task to the next.
pub(crate) struct Scratch {
    pub(crate) decompressor: Decompressor,
    pub(crate) data: Vec<u8>,
    /// Memory for blocks that are kept until the filter has tested their rows.
    pub(crate) blocks: Vec<Vec<u8>>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { decompressor: Decompressor::new(), data: Vec::new(), blocks: Vec::new() }
    }
}

/// The state that all tasks of one read are decoded with.
#[derive(Clone, Copy)]
pub(crate) struct ReadContext<'a> {
    pub(crate) virtual_columns: &'a VirtualColumns,
    pub(crate) settings: ReadSettings,
    pub(crate) counters: &'a Counters,
    pub(crate) read_whole: &'a ReadWhole,
    /// True once the read is cancelled.
    pub(crate) cancelled: &'a AtomicBool,
}

/// Reports on blocks whose rows were all decoded, but that have trailing bytes or an unfinished stream.
#[derive(Default)]
pub(crate) struct ReadWhole(RefCell<Vec<BadBlock>>);

impl ReadWhole {
    /// Returns the reports so far, in the order of the blocks.
    pub(crate) fn take(&self) -> impl Iterator<Item = TaskOutput> + use<> {
        self.0.take().into_iter().map(TaskOutput::BadBlock)
    }

    fn add(&self, bad: Option<BadBlock>) {
        self.0.borrow_mut().extend(bad);
    }
}

impl ReadContext<'_> {
    /// Fails if the read was cancelled; called between blocks.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Internal, "the read was cancelled"));
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

/// A consumer of runs of records, which receives all rows of a task in order.
pub(crate) trait DecodeRecords<'a> {
    /// Decodes `n` records from `pos` on; returns the position after them.
    fn rows(&mut self, location: &RunLocation<'a, '_>, pos: usize, n: u64) -> Result<usize>;
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
pub(crate) fn decode_block<'a>(
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
    context.read_whole.add(task.file.check_stream_end(place.stream_end(), frame, strict)?);
    let (record, pos, fault) = task.plan.skip_records(data, 0, slice.skip);
    if let Some(fault) = fault {
        return Err(task.file.record_fault(fault, frame, record, (data, pos)));
    }
    let location = RunLocation { task, frame, data, first_row: slice.first_row + slice.skip, record: slice.skip };
    take_replaced();
    let pos = out.rows(&location, pos, slice.take)?;
    context.read_whole.add(task.file.replaced_values(frame));
    if slice.skip + slice.take == frame.rows && pos != room {
        context.read_whole.add(Some(task.file.trailing_bytes((room - pos) as u64, frame, strict)?));
    }
    Ok(())
}

/// Decodes a run of records of a large block.
pub(crate) fn decode_rows<'a>(
    context: &ReadContext<'_>,
    task: &'a FileTask,
    rows: &'a RecordRun,
    out: &mut impl DecodeRecords<'a>,
) -> Result<()> {
    let RecordRun { frame, data, start, stop, behind, stream_end, first_row, record, n } = rows;
    let strict = context.settings.strict;
    take_replaced();
    let pos = out.rows(&RunLocation { task, frame, data, first_row: *first_row, record: *record }, *start, *n)?;
    context.read_whole.add(task.file.replaced_values(frame));
    if let Some(behind) = behind {
        let left = (data_end(data) - pos) as u64 + behind;
        if left > 0 {
            context.read_whole.add(Some(task.file.trailing_bytes(left, frame, strict)?));
        } else {
            context.read_whole.add(task.file.check_stream_end(*stream_end, frame, strict)?);
        }
    }
    if stop.is_some_and(|stop| stop != pos) {
        let error = Error::new(ErrorKind::Internal, "decoding and skipping disagree about where a record ends");
        return Err(task.file.block_error(error, frame));
    }
    Ok(())
}
