//! Object container files (specification, "Object Container Files"): header and frames of blocks.
//!
//! Nothing here reads, decompresses or decodes: bytes become a header, or a row count and a range, or more are needed.

mod block;
mod header;
mod varint;
mod write;

pub(crate) use block::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
pub use header::Header;
pub(crate) use header::ParsedHeader;
pub(crate) use varint::{NoLong, long};
pub(crate) use write::{BlockBuffer, header_bytes};
