//! Blocks whose rows end too early: the field that is missing is named, not what stands behind the block.

use polars_avro::{ErrorKind, ReadOptions};

use super::ignore_errors::options;
use super::{record, refused};
use crate::bad_blocks;
use crate::container::{CODECS, Container, put_bytes, varint};
use crate::differential::open;

/// A union that a long in a block's padding has no branch of.
const UNION: &str = r#"["null","long","string"]"#;

fn file(codec: &str, records: i64, data: &[u8]) -> Container {
    let inner = r#"{"type":"record","name":"I","fields":[{"name":"x","type":"long"},{"name":"y","type":"string"}]}"#;
    let items = format!(r#"{{"type":"array","items":{inner}}}"#);
    let schema = record(&[("a", "\"long\""), ("b", "\"string\""), ("c", &items), ("d", UNION), ("e", "\"double\"")]);
    Container::new(&schema, codec).block(records, data)
}

/// One record, and where each of its fields begins.
fn whole() -> (Vec<u8>, Vec<(usize, &'static str)>) {
    let (mut data, mut fields) = (Vec::new(), Vec::new());
    fields.push((data.len(), "a"));
    data.extend(varint(5000));
    fields.push((data.len(), "b"));
    put_bytes(&mut data, b"text");
    // Two items and the end.
    fields.push((data.len(), "c"));
    data.extend(varint(2));
    for _ in 0..2 {
        fields.push((data.len(), "c[].x"));
        data.extend(varint(70));
        fields.push((data.len(), "c[].y"));
        put_bytes(&mut data, b"why");
    }
    fields.push((data.len(), "c"));
    data.extend(varint(0));
    fields.push((data.len(), "d"));
    data.extend([2, 9]);
    fields.push((data.len(), "e"));
    data.extend([0; 8]);
    (data, fields)
}

#[test]
fn the_field_before_which_a_block_ends_is_named() {
    let (data, fields) = whole();
    for codec in CODECS {
        for &(at, path) in &fields {
            let error = refused(&file(codec, 2, &[&data[..], &data[..at]].concat()));
            assert_eq!(error.message(), format!("the block ends before field `{path}`"), "{codec}");
            let position = error.position();
            assert_eq!((position.block, position.record, position.path.as_deref()), (Some(0), Some(1), Some(path)));
        }
        let error = refused(&file(codec, 3, &data.repeat(2)));
        assert_eq!((error.message(), error.position().record), ("the block ends before field `a`", Some(2)));
    }
}

/// Every way to cut a record: no message is about bytes that are not the block's.
#[test]
fn no_cut_is_explained_with_what_stands_behind_it() {
    let (data, fields) = whole();
    for codec in ["null", "deflate"] {
        for cut in 0..data.len() {
            let error = refused(&file(codec, 1, &data[..cut]));
            assert_eq!((error.kind(), error.position().record), (ErrorKind::Data, Some(0)));
            let (_, path) = fields.iter().rev().find(|(at, _)| *at <= cut).unwrap();
            assert_eq!(error.position().path.as_deref(), Some(*path), "{codec}, {cut} bytes");
            let message = error.message();
            let ends = message.starts_with("the block ends ");
            assert!(ends || message.contains("more than the") && message.contains("bytes left"), "{message}");
        }
    }
}

#[test]
fn reports_and_other_ways_to_read_say_the_same() {
    let (data, fields) = whole();
    for &(at, path) in &fields {
        let container = file("null", 2, &[&data[..], &data[..at]].concat());
        let opened = open(container.build()).unwrap();
        let (rows, bad) = bad_blocks::read(&opened, &options()).unwrap();
        assert_eq!((rows.len(), bad.len(), bad[0].rows_lost), (0, 1, Some(2)));
        let text = bad[0].error.to_string();
        assert!(text.ends_with(&format!("record 1, field `{path}`: the block ends before field `{path}`")), "{text}");
        for columns in [vec![], vec!["b"], vec!["e", "a"]] {
            let mut options = ReadOptions::default();
            options.columns = Some(columns.into_iter().map(str::to_owned).collect());
            for offset in [0, 1] {
                options.offset = offset;
                let error = bad_blocks::read(&opened, &options).err().unwrap();
                assert_eq!(error.message(), format!("the block ends before field `{path}`"));
            }
        }
    }
}

/// A block that is large enough to be cut between records, which the walk cannot do at its end.
#[test]
fn large_blocks_say_the_same() {
    let (data, fields) = whole();
    let (at, path) = fields[fields.len() - 2];
    let container = file("null", 100_001, &[data.repeat(100_000), data[..at].to_vec()].concat());
    let error = refused(&container);
    assert_eq!(error.message(), format!("the block ends before field `{path}`"));
    assert_eq!(error.position().record, Some(100_000));
}

#[test]
fn a_value_without_a_name_has_none() {
    for (schema, path) in [("\"string\"", None), (r#"{"type":"array","items":"int"}"#, Some("[]"))] {
        // An array of two items, of which one is there.
        let data: &[u8] = if path.is_some() { &[4, 2] } else { &[] };
        let error = refused(&Container::new(schema, "null").block(1, data));
        let field = path.map_or("the value".to_owned(), |path| format!("field `{path}`"));
        assert_eq!(error.message(), format!("the block ends before {field}"));
        assert_eq!(error.position().path.as_deref(), path);
    }
}

#[test]
fn a_damaged_field_that_is_not_read_is_named() {
    let (data, fields) = whole();
    let at = |path: &str| fields.iter().find(|(_, field)| *field == path).unwrap().0;
    // A union index out of range, and a negative length.
    for (path, byte) in [("d", 0x7e), ("c[].y", 0x7f)] {
        let mut damaged = data.clone();
        damaged[at(path)] = byte;
        let file = open(file("null", 3, &[&data[..], &damaged, &data].concat()).build()).unwrap();
        for columns in [vec!["a"], vec!["a", "e"], vec![]] {
            let options = ReadOptions::default().with_columns(columns.iter().copied()).with_n_threads(1);
            let error = file.read(&options).unwrap().find_map(Result::err);
            let position = error.as_ref().unwrap().position();
            assert_eq!((position.record, position.path.as_deref()), (Some(1), Some(path)), "{columns:?}: {error:?}");
        }
    }
}
