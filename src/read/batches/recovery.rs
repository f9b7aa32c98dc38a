//! Recovery: reads on after damaged blocks, if the caller asks for it.
//!
//! A block that fails to decode is dropped whole: rows decoded before the error cannot be trusted. The decision does not
//! depend on the columns that are read, so every query sees the same rows.

use std::cell::RefCell;
use std::ops::Range;

use super::{Batch, ReadContext, RowIndex, TaskOutput, VirtualColumns};
use crate::container::BlockFrame;
use crate::read::blocks::SyncScanner;
use crate::read::files::{BadBlock, is_damage};
use crate::read::sections::{BlockSlice, Blocks, FileTask, TaskKind};
use crate::read::stats::Counters;
use crate::{Error, Limits, MemorySource, Result, Source};

/// Decodes the sound blocks of some tasks and reports every other block, in order. Returns the buffers to the pool.
pub(crate) fn decode(context: &ReadContext<'_>, tasks: Vec<FileTask>) -> Result<Vec<TaskOutput>> {
    let mut items = Vec::new();
    for task in tasks {
        match task.kind {
            TaskKind::BadBlock(bad) => {
                items.push(TaskOutput::BadBlock(bad));
                continue;
            }
            TaskKind::Blocks(Blocks { ref slices, .. }) => decode_sound(context, &task, slices, false, &mut items)?,
            TaskKind::RecordRun(_) => {
                let (batches, decoded) = context.decode(std::slice::from_ref(&task));
                decoded?;
                items.extend(context.outputs(batches));
            }
        }
        context.buffers.release(task.bytes);
    }
    Ok(items)
}

/// Decodes the sound ones of these blocks and reports every other one, in order. Blocks that were found inside a bad one are
/// not searched for further blocks.
fn decode_sound(
    context: &ReadContext<'_>,
    task: &FileTask,
    mut rest: &[BlockSlice],
    is_inside: bool,
    items: &mut Vec<TaskOutput>,
) -> Result<()> {
    while !rest.is_empty() {
        let (good, error) = match decode_all(context, task, rest) {
            Ok(batches) => {
                items.extend(context.outputs(batches));
                break;
            }
            Err((_, error)) if !is_damage(&error) => return Err(error),
            Err(fault) => fault,
        };
        context.read_whole.take();
        // A block that fails after others is retried on its own, because limits count over a whole batch.
        if good == 0 {
            items.push(TaskOutput::BadBlock(BadBlock::new(error, Some(&rest[0].frame), &task.file)));
            if !is_inside {
                decode_sound(context, task, &swallowed(&rest[0], task)?, true, items)?;
            }
            rest = &rest[1..];
        } else {
            let batches = context.decode_slices(task, &task.plan, &rest[..good])?;
            items.extend(context.outputs(batches));
            rest = &rest[good..];
        }
    }
    Ok(())
}

/// Decodes all blocks. If one is bad, returns the number of good blocks before it, and its error.
fn decode_all(
    context: &ReadContext<'_>,
    task: &FileTask,
    slices: &[BlockSlice],
) -> std::result::Result<Vec<Batch>, (usize, Error)> {
    if let Some(plan) = &task.plan.all_columns {
        // All columns are decoded only to check them: these rows are neither counted nor returned.
        let (virtual_columns, counters) = (&VirtualColumns::default(), &Counters::default());
        let whole = ReadContext { virtual_columns, counters, read_whole: &RefCell::default(), ..*context };
        for (good, slice) in slices.iter().enumerate() {
            let decoded = whole.decode_slices(task, plan, std::slice::from_ref(slice));
            decoded.map_err(|error| (good, error))?;
        }
    }
    context.decode_slices(task, &task.plan, slices).map_err(|error| {
        let bad = error.position().offset;
        (slices.iter().position(|slice| Some(slice.frame.offset) == bad).unwrap_or(0), error)
    })
}

