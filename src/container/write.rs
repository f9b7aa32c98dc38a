//! Headers and block frames to bytes.

use super::block::SYNC_BYTES;
use crate::Codec;

/// The bytes of a file before its first block. `metadata` comes after the schema and the codec.
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

/// Appends a block: its frame around bytes that are compressed already.
pub(crate) fn push_block(out: &mut Vec<u8>, rows: usize, data: &[u8], sync: &[u8; SYNC_BYTES]) {
    push_long(out, rows as i64);
    push_bytes(out, data);
    out.extend_from_slice(sync);
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
