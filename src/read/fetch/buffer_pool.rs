//! Memory that windows over a file use again.

use std::sync::{Mutex, PoisonError};

use polars_buffer::Buffer;

/// Memory of windows that nobody looks at any more. Reading into it costs neither fresh pages nor zeros.
#[derive(Default)]
pub(crate) struct BufferPool(Mutex<Vec<Vec<u8>>>);

/// More used windows than this, and larger ones, are given back to the allocator.
const KEPT: usize = 4;
const KEPT_BYTES: usize = 32 << 20;

impl BufferPool {
    /// Returns memory that was released, or none.
    pub(super) fn acquire(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a window's memory back if nobody else has a part of it.
    pub(crate) fn release(&self, bytes: Buffer<u8>) {
        if let Some(memory) = bytes.into_mut().right() {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT && memory.capacity() <= KEPT_BYTES {
                kept.push(memory);
            }
        }
    }
}
