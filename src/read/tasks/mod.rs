//! Cuts the bytes of files into tasks, under the lock.

mod file_list;
mod large_block;
mod part;
mod queue;
mod ranges;
mod record_path;
mod stream;
mod stretch;
mod task;
mod work_item;

pub(crate) use file_list::FileList;
pub(crate) use large_block::LargeBlock;
pub(crate) use part::{Part, PartRequest};
pub(crate) use queue::{FileQueue, Queued};
pub(crate) use record_path::RecordPath;
pub(crate) use stream::{BlockStream, Wanted};
pub(crate) use stretch::{Stretch, StretchBlocks};
pub(crate) use task::{BlockSlice, Blocks, FileTask, RecordRun, Task};
pub(crate) use work_item::{Tasks, WorkItem};
