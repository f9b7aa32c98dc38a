//! What a user of the crate meets first: examples, conversions, and traits that every type has.

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use polars_avro::arrow::Buffer;
use polars_avro::schema::{Enum, Field, Fingerprint, Fixed, Kind, Logical, Name, Node, NodeId, Record};
use polars_avro::*;
use polars_error::PolarsError;

use crate::container::Container;

const SCHEMA: &str = r#"{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}"#;

fn file() -> Vec<u8> {
    Container::new(SCHEMA, "null").block(3, [0, 2, 4]).build()
}

fn count(input: impl Into<FileInput>) -> u64 {
    ContainerFile::open(input, &OpenOptions::default()).unwrap().count_rows(None).unwrap()
}

#[test]
fn a_file_is_opened_by_path_and_from_bytes() {
    let path = std::env::temp_dir().join(format!("polars_avro-face-{}.avro", std::process::id()));
    fs::write(&path, file()).unwrap();
    let text = path.to_str().unwrap();
    let by_path = [
        count(text),
        count(text.to_owned()),
        count(FileInput::from(&text.to_owned())),
        count(FileInput::from(&path)),
        count(path.as_path()),
    ];
    let source: Arc<dyn Source> = Arc::new(FileSource::open(&path).unwrap());
    let by_source = [count(source), count(Arc::new(MemorySource::new(file()))), count(MemorySource::new(file()))];
    let by_bytes = [count(file()), count(file().as_slice()), count(Buffer::from(file()))];
    let owned = count(PathBuf::from(&path));
    fs::remove_file(path).unwrap();
    assert_eq!((by_path, by_source, by_bytes, owned), ([3; 5], [3; 3], [3; 3], 3));
    let set = FileSet::new([file(), file()], &OpenOptions::default()).unwrap();
    assert_eq!(set.count_rows(None).unwrap(), 6);
}

#[test]
fn a_path_that_is_missing_is_named() {
    let error = ContainerFile::open("no/such.avro", &OpenOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.io().unwrap().kind()), (ErrorKind::Source, io::ErrorKind::NotFound));
    assert!(PolarsError::from(error).to_string().contains("no/such.avro"));
}

#[test]
fn names_and_schemas_are_parsed() {
    for name in ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"] {
        assert_eq!(name.parse::<Codec>().unwrap().to_string(), name);
    }
    assert_eq!("lzo".parse::<Codec>().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(SCHEMA.parse::<Schema>().unwrap().len(), 2);
    assert_eq!("{".parse::<Schema>().unwrap_err().kind(), ErrorKind::Schema);
}

#[test]
fn setters_set_their_fields() {
    let read = ReadOptions::default().with_columns(["a"]).with_row_index("i", 7).with_offset(1).with_length(2);
    assert_eq!((read.columns, read.row_index), (Some(vec!["a".to_owned()]), Some(("i".to_owned(), 7))));
    assert_eq!((read.offset, read.length), (1, Some(2)));
    let read = ReadOptions::default().with_length(2).with_length(None).with_n_threads(1).with_byte_range(3..5);
    assert_eq!((read.length, read.n_threads, read.byte_range), (None, Some(1), Some(3..5)));
    let write = WriteOptions::default().with_codec(Codec::Xz).with_level(6).with_metadata([("k", "v")]);
    assert_eq!((write.codec, write.level), (Codec::Xz, Some(6)));
    assert_eq!(write.metadata, [("k".to_owned(), b"v".to_vec())]);
    let schema: Schema = SCHEMA.parse().unwrap();
    let evolution = Evolution::default().with_extra_fields(Extra::Refuse).with_casts([Cast::StringToBytes]);
    let open = OpenOptions::default().with_reader_schema(schema).with_evolution(evolution);
    assert!(open.reader_schema.is_some());
    assert_eq!((open.evolution.extra_fields, open.evolution.extra_columns), (Extra::Refuse, Extra::Ignore));
}

#[test]
fn types_are_cloned_and_shown() {
    fn both<T: Clone + Debug>() {}
    fn shown<T: Debug>() {}
    both::<(Codec, Header, Framing, ErrorKind, Position, Limits, Batch, ContainerFile)>();
    both::<(FileInput, FileOpener, FileSet, OpenOptions, ReadOptions, Stats)>();
    both::<(Schema, Cast, Casts, Evolution, Extra, Missing, Enum, Field, Fingerprint, Fixed)>();
    both::<(Kind, Logical, Name, Node, NodeId, Record)>();
    both::<(DatumDecoder, DatumEncoder, DatumOptions, RowIds, SchemaId, WriteOptions, Written)>();
    both::<(MemorySink, MemorySource, SyncOnClose)>();
    // These own what there is once: a file, a cause, a read.
    shown::<(Error, BadBlock, BatchReader, Decoded)>();
    shown::<(FileSink, FileSource, ReadAhead, Writer)>();
    let file = ContainerFile::open(file(), &OpenOptions::default()).unwrap();
    assert!(format!("{file:?}").contains("<bytes>"));
}

#[test]
fn whoever_depends_on_the_crate_links_no_extension_module() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(!manifest.lines().any(|line| line.starts_with("crate-type")));
}

/// Names that a file of re-exports makes public, macros, modules and what is hidden aside.
fn exported(text: &str) -> HashSet<String> {
    let text = text.replace("#[doc(hidden)]\npub use ", "use ");
    let uses = text.split("pub use ").skip(1).map(|rest| rest.split_once(';').unwrap().0);
    let names = uses.flat_map(|path| path[path.rfind("::").unwrap() + 2..].split(['{', '}', ',']));
    let last = |name: &str| name.trim().to_owned();
    names.map(last).filter(|name| !name.is_empty()).collect()
}

fn sources(directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else {
            files.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The documentation of a public item, if one of the files defines it.
fn documentation(name: &str, files: &[String]) -> Option<String> {
    let kinds = ["struct", "enum", "trait", "fn", "type", "const"];
    let is_definition = |line: &str| {
        let rest = kinds.iter().find_map(|kind| line.strip_prefix("pub ")?.strip_prefix(kind)?.strip_prefix(' '));
        rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| !rest.starts_with(is_word))
    };
    files.iter().find_map(|text| {
        let lines: Vec<_> = text.lines().collect();
        let at = lines.iter().position(|line| is_definition(line))?;
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with('#'));
        Some(above.copied().collect::<Vec<_>>().join("\n"))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn every_public_item_has_an_example() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let own = lib.split("pub mod arrow {").next().unwrap();
    let schema = fs::read_to_string(src.join("schema/mod.rs")).unwrap();
    let mut names = exported(own);
    names.extend(exported(&schema).into_iter().filter(|name| name.starts_with(char::is_uppercase)));
    names.extend(["Kind", "Node", "NodeId", "Properties", "Field"].map(str::to_owned));
    assert!(names.len() > 50, "{names:?}");
    let has = |text: String| text.contains("```") || text.contains("#[doc(hidden)]");
    let lacks = |name: &&String| !documentation(name, &files).is_some_and(has);
    let without: Vec<_> = names.iter().filter(lacks).collect();
    assert!(without.is_empty(), "no example in the documentation of {without:?}");
}
