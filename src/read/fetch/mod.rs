//! Brings the bytes of a source to whoever needs them: the only room that reads a [`Source`].
//!
//! A source that is far away reads ahead behind these calls: [`Source::read_ahead`] promises it what is read next.

mod buffer_pool;
mod range;
mod window;

use polars_buffer::Buffer;

use crate::{MemorySource, Result, Source};

pub(crate) use buffer_pool::BufferPool;
pub(crate) use range::{FetchedRange, RangeRequest, append};
pub(crate) use window::Window;

/// Returns the `len` bytes at `offset`, fewer only if the source ends.
pub(crate) fn bytes_at(source: &dyn Source, offset: u64, len: usize) -> Result<Buffer<u8>> {
    source.read_at(offset, len)
}

/// Fills `out` with the bytes at `offset`; returns how many there are, fewer only if the source ends.
pub(crate) fn fill(source: &dyn Source, offset: u64, out: &mut [u8]) -> Result<usize> {
    source.read_into(offset, out)
}

/// Returns a source that holds all bytes of this one, which may be closed then.
pub(crate) fn load(source: &dyn Source) -> Result<MemorySource> {
    let bytes = source.read_at(0, usize::try_from(source.size()).unwrap_or(usize::MAX))?;
    Ok(MemorySource::new(bytes).with_name(source.name()))
}
