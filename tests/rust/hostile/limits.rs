//! Files that ask for more than they hold: every limit by its name.

use std::fmt::Write;
use std::sync::Arc;

use polars_avro::{Batch, ContainerFile, Error, ErrorKind, Limits, MemorySource, OpenOptions, ReadOptions, Schema};

use super::{column, field, only, read_with, record, refusal, refused};
use crate::container::{Container, put_long, varint};
use crate::expected::Cell;

#[track_caller]
fn limited(error: &Error, name: &str) {
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.message().contains(&format!("`{name}`")), "{error}");
}

#[test]
fn header_bytes() {
    let mut limits = Limits::default();
    limits.header_bytes = 10_000;
    let mut file = field("\"int\"").block(1, [2]);
    file.metadata.push(("note".into(), vec![0; 9000]));
    assert_eq!(read_with(&file.build(), 1, &limits, &ReadOptions::default()).unwrap().rows.len(), 1);
    file.metadata.push(("note".into(), vec![0; 9000]));
    limited(&refusal(file.build(), &limits, &ReadOptions::default()), "header_bytes");
}

#[test]
fn schema_depth() {
    let nested = |depth| format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(depth), "}".repeat(depth));
    let file = field(&nested(100)).block(1, [0]);
    assert_eq!(column(&file), [Cell::List(vec![])]);
    for depth in [200, 5000, 100_000] {
        limited(&refused(&field(&nested(depth)).block(1, [0])), "schema_depth");
        limited(&refused(&Container::new(&nested(depth), "null").block(1, [0])), "schema_depth");
    }
    // Deep JSON that is no type at all.
    let note = format!(r#"{{"type":"int","note":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    limited(&refused(&field(&note).block(1, [0])), "schema_depth");
}

