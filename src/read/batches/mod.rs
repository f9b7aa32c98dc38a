//! Turns tasks into batches: decompresses, decodes, filters and recovers blocks. Does no I/O of its own.

mod batch;
mod builder;
mod filter;
mod late;
mod records;
mod recovery;
mod virtual_columns;

pub use batch::Batch;
pub(crate) use batch::TaskOutput;
pub(crate) use filter::Filter;
pub use filter::RowFilter;
pub(crate) use records::{ReadContext, Scratch};
pub(crate) use recovery::{RecoveredRows, Reports};
pub(crate) use virtual_columns::{RowIndex, VirtualColumns};

use super::sections::FileTask;
use crate::Result;

/// Decodes the tasks that one thread has claimed, and returns their buffers to the pool.
pub(crate) fn decode(
    context: &ReadContext<'_>,
    filter: Option<&Filter>,
    tasks: Vec<FileTask>,
) -> Result<Vec<TaskOutput>> {
    if context.settings.ignore_errors {
        return recovery::decode(context, tasks);
    }
    let is_filtered = tasks.first().is_some_and(|task| task.plan.filter.is_some());
    let (batches, decoded) = match filter {
        Some(filter) if is_filtered && filter.should_probe() => (late::decode(context, filter, &tasks)?, Ok(())),
        _ => context.decode(&tasks),
    };
    for task in tasks {
        context.buffers.release(task.bytes);
    }
    Ok(context.outputs(batches).chain(decoded.err().map(TaskOutput::Failed)).collect())
}
