//! A source whose bytes are all in memory.

use polars_buffer::Buffer;

use super::Source;
use crate::Result;

/// A file in memory. Reads are slices that share its bytes.
///
/// ```
/// use polars_avro::{MemorySource, Source};
///
/// let source = MemorySource::new(b"Obj\x01".to_vec()).with_name("tiny.avro");
/// assert_eq!((source.name(), source.size()), ("tiny.avro", 4));
/// ```
#[derive(Clone, Debug)]
pub struct MemorySource {
    name: String,
    bytes: Buffer<u8>,
}

impl MemorySource {
    /// Creates a source of these bytes; errors name it `<bytes>`.
    pub fn new(bytes: impl Into<Buffer<u8>>) -> Self {
        Self { name: "<bytes>".to_owned(), bytes: bytes.into() }
    }

    /// Changes its name in errors.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        let size = self.bytes.len();
        let start = usize::try_from(offset).map_or(size, |offset| offset.min(size));
        let end = start.saturating_add(len).min(size);
        Ok(self.bytes.clone().sliced(start..end))
    }

    fn read_at_reusing(&self, offset: u64, len: usize, _known: &[u8], _used: Vec<u8>) -> Result<Buffer<u8>> {
        self.read_at(offset, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_clipped_at_the_end() {
        let source = MemorySource::new(b"0123456789".to_vec());
        assert_eq!(source.size(), 10);
        assert_eq!(source.read_at(3, 4).unwrap().as_slice(), b"3456");
        assert_eq!(source.read_at(8, 4).unwrap().as_slice(), b"89");
        assert_eq!(source.read_at(10, 4).unwrap().as_slice(), b"");
        assert_eq!(source.read_at(u64::MAX, usize::MAX).unwrap().as_slice(), b"");
    }

    #[test]
    fn reads_share_the_bytes() {
        let bytes = Buffer::from(b"0123456789".to_vec());
        let source = MemorySource::new(bytes.clone()).with_name("ten digits");
        assert_eq!(source.read_at(2, 3).unwrap().as_slice().as_ptr(), bytes[2..].as_ptr());
        assert_eq!(source.name(), "ten digits");
    }
}
