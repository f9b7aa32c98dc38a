//! Zstandard (RFC 8878): any number of frames, with or without the size of their content.
//!
//! Blocks are decoded in one call, which needs no window besides the output, so the window size that a frame claims
//! costs nothing. The buffer has a guessed size if the frame does not state its content size, as with streaming
//! writers. If the buffer is too small, the call is repeated with twice the capacity.

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{self, CCtx, DCtx};

use super::{Codec, Expansion, MOST_UNSEEN, SLACK, check_level, room};
use crate::Result;

pub(super) struct Decoder {
    inner: DCtx<'static>,
    expansion: Expansion,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { inner: DCtx::create(), expansion: Expansion::default() }
    }
}

impl Decoder {
    pub(super) fn decode(&mut self, block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<()> {
        let mut room = match zstd_safe::get_frame_content_size(block) {
            Ok(Some(content)) if content > limit as u64 => return Err(Codec::Zstandard.over_limit(limit)),
            Ok(Some(content)) => (content as usize).min(block.len().saturating_mul(MOST_UNSEEN)),
            Ok(None) => self.expansion.guess(block.len()),
            // Not a frame, or truncated: decoding returns the error.
            Err(_) => 0,
        };
        loop {
            out.clear();
            out.reserve_exact(room.min(limit.saturating_add(1)).saturating_add(SLACK));
            match self.inner.decompress(out, block) {
                Ok(_) if out.len() > limit => return Err(Codec::Zstandard.over_limit(limit)),
                Ok(_) => {
                    self.expansion.saw(block.len(), out.len());
                    return Ok(());
                }
                Err(code) if code != TOO_SMALL => {
                    return Err(Codec::Zstandard.damaged(zstd_safe::get_error_name(code)));
                }
                Err(_) if out.capacity() > limit => return Err(Codec::Zstandard.over_limit(limit)),
                Err(_) => room = out.capacity().saturating_mul(2),
            }
        }
    }
}

/// The library's code for "the output does not fit": the negated error number.
const TOO_SMALL: usize = (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg();

pub(super) struct Encoder {
    inner: CCtx<'static>,
    level: i32,
}

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        let known = zstd_safe::min_c_level()..=zstd_safe::max_c_level();
        let level = check_level(Codec::Zstandard, level, zstd_safe::CLEVEL_DEFAULT, known)?;
        Ok(Self { inner: CCtx::create(), level })
    }

    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>, pos: usize) -> Result<usize> {
        let out = room(out, pos, zstd_safe::compress_bound(data.len()));
        let written = self.inner.compress(out, data, self.level);
        written.map_err(|code| Codec::Zstandard.broken(zstd_safe::get_error_name(code)))
    }
}
