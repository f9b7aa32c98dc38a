//! Values that their type does not have.

use num_bigint::BigInt;
use polars_avro::{ErrorKind, Limits, ReadOptions};

use super::{column, field, only, record, refusal, refused, refused_at, text};
use crate::bad_blocks;
use crate::container::{Container, SYNC, put_bytes, varint};
use crate::differential::{open, read};
use crate::expected::Cell;
use crate::logical::decimal_text;

const SYMBOLS: &str = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;

#[test]
fn an_index_outside_a_union_is_refused() {
    for union in [r#"["null","int"]"#, r#"["int","null"]"#, r#"["null","int","string"]"#, r#"["int","string"]"#] {
        for index in [7, -1, i64::MAX, i64::MIN, 1 << 32] {
            let good = if union.starts_with(r#"["int"#) { [0, 0] } else { [2, 0] };
            let file = field(union).block(3, [&good[..], &good, &varint(index), &[0]].concat());
            refused_at(&file, 0, 2, "a");
        }
    }
    refused_at(&field(r#"["null","int"]"#).block(1, [4, 0]), 0, 0, "a");
    refused_at(&field(r#"["int"]"#).block(1, [2, 0]), 0, 0, "a");
    refused_at(&field(r#"["null"]"#).block(1, [2]), 0, 0, "a");
}

/// An index may be written in more bytes than it needs, as any long may.
#[test]
fn an_index_of_several_bytes_is_read() {
    for (union, null) in [(r#"["null","int"]"#, 0), (r#"["int","null"]"#, 2)] {
        let long = |index: u8| [index | 0x80, 0x80, 0x00];
        let value = 2 - null;
        let datums = [&long(null)[..], &long(value), &[6], &[null], &[value, 8], &long(null)].concat();
        let expected = [Cell::Null, Cell::Int32(3), Cell::Null, Cell::Int32(4), Cell::Null];
        assert_eq!(column(&field(union).block(5, datums)), expected, "{union}");
    }
}

#[test]
fn an_index_outside_an_enum_is_refused() {
    for index in [2, -1, i64::MAX, i64::MIN, 256, 1 << 32] {
        let index = varint(index);
        refused_at(&field(SYMBOLS).block(2, [&[2], &index[..]].concat()), 0, 1, "a");
        refused_at(&field(&format!(r#"["null",{SYMBOLS}]"#)).block(2, [&[0, 2], &index[..]].concat()), 0, 1, "a");
        let array = format!(r#"{{"type":"array","items":{SYMBOLS}}}"#);
        refused_at(&field(&array).block(1, [&[2], &index[..], &[0]].concat()), 0, 0, "a[]");
    }
}

/// Skipping reads the framing alone, but that it checks as decoding does.
#[test]
fn framing_is_checked_where_it_is_passed_over() {
    let wrong: [(&str, Vec<u8>); 9] = [
        (r#"["null","int"]"#, vec![4, 0]),
        (r#"["null","int"]"#, vec![1, 0]),
        (r#""string""#, varint(-1)),
        (r#""bytes""#, varint(1 << 62)),
        (r#""long""#, vec![0x80; 11]),
        (r#"{"type":"array","items":"int"}"#, [varint(i64::MIN), vec![2, 0]].concat()),
        (r#"{"type":"array","items":"int"}"#, [varint(-1), varint(1 << 62), vec![2, 0]].concat()),
        (r#"{"type":"array","items":"int"}"#, [varint(-1), varint(-1), vec![2, 0]].concat()),
        (r#"{"type":"map","values":"int"}"#, [varint(1), varint(-5), vec![2, 0]].concat()),
    ];
    for (ty, datum) in wrong {
        let file = Container::new(&record(&[("a", ty), ("b", "\"int\"")]), "null").block(1, [datum, vec![2]].concat());
        assert_eq!(refused(&file).kind(), ErrorKind::Data, "{ty}");
        let error = refusal(file.build(), &Limits::default(), &only(&["b"]));
        assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(0)), "{ty}: {error}");
    }
}

#[test]
fn an_int_beyond_its_range_is_refused() {
    for value in [1 << 31, -(1 << 31) - 1, 1 << 32, i64::MAX, i64::MIN] {
        refused_at(&field("\"int\"").block(2, [varint(1), varint(value)].concat()), 0, 1, "a");
        refused_at(&field(r#"["null","int"]"#).block(1, [varint(1), varint(value)].concat()), 0, 0, "a");
    }
    let ends = [i64::from(i32::MIN), i64::from(i32::MAX)];
    let file = field("\"int\"").block(2, ends.map(varint).concat());
    assert_eq!(column(&file), [Cell::Int32(i32::MIN), Cell::Int32(i32::MAX)]);
}

#[test]
fn a_varint_beyond_ten_bytes_or_64_bits_is_refused() {
    let eleven = [vec![0x80; 10], vec![0]].concat();
    let beyond = [vec![0xff; 9], vec![2]].concat();
    for ty in ["\"int\"", "\"long\"", "\"string\"", r#"{"type":"array","items":"int"}"#, r#"["null","int"]"#, SYMBOLS] {
        refused_at(&field(ty).block(1, &eleven), 0, 0, "a");
        refused_at(&field(ty).block(1, &beyond), 0, 0, "a");
    }
}

#[test]
fn a_varint_longer_than_needed_is_read() {
    assert_eq!(column(&field("\"long\"").block(2, [0x82, 0x80, 0x00, 0x04])), [1, 2].map(Cell::Int64));
    assert_eq!(column(&field("\"int\"").block(2, [0x82, 0x00, 0x04])), [1, 2].map(Cell::Int32));
    assert_eq!(column(&field("\"string\"").block(1, [0x82, 0x00, b'x'])), [text("x")]);
    let ten = [vec![0xfe], vec![0xff; 8], vec![1]].concat();
    assert_eq!(column(&field("\"long\"").block(1, ten)), [Cell::Int64(i64::MAX)]);
}

#[test]
fn a_boolean_that_is_neither_is_refused() {
    for byte in [2, 0x7f, 0x80, 0xff] {
        refused_at(&field("\"boolean\"").block(3, [0, 1, byte]), 0, 2, "a");
    }
    let items =
        r#"{"type":"array","items":{"type":"record","name":"Item","fields":[{"name":"price","type":"boolean"}]}}"#;
    refused_at(&field(items).block(2, [0, 4, 1, 2, 0]), 0, 1, "a[].price");
}

#[test]
fn text_that_is_no_utf8_is_refused() {
    for bytes in [&b"\xff"[..], b"ok\x80", b"\xc3", b"\xed\xa0\x80", b"a long text of ascii letters and then \xf0\x9f"]
    {
        let mut datum = vec![2, b'x'];
        put_bytes(&mut datum, bytes);
        let error = refused_at(&field("\"string\"").block(2, &datum), 0, 1, "a");
        assert!(error.message().to_lowercase().contains("utf-8"), "{error}");
        let nullable = field(r#"["null","string"]"#).block(1, [&[2], &datum[2..]].concat());
        refused_at(&nullable, 0, 0, "a");
        let map = field(r#"{"type":"map","values":"int"}"#).block(1, [&[2], &datum[2..], &[2, 0]].concat());
        assert_eq!(refused(&map).kind(), ErrorKind::Data);
    }
}

/// A letter cut in two by the border of two strings is valid in neither.
#[test]
fn utf8_is_checked_string_by_string() {
    let long = "a text that is longer than a view, é";
    let (head, tail) = long.as_bytes().split_at(long.len() - 1);
    let mut datums = Vec::new();
    put_bytes(&mut datums, head);
    put_bytes(&mut datums, &[tail, b" and some more of it"].concat());
    refused_at(&field("\"string\"").block(2, datums), 0, 0, "a");
}

#[test]
fn a_length_beyond_the_block_is_refused() {
    for len in [-1, i64::MIN, i64::MAX, 1 << 62, 1 << 33, 3] {
        for ty in ["\"string\"", "\"bytes\""] {
            refused_at(&field(ty).block(2, [&[2, b'x'], &varint(len)[..], b"ab"].concat()), 0, 1, "a");
        }
        let map = field(r#"{"type":"map","values":"int"}"#).block(1, [&[2], &varint(len)[..], b"a"].concat());
        assert_eq!(refused(&map).kind(), ErrorKind::Data);
    }
}

/// A string may not borrow bytes from what follows the block in the file.
#[test]
fn a_length_into_the_next_block_is_refused() {
    let file = field("\"string\"").block(1, [2, b'x']).block(1, [60, b'y']).block(1, [2, b'z']);
    refused_at(&file, 1, 0, "a");
}

#[test]
fn a_count_of_items_beyond_the_block_is_refused() {
    for count in [1 << 62, i64::MAX, 1 << 33, 4] {
        let count = varint(count);
        for ty in [r#"{"type":"array","items":"int"}"#, r#"{"type":"map","values":"int"}"#] {
            assert_eq!(refused(&field(ty).block(1, [&count[..], &[2, 4, 0]].concat())).kind(), ErrorKind::Data, "{ty}");
        }
    }
    let least = [varint(i64::MIN), vec![2, 4, 0]].concat();
    refused_at(&field(r#"{"type":"array","items":"int"}"#).block(1, least), 0, 0, "a");
}

/// The size before an item block is there to be jumped by; one that is wrong would move every later value.
#[test]
fn an_item_block_of_the_wrong_size_is_refused() {
    for size in [0, 1, 3, -2, 1 << 40] {
        let ints = field(r#"{"type":"array","items":"int"}"#);
        let file = ints.block(1, [varint(-2), varint(size), vec![2, 4, 0]].concat());
        assert_eq!(refused(&file).kind(), ErrorKind::Data, "{size} bytes");
        if size != 0 {
            let nulls = field(r#"{"type":"array","items":"null"}"#);
            let file = nulls.block(1, [varint(-2), varint(size), vec![0]].concat());
            assert_eq!(refused(&file).kind(), ErrorKind::Data, "{size} bytes of nulls");
        }
    }
}

fn decimal(precision: usize, scale: usize) -> Container {
    field(&format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{precision},"scale":{scale}}}"#))
}

fn datums(values: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        put_bytes(&mut out, value);
    }
    out
}

#[test]
fn decimals_of_any_length_are_read() {
    let minus_two = [vec![0xff; 19], vec![0xfe]].concat();
    let thousand = [vec![0; 18], vec![3, 0xe8]].concat();
    let file = decimal(10, 2).block(5, datums(&[&[], &[0], &[0x80], &minus_two, &thousand]));
    assert_eq!(column(&file), [0, 0, -128, -2, 1000].map(Cell::Decimal));
}

#[test]
fn a_decimal_beyond_its_precision_is_refused() {
    refused_at(&decimal(38, 0).block(2, datums(&[&[1], &[1; 17]])), 0, 1, "a");
    refused_at(&decimal(38, 0).block(1, datums(&[&[0x7f; 16]])), 0, 0, "a");
    refused_at(&decimal(2, 0).block(2, datums(&[&[99], &[100]])), 0, 1, "a");
    refused_at(&decimal(2, 0).block(2, datums(&[&[0x9d], &[0x9c]])), 0, 1, "a");
}

#[test]
fn a_decimal_wider_than_a_column_is_text() {
    let file = decimal(40, 3).block(3, datums(&[&[], &[0xfb], &[1; 17]]));
    let big = decimal_text(&BigInt::from_signed_bytes_be(&[1; 17]), 3);
    assert_eq!(column(&file), [text("0.000"), text("-0.005"), text(&big)]);
}

fn big_decimal(unscaled: &[u8], scale: i64) -> Vec<u8> {
    let mut value = Vec::new();
    put_bytes(&mut value, unscaled);
    value.extend(varint(scale));
    datums(&[&value])
}

const BIG_DECIMAL: &str = r#"{"type":"bytes","logicalType":"big-decimal"}"#;

#[test]
fn big_decimals_are_exact_text() {
    let values =
        [big_decimal(&[0x30, 0x39], 2), big_decimal(&[0xcf, 0xc7], 7), big_decimal(&[7], 0), big_decimal(&[], 1)];
    let file = field(BIG_DECIMAL).block(4, values.concat());
    assert_eq!(column(&file), ["123.45", "-0.0012345", "7", "0.0"].map(text));
    assert_eq!(column(&field(BIG_DECIMAL).block(1, big_decimal(&[7], -3))), [text("7000")]);
}

#[test]
fn a_big_decimal_that_is_none_is_refused() {
    let wrong: [&[u8]; 6] = [&[], &[2], &[4, 1], &[2, 1], &[2, 1, 2, 0], &[1, 0]];
    for value in wrong {
        refused_at(&field(BIG_DECIMAL).block(1, datums(&[value])), 0, 0, "a");
    }
}

/// A scale of a billion is a few bytes in the file and would be a billion digits of text.
#[test]
fn a_big_decimal_of_absurd_scale_is_not_written_out() {
    let scales = [1 << 30, -(1 << 30)];
    let file = field(BIG_DECIMAL).block(2, scales.map(|scale| big_decimal(&[7], scale)).concat());
    assert_eq!(column(&file), ["7E-1073741824", "7E+1073741824"].map(text));
    for scale in [1 << 31, 1 << 40, i64::MAX, i64::MIN] {
        refused_at(&field(BIG_DECIMAL).block(1, big_decimal(&[7], scale)), 0, 0, "a");
    }
}

#[test]
fn a_time_outside_the_day_is_refused() {
    for (base, unit, day) in [("int", "time-millis", 86_400_000), ("long", "time-micros", 86_400_000_000)] {
        let ty = format!(r#"{{"type":"{base}","logicalType":"{unit}"}}"#);
        assert_eq!(column(&field(&ty).block(1, varint(day - 1))).len(), 1);
        for time in [-1, day] {
            refused_at(&field(&ty).block(2, [varint(0), varint(time)].concat()), 0, 1, "a");
        }
    }
}

#[test]
fn uuids_are_canonical_or_refused() {
    let ty = r#"{"type":"string","logicalType":"uuid"}"#;
    let upper = b"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6";
    assert_eq!(column(&field(ty).block(1, datums(&[upper]))), [text("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")]);
    for wrong in [&b""[..], b"f81d4fae", b"g81d4fae-7dec-11d0-a765-00a0c91e6bf6"] {
        refused_at(&field(ty).block(1, datums(&[wrong])), 0, 0, "a");
    }
}

/// Nothing is wrong with such a file: Polars has no room for the value. Its bytes are never written.
#[test]
fn a_value_of_two_gibibytes_is_not_damage() {
    let mut start = field("\"bytes\"").header();
    start.extend([varint(1), varint((1 << 31) + 5), varint(1 << 31)].concat());
    let mut bytes = vec![0; start.len() + (1 << 31) + 16];
    bytes[..start.len()].copy_from_slice(&start);
    let end = bytes.len() - 16;
    bytes[end..].copy_from_slice(&SYNC);
    let opened = open(bytes).unwrap();
    let mut options = ReadOptions::default();
    let error = read(&opened, &options).unwrap_err();
    assert_eq!((error.kind(), error.position().path.as_deref()), (ErrorKind::Unsupported, Some("a")), "{error}");
    assert!(error.message().contains("2147483648 bytes"), "{error}");
    options.ignore_errors = true;
    let (_, bad) = bad_blocks::read(&opened, &options).unwrap();
    // A record of more than `block_bytes` is not looked at, as it would be in memory whole.
    assert_eq!((bad.len(), bad[0].error.kind()), (1, ErrorKind::Limit));
    (options.columns, options.ignore_errors) = (Some(Vec::new()), false);
    assert_eq!(read(&opened, &options).unwrap().rows.len(), 1);
}
