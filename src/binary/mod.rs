//! Primitives of the binary encoding: varints, lengths, and the fault of a malformed value.

mod fault;
mod put;
mod varint;

pub(crate) use fault::Fault;
pub(crate) use put::{
    MAX_VARINT, SLACK, put_array, put_array_after, put_byte, put_length, put_long, put_long_after, put_near, put_short,
    put_slice, put_within,
};
pub(crate) use varint::{read_int, read_length, read_long, skip_long};

/// The bytes of padding after the data of every decoded block, so that short reads need no exact bounds.
pub(crate) const PADDING: usize = 16;

/// Returns the end of the data of a padded block.
#[inline]
pub(crate) fn data_end(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(PADDING)
}

/// Returns `N` bytes at a position. The last possible position is the same for a whole block, so the compiler reduces the
/// check to one comparison.
#[inline(always)]
fn chunk<const N: usize>(bytes: &[u8], pos: usize) -> Option<&[u8; N]> {
    match bytes.len().checked_sub(N) {
        Some(last) if pos <= last => bytes[pos..].first_chunk(),
        _ => None,
    }
}

/// Reads `N` bytes at a position; returns them and the position after them.
#[inline(always)]
pub(crate) fn read_array<const N: usize>(bytes: &[u8], pos: usize) -> Result<(&[u8; N], usize), Fault> {
    match chunk(bytes, pos) {
        Some(chunk) => Ok((chunk, pos + N)),
        None => Err(Fault::truncated()),
    }
}

/// Reads `n` bytes at a position, all of them inside the data; returns them and the position after them.
#[inline]
pub(crate) fn read_slice(bytes: &[u8], pos: usize, n: usize) -> Result<(&[u8], usize), Fault> {
    let stop = pos.saturating_add(n);
    match bytes.get(pos..stop) {
        Some(slice) if stop <= data_end(bytes) => Ok((slice, stop)),
        _ => Err(Fault::truncated()),
    }
}
