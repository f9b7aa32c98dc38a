//! Bzip2: one stream or several.

use bzip2::{Action, Compress, Compression, Decompress, Status};

use super::{Codec, StreamEnd, check_level, make_room, put_block};
use crate::Result;

/// The first bytes of a stream.
const MAGIC: &[u8] = b"BZh";

pub(super) fn decode(block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<StreamEnd> {
    out.clear();
    let mut rest = decode_stream(block, out, limit)?;
    while rest.starts_with(MAGIC) {
        rest = decode_stream(rest, out, limit)?;
    }
    Ok(if rest.is_empty() { StreamEnd::Marked } else { StreamEnd::Followed })
}

/// Appends the content of the first stream in `input` and returns the rest of `input`.
fn decode_stream<'a>(mut input: &'a [u8], out: &mut Vec<u8>, limit: usize) -> Result<&'a [u8]> {
    let mut stream = Decompress::new(false);
    loop {
        make_room(out, input.len(), limit);
        let (taken, made) = (stream.total_in(), out.len());
        let status = stream.decompress_vec(input, out).map_err(|error| Codec::Bzip2.damaged(error))?;
        let taken = (stream.total_in() - taken) as usize;
        input = &input[taken..];
        if out.len() > limit {
            return Err(Codec::Bzip2.over_limit(limit));
        }
        if status == Status::StreamEnd {
            return Ok(input);
        }
        if taken == 0 && out.len() == made {
            return Err(Codec::Bzip2.damaged("the block is cut short"));
        }
    }
}

pub(super) struct Encoder {
    level: Compression,
    /// The block, encoded here first because its length is written before it.
    block: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        let level = check_level(Codec::Bzip2, level, 9, 1..=9)?;
        Ok(Self { level: Compression::new(level as u32), block: Vec::new() })
    }

    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        self.block.clear();
        let mut stream = Compress::new(self.level, 0);
        loop {
            make_room(&mut self.block, data.len() / 8, usize::MAX);
            let rest = &data[stream.total_in() as usize..];
            let status = stream
                .compress_vec(rest, &mut self.block, Action::Finish)
                .map_err(|error| Codec::Bzip2.broken(error))?;
            if status == Status::StreamEnd {
                return Ok(put_block(&self.block, out, pos));
            }
        }
    }
}
