//! Where blocks and rows are: headers, the walk over them, the index of rows, markers, ranges. All counting of rows.

mod first_block;
mod header;
mod index;
mod scanner;
mod splits;
mod walk;

pub(crate) use first_block::FirstBlock;
pub(crate) use index::{IndexEntry, SharedBlockIndex};
pub(crate) use scanner::SyncScanner;
pub(crate) use splits::blocks_in;
pub(crate) use walk::BlockWalk;
