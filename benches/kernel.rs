//! How fast the kernel decodes: one group a kind of column, the walk over what is skipped, whole rows, each codec.
//!
//! Everything goes through the public face and stays on the calling thread; the bytes are in memory. Comparisons with
//! other readers are another matter, see `compare.py`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[expect(dead_code, reason = "the tests decide with it too")]
#[path = "../tests/rust/choices.rs"]
mod choices;
#[expect(dead_code, reason = "the tests read with it too")]
#[path = "../tests/rust/container.rs"]
mod container;
#[expect(dead_code, reason = "`counts` writes its files with it too")]
#[path = "kernel/files.rs"]
mod files;
#[path = "kernel/kinds.rs"]
mod kinds;
#[expect(dead_code, reason = "`container` reads with it in the tests")]
#[path = "../tests/rust/naive.rs"]
mod naive;
#[path = "kernel/views.rs"]
mod views;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};

use files::{Column, Encoded, JAVA_BLOCK, ONE_BLOCK, mixed, nested, simple};

/// The wheel's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of a file of few columns.
const ROWS: usize = 50_000;

/// Files of many columns: name, rows, columns.
fn sets() -> [(&'static str, usize, Vec<Column>); 3] {
    [("simple", ROWS, simple()), ("mixed", 5_000, mixed()), ("nested", 20_000, nested())]
}

fn main() {
    let criterion = Criterion::default().warm_up_time(Duration::from_millis(500));
    let criterion = criterion.measurement_time(Duration::from_secs(2)).sample_size(30);
    let mut criterion = criterion.configure_from_args();
    columns(&mut criterion);
    skip(&mut criterion);
    rows(&mut criterion);
    codecs(&mut criterion);
    views::views(&mut criterion, ROWS);
    criterion.final_summary();
}

/// Decodes the file's `columns`, all where there are none. Throughput counts bytes as they are before compression.
fn bench(criterion: &mut Criterion, group: &str, name: &str, encoded: &Encoded, columns: Option<&str>) {
    let (file, options) = (encoded.open(), Encoded::options(columns));
    let decode = || file.read(&options).unwrap().map(|batch| black_box(batch.unwrap()).height).sum::<usize>();
    assert_eq!(decode(), encoded.rows, "{group}/{name}");
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::ElementsAndBytes { elements: encoded.rows as u64, bytes: encoded.datum_bytes as u64 });
    group.bench_function(name, |bencher| bencher.iter(decode));
    group.finish();
}

/// Every kind of column alone, and once more with nulls in it.
fn columns(criterion: &mut Criterion) {
    for kind in &kinds::KINDS {
        for nullable in [false, true] {
            let column = Column { name: "value".into(), kind, nullable };
            if nullable && column.is_null() {
                continue;
            }
            let encoded = Encoded::new(&[column], ROWS, JAVA_BLOCK, "null");
            let name = if nullable { "nullable" } else { "required" };
            bench(criterion, &format!("column/{}", kind.name), name, &encoded, None);
        }
    }
}

/// The last column alone: what stands before it is walked over.
fn skip(criterion: &mut Criterion) {
    for (name, rows, columns) in sets() {
        let encoded = Encoded::new(&columns, rows, JAVA_BLOCK, "null");
        bench(criterion, "skip", name, &encoded, columns.last().map(|column| column.name.as_str()));
    }
}

/// All columns, from blocks as Java's writer cuts them and from one block that is the whole file.
fn rows(criterion: &mut Criterion) {
    for (name, rows, columns) in sets() {
        for (group, block_bytes) in [("rows", JAVA_BLOCK), ("rows in one block", ONE_BLOCK)] {
            let encoded = Encoded::new(&columns, rows, block_bytes, "null");
            bench(criterion, group, name, &encoded, None);
        }
    }
}

/// The same six columns under each codec.
fn codecs(criterion: &mut Criterion) {
    for codec in container::CODECS {
        let encoded = Encoded::new(&simple(), ROWS, JAVA_BLOCK, codec);
        bench(criterion, "codec", codec, &encoded, None);
    }
}
