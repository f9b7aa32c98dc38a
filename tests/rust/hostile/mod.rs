//! Files that are wrong, each by hand in one respect, and files that other readers have read wrongly.
//!
//! What is damaged is refused, with the place; what is merely odd is read. Nothing panics, and nothing is allocated
//! that the bytes cannot hold.

mod blocks;
mod codecs;
mod header;
mod ignore_errors;
mod limits;
mod memory;
mod nested_blocks;
mod regressions;
mod shortfall;
mod sources;
mod splits;
mod values;

use polars_avro::{Error, ErrorKind, Limits, MemorySource, OpenOptions, ReadOptions};

use crate::container::Container;
use crate::differential::{self, Table};
use crate::expected::Cell;

/// Reads `file` with as many threads as `threads` says.
fn read_with(file: &[u8], threads: usize, limits: &Limits, options: &ReadOptions) -> Result<Table, Error> {
    let mut open = OpenOptions::default();
    open.limits = limits.clone();
    let source = std::sync::Arc::new(MemorySource::new(file.to_vec()));
    let file = polars_avro::ContainerFile::open(source, &open)?;
    let mut options = options.clone();
    options.n_threads = Some(threads);
    differential::read(&file, &options)
}

/// The error that `file` is refused with, which does not depend on the number of threads.
fn refusal(file: impl AsRef<[u8]>, limits: &Limits, options: &ReadOptions) -> Error {
    let refuse = |threads| match read_with(file.as_ref(), threads, limits, options) {
        Err(error) => error,
        Ok(table) => panic!("accepted with {} rows: {:.200}", table.rows.len(), format!("{:?}", table.rows.first())),
    };
    let (one, two) = (refuse(1), refuse(2));
    assert_eq!(one.to_string(), two.to_string(), "one thread and two");
    one
}

fn refused(file: &Container) -> Error {
    refusal(file.build(), &Limits::default(), &ReadOptions::default().with_strict(true))
}

/// Refused as damaged: in this block and record, at this path.
#[track_caller]
fn refused_at(file: &Container, block: u64, record: u64, path: &str) -> Error {
    let error = refused(file);
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    let position = error.position();
    let found = (position.block, position.record, position.path.as_deref());
    assert_eq!(found, (Some(block), Some(record), Some(path)), "{error}");
    assert_eq!(position.offset, Some(offset_of(file, block)), "{error}");
    error
}

/// Refused as damaged, the block's framing or its data as a whole.
#[track_caller]
fn refused_in_block(file: &Container, block: u64) -> Error {
    let error = refused(file);
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    let position = error.position();
    assert_eq!((position.block, position.offset), (Some(block), Some(offset_of(file, block))), "{error}");
    error
}

/// Where a block begins in its file.
fn offset_of(file: &Container, block: u64) -> u64 {
    let before = Container { blocks: file.blocks[..block as usize].to_vec(), ..file.clone() };
    before.build().len() as u64
}

#[track_caller]
fn rows(file: &Container) -> Vec<Vec<Cell>> {
    let read = |threads| read_with(&file.build(), threads, &Limits::default(), &ReadOptions::default()).unwrap().rows;
    let rows = read(1);
    assert_eq!(rows, read(2), "one thread and two");
    rows
}

/// The only column of a file.
#[track_caller]
fn column(file: &Container) -> Vec<Cell> {
    let one = |mut row: Vec<Cell>| {
        assert_eq!(row.len(), 1);
        row.remove(0)
    };
    rows(file).into_iter().map(one).collect()
}

/// A file of records with one field `a`, no blocks yet.
fn field(ty: &str) -> Container {
    Container::new(&record(&[("a", ty)]), "null")
}

fn record(fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, ty)| format!(r#"{{"name":"{name}","type":{ty}}}"#)).collect();
    format!(r#"{{"type":"record","name":"Row","fields":[{}]}}"#, fields.join(","))
}

/// Only these columns.
fn only(columns: &[&str]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.columns = Some(columns.iter().map(|&name| name.to_owned()).collect());
    options
}

fn text(text: &str) -> Cell {
    Cell::String(text.to_owned())
}
