//! Compression of single datums with zlib (RFC 1950).

use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};

use super::cells::Cell;
use crate::binary::{Fault, PADDING};

/// The smallest output buffer for a datum.
const LEAST: usize = 256;

/// Decompresses datums, and reuses the state and the buffer.
pub(super) struct Inflater {
    inner: Decompressor,
    /// The content of the last datum, and its padding.
    out: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { inner: Decompressor::new(), out: Vec::new() }
    }
}

impl Inflater {
    /// Returns the content of a compressed datum, which may have at most `limit` bytes. Bytes after the end of the
    /// compressed stream are ignored, as by Glue's own deserializers.
    pub(super) fn inflate(&mut self, datum: &[u8], limit: usize) -> Result<Cell<'_>, Fault> {
        // The size of the content is not stored. A guess that is too small is doubled.
        let mut room = datum.len().saturating_mul(4).max(self.out.len().saturating_sub(PADDING)).max(LEAST);
        let len = loop {
            room = room.min(limit);
            if self.out.len() < room + PADDING {
                self.out.resize(room + PADDING, 0);
            }
            match self.inner.zlib_decompress(datum, &mut self.out[..room]) {
                Ok(len) => break len,
                Err(DecompressionError::InsufficientSpace) if room < limit => room = room.saturating_mul(2),
                Err(DecompressionError::InsufficientSpace) => return Err(over_limit(limit)),
                Err(DecompressionError::BadData) => {
                    return Err(Fault::data("zlib: the datum is damaged or cut short"));
                }
            }
        };
        Ok(Cell::new(&self.out[..len + PADDING]))
    }
}

#[cold]
fn over_limit(limit: usize) -> Fault {
    Fault::limit("block_bytes", &format!("zlib: the datum holds more than {limit} bytes when decompressed"))
}

/// Compresses datums.
pub(super) struct Deflater {
    inner: Compressor,
    out: Vec<u8>,
}

impl Default for Deflater {
    fn default() -> Self {
        Self { inner: Compressor::new(CompressionLvl::default()), out: Vec::new() }
    }
}

impl Deflater {
    /// Returns the compressed form of a datum.
    pub(super) fn deflate(&mut self, datum: &[u8]) -> Result<&[u8], Fault> {
        let room = self.inner.zlib_compress_bound(datum.len());
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        match self.inner.zlib_compress(datum, &mut self.out) {
            Ok(len) => Ok(&self.out[..len]),
            Err(error) => Err(Fault::data(format!("zlib: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_compressed_datum_is_decompressed() {
        let (mut deflater, mut inflater) = (Deflater::default(), Inflater::default());
        for len in [0, 1, 300, 100_000, 7] {
            let datum: Vec<u8> = (0..len).map(|i| (i / 100) as u8).collect();
            let packed = deflater.deflate(&datum).unwrap().to_vec();
            assert_eq!(inflater.inflate(&packed, 100_000).unwrap().row(), datum);
            // A checksum or bytes of it are missing.
            assert!(inflater.inflate(&packed[..packed.len() - 1], 100_000).is_err());
        }
    }

    #[test]
    fn a_decompression_bomb_is_refused_before_its_memory_is_allocated() {
        let packed = Deflater::default().deflate(&vec![0; 1 << 24]).unwrap().to_vec();
        let mut inflater = Inflater::default();
        let error = inflater.inflate(&packed, 1 << 20).err().unwrap().into_error();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.message().contains("more than 1048576 bytes"), "{error}");
        assert!(inflater.out.capacity() < 2 << 20);
        assert_eq!(inflater.inflate(&packed, 1 << 24).unwrap().len(), 1 << 24);
    }
}
