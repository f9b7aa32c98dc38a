//! Reading a file: options in, batches out.

mod batch;
mod big;
mod count;
mod file;
mod filter;
mod filtered;
mod options;
mod pool;
mod reader;
mod salvage;
mod split;
mod stats;
mod stream;
mod task;
mod window;

pub use batch::Batch;
pub use file::ContainerFile;
pub use filter::RowFilter;
pub use options::{OpenOptions, ReadOptions};
pub use pool::set_threads;
pub use reader::BatchReader;
pub use salvage::BadBlock;
pub use stats::Stats;
