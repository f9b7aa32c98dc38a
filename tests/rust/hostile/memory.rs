//! What is wrong with a value does not become right with the bytes behind it: they are not read for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars_avro::{ContainerFile, MemorySource, OpenOptions, ReadOptions, Source};
use polars_buffer::Buffer;

use super::field;
use crate::bad_blocks;
use crate::container::varint;

/// A source that knows how many bytes were read of it at a time.
struct Measured {
    bytes: MemorySource,
    most: AtomicUsize,
}

impl Source for Measured {
    fn name(&self) -> &'static str {
        "measured.avro"
    }

    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> polars_avro::Result<Buffer<u8>> {
        let bytes = self.bytes.read_at(offset, len)?;
        self.most.fetch_max(bytes.len(), Ordering::Relaxed);
        Ok(bytes)
    }
}

#[test]
fn a_bad_value_does_not_cost_the_rest_of_its_block() {
    let rows = 400_000;
    let good = [varint(1), varint(50), vec![b'x'; 50]].concat();
    for bad in [0, rows / 2] {
        let data = (0..rows).flat_map(|row| if row == bad { varint(4) } else { good.clone() });
        let bytes = field(r#"["null","string"]"#).block(rows, data.collect::<Vec<_>>()).build();
        for (threads, ignore_errors) in [(1, false), (2, false), (1, true)] {
            let source = Arc::new(Measured { bytes: MemorySource::new(bytes.clone()), most: AtomicUsize::new(0) });
            let mut open = OpenOptions::default();
            open.limits.block_bytes = 1 << 20;
            let file = ContainerFile::open(source.clone(), &open).unwrap();
            let mut options = ReadOptions::default();
            (options.n_threads, options.ignore_errors) = (Some(threads), ignore_errors);
            let error = if ignore_errors {
                let (found, mut reports) = bad_blocks::read(&file, &options).unwrap();
                assert_eq!((found.len(), reports.len()), (0, 1));
                reports.remove(0).error
            } else {
                crate::differential::read(&file, &options).unwrap_err()
            };
            assert!(error.message().contains("union index 4 is out of range"), "{error}");
            assert_eq!(error.position().record, Some(bad as u64));
            let most = source.most.load(Ordering::Relaxed);
            assert!(most < 5 << 20, "{most} bytes of {} at a time", bytes.len());
        }
    }
}
