//! Variable-length zig-zag longs (specification, "Binary Encoding"), in bytes that may be incomplete.

/// The maximum number of bytes of a long.
pub(crate) const MAX_LONG_BYTES: usize = 10;

/// The reason that no long can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoLong {
    /// The bytes end inside it: read more.
    Incomplete,
    /// It does not fit into 64 bits: reading more does not help.
    Overflow,
}

/// Reads the long at `pos`; returns it and the position after it.
pub(crate) fn long(bytes: &[u8], pos: usize) -> Result<(i64, usize), NoLong> {
    let mut zigzag = 0u64;
    for (index, &byte) in bytes.get(pos..).unwrap_or_default().iter().take(MAX_LONG_BYTES).enumerate() {
        // Nine bytes are 63 bits; the tenth may add one.
        if index == MAX_LONG_BYTES - 1 && byte > 1 {
            return Err(NoLong::Overflow);
        }
        zigzag |= u64::from(byte & 0x7F) << (7 * index);
        if byte < 0x80 {
            return Ok(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64), pos + index + 1));
        }
    }
    Err(NoLong::Incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longs_are_those_of_the_specification() {
        let table: [(&[u8], i64); 9] = [
            (&[0x00], 0),
            (&[0x01], -1),
            (&[0x02], 1),
            (&[0x7F], -64),
            (&[0x80, 0x01], 64),
            // 0 in two bytes: longer than necessary, but valid.
            (&[0x80, 0x00], 0),
            (&[0xFE, 0xFF, 0xFF, 0xFF, 0x0F], i64::from(i32::MAX)),
            (&[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], i64::MAX),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], i64::MIN),
        ];
        for (bytes, value) in table {
            assert_eq!(long(bytes, 0), Ok((value, bytes.len())));
            for len in 0..bytes.len() {
                assert_eq!(long(&bytes[..len], 0), Err(NoLong::Incomplete), "{bytes:x?} cut at {len}");
            }
            let later = [&[0xFF, 0xFF], bytes, &[0xFF]].concat();
            assert_eq!(long(&later, 2), Ok((value, bytes.len() + 2)));
        }
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        assert_eq!(long(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], 0), Err(NoLong::Overflow));
        assert_eq!(long(&[0xFF; 10], 0), Err(NoLong::Overflow));
        assert_eq!(long(&[0xFF; 9], 0), Err(NoLong::Incomplete));
        assert_eq!(long(&[], 3), Err(NoLong::Incomplete));
    }
}
