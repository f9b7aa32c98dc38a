//! Ranges of a file that threads fetch side by side, each outside the lock.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::BufferPool;
use crate::Result;
use crate::source::Source;

/// A range of a file that one thread fetches.
pub(crate) struct RangeRequest {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) range: Range<u64>,
    /// Nothing is fetched after this byte.
    pub(crate) stop: u64,
    /// Bytes after the range that are fetched with it, so that what begins at its end is whole.
    pub(crate) lookahead: u64,
    /// Room for more of what follows.
    pub(crate) slack: u64,
    pub(crate) buffers: Arc<BufferPool>,
}

/// The bytes of a range. They are fewer if the source ends, and if it cannot be read: whoever reads them again learns why.
pub(crate) struct FetchedRange {
    pub(crate) range: Range<u64>,
    pub(super) bytes: Buffer<u8>,
}

impl RangeRequest {
    /// Fetches the range.
    pub(crate) fn fetch(self) -> FetchedRange {
        let Self { source, range, stop, lookahead, slack, buffers } = self;
        let end = stop.min(range.end + lookahead);
        let len = usize::try_from(end - range.start).unwrap_or(usize::MAX);
        let used = buffers.acquire_room(len.saturating_add(usize::try_from(slack).unwrap_or(usize::MAX)));
        let bytes = source.read_at_reusing(range.start, len, &[], used).unwrap_or_default();
        FetchedRange { range, bytes }
    }
}

impl FetchedRange {
    /// Whether it has the byte at `offset`.
    pub(crate) fn has(&self, offset: u64) -> bool {
        offset < self.range.end.min(self.range.start + self.bytes.len() as u64)
    }

    pub(crate) fn bytes(&self) -> &Buffer<u8> {
        &self.bytes
    }

    /// Gives its memory back.
    pub(crate) fn release(self, buffers: &BufferPool) {
        buffers.release(self.bytes);
    }
}

/// Appends the bytes of a range, which follow those in `bytes`; fewer if the source ends.
///
/// # Errors
/// If they cannot be read.
pub(crate) fn append(
    source: &dyn Source,
    bytes: Buffer<u8>,
    range: &Range<u64>,
    buffers: &BufferPool,
) -> Result<Buffer<u8>> {
    let (known, more) = (bytes.len(), usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
    let len = known.saturating_add(more);
    bytes.into_mut().either(
        |shared| {
            let used = buffers.acquire_room(len);
            source.read_at_reusing(range.start - known as u64, len, &shared, used)
        },
        |mut memory| {
            if memory.capacity() == 0 {
                return source.read_at_reusing(range.start, len, &[], buffers.acquire_room(len));
            }
            memory.resize(len, 0);
            let filled = source.read_into(range.start, &mut memory[known..])?;
            memory.truncate(known + filled);
            Ok(memory.into())
        },
    )
}
