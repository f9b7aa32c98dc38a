//! Reading files: options in, batches out.

mod bad_block;
mod batch;
mod big;
mod decoder;
mod file;
mod file_set;
mod filter;
mod filtered;
mod members;
mod opened;
mod opener;
mod options;
mod output;
mod plans;
mod portions;
mod reader;
mod salvage;
mod sequence;
mod shortfall;
mod split;
mod stats;
mod stream;
mod survey;
mod task;
mod window;

pub use bad_block::BadBlock;
pub use batch::Batch;
pub use file::ContainerFile;
pub use file_set::FileSet;
pub use filter::RowFilter;
pub use members::Input;
pub use opener::Opener;
pub use options::{OpenOptions, ReadOptions};
pub use reader::BatchReader;
pub use stats::Stats;
