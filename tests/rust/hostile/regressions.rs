//! Valid files that some reader has answered wrongly.

use polars_avro::ReadOptions;

use super::{column, field, only, record, rows, text};
use crate::container::{Container, put_bytes, varint};
use crate::differential::{open, read};
use crate::expected::Cell;

/// Three rows of `a` int, `b` string, `c` boolean.
fn table() -> Container {
    let schema = record(&[("a", "\"int\""), ("b", "\"string\""), ("c", "\"boolean\"")]);
    Container::new(&schema, "null").block(2, b"\x02\x02x\x01\x04\x02y\x00").block(1, b"\x06\x02z\x01")
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let file = open(table().build()).unwrap();
    let read = read(&file, &only(&["c", "a"])).unwrap();
    assert_eq!(read.columns, [("c".into(), "Boolean".into()), ("a".into(), "Int32".into())]);
    assert_eq!(read.rows[1], [Cell::Boolean(false), Cell::Int32(2)]);
}

#[test]
fn a_column_that_is_not_there_is_the_callers_fault() {
    let error = open(table().build()).unwrap().read(&only(&["a", "d"])).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), polars_avro::ErrorKind::Argument);
    assert!(error.message().contains('d'), "{error}");
}

#[test]
fn the_row_index_alone_has_every_row() {
    let file = open(table().build()).unwrap();
    let mut options = only(&[]);
    (options.row_index, options.offset) = (Some(("n".into(), 5)), 1);
    let read = read(&file, &options).unwrap();
    assert_eq!(read.columns, [("n".into(), "UInt32".into())]);
    assert_eq!(read.rows, [[Cell::UInt32(6)], [Cell::UInt32(7)]]);
}

#[test]
fn no_columns_still_have_a_height() {
    let file = open(table().build()).unwrap();
    assert_eq!(read(&file, &only(&[])).unwrap().rows.len(), 3);
    let mut two = only(&[]);
    two.length = Some(2);
    assert_eq!(read(&file, &two).unwrap().rows.len(), 2);
}

#[test]
fn a_slice_is_cut_to_the_row() {
    let file = open(table().build()).unwrap();
    for (offset, length, expected) in
        [(0, 0, 0..0), (1, 1, 1..2), (1, 9, 1..3), (2, 1, 2..3), (3, 1, 3..3), (9, 9, 3..3)]
    {
        let mut options = only(&["a"]);
        (options.offset, options.length) = (offset, Some(length));
        let table = read(&file, &options).unwrap();
        let wanted: Vec<_> = expected.map(|row| vec![Cell::Int32(row + 1)]).collect();
        assert_eq!(table.rows, wanted, "{length} rows from {offset}");
    }
    assert_eq!([0, 1, 2, 9].map(|limit| file.count_rows(Some(limit)).unwrap().min(limit)), [0, 1, 2, 3]);
}

/// The limit comes before damage that it does not reach.
#[test]
fn rows_behind_the_limit_are_not_decoded() {
    let damaged = table().block(1, [0xff]).build();
    let file = open(damaged).unwrap();
    let mut first = ReadOptions::default();
    first.length = Some(2);
    assert_eq!(read(&file, &first).unwrap().rows.len(), 2);
}

#[test]
fn a_type_used_twice_keeps_its_type() {
    let point = r#"{"type":"record","name":"P","fields":[{"name":"x","type":"int"}]}"#;
    let colour = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    let hash = r#"{"type":"fixed","name":"F","size":1}"#;
    let again = r#"{"type":"array","items":"P"}"#;
    let fields =
        [("a", point), ("b", "\"P\""), ("c", again), ("d", colour), ("e", "\"E\""), ("f", hash), ("g", "\"F\"")];
    let file = Container::new(&record(&fields), "null").block(1, [2, 4, 2, 6, 0, 0, 2, 7, 8]);
    let point = |x| Cell::Struct(vec![Cell::Int32(x)]);
    let symbol = |name: &str| Cell::Enum(name.to_owned());
    let cells = vec![
        point(1),
        point(2),
        Cell::List(vec![point(3)]),
        symbol("A"),
        symbol("B"),
        Cell::Binary(vec![7]),
        Cell::Binary(vec![8]),
    ];
    assert_eq!(rows(&file), [cells]);
}

