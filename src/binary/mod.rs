//! The binary encoding's smallest parts: varints, lengths, and the fault that a bad byte raises.

mod fault;
mod varint;

pub(crate) use fault::Fault;
pub(crate) use varint::{read_int, read_long, skip_long};

/// Bytes that stand behind the data of every decoded block, so that short reads need no exact bounds.
pub(crate) const PADDING: usize = 16;

/// Where the data of a padded block ends.
#[inline]
pub(crate) fn data_end(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(PADDING)
}

/// A length in front of bytes or a string, and the position behind it; the bytes are inside the data.
#[inline(always)]
pub(crate) fn read_length(bytes: &[u8], pos: usize) -> Result<(usize, usize), Fault> {
    let (length, pos) = read_long(bytes, pos)?;
    let room = data_end(bytes).wrapping_sub(pos) as i64;
    // A position in the padding makes `room` negative, so both wrong ends fail the one comparison.
    if length < 0 || length > room { Err(Fault::length(length, room)) } else { Ok((length as usize, pos)) }
}

/// `N` bytes at a position.
#[inline(always)]
pub(crate) fn read_array<const N: usize>(bytes: &[u8], pos: usize) -> Result<(&[u8; N], usize), Fault> {
    match bytes.get(pos..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => Ok((chunk, pos + N)),
        None => Err(Fault::truncated()),
    }
}

/// `n` bytes at a position, all of them inside the data.
#[inline]
pub(crate) fn read_slice(bytes: &[u8], pos: usize, n: usize) -> Result<(&[u8], usize), Fault> {
    let stop = pos.saturating_add(n);
    match bytes.get(pos..stop) {
        Some(slice) if stop <= data_end(bytes) => Ok((slice, stop)),
        _ => Err(Fault::truncated()),
    }
}
