//! Rows that are decoded a field after the other: where each one begins is known, so that none waits for the one before.

use crate::binary::{Fault, PADDING};

/// Rows in one buffer.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    /// Where the padding of each row ends.
    ends: &'a [usize],
}

impl<'a> Rows<'a> {
    /// `ends` are inside of `bytes`: each is the end of a row and of the `PADDING` bytes behind it.
    pub(crate) fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        debug_assert!(ends.iter().all(|end| (PADDING..=bytes.len()).contains(end)));
        Self { bytes, ends }
    }

    /// Returns how many there are.
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    /// Returns true if each position is the end of its row.
    pub(crate) fn end_at(self, positions: &[usize]) -> bool {
        self.ends.iter().zip(positions).all(|(end, pos)| *end == pos + PADDING)
    }

    /// Moves each position on, by what is told of it and the bytes that end with its row.
    #[inline(always)]
    pub(super) fn advance(
        self,
        positions: &mut [usize],
        mut next: impl FnMut(&[u8], usize) -> Result<usize, Fault>,
    ) -> Result<(), Fault> {
        for (&end, pos) in self.ends.iter().zip(positions) {
            *pos = next(&self.bytes[..end], *pos)?;
        }
        Ok(())
    }

    /// Appends the short value at each position, and moves the position on. A value may be read from bytes behind its
    /// row: its position is then not the row's end, see [`Rows::end_at`]. Its place is there before it is, so that it does
    /// not wait for the length which the value before it has left in memory.
    #[inline(always)]
    pub(super) fn read_into<T: Copy + Default>(
        self,
        values: &mut Vec<T>,
        positions: &mut [usize],
        read: impl Fn(&[u8], usize) -> Result<(T, usize), Fault>,
    ) -> Result<(), Fault> {
        let start = values.len();
        values.resize(start + self.len(), T::default());
        for (value, pos) in values[start..].iter_mut().zip(positions) {
            (*value, *pos) = read(self.bytes, *pos)?;
        }
        Ok(())
    }
}
