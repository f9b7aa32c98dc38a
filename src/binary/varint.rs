//! Variable-length zig-zag integers (specification, "Binary Encoding", primitive types int and long).

use super::{Fault, chunk, data_end};

/// Reads a long; returns it and the position after it.
#[inline(always)]
pub(crate) fn read_long(bytes: &[u8], pos: usize) -> Result<(i64, usize), Fault> {
    let (raw, pos) = read_raw(bytes, pos)?;
    Ok((zigzag(raw), pos))
}

/// Reads an int; returns it and the position after it. A value beyond 32 bits is a fault, not a wrapped number.
#[inline(always)]
pub(crate) fn read_int(bytes: &[u8], pos: usize) -> Result<(i32, usize), Fault> {
    let (raw, pos) = read_raw(bytes, pos)?;
    match u32::try_from(raw) {
        Ok(raw) => Ok(((raw >> 1) as i32 ^ -((raw & 1) as i32), pos)),
        Err(_) => Err(int_range(raw)),
    }
}

/// Reads the length before bytes or a string; returns it and the position after it. The bytes themselves are inside the
/// data.
#[inline(always)]
pub(crate) fn read_length(bytes: &[u8], pos: usize) -> Result<(usize, usize), Fault> {
    let (raw, pos) = read_raw(bytes, pos)?;
    // A position in the padding makes `remaining` negative, and an odd code is a negative length.
    let remaining = data_end(bytes).wrapping_sub(pos) as i64;
    let length = (raw >> 1) as i64;
    if raw & 1 == 0 && length <= remaining { Ok((length as usize, pos)) } else { Err(bad_length(raw, remaining)) }
}

/// Returns the position after a varint; fails if [`read_long`] fails.
#[inline(always)]
pub(crate) fn skip_long(bytes: &[u8], pos: usize) -> Result<usize, Fault> {
    let Some(word) = read_word(bytes, pos) else {
        return read_slowly(bytes, pos).map(|(_, pos)| pos);
    };
    if word & 0x80 == 0 {
        return Ok(pos + 1);
    }
    if word & 0x8000 == 0 {
        return Ok(pos + 2);
    }
    if word & 0x80_0000 == 0 {
        return Ok(pos + 3);
    }
    let stops = !word & 0x8080_8080_8080_8080;
    if stops == 0 {
        return read_slowly(bytes, pos).map(|(_, pos)| pos);
    }
    Ok(pos + (stops.trailing_zeros() as usize >> 3) + 1)
}

