//! Cuts the bytes of files into tasks, under the lock.

mod file_list;
mod large_block;
mod queue;
mod stream;
mod task;

pub(crate) use file_list::FileList;
pub(crate) use large_block::LargeBlock;
pub(crate) use queue::{FileQueue, Tasks, WorkItem};
pub(crate) use stream::{BlockStream, Wanted};
pub(crate) use task::{BlockSlice, Blocks, FileTask, RecordRun, Task};
