//! The wire format of AWS Glue's schema registry: a version, the compression of the datum, and the id of the schema
//! version.

use super::{Framing, Header, SchemaId};

const VERSION: u8 = 3;
const UNCOMPRESSED: u8 = 0;
const ZLIB: u8 = 5;

/// The size of the two bytes and the id.
const LEN: usize = 18;

/// Reads the header that a row begins with.
pub(super) fn read(row: &[u8]) -> Option<Header> {
    let (is_compressed, rest) = match row {
        [VERSION, UNCOMPRESSED, rest @ ..] => (false, rest),
        [VERSION, ZLIB, rest @ ..] => (true, rest),
        _ => return None,
    };
    let id = SchemaId::Uuid(u128::from_be_bytes(*rest.first_chunk()?));
    Some(Header { framing: Framing::Glue, id: Some(id), len: LEN, is_compressed })
}

/// Returns the header of uncompressed datums of a schema version.
pub(super) fn write(id: u128) -> Vec<u8> {
    [&[VERSION, UNCOMPRESSED][..], &id.to_be_bytes()].concat()
}

/// Changes a header to that of compressed datums.
pub(in crate::datum) fn compress(header: &mut [u8]) {
    header[1] = ZLIB;
}