#[inline(always)]
fn zigzag(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

/// Reads the next eight bytes as a little-endian word.
#[inline(always)]
fn read_word(bytes: &[u8], pos: usize) -> Option<u64> {
    chunk(bytes, pos).map(|chunk| u64::from_le_bytes(*chunk))
}

/// Reads the zig-zag code of a number: up to eight bytes from one load, longer ones byte by byte.
#[inline(always)]
fn read_raw(bytes: &[u8], pos: usize) -> Result<(u64, usize), Fault> {
    let Some(word) = read_word(bytes, pos) else { return read_slowly(bytes, pos) };
    // Most columns have numbers of one length, so the branch is predicted and the position does not depend on the load.
    if word & 0x80 == 0 {
        return Ok((word & 0x7f, pos + 1));
    }
    if word & 0x8000 == 0 {
        return Ok((word & 0x7f | (word >> 1) & 0x3f80, pos + 2));
    }
    if word & 0x80_0000 == 0 {
        return Ok((word & 0x7f | (word >> 1) & 0x3f80 | (word >> 2) & 0x1f_c000, pos + 3));
    }
    let stops = !word & 0x8080_8080_8080_8080;
    if stops == 0 {
        return read_slowly(bytes, pos);
    }
    // Keeps the bytes up to and with the first one whose high bit is clear, then closes the gaps of one bit a byte.
    let kept = word & (stops ^ (stops - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
    let pairs = (kept & 0x007f_007f_007f_007f) | ((kept & 0x7f00_7f00_7f00_7f00) >> 1);
    let quads = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    let raw = (quads & 0x0fff_ffff) | ((quads & 0x0fff_ffff_0000_0000) >> 4);
    Ok((raw, pos + (stops.trailing_zeros() as usize >> 3) + 1))
}

#[inline(always)]
fn read_slowly(bytes: &[u8], pos: usize) -> Result<(u64, usize), Fault> {
    match read_bytes(bytes, pos) {
        (_, 0) => Err(malformed(bytes, pos)),
        (raw, width) => Ok((raw, pos + width)),
    }
}

/// Returns the number and its width, which is 0 if it is malformed. Two words are returned in registers. A larger result
/// would force the fast paths of [`read_raw`] through memory too.
#[cold]
#[inline(never)]
fn read_bytes(bytes: &[u8], pos: usize) -> (u64, usize) {
    let mut raw = 0_u64;
    for (i, &byte) in bytes.get(pos..).unwrap_or_default().iter().take(10).enumerate() {
        let low = u64::from(byte & 0x7f);
        if i == 9 && low > 1 {
            break;
        }
        raw |= low << (7 * i);
        if byte < 0x80 {
            return (raw, i + 1);
        }
    }
    (0, 0)
}

#[cold]
#[inline(never)]
fn malformed(bytes: &[u8], pos: usize) -> Fault {
    match bytes.get(pos..).unwrap_or_default().get(..10) {
        None => Fault::truncated(),
        Some(ten) if ten[9] < 0x80 => Fault::data("varint of more than 64 bits"),
        Some(_) => Fault::data("varint of more than 10 bytes"),
    }
}

#[cold]
#[inline(never)]
fn int_range(raw: u64) -> Fault {
    Fault::data(format!("int {} is out of range", zigzag(raw)))
}

#[cold]
#[inline(never)]
fn bad_length(raw: u64, remaining: i64) -> Fault {
    Fault::length(zigzag(raw), remaining)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(value: i64) -> Vec<u8> {
        let mut raw = ((value << 1) ^ (value >> 63)) as u64;
        let mut bytes = Vec::new();
        while raw >= 0x80 {
            bytes.push(raw as u8 | 0x80);
            raw >>= 7;
        }
        bytes.push(raw as u8);
        bytes
    }

    #[test]
    fn every_width_reads_back_with_and_without_padding() {
        let edges =
            (0..64).flat_map(|shift| [1_i64 << shift, (1_i64 << shift).wrapping_sub(1), -(1_i64 << (shift % 63))]);
        for value in edges.chain([0, i64::MIN, i64::MAX]) {
            let mut bytes = encode(value);
            let width = bytes.len();
            assert_eq!(read_long(&bytes, 0).unwrap(), (value, width), "{value}");
            bytes.extend([0xff; 16]);
            assert_eq!(read_long(&bytes, 0).unwrap(), (value, width), "{value}");
            assert_eq!(skip_long(&bytes, 0).unwrap(), width);
        }
    }

    #[test]
    fn a_longer_form_of_a_small_number_is_valid() {
        assert_eq!(read_long(&[0x82, 0x80, 0x00], 0).unwrap(), (1, 3));
    }

    #[test]
    fn too_many_bytes_or_bits_are_refused() {
        assert!(read_long(&[0x80; 11], 0).is_err());
        assert!(read_long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], 0).is_err());
        assert!(skip_long(&[0x80; 11], 0).is_err());
    }

    #[test]
    fn the_end_inside_a_varint_is_refused() {
        assert!(read_long(&[], 0).is_err());
        assert!(read_long(&[0x80], 0).is_err());
        assert!(read_long(&[0x00], 9).is_err());
    }

    #[test]
    fn an_int_beyond_32_bits_is_refused() {
        assert_eq!(read_int(&encode(i64::from(i32::MIN)), 0).unwrap().0, i32::MIN);
        assert!(read_int(&encode(i64::from(i32::MAX) + 1), 0).is_err());
    }
}
