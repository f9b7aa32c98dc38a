//! Deflate (RFC 1951), without the zlib header.
//!
//! libdeflate decodes whole blocks only and needs a buffer for all of the content. A block does not state that size, so
//! the capacity is guessed from the previous block and doubled if it is too small. Blocks of 16 kB and 64 kB of mixed
//! columns decode at 610 and 600 MB/s (of content, one core) against 400 and 380 with zlib-rs, which streams; if every
//! block has to be decoded twice, it is 355 and 375.
//!
//! fastavro and the Python implementation of Apache Avro strip the zlib header but only one of the four checksum bytes.
//! Every block of their files therefore ends with three extra bytes, which belong to the stream here.
//!
//! Some writers flush a block's stream and do not finish it. libdeflate rejects such a stream. A block that it rejects
//! is decoded again by `miniz_oxide`, which returns the content up to the end of the input.

use libdeflater::CompressionLvl;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::{Codec, Expansion, StreamEnd, check_level, make_room, room};
use crate::Result;
use crate::ffi::libdeflate::{Failure, Inflater};

pub(super) struct Decoder {
    inner: Inflater,
    expansion: Expansion,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { inner: Inflater::new(), expansion: Expansion::default() }
    }
}

impl Decoder {
    pub(super) fn decode(&mut self, block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<StreamEnd> {
        let mut room = self.expansion.guess(block.len());
        loop {
            room = room.min(limit.saturating_add(1));
            if out.len() < room {
                out.resize(room, 0);
            }
            match self.inner.inflate(block, out) {
                Ok(sizes) if sizes.content > limit => return Err(Codec::Deflate.over_limit(limit)),
                Ok(sizes) => {
                    out.truncate(sizes.content);
                    self.expansion.saw(block.len(), sizes.content);
                    return Ok(end_before(&block[sizes.stream..], out));
                }
                Err(Failure::BadData) => return decode_unfinished(block, out, limit),
                Err(Failure::InsufficientSpace) if out.len() > limit => {
                    return Err(Codec::Deflate.over_limit(limit));
                }
                Err(Failure::InsufficientSpace) => room = out.len().saturating_mul(2),
            }
        }
    }
}

/// Returns the end of a finished stream of `content` that the bytes `rest` follow.
fn end_before(rest: &[u8], content: &[u8]) -> StreamEnd {
    let is_checksum = || libdeflater::adler32(content).to_be_bytes().starts_with(rest);
    if rest.is_empty() || is_checksum() { StreamEnd::Marked } else { StreamEnd::Followed }
}

/// Decodes a stream without an end marker. All of its bytes must be valid.
#[cold]
fn decode_unfinished(block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<StreamEnd> {
    out.clear();
    let (mut state, mut rest) = (InflateState::new_boxed(DataFormat::Raw), block);
    loop {
        make_room(out, block.len(), limit);
        let start = out.len();
        out.resize(out.capacity().min(limit.saturating_add(1)), 0);
        let step = inflate(&mut state, rest, &mut out[start..], MZFlush::None);
        out.truncate(start + step.bytes_written);
        rest = &rest[step.bytes_consumed..];
        match step.status {
            _ if out.len() > limit => return Err(Codec::Deflate.over_limit(limit)),
            Ok(MZStatus::Ok) if step.bytes_written > 0 => {}
            // All input is used, and no output is left.
            Ok(MZStatus::Ok) | Err(MZError::Buf) if rest.is_empty() => return Ok(StreamEnd::Missing),
            _ => return Err(Codec::Deflate.cut_short()),
        }
    }
}

pub(super) struct Encoder(libdeflater::Compressor);

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        let level = check_level(Codec::Deflate, level, 6, 0..=12)?;
        let level = CompressionLvl::new(level).expect("libdeflate has these levels");
        Ok(Self(libdeflater::Compressor::new(level)))
    }

    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        let out = room(out, pos, self.0.deflate_compress_bound(data.len()));
        self.0.deflate_compress(data, out).map_err(|error| Codec::Deflate.broken(error))
    }
}
