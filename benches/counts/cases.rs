//! The reads and writes that are counted.

use std::collections::HashSet;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use polars_avro::arrow::{BinaryViewArray, StructArray};
use polars_avro::{
    ContainerFile, DatumDecoder, DatumOptions, Decoded, FileOpener, FileSet, MemorySink, OpenOptions, ReadOptions,
    Schema, WriteOptions, Writer,
};

use crate::inputs::{self, FILES, path};

/// A read or write on one thread.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Makes what is not counted.
    pub(crate) prepare: fn(&Path) -> Prepared,
    /// The counted part.
    pub(crate) run: fn(&Prepared),
}

/// What a case starts from.
pub(crate) enum Prepared {
    Files {
        paths: Vec<PathBuf>,
        columns: Option<Vec<String>>,
    },
    /// A file whose schema is known to the opener.
    Small {
        path: PathBuf,
        opener: FileOpener,
    },
    Rows {
        file: ContainerFile,
        batches: Vec<StructArray>,
    },
    Datums {
        decoder: Box<DatumDecoder>,
        column: BinaryViewArray,
    },
}

macro_rules! cases {
    ($($name:literal: $prepare:expr, $run:expr;)+) => {
        pub(crate) const CASES: [Case; [$($name),+].len()] = [$(Case { name: $name, prepare: $prepare, run: $run }),+];
    };
}

cases! {
    "six columns": |folder| whole(folder, "six"), read;
    "six columns, snappy": |folder| whole(folder, "six_snappy"), read;
    "six columns, one block": |folder| whole(folder, "six_one_block"), read;
    "nullable": |folder| whole(folder, "nullable"), read;
    "nested": |folder| whole(folder, "nested"), read;
    "100 columns": |folder| whole(folder, "wide"), read;
    "5 of 100 columns": |folder| some(folder, "wide", &["c003", "c025", "c050", "c075", "c099"]), read;
    "64 files": |folder| Prepared::Files { paths: vec![path(folder, "six_small"); FILES], columns: None }, read;
    "100 rows": small, read_small;
    "write six columns": |folder| rows(folder, "six_snappy"), write;
    "write 100 columns": |folder| rows(folder, "wide"), write;
    "datums": |_| datums(100_000), decode_datums;
}

fn whole(folder: &Path, name: &str) -> Prepared {
    Prepared::Files { paths: vec![path(folder, name)], columns: None }
}

fn some(folder: &Path, name: &str, columns: &[&str]) -> Prepared {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Prepared::Files { paths: vec![path(folder, name)], columns: Some(columns) }
}

fn small(folder: &Path) -> Prepared {
    let (path, opener) = (path(folder, "six_100_rows"), FileOpener::new(OpenOptions::default()));
    Prepared::Small { path, opener }
}

fn rows(folder: &Path, name: &str) -> Prepared {
    let file = ContainerFile::open(path(folder, name), &OpenOptions::default()).unwrap();
    let batches = file.read(&options()).unwrap().map(|batch| batch.unwrap().into_struct()).collect();
    Prepared::Rows { file, batches }
}

fn datums(rows: usize) -> Prepared {
    let (schema, bytes, ends) = inputs::datums(rows);
    let schema: Schema = schema.parse().unwrap();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let rows: Vec<_> = starts.zip(&ends).map(|(start, &end)| &bytes[start..end]).collect();
    let column = BinaryViewArray::from_slice_values(rows);
    let decoder = DatumDecoder::new(DatumOptions::default().with_schema(schema)).unwrap();
    Prepared::Datums { decoder: Box::new(decoder), column }
}

fn options() -> ReadOptions {
    ReadOptions::default().with_n_threads(1)
}

/// Opens files and reads them.
fn read(prepared: &Prepared) {
    let Prepared::Files { paths, columns } = prepared else { unreachable!("this case reads files") };
    let mut options = options();
    options.columns.clone_from(columns);
    let files = FileSet::new(paths.iter().map(PathBuf::as_path), &OpenOptions::default()).unwrap();
    let batches: Vec<_> = files.read(&options).unwrap().collect();
    black_box(batches);
}

/// Reads a small file as `read_avro` does: schemas and plans are cached.
fn read_small(prepared: &Prepared) {
    let Prepared::Small { path, opener } = prepared else { unreachable!("this case reads a small file") };
    let batches: Vec<_> = opener.open(path.as_path()).unwrap().read(&options()).unwrap().collect();
    black_box(batches);
}

/// Writes rows into memory.
fn write(prepared: &Prepared) {
    let Prepared::Rows { file, batches } = prepared else { unreachable!("this case writes rows") };
    let mut options = WriteOptions::default();
    (options.n_threads, options.sync_marker) = (Some(1), Some([7; 16]));
    let sink = MemorySink::new();
    let target = || Ok(Box::new(sink.clone()) as Box<_>);
    let mut writer = Writer::create(target, file.fields(), &[], &options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    black_box(sink.take());
}

/// Decodes a column of datums.
fn decode_datums(prepared: &Prepared) {
    let Prepared::Datums { decoder, column } = prepared else { unreachable!("this case decodes datums") };
    let decoded = decoder.decode(std::slice::from_ref(column), &HashSet::new()).unwrap();
    assert!(matches!(black_box(decoded), Decoded::Rows { bad: 0, .. }));
}
