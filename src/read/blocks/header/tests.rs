//! Tests of headers that are accepted, and of headers that are refused.

use super::*;
use crate::{Codec, ErrorKind, MemorySource};

const SYNC: &[u8; 16] = b"0123456789abcdef";

/// `"int"` under `avro.schema`, as one entry of a map.
const SCHEMA: &[u8] = b"\x16avro.schema\x0a\"int\"";

fn header(blocks: &[&[u8]]) -> Vec<u8> {
    [b"Obj\x01", &blocks.concat()[..], b"\x00", SYNC].concat()
}

fn read(bytes: &[u8]) -> Result<Header> {
    Header::read(&MemorySource::new(bytes.to_vec()).with_name("f.avro"), &Limits::default())
}

fn refused(bytes: &[u8]) -> String {
    let error = read(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    error.to_string()
}

#[test]
fn a_header_is_read_whatever_follows() {
    let mut bytes = header(&[b"\x04", SCHEMA, b"\x14avro.codec\x0csnappy"]);
    let size = bytes.len() as u64;
    bytes.extend_from_slice(b"blocks");
    let read = read(&bytes).unwrap();
    assert_eq!(read.schema_json, "\"int\"");
    assert_eq!((read.codec, read.sync, read.size), (Codec::Snappy, *SYNC, size));
    assert_eq!(read.metadata_value("avro.codec"), Some(&b"snappy"[..]));
}

#[test]
fn metadata_may_stand_in_several_blocks_with_and_without_their_size() {
    // One entry; -1 entries in 17 bytes; one entry whose value is not UTF-8.
    let bytes = header(&[b"\x02\x02a\x02A", b"\x01\x24", SCHEMA, b"\x02\x02b\x04\xFF\xFE"]);
    let read = read(&bytes).unwrap();
    let keys: Vec<_> = read.metadata.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "avro.schema", "b"]);
    assert_eq!(read.metadata_value("b"), Some(&b"\xFF\xFE"[..]));
    assert_eq!(read.codec, Codec::Null);
}

#[test]
fn the_last_of_equal_keys_counts_and_all_are_kept() {
    let bytes = header(&[b"\x04", b"\x16avro.schema\x00", SCHEMA]);
    let read = read(&bytes).unwrap();
    assert_eq!((read.schema_json.as_str(), read.metadata.len()), ("\"int\"", 2));
}

#[test]
fn a_header_cut_short_anywhere_is_refused() {
    let bytes = header(&[b"\x02", SCHEMA, b"\x02\x02a\x02A"]);
    for len in 1..bytes.len() {
        let message = format!("f.avro: at byte {len}: the file ends inside the header");
        assert_eq!(refused(&bytes[..len]), message);
    }
}

#[test]
fn what_is_no_container_file_is_named() {
    let prefix = "f.avro: at byte 0: not an Avro object container file: ";
    assert_eq!(refused(b""), "f.avro: at byte 0: empty file, not an Avro object container file");
    let html = "it is an HTML page, perhaps of a login or a proxy: open the URL in a browser";
    let mut tar = vec![b'a'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let table: [(&[u8], &str); 20] = [
        (b"Obj\x02....", "it has version 2 of the format, only 1 is defined"),
        (b"PAR1....", "it looks like Parquet"),
        (b"ARROW1..", "it looks like an Arrow IPC file"),
        (b"\x1F\x8B\x08.", "it looks like gzip: decompress it first, or end its name in .gz"),
        (b"\xC3\x01....", "it looks like one value in Avro's single-object encoding, which is decoded as a datum"),
        (
            b"\x00\x00\x00\x00\x01",
            "it looks like one value in the framing of a schema registry, which is decoded as a datum",
        ),
        (b"Ox", "it begins with [4f, 78]"),
        (b"{\"type\"", "it looks like JSON"),
        (b"{\n  \"type\"", "it looks like JSON"),
        (b"[{}]", "it looks like JSON"),
        (b"PK\x03\x04....", "it looks like a zip archive: extract the files first"),
        (b"\xFD7zXZ\x00..", "it looks like xz: decompress it first"),
        (b"ORC.", "it looks like ORC"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS: run `git lfs pull`"),
        (b"a,b,c\n1,2,3\n", "it begins with the text \"a,b,c\""),
        (b"a\x01b\x02", "it begins with [61, 01, 62, 02]"),
        (&tar, "it looks like a tar archive: extract the files first"),
        (b"\n <!DOCTYPE html><html>", html),
        (b"\xEF\xBB\xBF<HTML lang=en>", html),
        (b"<?xml version=\"1.0\"?><Error>", "it looks like XML"),
    ];
    for (bytes, guess) in table {
        assert_eq!(refused(bytes), format!("{prefix}{guess}"));
    }
}

#[test]
fn a_header_without_a_schema_or_with_an_unknown_codec_is_refused() {
    assert_eq!(refused(&header(&[])), "f.avro: the header has no `avro.schema`");
    let error = read(&header(&[b"\x04", SCHEMA, b"\x14avro.codec\x06lz4"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`lz4`"), "{error}");
    let message = "f.avro: the value of `avro.schema` in the header is not UTF-8";
    assert_eq!(refused(&header(&[b"\x02\x16avro.schema\x02\xFF"])), message);
    assert_eq!(refused(&header(&[b"\x02\x02\xFF\x00"])), "f.avro: at byte 5: a metadata key is not UTF-8");
}

#[test]
fn lengths_and_counts_that_lie_are_refused() {
    let huge = b"\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
    let least = b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
    for blocks in [&[huge, SCHEMA][..], &[least, b"\x00", SCHEMA], &[b"\x02", huge], &[b"\x02\x02a", huge]] {
        assert!(refused(&header(blocks)).contains("the file ends inside the header"));
    }
    assert_eq!(refused(&header(&[b"\x02\x01"])), "f.avro: at byte 5: a metadata key has a length of -1");
    assert_eq!(refused(&header(&[b"\x02\x02a\x01"])), "f.avro: at byte 7: a metadata value has a length of -1");
    assert_eq!(refused(&header(&[&[0xFF; 10]])), "f.avro: at byte 4: a number does not fit into 64 bits");
}

#[test]
fn entries_without_number_are_refused() {
    // 2^21 entries of no key and no value.
    let bytes = header(&[b"\x80\x80\x80\x02", &vec![0; 2 << 21]]);
    let error = read(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.message().contains("1048576 entries"), "{error}");
}

#[test]
fn a_large_header_is_read_up_to_the_limit() {
    // A value of 2^20 bytes.
    let value = vec![b'v'; 1 << 20];
    let bytes = header(&[b"\x04", SCHEMA, b"\x02a\x80\x80\x80\x01", &value]);
    assert_eq!(read(&bytes).unwrap().size, bytes.len() as u64);
    let read = |header_bytes| {
        let limits = Limits { header_bytes, ..Limits::default() };
        Header::read(&MemorySource::new(bytes.clone()), &limits)
    };
    assert_eq!(read(bytes.len()).unwrap().metadata_value("a"), Some(&value[..]));
    for limit in [0, 3, 4, 100, 20_000, bytes.len() - 1] {
        let error = read(limit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{limit}: {error}");
        assert!(error.message().contains("`header_bytes`"), "{error}");
    }
}
