//! Memory that windows over a file use again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use polars_buffer::Buffer;

/// Memory of windows that nobody looks at any more. Reading into it costs neither fresh pages nor zeros.
pub(crate) struct BufferPool {
    kept: Mutex<Vec<Vec<u8>>>,
    /// More used windows than this are given back to the allocator.
    most: usize,
}

/// Room for a range and its last block, unless that is large. Pages that are not used are not there.
const RANGE_ROOM: usize = 9 << 18;

/// Windows of more bytes than this are given back to the allocator.
const KEPT_BYTES: usize = 32 << 20;

impl BufferPool {
    /// Memory for the windows of so many threads.
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

    /// Returns memory with room for so many bytes, and for those of later ranges: what they would outgrow would be lost.
    pub(super) fn acquire_room(&self, bytes: usize) -> Vec<u8> {
        let memory = self.acquire();
        if memory.capacity() < bytes { vec![0; bytes.max(RANGE_ROOM)] } else { memory }
    }

    /// Takes a window's memory back if nobody else has a part of it.
    pub(crate) fn release(&self, bytes: Buffer<u8>) {
        if let Some(memory) = bytes.into_mut().right() {
            let mut kept = self.kept();
            if kept.len() < self.most && memory.capacity() <= KEPT_BYTES {
                kept.push(memory);
            }
        }
    }
}
