//! The interpretation of a row: its header and its writer's schema.

use super::cells::Cell;
use super::framing::Header;

/// The schema of a row, and of rows that begin alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) header: Header,
    /// Number of the writer's schema.
    pub(super) writer: usize,
    /// Rows whose first bytes, masked, are these are of this route.
    prefix: u128,
    mask: u128,
}

impl Route {
    pub(super) fn new(header: Header, writer: usize, cell: Cell<'_>) -> Self {
        let mask = (1 << (8 * header.len)) - 1;
        Self { header, writer, prefix: cell.first_bytes() & mask, mask }
    }

    /// The same for this row alone.
    pub(super) fn once(self) -> Self {
        // No bit outside of the mask is ever set.
        Self { prefix: u128::MAX, mask: 0, ..self }
    }

    /// Returns true if a row is of this route.
    #[inline(always)]
    pub(super) fn fits(&self, cell: Cell<'_>) -> bool {
        cell.first_bytes() & self.mask == self.prefix && cell.len() >= self.header.len
    }
}
