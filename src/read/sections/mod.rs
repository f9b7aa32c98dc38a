//! Sections: a byte range of a file and the blocks that begin in it, or several small files. The unit of work of a read.

mod claim;
mod cursor;
mod file_list;
mod large_block;
mod queue;
mod record_path;
mod section;
mod task;

pub(crate) use claim::complete;
pub(crate) use file_list::FileList;
pub(crate) use queue::SectionQueue;
pub(crate) use section::Section;
pub(crate) use task::{BlockSlice, Blocks, FileTask, RecordRun, TaskKind};
