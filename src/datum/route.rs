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
    /// The last bytes of a header that is longer than these.
    tail: [u8; 2],
}

/// The bytes of a header that `prefix` holds.
const PREFIX: usize = size_of::<u128>();

impl Route {
    pub(super) fn new(header: Header, writer: usize, cell: Cell<'_>) -> Self {
        let mask = u128::MAX.checked_shr(8 * (PREFIX.saturating_sub(header.len)) as u32).unwrap_or(0);
        let tail = cell.padded().get(PREFIX..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Self { header, writer, prefix: cell.first_bytes() & mask, mask, tail }
    }

    /// Returns a route that fits no other row.
    pub(super) fn once(self) -> Self {
        // A masked value of 0 never equals this prefix.
        Self { prefix: u128::MAX, mask: 0, ..self }
    }

    /// Returns true if a row has this route.
    #[inline(always)]
    pub(super) fn fits(&self, cell: Cell<'_>) -> bool {
        if self.is_long() { self.fits_header::<true>(cell) } else { self.fits_header::<false>(cell) }
    }

    /// Returns true if the header is longer than the bytes that are compared at once.
    pub(super) fn is_long(&self) -> bool {
        self.header.len > PREFIX
    }

    /// Returns true if a row has this route. `LONG` is the result of [`Self::is_long`], a constant so that loops over
    /// rows with short headers do not check it.
    #[inline(always)]
    pub(super) fn fits_header<const LONG: bool>(&self, cell: Cell<'_>) -> bool {
        cell.first_bytes() & self.mask == self.prefix
            && cell.len() >= self.header.len
            && (!LONG || cell.padded()[PREFIX..self.header.len] == self.tail)
    }
}
