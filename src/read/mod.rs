//! Reads files into batches. The submodules, from the bottom: `fetch`, `blocks`, `files`, `sections`, `batches`.

mod batches;
mod blocks;
mod canceller;
mod counting;
mod decoding;
mod fetch;
mod file;
mod file_set;
mod files;
mod options;
mod reader;
mod sections;
mod settings;
mod stats;

pub use batches::{Batch, RowFilter};
pub(crate) use blocks::BlockWalk;
pub use canceller::Canceller;
pub use file::ContainerFile;
pub use file_set::FileSet;
pub use files::{BadBlock, FileInput, FileOpener, OpenOptions};
pub use options::ReadOptions;
pub use reader::BatchReader;
pub use stats::{Stats, Times};
