//! The wire format of Confluent's schema registry.

const MAGIC: u8 = 0;

/// The size of the magic byte and the id.
pub(super) const LEN: usize = 5;

/// Reads the schema id that a row begins with.
pub(super) fn read(row: &[u8]) -> Option<u64> {
    let id = row.strip_prefix(&[MAGIC])?.first_chunk().copied()?;
    Some(u64::from(u32::from_be_bytes(id)))
}

/// Returns the header of a schema with this id.
pub(super) fn write(id: u32) -> Vec<u8> {
    [&[MAGIC][..], &id.to_be_bytes()].concat()
}
