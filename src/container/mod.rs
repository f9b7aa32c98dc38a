//! Object container files (specification, "Object Container Files"): header and frames of blocks.
//!
//! Works on bytes in memory: it does no I/O, and neither decompresses nor decodes. Incomplete input is reported, so that
//! the caller can read more.

mod block;
mod header;
mod varint;
mod write;

pub(crate) use block::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
pub use header::Header;
pub(crate) use header::ParsedHeader;
pub(crate) use varint::{NoLong, long};
pub(crate) use write::{BlockBuffer, header_bytes};
