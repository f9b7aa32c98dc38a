//! A pool of section buffers.

use std::sync::Mutex;

use polars_buffer::Buffer;

use crate::executor::lock;

/// Buffers of sections that were decoded. Reusing them avoids page faults and zeroing.
pub(crate) struct BufferPool {
    kept: Mutex<Vec<Vec<u8>>>,
    /// The maximum number of buffers kept; more are returned to the allocator.
    most: usize,
}

impl BufferPool {
    /// Creates a pool for this many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self { kept: Mutex::default(), most: threads + 2 }
    }

    /// Returns a released buffer, or an empty one.
    pub(super) fn acquire(&self) -> Vec<u8> {
        lock(&self.kept).pop().unwrap_or_default()
    }

    /// Takes a buffer back, if nothing else refers to it.
    pub(crate) fn release(&self, bytes: Buffer<u8>) {
        if let Some(memory) = bytes.into_mut().right() {
            let mut kept = lock(&self.kept);
            if kept.len() < self.most {
                kept.push(memory);
            }
        }
    }
}
