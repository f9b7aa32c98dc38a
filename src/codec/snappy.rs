//! Snappy without framing, then the CRC-32 (ISO) of the content in four big-endian bytes.

use super::{Codec, SLACK, check_no_level, room};
use crate::{Error, Result};

const CRC_BYTES: usize = 4;

#[cold]
fn damaged(error: &snap::Error) -> Error {
    // The crate begins its messages with its own name.
    let message = error.to_string();
    Codec::Snappy.damaged(message.strip_prefix("snappy: ").unwrap_or(&message))
}

#[derive(Default)]
pub(super) struct Decoder(snap::raw::Decoder);

impl Decoder {
    pub(super) fn decode(&mut self, block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<()> {
        let Some((data, crc)) = block.split_last_chunk::<CRC_BYTES>() else {
            return Err(Codec::Snappy.damaged(format!("a block of {} bytes is too short for its CRC", block.len())));
        };
        let content = snap::raw::decompress_len(data).map_err(|error| damaged(&error))?;
        // The densest element is a copy: up to 64 bytes of content in 3.
        if content as u64 * 3 > data.len() as u64 * 64 {
            let message = format!("{} bytes cannot hold the {content} bytes that the block claims", data.len());
            return Err(Codec::Snappy.damaged(message));
        }
        if content > limit {
            return Err(Codec::Snappy.over_limit(limit));
        }
        out.reserve((content + SLACK).saturating_sub(out.len()));
        out.resize(content, 0);
        self.0.decompress(data, out).map_err(|error| damaged(&error))?;
        let (expected, found) = (u32::from_be_bytes(*crc), crc32fast::hash(out));
        if expected != found {
            let message = format!("the content has the CRC {found:08x}, the block says {expected:08x}");
            return Err(Codec::Snappy.damaged(message));
        }
        Ok(())
    }
}

pub(super) struct Encoder(snap::raw::Encoder);

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        check_no_level(Codec::Snappy, level)?;
        Ok(Self(snap::raw::Encoder::new()))
    }

    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        let out = room(out, pos, snap::raw::max_compress_len(data.len()) + CRC_BYTES);
        let written = self.0.compress(data, out).map_err(|error| Codec::Snappy.broken(error))?;
        out[written..written + CRC_BYTES].copy_from_slice(&crc32fast::hash(data).to_be_bytes());
        Ok(written + CRC_BYTES)
    }
}
