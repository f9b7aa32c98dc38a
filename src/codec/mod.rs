//! Block compression (specification, "Required Codecs" and "Optional Codecs"). One file per codec, both directions.
//!
//! The size that a block claims for its content is never trusted. Memory grows with the bytes that were produced. A
//! corrupt or hostile block therefore allocates at most a few times its content, and never more than the caller's
//! limit.

#[cfg(not(all(feature = "snappy", feature = "zstandard", feature = "bzip2", feature = "xz")))]
mod absent;
#[cfg(feature = "bzip2")]
mod bzip2;
mod deflate;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "xz")]
mod xz;
#[cfg(feature = "zstandard")]
mod zstandard;

#[cfg(not(feature = "bzip2"))]
use absent as bzip2;
#[cfg(not(feature = "snappy"))]
use absent as snappy;
#[cfg(not(feature = "xz"))]
use absent as xz;
#[cfg(not(feature = "zstandard"))]
use absent as zstandard;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// The codec of a file's blocks.
///
/// ```
/// use polars_avro::Codec;
///
/// let codec: Codec = "zstandard".parse()?;
/// assert_eq!(codec, Codec::Zstandard);
/// assert_eq!(codec.to_string(), "zstandard");
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the specification's own words")]
#[non_exhaustive]
pub enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

impl Codec {
    const ALL: [Self; 6] = [Self::Null, Self::Deflate, Self::Snappy, Self::Zstandard, Self::Bzip2, Self::Xz];

    /// Returns the codec of this name in `avro.codec`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for every other name, and for a codec whose cargo feature is off.
    pub fn from_name(name: &str) -> Result<Self> {
        let codec = Self::ALL.into_iter().find(|codec| codec.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            let message = format!("the codec `{}` is not supported; supported are {known}", name.escape_debug());
            Error::new(ErrorKind::Unsupported, message)
        })?;
        codec.check_enabled().map(|()| codec)
    }

    /// Checks that this crate is built with the codec. The cargo feature has the codec's name.
    fn check_enabled(self) -> Result<()> {
        let is_enabled = match self {
            Self::Null | Self::Deflate => true,
            Self::Snappy => cfg!(feature = "snappy"),
            Self::Zstandard => cfg!(feature = "zstandard"),
            Self::Bzip2 => cfg!(feature = "bzip2"),
            Self::Xz => cfg!(feature = "xz"),
        };
        if is_enabled {
            return Ok(());
        }
        Err(self.left_out())
    }

    #[cold]
    fn left_out(self) -> Error {
        let message = format!("the codec `{self}` needs the cargo feature `{self}` of polars-avro-plugin");
        Error::new(ErrorKind::Unsupported, message)
    }

    /// Returns the codec's name in `avro.codec`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::Zstandard => "zstandard",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// Returns true if blocks hold uncompressed data.
    pub(crate) fn is_identity(self) -> bool {
        self == Self::Null
    }

    /// Returns the expected compression ratio.
    pub(crate) fn expected_ratio(self) -> u64 {
        if self.is_identity() { 1 } else { 3 }
    }

    #[cold]
    fn damaged(self, what: impl std::fmt::Display) -> Error {
        Error::data(format!("{}: {what}", self.name()))
    }

    /// Returns the error for a block whose compressed stream is corrupt or truncated.
    #[cold]
    pub(crate) fn cut_short(self) -> Error {
        self.damaged("the block is damaged or cut short")
    }

    /// Returns the error for an unexpected failure of the library.
    #[cold]
    fn broken(self, what: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Internal, format!("{}: {what}", self.name()))
    }

    #[cold]
    fn over_limit(self, limit: usize) -> Error {
        let message = format!("{}: the block holds more than {limit} bytes when decompressed", self.name());
        Error::limit("block_bytes", message)
    }
}

/// Parses a name as [`Codec::from_name`].
impl FromStr for Codec {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::from_name(name)
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The end of a block's compressed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The stream has the end marker of its format.
    Marked,
    /// The stream ends with the block's bytes: the writer flushed it without finishing it, or it is truncated.
    Missing,
    /// Bytes that belong to no stream follow the end marker.
    Followed,
}

/// Decompresses blocks and keeps the codec state that can be reused. Each task has its own.
#[derive(Default)]
pub(crate) struct Decompressor {
    deflate: Option<deflate::Decoder>,
    snappy: snappy::Decoder,
    zstandard: Option<zstandard::Decoder>,
}

