//! Fetches the bytes of a source. No other module of `read` calls the reading methods of [`Source`].
//!
//! A remote source prefetches during these calls: [`Source::read_ahead`] announces the ranges that are read next.

mod buffer_pool;

use std::ops::Range;

use polars_buffer::Buffer;

use crate::{MemorySource, Result, Source};

pub(crate) use buffer_pool::BufferPool;

/// Returns the `len` bytes at `offset`, fewer only if the source ends.
pub(crate) fn bytes_at(source: &dyn Source, offset: u64, len: usize) -> Result<Buffer<u8>> {
    source.read_at(offset, len)
}

/// Fills `out` with the bytes at `offset`; returns their number, which is smaller only if the source ends.
pub(crate) fn fill(source: &dyn Source, offset: u64, out: &mut [u8]) -> Result<usize> {
    source.read_into(offset, out)
}

/// Returns a source with all bytes of this one in memory. This one may be closed after that.
pub(crate) fn load(source: &dyn Source) -> Result<MemorySource> {
    let bytes = source.read_at(0, usize::try_from(source.size()).unwrap_or(usize::MAX))?;
    Ok(MemorySource::new(bytes).with_name(source.name()))
}

/// Returns the `len` bytes at `offset`, in a buffer of the pool if the source copies; fewer only if the source ends.
pub(crate) fn pooled(source: &dyn Source, offset: u64, len: usize, buffers: &BufferPool) -> Result<Buffer<u8>> {
    source.read_at_reusing(offset, len, &[], buffers.acquire())
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
        |shared| source.read_at_reusing(range.start - known as u64, len, &shared, buffers.acquire()),
        |mut memory| {
            memory.resize(len, 0);
            let filled = source.read_into(range.start, &mut memory[known..])?;
            memory.truncate(known + filled);
            Ok(memory.into())
        },
    )
}
