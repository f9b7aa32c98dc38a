//! Locates blocks and counts rows: headers, the walk over them, the block index, sync markers, byte ranges.

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
