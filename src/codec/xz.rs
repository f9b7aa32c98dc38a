//! The .xz format: one stream or several, with padding between them.

use liblzma::stream::{Action, Check, Error as XzError, Status, Stream};

use super::{Codec, StreamEnd, check_level, make_room, put_block};
use crate::{Error, ErrorKind, Result};

/// Memory limit of the decoder, without the output. Streams of `xz -9` need 65 MiB, independent of their content.
const MEMORY: u64 = 128 << 20;

/// The first bytes of a stream.
const MAGIC: &[u8] = b"\xfd7zXZ\0";

pub(super) fn decode(block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<StreamEnd> {
    out.clear();
    let mut rest = decode_stream(block, out, limit)?;
    loop {
        // Zeros after a stream are padding if there is a multiple of four of them (.xz file format, section 2.2).
        let padding = rest.iter().take_while(|&&byte| byte == 0).count();
        let is_padding = padding % 4 == 0;
        if !is_padding || !rest[padding..].starts_with(MAGIC) {
            return Ok(if is_padding && padding == rest.len() { StreamEnd::Marked } else { StreamEnd::Followed });
        }
        rest = decode_stream(&rest[padding..], out, limit)?;
    }
}

/// Appends the content of the first stream in `input` and returns the rest of `input`.
fn decode_stream<'a>(mut input: &'a [u8], out: &mut Vec<u8>, limit: usize) -> Result<&'a [u8]> {
    let mut stream = Stream::new_stream_decoder(MEMORY, 0).map_err(fault)?;
    loop {
        make_room(out, input.len(), limit);
        let (taken, made) = (stream.total_in(), out.len());
        let status = stream.process_vec(input, out, Action::Finish).map_err(fault)?;
        let taken = (stream.total_in() - taken) as usize;
        input = &input[taken..];
        if out.len() > limit {
            return Err(Codec::Xz.over_limit(limit));
        }
        if status == Status::StreamEnd {
            return Ok(input);
        }
        if taken == 0 && out.len() == made {
            return Err(Codec::Xz.damaged("the block is cut short"));
        }
    }
}

fn fault(error: XzError) -> Error {
    match error {
        XzError::MemLimit => {
            let message = format!("xz: the block needs a dictionary of more than {} MiB", MEMORY >> 20);
            Error::new(ErrorKind::Unsupported, message)
        }
        XzError::Mem | XzError::Program => Codec::Xz.broken(error),
        error => Codec::Xz.damaged(error),
    }
}

pub(super) struct Encoder {
    level: u32,
    /// The block, encoded here first because its length is written before it.
    block: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        Ok(Self { level: check_level(Codec::Xz, level, 6, 0..=9)? as u32, block: Vec::new() })
    }

    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        self.block.clear();
        let mut stream = Stream::new_easy_encoder(self.level, Check::Crc64).map_err(fault)?;
        loop {
            make_room(&mut self.block, data.len() / 8, usize::MAX);
            let rest = &data[stream.total_in() as usize..];
            let status = stream.process_vec(rest, &mut self.block, Action::Finish).map_err(fault)?;
            if status == Status::StreamEnd {
                return Ok(put_block(&self.block, out, pos));
            }
        }
    }
}
