//! Avro's single-object encoding (specification, "Single-object encoding specification").

const MARKER: [u8; 2] = [0xc3, 0x01];

/// The size of the marker and the fingerprint.
pub(super) const LEN: usize = 10;

/// Reads the fingerprint that a row begins with, as a number.
pub(super) fn read(row: &[u8]) -> Option<u64> {
    row.strip_prefix(&MARKER)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// Returns the header of a schema with this fingerprint.
pub(super) fn write(fingerprint: u64) -> Vec<u8> {
    [&MARKER[..], &fingerprint.to_le_bytes()].concat()
}
