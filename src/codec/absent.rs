//! Stand-in for codecs whose cargo feature is disabled. Such a codec is rejected before a function of this module is
//! called.

use super::StreamEnd;
use crate::{Error, ErrorKind, Result};

#[derive(Default)]
pub(super) struct Decoder;

pub(super) struct Encoder;

impl Decoder {
    #[expect(clippy::unused_self, reason = "the interface of the other codecs")]
    pub(super) fn decode(&mut self, block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<()> {
        decode(block, out, limit).map(drop)
    }
}

pub(super) fn decode(_: &[u8], _: &mut Vec<u8>, _: usize) -> Result<StreamEnd> {
    Err(absent())
}

impl Encoder {
    pub(super) fn new(_: Option<i32>) -> Result<Self> {
        Err(absent())
    }

    #[expect(clippy::unused_self, reason = "the interface of the other codecs")]
    pub(super) fn encode(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<usize> {
        Err(absent())
    }
}

#[cold]
fn absent() -> Error {
    Error::new(ErrorKind::Internal, "a codec that this crate is built without")
}
