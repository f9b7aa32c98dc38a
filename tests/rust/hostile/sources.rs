//! Sources that change or fail under the reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars_avro::{ContainerFile, Error, ErrorKind, MemorySource, OpenOptions, ReadOptions, Source};
use polars_buffer::Buffer;

use super::field;
use crate::columns;
use crate::container::{Container, varint};
use crate::expected::Cell;

/// What happens after some reads.
#[derive(Clone, Copy, Debug)]
enum Then {
    Fail,
    /// Only so many bytes are left of a file that was longer.
    Shrink(u64),
}

struct Fickle {
    source: MemorySource,
    reads: AtomicUsize,
    good: usize,
    then: Then,
}

impl Source for Fickle {
    fn name(&self) -> &'static str {
        "fickle.avro"
    }

    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> polars_avro::Result<Buffer<u8>> {
        if self.reads.fetch_add(1, Ordering::Relaxed) < self.good {
            return self.source.read_at(offset, len);
        }
        match self.then {
            Then::Fail => {
                let cause = std::io::Error::other("the disk is gone");
                Err(Error::new(ErrorKind::Source, "the disk is gone").with_cause(cause))
            }
            Then::Shrink(size) => self.source.read_at(offset, len.min(size.saturating_sub(offset) as usize)),
        }
    }
}

/// Blocks of a thousand long numbers, or one block of all.
fn file(blocks: i64) -> Container {
    let each = 250_000 / blocks;
    (0..blocks).fold(field("\"long\""), |file, block| {
        let data = (block * each..(block + 1) * each).flat_map(|row| varint((1 << 40) + row)).collect::<Vec<_>>();
        file.block(each, data)
    })
}

/// How many rows came, which must be the first of the file, and how many blocks were left out.
fn read(file: &ContainerFile, options: &ReadOptions) -> polars_avro::Result<(usize, usize)> {
    let mut reader = file.read(options)?;
    let mut rows = 0;
    for batch in reader.by_ref() {
        let batch = batch?;
        let first = columns::cells(batch.arrays[0].sliced(0, 1).as_ref());
        assert_eq!(first, [Cell::Int64((1 << 40) + rows as i64)]);
        rows += batch.height;
    }
    Ok((rows, reader.take_bad_blocks().len()))
}

#[test]
fn a_source_that_fails_or_shrinks_is_an_error_and_no_fewer_rows() {
    for blocks in [600, 1] {
        let bytes = file(blocks).build();
        let middle = bytes.len() as u64 / 2;
        for then in [Then::Fail, Then::Shrink(middle), Then::Shrink(0)] {
            for (good, threads) in [(1, 1), (2, 1), (3, 1), (1, 4), (3, 4)] {
                for ignore_errors in [false, true] {
                    let source = MemorySource::new(bytes.clone());
                    let source = Fickle { source, reads: AtomicUsize::new(0), good, then };
                    let opened = ContainerFile::open(Arc::new(source), &OpenOptions::default()).unwrap();
                    let mut options = ReadOptions::default();
                    (options.n_threads, options.ignore_errors) = (Some(threads), ignore_errors);
                    let way = format!("{blocks} blocks, {then:?} after {good}, {threads}, {ignore_errors}");
                    match (read(&opened, &options), then) {
                        (Err(error), Then::Fail) => {
                            assert_eq!(error.kind(), ErrorKind::Source, "{way}");
                            assert!(error.io().is_some(), "{way}");
                        }
                        (Err(error), Then::Shrink(_)) => {
                            assert!(!ignore_errors, "{way}: {error}");
                            assert_eq!(error.kind(), ErrorKind::Data, "{way}: {error}");
                        }
                        (Ok((rows, bad)), _) => {
                            let whole = rows == 250_000;
                            assert_eq!(bad, usize::from(!whole), "{way}: {rows} rows");
                            assert!(whole || ignore_errors, "{way}: {rows} rows");
                        }
                    }
                }
            }
        }
    }
}