impl Decompressor {
    /// Returns a decompressor without any allocation.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Replaces `out` by the content of `block`.
    ///
    /// Pass the same `out` again, unchanged: the new bytes overwrite the old ones, so that nothing has to be zeroed.
    /// After an error its content is unspecified. `limit` does not apply to the null codec.
    pub(crate) fn decompress(
        &mut self,
        codec: Codec,
        block: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<StreamEnd> {
        match codec {
            Codec::Null => {
                out.clear();
                out.reserve(block.len() + SLACK);
                out.extend_from_slice(block);
            }
            Codec::Deflate => return self.deflate.get_or_insert_default().decode(block, out, limit),
            Codec::Snappy => self.snappy.decode(block, out, limit)?,
            Codec::Zstandard => self.zstandard.get_or_insert_default().decode(block, out, limit)?,
            Codec::Bzip2 => return bzip2::decode(block, out, limit),
            Codec::Xz => return xz::decode(block, out, limit),
        }
        Ok(StreamEnd::Marked)
    }
}

/// Compresses blocks at one level.
pub(crate) struct Compressor(Encoder);

enum Encoder {
    Null,
    Deflate(deflate::Encoder),
    Snappy(Box<snappy::Encoder>),
    Zstandard(zstandard::Encoder),
    Bzip2(bzip2::Encoder),
    Xz(xz::Encoder),
}

impl Compressor {
    /// Returns a compressor; `None` is the codec's own default level.
    pub(crate) fn new(codec: Codec, level: Option<i32>) -> Result<Self> {
        codec.check_enabled()?;
        Ok(Self(match codec {
            Codec::Null => {
                check_no_level(codec, level)?;
                Encoder::Null
            }
            Codec::Deflate => Encoder::Deflate(deflate::Encoder::new(level)?),
            Codec::Snappy => Encoder::Snappy(Box::new(snappy::Encoder::new(level)?)),
            Codec::Zstandard => Encoder::Zstandard(zstandard::Encoder::new(level)?),
            Codec::Bzip2 => Encoder::Bzip2(bzip2::Encoder::new(level)?),
            Codec::Xz => Encoder::Xz(xz::Encoder::new(level)?),
        }))
    }

    /// Writes a block that holds `data` at `pos` of `out`, and returns its size in bytes.
    ///
    /// `out` grows if necessary. The bytes after the block have no meaning; keep them, so that nothing has to be
    /// zeroed.
    pub(crate) fn compress(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        match &mut self.0 {
            Encoder::Null => Ok(put_block(data, out, pos)),
            Encoder::Deflate(encoder) => encoder.encode(data, out, pos),
            Encoder::Snappy(encoder) => encoder.encode(data, out, pos),
            Encoder::Zstandard(encoder) => encoder.encode(data, out, pos),
            Encoder::Bzip2(encoder) => encoder.encode(data, out, pos),
            Encoder::Xz(encoder) => encoder.encode(data, out, pos),
        }
    }
}

/// Returns the `len` bytes of `out` from `pos` on, growing `out` if necessary.
fn room(out: &mut Vec<u8>, pos: usize, len: usize) -> &mut [u8] {
    if out.len() < pos + len {
        // With a margin, so that it does not grow with every block.
        out.resize(pos + len + len / 8, 0);
    }
    &mut out[pos..pos + len]
}

/// Copies an encoded block to `pos`.
fn put_block(block: &[u8], out: &mut Vec<u8>, pos: usize) -> usize {
    room(out, pos, block.len()).copy_from_slice(block);
    block.len()
}

fn check_no_level(codec: Codec, level: Option<i32>) -> Result<()> {
    match level {
        None => Ok(()),
        Some(level) => Err(Error::argument(format!("{} has no compression levels, got {level}", codec.name()))),
    }
}

fn check_level(codec: Codec, level: Option<i32>, default: i32, known: std::ops::RangeInclusive<i32>) -> Result<i32> {
    let level = level.unwrap_or(default);
    if known.contains(&level) {
        return Ok(level);
    }
    let (low, high) = (known.start(), known.end());
    let message = format!("{} has the compression levels {low} to {high}, got {level}", codec.name());
    Err(Error::argument(message))
}

/// Spare capacity after the output: the caller adds the padding for decoding there without a reallocation.
const SLACK: usize = 64;

/// The largest buffer that is allocated for a block's content before decoding it, as a multiple of the block's size.
const MOST_UNSEEN: usize = 16;

/// The compression ratio of the previous block, for codecs that need the whole output buffer at once.
#[derive(Clone, Copy, Debug, Default)]
struct Expansion {
    compressed: usize,
    content: usize,
}

impl Expansion {
    /// Returns a capacity that most likely fits the content of a block of `compressed` bytes.
    fn guess(self, compressed: usize) -> usize {
        let least = compressed.saturating_mul(4);
        let most = compressed.saturating_mul(MOST_UNSEEN);
        let like_before = (compressed as u128 * self.content as u128 * 9 / 8) / (self.compressed as u128).max(1);
        usize::try_from(like_before).unwrap_or(usize::MAX).clamp(least, most).saturating_add(SLACK)
    }

    fn saw(&mut self, compressed: usize, content: usize) {
        *self = Self { compressed, content };
    }
}

/// Grows `out` for a codec that streams its output: doubles it, up to one byte over the limit.
fn make_room(out: &mut Vec<u8>, compressed: usize, limit: usize) {
    if out.len() == out.capacity() {
        let more = out.len().max(compressed.saturating_mul(4)).max(1 << 12);
        let most = limit.saturating_add(1).saturating_sub(out.len()).max(1);
        out.reserve_exact(more.min(most).saturating_add(SLACK));
    }
}
