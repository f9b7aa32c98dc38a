//! Writes headers and block frames.

use super::block::SYNC_BYTES;
use crate::binary::{MAX_VARINT, SLACK, put_length, put_slice};
use crate::{Codec, Result};

/// Returns the bytes of a file before its first block. `metadata` comes after the schema and the codec.
pub(crate) fn header_bytes(
    schema_json: &str,
    codec: Codec,
    metadata: &[(String, Vec<u8>)],
    sync: &[u8; SYNC_BYTES],
) -> Vec<u8> {
    let mut out = b"Obj\x01".to_vec();
    push_long(&mut out, metadata.len() as i64 + 2);
    let own = [("avro.schema", schema_json.as_bytes()), ("avro.codec", codec.name().as_bytes())];
    let given = metadata.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
    for (key, value) in own.into_iter().chain(given) {
        push_bytes(&mut out, key.as_bytes());
        push_bytes(&mut out, value);
    }
    out.push(0);
    out.extend_from_slice(sync);
    out
}

/// A buffer of consecutive blocks, reused after it is cleared.
#[derive(Default)]
pub(crate) struct BlockBuffer {
    /// Never shrinks, so that no memory is zeroed again.
    bytes: Vec<u8>,
    end: usize,
    /// The number of bytes of the last block's size field.
    size_width: usize,
}

impl BlockBuffer {
    /// Returns the blocks.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Removes all blocks and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// Adds a block. `write` puts its data at a position of the memory, which it may grow, and returns the data's length.
    ///
    /// The size comes before the data but is known only after it. It usually takes as many bytes as the size of the block
    /// before; if not, the data is moved.
    pub(crate) fn push(
        &mut self,
        rows: usize,
        sync: &[u8; SYNC_BYTES],
        write: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize>,
    ) -> Result<()> {
        self.grow(self.end + 2 * MAX_VARINT);
        let start = put_length(&mut self.bytes, self.end, rows);
        let data = start + self.size_width;
        let len = write(&mut self.bytes, data)?;
        self.grow(data + len + MAX_VARINT + SYNC_BYTES);
        let mut size = [0; MAX_VARINT + SLACK];
        self.size_width = put_length(&mut size, 0, len);
        if start + self.size_width != data {
            self.bytes.copy_within(data..data + len, start + self.size_width);
        }
        let data = put_slice(&mut self.bytes, start, &size[..self.size_width]);
        self.end = put_slice(&mut self.bytes, data + len, sync);
        Ok(())
    }

    fn grow(&mut self, len: usize) {
        if self.bytes.len() < len + SLACK {
            self.bytes.resize(len + SLACK, 0);
        }
    }
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

fn push_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Header, Limits, MemorySource};

    /// Returns the bytes that `BlockBuffer::push` should write.
    fn block(rows: usize, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_long(&mut out, rows as i64);
        push_bytes(&mut out, data);
        out.extend_from_slice(b"0123456789abcdef");
        out
    }

    #[test]
    fn blocks_of_any_size_stand_one_behind_the_other() {
        let mut buffer = BlockBuffer::default();
        // Used twice, to check that bytes of the first use do not remain.
        for byte in [7, 8] {
            let mut expected = Vec::new();
            for len in [0, 63, 64, 5, 8191, 8192, 64, 2 << 20, 0, 100] {
                let data = vec![byte; len];
                let put = |out: &mut Vec<u8>, pos| {
                    out.resize(out.len().max(pos + len), 0xaa);
                    Ok(put_slice(out, pos, &data) - pos)
                };
                buffer.push(len + 1, b"0123456789abcdef", put).unwrap();
                expected.extend(block(len + 1, &data));
                assert!(buffer.as_slice() == expected, "{len} bytes");
            }
            buffer.clear();
            assert!(buffer.as_slice().is_empty());
        }
    }

    #[test]
    fn a_header_is_read_back() {
        let metadata = vec![("k".to_owned(), vec![0xff; 200]), ("é".to_owned(), Vec::new())];
        let bytes = header_bytes("\"int\"", Codec::Xz, &metadata, b"0123456789abcdef");
        let size = bytes.len() as u64;
        let header = Header::read(&MemorySource::new(bytes), &Limits::default()).unwrap();
        assert_eq!((header.schema_json.as_str(), header.codec, header.size), ("\"int\"", Codec::Xz, size));
        assert_eq!((&header.metadata[2..], &header.sync), (&metadata[..], b"0123456789abcdef"));
    }
}
