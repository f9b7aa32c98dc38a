//! Block compression (specification, "Required Codecs" and "Optional Codecs"). One file a codec.

use crate::{Error, Limits, Result};

/// The codec that a file's header names.
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
