//! The wire format of Apicurio's schema registry, with ids of eight bytes.

const MAGIC: u8 = 0;

/// The size of the magic byte and the id.
pub(super) const LEN: usize = 9;

/// Reads the schema id that a row begins with.
pub(super) fn read(row: &[u8]) -> Option<u64> {
    row.strip_prefix(&[MAGIC])?.first_chunk().copied().map(u64::from_be_bytes)
}

/// Returns the header of a schema with this id.
pub(super) fn write(id: u64) -> Vec<u8> {
    [&[MAGIC][..], &id.to_be_bytes()].concat()
}
