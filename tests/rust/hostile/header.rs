//! What stands before the first block.

use polars_avro::{ErrorKind, Limits, ReadOptions};

use super::{column, field, record, refusal, refused, rows};
use crate::container::{Container, SYNC, put_bytes, put_long, varint};
use crate::expected::Cell;

fn refused_bytes(file: &[u8]) -> polars_avro::Error {
    refusal(file, &Limits::default(), &ReadOptions::default())
}

#[test]
fn what_is_no_container_file_is_refused() {
    for file in [&b""[..], b"O", b"Obj", b"Obj\x02", b"PAR1 and more", b"ARROW1", b"\xc3\x01longer", b"{\"a\": 1}"] {
        assert_eq!(refused_bytes(file).kind(), ErrorKind::Data, "{file:?}");
    }
    assert!(refused_bytes(b"").to_string().contains("empty"));
}

#[test]
fn a_missing_codec_is_null() {
    let mut file = field("\"int\"").block(1, [2]);
    file.metadata.retain(|(key, _)| key != "avro.codec");
    assert_eq!(column(&file), [Cell::Int32(1)]);
}

#[test]
fn an_unknown_codec_is_named() {
    let error = refused(&Container::new(&record(&[("a", "\"int\"")]), "lz77").block(1, [2]));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("lz77"), "{error}");
}

#[test]
fn a_missing_schema_is_refused() {
    let mut file = field("\"int\"").block(1, [2]);
    file.metadata.remove(0);
    let error = refused(&file);
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.message().contains("avro.schema"), "{error}");
}

#[test]
fn a_schema_that_is_none_is_refused() {
    let wrong = [
        "",
        "{",
        "\"integer\"",
        "{}",
        "{\"type\":\"record\",\"name\":\"r\"}",
        "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}",
        "[\"int\",\"int\"]",
        "[\"int\",[\"long\"]]",
        "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"A\"]}",
        "{\"type\":\"array\"}",
        "17",
        "\u{feff}",
    ];
    for schema in wrong {
        let error = refused(&Container::new(schema, "null").block(0, []));
        assert_eq!(error.kind(), ErrorKind::Schema, "{schema}: {error}");
    }
    let twice = record(&[("a", "\"int\""), ("a", "\"long\"")]);
    assert_eq!(refused(&Container::new(&twice, "null").block(0, [])).kind(), ErrorKind::Schema);
}

#[test]
fn a_schema_that_is_no_utf8_is_refused() {
    let mut file = field("\"int\"").block(1, [2]);
    file.metadata[0].1 = b"\"in\xff\"".to_vec();
    assert!(matches!(refused(&file).kind(), ErrorKind::Data | ErrorKind::Schema));
}

/// The metadata are a map: item blocks, some with a negative count and their size.
#[test]
fn metadata_may_come_in_blocks_with_sizes() {
    let whole = field("\"int\"");
    let mut file = b"Obj\x01".to_vec();
    for (key, value) in &whole.metadata {
        let mut entry = Vec::new();
        put_bytes(&mut entry, key.as_bytes());
        put_bytes(&mut entry, value);
        put_long(&mut file, -1);
        put_long(&mut file, entry.len() as i64);
        file.extend(entry);
    }
    file.push(0);
    file.extend(SYNC);
    file.extend([2, 2, 14]);
    file.extend(SYNC);
    let table = super::read_with(&file, 1, &Limits::default(), &ReadOptions::default()).unwrap();
    assert_eq!(table.rows, [[Cell::Int32(7)]]);
}

#[test]
fn metadata_of_any_bytes_are_read() {
    let mut file = field("\"int\"").block(1, [2]);
    file.metadata.insert(0, ("own".into(), vec![0xff, 0, 0xfe]));
    file.metadata.push(("é".into(), Vec::new()));
    assert_eq!(column(&file), [Cell::Int32(1)]);
}

#[test]
fn metadata_that_claim_too_much_are_refused() {
    let claims = [
        [varint(1 << 60), varint(1)].concat(),
        [varint(1), varint(1 << 60)].concat(),
        [varint(1), varint(-1)].concat(),
        [varint(i64::MIN), varint(4)].concat(),
        [varint(1), varint(1), b"k".to_vec(), varint(1 << 60)].concat(),
        vec![0xff; 11],
    ];
    for claim in claims {
        let file = [&b"Obj\x01"[..], &claim, &[0; 100]].concat();
        assert_eq!(refused_bytes(&file).kind(), ErrorKind::Data, "{claim:?}");
    }
}

/// 64 KiB are not enough for the schema of a wide table.
#[test]
fn a_header_of_several_hundred_kilobytes_is_read() {
    let names: Vec<_> = (0..5000).map(|at| format!("a_column_with_a_rather_long_name_{at}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), "\"long\"")).collect();
    let mut file = Container::new(&record(&fields), "null");
    file.metadata.push(("note".into(), vec![b' '; 100_000]));
    let file = file.block(1, (0..5000).flat_map(varint).collect::<Vec<_>>());
    assert!(file.header().len() > 400_000);
    assert_eq!(rows(&file), [(0..5000).map(Cell::Int64).collect::<Vec<_>>()]);
}

#[test]
fn a_file_of_no_blocks_has_no_rows() {
    assert!(rows(&field("\"int\"")).is_empty());
}

#[test]
fn a_root_of_any_type_is_one_column() {
    let list = Container::new(r#"{"type":"array","items":"int"}"#, "null").block(2, [2, 2, 0, 0]);
    assert_eq!(column(&list), [Cell::List(vec![Cell::Int32(1)]), Cell::List(vec![])]);
    let union = Container::new(r#"["null","string"]"#, "null").block(2, [0, 2, 2, b'x']);
    assert_eq!(column(&union), [Cell::Null, super::text("x")]);
}