/// Finds the sound blocks inside a bad one that begin in the byte range that is read. A damaged size may end at the sync
/// marker of a later block, so that the bad block spans sound ones.
fn swallowed(bad: &BlockSlice, task: &FileTask) -> Result<Vec<BlockSlice>> {
    let TaskKind::Blocks(Blocks { stop, .. }) = &task.kind else { return Ok(Vec::new()) };
    let start = bad.frame.data.start;
    let source = MemorySource::new(task.bytes.clone().sliced(bad.range.clone()));
    let scanner = SyncScanner::new(&source, &task.file.header.sync);
    let next = |at| Result::Ok(scanner.find(at, u64::MAX)?.map_or(source.size(), |found| found.offset));
    let (mut at, mut slices) = (next(0)?, Vec::new());
    while at < source.size() && start + at < *stop {
        let Some(found) = scanner.block(at)? else {
            at = next(at)?;
            continue;
        };
        at = found.end();
        let range = bad.range.start + found.data.start as usize..bad.range.start + found.end() as usize;
        let data = start + found.data.start..start + found.data.end;
        let frame = BlockFrame { index: bad.frame.index, offset: start + found.offset, data, ..found };
        slices.push(BlockSlice { first_row: 0, range, skip: 0, take: frame.rows, frame });
    }
    Ok(slices)
}

/// Numbers recovered rows in the consumer. They cannot be numbered earlier, because bad blocks are found only when they are
/// decoded.
pub(crate) struct RecoveredRows {
    /// The wanted rows, and the number of the next row.
    wanted: Range<u64>,
    row: u64,
    index: Option<RowIndex>,
}

/// Reports on blocks that the caller has not taken yet, in file order.
pub(crate) struct Reports {
    waiting: Vec<BadBlock>,
    /// The numbers of dropped blocks and of reported blocks that were read whole, and the limit for each.
    n_dropped: usize,
    n_read_whole: usize,
    limit: usize,
}

impl Reports {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { waiting: Vec::new(), n_dropped: 0, n_read_whole: 0, limit: limits.bad_blocks }
    }

    /// Keeps a report. Once the limit is reached, further blocks that were read whole are not reported.
    ///
    /// # Errors
    /// If more blocks were dropped than the limit allows.
    pub(crate) fn add(&mut self, bad: BadBlock) -> Result<()> {
        let count = if bad.is_dropped { &mut self.n_dropped } else { &mut self.n_read_whole };
        if *count < self.limit {
            *count += 1;
            self.waiting.push(bad);
        } else if bad.is_dropped {
            let error = Error::limit("bad_blocks", format!("more than {} damaged blocks", self.limit));
            return Err(error.at(|position| position.clone_from(bad.error.position())));
        }
        Ok(())
    }

    /// Returns the reports since the last call.
    pub(crate) fn take(&mut self) -> Vec<BadBlock> {
        std::mem::take(&mut self.waiting)
    }
}

impl RecoveredRows {
    /// Takes the row index out of `virtual_columns`, because it is added here, after bad blocks are dropped.
    pub(crate) fn new(wanted: Range<u64>, virtual_columns: &mut VirtualColumns) -> Self {
        Self { wanted, row: 0, index: virtual_columns.row_index.take() }
    }

    /// Returns true if no further row is wanted.
    pub(crate) fn is_done(&self) -> bool {
        self.row >= self.wanted.end
    }

    /// Returns the wanted rows of the next batch with their row index, or `None` if no row is wanted.
    pub(crate) fn number(&mut self, mut batch: Batch) -> Result<Option<Batch>> {
        let first = self.row;
        let behind = first.saturating_add(batch.height as u64);
        self.row = behind;
        let start = self.wanted.start.max(first);
        let stop = self.wanted.end.min(behind);
        if start >= stop {
            return Ok(None);
        }
        let (skip, height) = ((start - first) as usize, (stop - start) as usize);
        batch.slice(skip, height);
        if let Some(index) = &self.index {
            batch.insert_first(index.field(), index.array(start, height)?);
        }
        Ok(Some(batch))
    }
}
