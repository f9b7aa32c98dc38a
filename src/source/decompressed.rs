//! Files that are compressed as a whole, such as `rows.avro.gz`.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use polars_buffer::Buffer;
use tempfile::{SpooledData, SpooledTempFile};

use super::{FileSource, MemorySource, Source};
use crate::{Error, Result};

/// The number of bytes read from a compressed file at a time.
const READ_BYTES: usize = 1 << 20;

/// The number of bytes above which content goes to a temporary file.
const MEMORY_BYTES: usize = 16 << 20;

/// The content of a compressed file, in memory or in a temporary file.
struct Decompressed {
    content: Arc<dyn Source>,
    format: &'static str,
}

/// Returns a source of the decompressed content if the first bytes are those of gzip, zstd or bzip2. Otherwise returns
/// the file itself.
///
/// # Errors
/// If the file cannot be read, is damaged, or does not fit on the disk.
pub(crate) fn decompressed(source: Arc<dyn Source>) -> Result<Arc<dyn Source>> {
    let mut magic = [0; 4];
    let len = source.read_into(0, &mut magic)?;
    let Some(format) = format_of(&magic[..len]) else { return Ok(source) };
    let name = source.name().to_owned();
    let _ahead = source.read_ahead(0..source.size());
    let content = content(format, BufReader::with_capacity(READ_BYTES, Sequential { source, offset: 0 }), &name);
    let content = content.map_err(|error| match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            Error::source(error).in_file(&name)
        }
        Err(error) => Error::data(format!("{format}: {error}")).in_file(&name),
    })?;
    Ok(Arc::new(Decompressed { content, format }))
}

/// Returns true if a name is that of a compressed file, whose size says nothing about its content.
pub(crate) fn is_compressed_name(name: &str) -> bool {
    let name = name.as_bytes();
    [".gz", ".gzip", ".zst", ".zstd", ".bz2"].iter().any(|ending| {
        name.len() > ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    })
}

fn format_of(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x1F, 0x8B, ..] => Some("gzip"),
        [0x28, 0xB5, 0x2F, 0xFD] if cfg!(feature = "zstandard") => Some("zstd"),
        [b'B', b'Z', b'h', _] if cfg!(feature = "bzip2") => Some("bzip2"),
        _ => None,
    }
}

fn content(format: &str, file: impl BufRead, name: &str) -> io::Result<Arc<dyn Source>> {
    let mut reader: Box<dyn Read + '_> = match format {
        #[cfg(feature = "zstandard")]
        "zstd" => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        #[cfg(feature = "bzip2")]
        "bzip2" => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        _ => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
    };
    let mut spooled = SpooledTempFile::new(MEMORY_BYTES);
    io::copy(&mut reader, &mut spooled)?;
    Ok(match spooled.into_inner() {
        SpooledData::InMemory(bytes) => Arc::new(MemorySource::new(bytes.into_inner()).with_name(name)),
        SpooledData::OnDisk(file) => Arc::new(FileSource::from_file(file, name.to_owned(), 0)?),
    })
}

/// A source that is read from its beginning on.
struct Sequential {
    source: Arc<dyn Source>,
    offset: u64,
}

impl Read for Sequential {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read_into(self.offset, out)?;
        self.offset += n as u64;
        Ok(n)
    }
}

impl Source for Decompressed {
    fn name(&self) -> &str {
        self.content.name()
    }

    fn size(&self) -> u64 {
        self.content.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        self.content.read_at(offset, len)
    }

    fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        self.content.read_into(offset, out)
    }

    fn read_at_reusing(&self, offset: u64, len: usize, known: &[u8], used: Vec<u8>) -> Result<Buffer<u8>> {
        self.content.read_at_reusing(offset, len, known, used)
    }

    fn compression(&self) -> Option<&'static str> {
        Some(self.format)
    }
}
