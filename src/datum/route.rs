//! The interpretation of a row: its header and its writer's schema.

use super::cells::Cell;
use super::framing::Header;

/// The header and the schema of a row, and of rows with the same header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) header: Header,
    /// Number of the writer's schema.
    pub(super) writer: usize,
    /// The masked first bytes of rows that have this route.
    prefix: u128,
    mask: u128,
}

impl Route {
    pub(super) fn new(header: Header, writer: usize, cell: Cell<'_>) -> Self {
        let mask = (1 << (8 * header.len)) - 1;
        Self { header, writer, prefix: cell.first_bytes() & mask, mask }
    }

    /// Returns a route that fits no other row.
    pub(super) fn once(self) -> Self {
        // A masked value of 0 never equals this prefix.
        Self { prefix: u128::MAX, mask: 0, ..self }
    }

    /// Returns true if a row has this route.
    #[inline(always)]
    pub(super) fn fits(&self, cell: Cell<'_>) -> bool {
        cell.first_bytes() & self.mask == self.prefix && cell.len() >= self.header.len
    }
}
