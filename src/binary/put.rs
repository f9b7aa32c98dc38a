//! Writes primitives of the binary encoding: varints, bytes, words.
//!
//! Every function writes at a position of allocated memory, and returns the position after it. A short value is
//! stored as a whole word, so [`SLACK`] bytes after the last value may be overwritten.

/// The number of bytes after the last value that a short write may touch.
pub(crate) const SLACK: usize = 32;

/// The maximum number of bytes of a varint.
pub(crate) const MAX_VARINT: usize = 10;

/// Returns `N` bytes at a position to write to. In a loop the check is reduced to one comparison, as in reading.
#[inline(always)]
fn room<const N: usize>(out: &mut [u8], pos: usize) -> &mut [u8; N] {
    let room = match out.len().checked_sub(N) {
        Some(last) if pos <= last => out[pos..].first_chunk_mut(),
        _ => None,
    };
    room.expect("the bound of a run of rows covers its values")
}

/// Writes `N` bytes.
#[inline(always)]
pub(crate) fn put_array<const N: usize>(out: &mut [u8], pos: usize, bytes: [u8; N]) -> usize {
    *room(out, pos) = bytes;
    pos + N
}

/// Writes one byte, then `N` bytes.
#[inline(always)]
pub(crate) fn put_array_after<const N: usize>(out: &mut [u8], pos: usize, first: u8, bytes: [u8; N]) -> usize {
    let room = &mut out[pos..pos + 1 + N];
    room[0] = first;
    room[1..].copy_from_slice(&bytes);
    pos + 1 + N
}

/// Writes one byte.
#[inline(always)]
pub(crate) fn put_byte(out: &mut [u8], pos: usize, byte: u8) -> usize {
    out[pos] = byte;
    pos + 1
}

/// Writes bytes.
#[inline(always)]
pub(crate) fn put_slice(out: &mut [u8], pos: usize, bytes: &[u8]) -> usize {
    out[pos..pos + bytes.len()].copy_from_slice(bytes);
    pos + bytes.len()
}

/// Writes the first `len` of these bytes in chunks of [`SLACK`] bytes, so bytes after them are copied too.
#[inline(always)]
pub(crate) fn put_near(out: &mut [u8], pos: usize, bytes: &[u8], len: usize) -> usize {
    let room = len.next_multiple_of(SLACK);
    let places = out[pos..pos + room].chunks_exact_mut(SLACK);
    for (place, word) in places.zip(bytes[..room].chunks_exact(SLACK)) {
        place.copy_from_slice(word);
    }
    pos + len
}

/// Writes the first `len` of these bytes, at most `N`. Always copies `N` bytes.
#[inline(always)]
pub(crate) fn put_within<const N: usize>(out: &mut [u8], pos: usize, bytes: &[u8], len: usize) -> usize {
    debug_assert!(len <= N);
    *room(out, pos) = *bytes.first_chunk::<N>().expect("a stretch is longer than its row by `SLACK`");
    pos + len
}

/// Writes the first `len` of 16 bytes.
#[inline(always)]
pub(crate) fn put_short(out: &mut [u8], pos: usize, bytes: u128, len: usize) -> usize {
    *room(out, pos) = bytes.to_le_bytes();
    pos + len
}

/// Writes a long, or an int, as a zig-zag varint.
#[inline(always)]
pub(crate) fn put_long(out: &mut [u8], pos: usize, value: i64) -> usize {
    put_raw(out, pos, zigzag(value))
}

#[inline(always)]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Writes one byte and a long, in one word if both fit.
#[inline(always)]
pub(crate) fn put_long_after(out: &mut [u8], pos: usize, first: u8, value: i64) -> usize {
    let raw = zigzag(value);
    if raw >= 1 << 49 {
        let pos = put_byte(out, pos, first);
        return put_raw(out, pos, raw);
    }
    let (word, len) = varint_word(raw);
    *room(out, pos) = ((word << 8) | u64::from(first)).to_le_bytes();
    pos + 1 + len
}

/// Writes a length or an index, which is never negative.
#[inline(always)]
pub(crate) fn put_length(out: &mut [u8], pos: usize, length: usize) -> usize {
    put_raw(out, pos, (length as u64) << 1)
}

/// Writes a varint.
#[inline(always)]
fn put_raw(out: &mut [u8], pos: usize, raw: u64) -> usize {
    if raw < 1 << 7 {
        return put_byte(out, pos, raw as u8);
    }
    if raw >= 1 << 56 {
        return put_wide(out, pos, raw);
    }
    let (word, len) = varint_word(raw);
    *room(out, pos) = word.to_le_bytes();
    pos + len
}

/// Returns the varint of up to 56 bits, seven per byte, and its length. Has neither a loop nor a branch on the width.
#[inline(always)]
fn varint_word(raw: u64) -> (u64, usize) {
    // Adding a multiple of the bits that move up shifts them in place. This saves the step of masking out the bits that
    // stay.
    let halves = raw + 15 * (raw & 0x00ff_ffff_f000_0000);
    let quarters = halves + 3 * (halves & 0x0fff_c000_0fff_c000);
    let bytes = quarters + (quarters & 0x3f80_3f80_3f80_3f80);
    let (more, len) = MORE[(raw | 1).ilog2() as usize];
    (bytes | more, len)
}

/// The continuation bits of a varint, and its length, by its highest bit.
const MORE: [(u64, usize); 64] = {
    let mut more = [(0, 0); 64];
    let mut bit = 0;
    while bit < 56 {
        let last = bit / 7;
        more[bit] = (0x8080_8080_8080_8080 & ((1 << (8 * last)) - 1), last + 1);
        bit += 1;
    }
    more
};

#[cold]
#[inline(never)]
fn put_wide(out: &mut [u8], mut pos: usize, mut raw: u64) -> usize {
    while raw >= 0x80 {
        pos = put_byte(out, pos, raw as u8 | 0x80);
        raw >>= 7;
    }
    put_byte(out, pos, raw as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::read_long;

    #[test]
    fn every_width_is_read_back_and_as_short_as_can_be() {
        let edges = (0..63).flat_map(|shift| [1_i64 << shift, (1_i64 << shift) - 1, -(1_i64 << shift)]);
        for value in edges.chain([0, -1, i64::MIN, i64::MAX]) {
            let mut out = [0xaa; MAX_VARINT + SLACK];
            let end = put_long(&mut out, 0, value);
            let raw = ((value << 1) ^ (value >> 63)) as u64;
            assert_eq!(end, (64 - raw.leading_zeros()).div_ceil(7).max(1) as usize, "{value}");
            assert_eq!(read_long(&out, 0).unwrap(), (value, end), "{value}");
            let mut after = [0xaa; MAX_VARINT + SLACK];
            assert_eq!(put_long_after(&mut after, 0, 0x9c, value), 1 + end, "{value}");
            assert_eq!((after[0], &after[1..=end]), (0x9c, &out[..end]), "{value}");
        }
    }

    #[test]
    fn lengths_are_longs() {
        for length in [0, 1, 63, 64, 8191, 8192, 1 << 31] {
            let mut out = [0; MAX_VARINT + SLACK];
            let end = put_length(&mut out, 0, length);
            assert_eq!(read_long(&out, 0).unwrap(), (length as i64, end));
        }
    }
}
