//! Object container files (specification, "Object Container Files"): the header, the frames of blocks, walking them,
//! finding them by their sync markers.
//!
//! Nothing here decompresses or decodes: a block is a row count and a range of bytes.

mod block;
mod header;
mod sync;
mod varint;
mod walk;
mod write;

pub(crate) use block::{BlockFrame, SYNC_BYTES};
pub use header::Header;
pub(crate) use sync::Finding;
pub(crate) use varint::{NoLong, long};
pub(crate) use walk::BlockWalk;
pub(crate) use write::{header_bytes, push_block};
