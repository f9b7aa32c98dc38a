//! A source for tests that records the reads from it.

use std::sync::{Mutex, PoisonError};

use polars_buffer::Buffer;

use super::{MemorySource, Source};
use crate::Result;

/// A file in memory, and the sizes of all reads.
pub(crate) struct CountingSource(MemorySource, Mutex<Vec<usize>>);

impl CountingSource {
    pub(crate) fn new(bytes: impl Into<Buffer<u8>>) -> Self {
        Self(MemorySource::new(bytes).with_name("counted.avro"), Mutex::default())
    }

    pub(crate) fn reads(&self) -> usize {
        self.sizes(<[usize]>::len)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sizes(|sizes| sizes.iter().sum())
    }

    fn sizes(&self, of: impl Fn(&[usize]) -> usize) -> usize {
        of(&self.1.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Source for CountingSource {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        let bytes = self.0.read_at(offset, len)?;
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(bytes.len());
        Ok(bytes)
    }
}
