//! Memory of sections, to be used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use polars_buffer::Buffer;

/// Memory of sections that were decoded. Reading into it costs neither fresh pages nor zeros.
pub(crate) struct BufferPool {
    kept: Mutex<Vec<Vec<u8>>>,
    /// More of it is given back to the allocator.
    most: usize,
}

impl BufferPool {
    /// Memory for the sections of so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self { kept: Mutex::default(), most: threads + 2 }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns memory that was released, or none.
    pub(super) fn acquire(&self) -> Vec<u8> {
        self.kept().pop().unwrap_or_default()
    }

    /// Takes memory back if nobody else has a part of it.
    pub(crate) fn release(&self, bytes: Buffer<u8>) {
        if let Some(memory) = bytes.into_mut().right() {
            let mut kept = self.kept();
            if kept.len() < self.most {
                kept.push(memory);
            }
        }
    }
}
