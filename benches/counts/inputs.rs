//! The files that are read, the same bytes every time.

use std::path::{Path, PathBuf};

use crate::files::{Column, Encoded, ONE_BLOCK, nested};
use crate::kinds::{Branch, KINDS, Kind, SIMPLE, text};

/// Bytes after which fastavro ends a block.
const BLOCK: usize = 16_000;

/// Small files of one set.
pub(crate) const FILES: usize = 64;

/// Strings that are a little too long for a view, as names with a number often are.
static NAME: Kind =
    Kind { name: "name", branches: &[Branch { schema: "string", write: |c, out| text::<13, 13>(c, out) }] };

/// Six plain columns.
fn six() -> Vec<Column> {
    columns(&SIMPLE.map(|name| if name == "string, short" { &NAME } else { kind(name) }), false)
}

/// Nullable columns, most of them of logical types.
fn nullable() -> Vec<Column> {
    let kinds = ["timestamp", "date", "time", "decimal, bytes", "uuid, string", "enum", "double", "int"];
    columns(&[&kinds.map(kind)[..], &[&NAME, kind("boolean")]].concat(), true)
}

/// A hundred columns of seven scalar types in turn.
fn wide() -> Vec<Column> {
    let kinds = ["long", "string, short", "double", "int", "boolean", "float", "bytes"].map(kind);
    columns(&kinds.into_iter().cycle().take(100).collect::<Vec<_>>(), false)
}

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

fn columns(kinds: &[&'static Kind], nullable: bool) -> Vec<Column> {
    let column = |(i, &kind): (usize, _)| Column { name: format!("c{i:03}"), kind, nullable };
    kinds.iter().enumerate().map(column).collect()
}

/// The path of an input.
pub(crate) fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.avro"))
}

/// Makes the columns of a file.
type Columns = fn() -> Vec<Column>;

/// Writes the inputs that are not there yet.
pub(crate) fn write(folder: &Path) {
    let inputs: [(&str, Columns, usize, usize, &str); 8] = [
        ("six", six, 1_000_000, BLOCK, "null"),
        ("six_snappy", six, 200_000, BLOCK, "snappy"),
        ("six_one_block", six, 200_000, ONE_BLOCK, "null"),
        ("six_100_rows", six, 100, BLOCK, "snappy"),
        ("six_small", six, 10_000, BLOCK, "snappy"),
        ("nullable", nullable, 100_000, BLOCK, "null"),
        ("nested", nested, 50_000, BLOCK, "null"),
        ("wide", wide, 20_000, BLOCK, "null"),
    ];
    for (name, columns, rows, block_bytes, codec) in inputs {
        let path = path(folder, name);
        if !path.exists() {
            let encoded = Encoded::new(&columns(), rows, block_bytes, codec);
            let partial = path.with_extension("partial");
            std::fs::write(&partial, encoded.bytes()).unwrap();
            std::fs::rename(partial, path).unwrap();
        }
    }
}

/// The rows of the six columns as datums, one after the other, and where each of them ends.
pub(crate) fn datums(rows: usize) -> (String, Vec<u8>, Vec<usize>) {
    Encoded::datums(&six(), rows)
}
