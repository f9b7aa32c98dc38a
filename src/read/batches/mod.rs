//! Tasks become batches: decompressed, decoded, filtered, recovered. Reads nothing.

mod batch;
mod builder;
mod decoder;
mod decompress;
mod filter;
mod late;
mod recovery;
mod stretch;
mod virtual_columns;

pub use batch::Batch;
pub(crate) use batch::TaskOutput;
pub(crate) use decoder::{Decoder, ReadWhole, Scratch};
pub(crate) use filter::Filter;
pub use filter::RowFilter;
pub(crate) use recovery::{RecoveredRows, Reports};
pub(crate) use virtual_columns::{RowIndex, VirtualColumns};

use super::fetch::BufferPool;
use super::tasks::FileTask;
use crate::Result;

/// Decodes the tasks that one thread has taken, and gives their bytes back.
pub(crate) fn decode(
    decoder: &Decoder<'_>,
    filter: Option<&Filter>,
    tasks: Vec<FileTask>,
    buffers: &BufferPool,
    scratch: &mut Scratch,
) -> Result<Vec<TaskOutput>> {
    if decoder.settings.ignore_errors {
        return recovery::decode(decoder, tasks, buffers, scratch);
    }
    let is_filtered = tasks.first().is_some_and(|task| task.plan.filter.is_some());
    let batches = match filter {
        Some(filter) if is_filtered && filter.should_probe() => late::decode(decoder, filter, &tasks, scratch),
        _ => decoder.decode(&tasks, scratch),
    };
    for task in tasks {
        buffers.release(task.task.into_bytes());
    }
    let batches = batches?.into_iter().map(TaskOutput::Batch);
    Ok(decoder.read_whole.take().chain(batches).collect())
}