#[test]
fn enums_may_be_null_and_stand_in_lists() {
    let symbols = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    let [a, b] = ["A", "B"].map(|name| Cell::Enum(name.to_owned()));
    let nullable = field(&format!(r#"[{symbols},"null"]"#)).block(3, [0, 2, 2, 0, 0]);
    assert_eq!(column(&nullable), [b.clone(), Cell::Null, a.clone()]);
    let list = field(&format!(r#"{{"type":"array","items":["null",{symbols}]}}"#)).block(1, [6, 2, 2, 0, 2, 0, 0]);
    assert_eq!(column(&list), [Cell::List(vec![b, Cell::Null, a])]);
}

#[test]
fn maps_are_maps_and_keys_are_unique() {
    let mut datum = varint(3);
    for (key, value) in [("k", 1), ("l", 2), ("k", 3)] {
        put_bytes(&mut datum, key.as_bytes());
        datum.extend(varint(value));
    }
    let file = field(r#"{"type":"map","values":"int"}"#).block(2, [datum, vec![0, 0]].concat());
    let entries = vec![("k".into(), Cell::Int32(3)), ("l".into(), Cell::Int32(2))];
    assert_eq!(column(&file), [Cell::Map(entries), Cell::Map(vec![])]);
}

/// Keys repeated across the item blocks of one map are repeated too; across two maps they are not.
#[test]
fn keys_are_unique_within_one_map_alone() {
    let block = |value: u8| vec![1, 6, 2, b'k', 2, value * 2];
    let ty = r#"{"type":"map","values":["null","int"]}"#;
    let file = field(ty).block(2, [block(1), block(2), vec![0], block(3), vec![0]].concat());
    let map = |value| Cell::Map(vec![("k".into(), Cell::Int32(value))]);
    // Each item block says that it is three bytes where it is four.
    assert_eq!(super::refused(&file).kind(), polars_avro::ErrorKind::Data);
    let block = |value: u8| vec![1, 8, 2, b'k', 2, value * 2];
    let file = field(ty).block(2, [block(1), block(2), vec![0], block(3), vec![0]].concat());
    assert_eq!(column(&file), [map(2), map(3)]);
}

/// As in the manifests of a table without partitions.
#[test]
fn a_record_of_no_fields_is_a_column() {
    let empty = r#"{"type":"record","name":"r102","fields":[]}"#;
    let file = Container::new(&record(&[("partition", empty), ("n", "\"int\"")]), "null").block(2, [2, 4]);
    assert_eq!(rows(&file), [[Cell::Struct(vec![]), Cell::Int32(1)], [Cell::Struct(vec![]), Cell::Int32(2)]]);
    let nullable = field(&format!(r#"["null",{empty}]"#)).block(2, [0, 2]);
    assert_eq!(column(&nullable), [Cell::Null, Cell::Struct(vec![])]);
    let list = field(&format!(r#"{{"type":"array","items":{empty}}}"#)).block(1, [6, 0]);
    assert_eq!(column(&list), [Cell::List(vec![Cell::Struct(vec![]); 3])]);
}

#[test]
fn a_union_is_a_struct_of_its_branches() {
    let union = r#"["null","int",{"type":"array","items":"int"},{"type":"record","name":"x.P","fields":[]},
        {"type":"enum","name":"x.Q","symbols":["A"]},{"type":"enum","name":"y.Q","symbols":["B"]}]"#;
    let file = field(union).block(4, [2, 14, 0, 8, 0, 10, 0]);
    let read = read(&open(file.build()).unwrap(), &ReadOptions::default()).unwrap();
    let dtype = "Struct{int: Int32, array: List(Int32), P: Struct{}, x.Q: Enum[A], y.Q: Enum[B]}";
    assert_eq!(read.columns, [("a".into(), dtype.into())]);
    let only = |at: usize, cell: Cell| {
        let mut cells = vec![Cell::Null; 5];
        cells[at] = cell;
        vec![Cell::Struct(cells)]
    };
    let symbol = |name: &str| Cell::Enum(name.to_owned());
    assert_eq!(read.rows, [only(0, Cell::Int32(7)), vec![Cell::Null], only(3, symbol("A")), only(4, symbol("B"))]);
}

#[test]
fn a_logical_type_where_it_does_not_belong_is_ignored() {
    for ty in [
        r#"{"type":"long","logicalType":"date"}"#,
        r#"{"type":"long","logicalType":"no-such-type"}"#,
        r#"{"type":"long","logicalType":7}"#,
        r#"{"type":"long","logicalType":"decimal","precision":4}"#,
    ] {
        assert_eq!(column(&field(ty).block(1, [2])), [Cell::Int64(1)], "{ty}");
    }
    for attributes in [r#""precision":2,"scale":3"#, r#""precision":0"#, r#""scale":1"#, r#""precision":"4""#] {
        let ty = format!(r#"{{"type":"bytes","logicalType":"decimal",{attributes}}}"#);
        assert_eq!(column(&field(&ty).block(1, [2, 5])), [Cell::Binary(vec![5])], "{ty}");
    }
    let ty = r#"{"type":"fixed","name":"F","size":1,"logicalType":"decimal","precision":3}"#;
    assert_eq!(column(&field(ty).block(1, [5])), [Cell::Binary(vec![5])]);
}

#[test]
fn a_duration_is_three_numbers() {
    let ty = r#"{"type":"fixed","name":"D","size":12,"logicalType":"duration"}"#;
    let file = field(ty).block(1, [1, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(column(&file), [Cell::Struct([1, 2, u32::MAX].map(Cell::UInt32).to_vec())]);
}

/// Inside text every value is plain: branches untagged, bytes as code points, no number that JSON lacks.
#[test]
fn a_recursive_value_is_plain_json() {
    let fields = [
        r#"{"name":"s","type":["null","string","int"]}"#,
        r#"{"name":"b","type":"bytes"}"#,
        r#"{"name":"d","type":"double"}"#,
        r#"{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}}"#,
        r#"{"name":"t","type":{"type":"int","logicalType":"date"}}"#,
        r#"{"name":"m","type":{"type":"map","values":"boolean"}}"#,
        r#"{"name":"next","type":["null","Node"]}"#,
    ];
    let node = format!(r#"{{"type":"record","name":"Node","fields":[{}]}}"#, fields.join(","));
    let datum = |next: &[u8]| {
        let mut out = vec![2, 4, b'"', b'\n', 4, 0xff, b'a'];
        out.extend(f64::NAN.to_le_bytes());
        out.extend([0, 20, 2, 2, b'k', 1, 0]);
        out.extend(next);
        out
    };
    let file = field(&node).block(1, datum(&[&[2], &datum(&[0])[..]].concat()));
    let [row] = rows(&file).try_into().unwrap();
    let Cell::Struct(cells) = &row[0] else { panic!("{row:?}") };
    assert_eq!(cells[6], text(r#"{"s":"\"\n","b":"ÿa","d":"NaN","e":"A","t":10,"m":{"k":true},"next":null}"#));
}
