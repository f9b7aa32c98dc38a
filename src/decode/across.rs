//! Rows that are decoded field by field. The start of each row is known, so that decoding a row does not depend on the
//! previous one.

use crate::binary::{Fault, PADDING};

/// Rows in one buffer.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    /// The end of each row's padding.
    ends: &'a [usize],
}

impl<'a> Rows<'a> {
    /// `ends` are positions within `bytes`: each is the end of a row's `PADDING` bytes.
    pub(crate) fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        debug_assert!(ends.iter().all(|end| (PADDING..=bytes.len()).contains(end)));
        Self { bytes, ends }
    }

    /// Returns the number of rows.
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    /// Returns true if each position is the end of its row.
    pub(crate) fn end_at(self, positions: &[usize]) -> bool {
        self.ends.iter().zip(positions).all(|(end, pos)| *end == pos + PADDING)
    }

    /// Replaces each position by the result of `next` for it and the bytes up to the end of its row's padding.
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

    /// Appends the short value at each position, and advances the position. A value may be read from bytes after its
    /// row. Then its position is not the row's end, see [`Rows::end_at`]. All slots are allocated first: with `push`,
    /// each value would depend on the vector's length as stored by the previous value.
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