#[test]
fn schema_nodes() {
    let mut limits = Limits::default();
    limits.schema_nodes = 100;
    let names: Vec<_> = (0..120).map(|at| format!("f{at}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), r#"["null","int"]"#)).collect();
    let file = Container::new(&record(&fields), "null").build();
    limited(&refusal(&file, &limits, &ReadOptions::default()), "schema_nodes");
}

/// Each record holds the one before twice: a kilobyte of schema, a billion columns.
#[test]
fn columns() {
    let mut schema = String::from(r#"{"type":"record","name":"R0","fields":[{"name":"a","type":"int"}]}"#);
    for level in 1..40 {
        let below = format!("\"R{}\"", level - 1);
        schema = record(&[("a", &schema), ("b", &below)]).replace("Row", &format!("R{level}"));
    }
    limited(&refused(&Container::new(&schema, "null").block(1, [0])), "columns");
}

fn chain(depth: usize) -> Vec<u8> {
    let mut datum = Vec::new();
    for _ in 0..depth {
        datum.extend([2, 2]);
    }
    datum.extend([2, 0]);
    datum
}

/// `Row{a: Node{value, next}}`; every `next` below the first is text.
fn chains() -> Container {
    let node = record(&[("value", "\"int\""), ("next", r#"["null","Node"]"#)]).replace("Row", "Node");
    Container::new(&record(&[("a", &node), ("b", "\"int\"")]), "null")
}

#[test]
fn data_depth() {
    let file = chains().block(1, [chain(50), vec![2]].concat());
    let mut text = r#"{"value":1,"next":null}"#.to_owned();
    for _ in 1..50 {
        text = format!(r#"{{"value":1,"next":{text}}}"#);
    }
    let node = Cell::Struct(vec![Cell::Int32(1), super::text(&text)]);
    assert_eq!(super::rows(&file), [[node, Cell::Int32(1)]]);
    for depth in [300, 10_000, 1_000_000] {
        let file = chains().block(1, [chain(depth), vec![2]].concat());
        limited(&refused(&file), "data_depth");
        // Passing over the value is no deeper than reading it.
        limited(&refusal(file.build(), &Limits::default(), &only(&["b"])), "data_depth");
    }
}

/// The recursion may go through lists and maps.
#[test]
fn data_depth_through_lists_and_maps() {
    let tree = r#"{"type":"record","name":"Tree","fields":[{"name":"of","type":{"type":"array","items":"Tree"}}]}"#;
    let file = Container::new(&record(&[("a", tree)]), "null").block(1, [vec![2; 500_000], vec![0; 500_001]].concat());
    limited(&refused(&file), "data_depth");
    let tree = r#"{"type":"record","name":"Tree","fields":[{"name":"of","type":{"type":"map","values":"Tree"}}]}"#;
    let entries = [2, 0].repeat(500_000);
    let file = Container::new(&record(&[("a", tree)]), "null").block(1, [entries, vec![0; 500_001]].concat());
    limited(&refused(&file), "data_depth");
}

#[test]
fn zero_byte_items_of_a_block() {
    for count in [1 << 62, i64::MAX, 1 << 33] {
        let file = field("\"null\"").block(3, []).but(|block| block.count = count);
        limited(&refused(&file), "zero_byte_items");
        let file = Container::new(&record(&[]), "deflate").block(3, []).but(|block| block.count = count);
        limited(&refused(&file), "zero_byte_items");
    }
    let mut limits = Limits::default();
    limits.zero_byte_items = 10;
    let of = |count| field("\"null\"").block(count, []).build();
    assert_eq!(read_with(&of(10), 1, &limits, &ReadOptions::default()).unwrap().rows.len(), 10);
    limited(&refusal(of(11), &limits, &ReadOptions::default()), "zero_byte_items");
    // A block behind others is bounded like the first one.
    let error = refusal(field("\"null\"").block(3, []).block(11, []).build(), &limits, &ReadOptions::default());
    limited(&error, "zero_byte_items");
    assert_eq!(error.position().block, Some(1));
}

const EMPTY: [&str; 4] = [
    "\"null\"",
    r#"{"type":"record","name":"Empty","fields":[]}"#,
    r#"{"type":"record","name":"Nulls","fields":[{"name":"a","type":"null"},{"name":"b","type":"null"}]}"#,
    r#"{"type":"fixed","name":"F","size":0}"#,
];

#[test]
fn zero_byte_items_of_an_array() {
    for items in EMPTY {
        let file = Container::new(
            &record(&[("a", &format!(r#"{{"type":"array","items":{items}}}"#)), ("b", "\"int\"")]),
            "null",
        );
        for count in [1i64 << 62, i64::MAX, 1 << 33, -(1 << 33), -i64::MAX] {
            let mut datum = varint(count);
            if count < 0 {
                put_long(&mut datum, 0);
            }
            let file = file.clone().block(1, [datum, vec![0, 2]].concat());
            limited(&refused(&file), "zero_byte_items");
            // Passing over them takes no longer and is no kinder.
            limited(&refusal(file.build(), &Limits::default(), &only(&["b"])), "zero_byte_items");
        }
        // In many blocks of the array as in one.
        let datum = [varint(1 << 20).repeat(20), vec![0, 2]].concat();
        limited(&refused(&file.clone().block(1, datum)), "zero_byte_items");
    }
}

/// Four bytes that claim many items, over and over: the whole block is bounded, not one array.
#[test]
fn zero_byte_items_of_many_arrays() {
    let mut limits = Limits::default();
    limits.zero_byte_items = 1000;
    for items in EMPTY {
        let file = field(&format!(r#"{{"type":"array","items":{items}}}"#));
        let rows = file.block(200, [varint(900), vec![0]].concat().repeat(200));
        limited(&refusal(rows.build(), &limits, &ReadOptions::default()), "zero_byte_items");
    }
}

/// A record of no bytes has as many values as it has fields, and each may take memory.
#[test]
fn zero_byte_items_of_many_fields() {
    let mut limits = Limits::default();
    limits.zero_byte_items = 1000;
    let names: Vec<_> = (0..200).map(|at| format!("f{at}")).collect();
    let mut fields: Vec<_> = names.iter().map(|name| (name.as_str(), "\"F\"")).collect();
    fields[0].1 = EMPTY[3];
    let item = record(&fields).replace("Row", "Item");
    let file = field(&format!(r#"{{"type":"array","items":{item}}}"#)).block(1, [varint(900), vec![0]].concat());
    limited(&refusal(file.build(), &limits, &ReadOptions::default()), "zero_byte_items");
    let rows = Container::new(&item, "null").block(900, []);
    limited(&refusal(rows.build(), &limits, &ReadOptions::default()), "zero_byte_items");
}

/// A row with one node inside: text, in which a list of `nulls` nulls is five times as many letters.
fn texts(nulls: i64, rows: usize) -> Vec<u8> {
    let array = |items| format!(r#"{{"type":"array","items":"{items}"}}"#);
    let node = record(&[("of", &array("Node")), ("nulls", &array("null"))]).replace("Row", "Node");
    let datum = [vec![2, 0], varint(nulls), vec![0, 0, 0]].concat();
    field(&node).block(rows as i64, datum.repeat(rows)).build()
}

#[test]
fn zero_byte_items_in_text() {
    limited(&refusal(texts(1 << 33, 1), &Limits::default(), &ReadOptions::default()), "zero_byte_items");
}

/// A few bytes that become much text, over and over.
#[test]
fn zero_byte_items_of_many_texts() {
    let mut limits = Limits::default();
    limits.zero_byte_items = 1000;
    assert_eq!(read_with(&texts(900, 1), 1, &limits, &ReadOptions::default()).unwrap().rows.len(), 1);
    limited(&refusal(texts(900, 200), &limits, &ReadOptions::default()), "zero_byte_items");
}

#[test]
fn wide_unions_and_enums_are_read() {
    let mut symbols = String::new();
    (0..70_000).for_each(|at| write!(symbols, "{}\"S{at}\"", if at == 0 { "" } else { "," }).unwrap());
    let file = field(&format!(r#"{{"type":"enum","name":"E","symbols":[{symbols}]}}"#));
    assert_eq!(column(&file.block(1, varint(69_999))), [Cell::Enum("S69999".into())]);
}

fn read_as(file: &Container, reader: &str, limits: &Limits) -> Result<Vec<Batch>, Error> {
    let mut options = OpenOptions::default();
    options.limits = limits.clone();
    options.reader_schema = Some(Arc::new(Schema::parse(reader, limits).unwrap()));
    let source = Arc::new(MemorySource::new(file.build()));
    ContainerFile::open(source, &options)?.read(&ReadOptions::default())?.collect()
}

/// A union of `first` and two records of 60 fields each.
fn with_wide_branches(first: &str) -> String {
    let wide = |name: &str| {
        let fields: Vec<_> = (0..60).map(|at| format!(r#"{{"name":"f{at}","type":"int"}}"#)).collect();
        format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
    };
    record(&[("a", &format!(r"[{first},{},{}]", wide("A"), wide("B")))])
}

#[test]
fn columns_that_the_file_never_fills_count_too() {
    let mut limits = Limits::default();
    limits.columns = 124;
    let file = field("\"int\"").block(1, [2]);
    read_as(&file, &with_wide_branches("\"int\""), &limits).unwrap();
    limits.columns = 100;
    limited(&read_as(&file, &with_wide_branches("\"int\""), &limits).unwrap_err(), "columns");
}

#[test]
fn values_that_the_file_never_fills_count_for_rows_that_take_no_bytes() {
    let mut limits = Limits::default();
    limits.zero_byte_items = 100 * 121;
    let file = field("\"null\"").block(100, []);
    assert_eq!(read_as(&file, &with_wide_branches("\"null\""), &limits).unwrap()[0].height, 100);
    limits.zero_byte_items = 5000;
    limited(&read_as(&file, &with_wide_branches("\"null\""), &limits).unwrap_err(), "zero_byte_items");
}
