//! Estimates of the capacity to reserve for values that are not decoded yet.
//!
//! The number of rows is known, but the items, entries and bytes in them are estimated. A full buffer is doubled, and
//! its unused half is kept as long as the batch. Therefore an estimate covers only a multiple of its sample, and is
//! repeated with a larger sample.

/// The number of values that a sample is used to estimate, as a multiple of the sample's length.
const REACH: usize = 16;

/// The number of values at which the capacity for the rest of a batch is estimated next.
pub(crate) struct NextLook(usize);

impl NextLook {
    /// Schedules the first estimate at `len` values.
    pub(crate) fn at(len: usize) -> Self {
        Self(len)
    }

    /// Returns the number of values until the next estimate if there are `len`.
    pub(crate) fn is_in(&self, len: usize) -> usize {
        self.0.saturating_sub(len)
    }

    /// Returns true if an estimate is due at `len` values, and schedules the next one before this estimate is used up.
    pub(crate) fn is_due(&mut self, len: usize) -> bool {
        let due = len >= self.0;
        if due {
            self.0 = len.saturating_mul(REACH - 1);
        }
        due
    }
}

/// The size and the number of the values in the column's previous batch.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    size: usize,
    len: usize,
}

impl Before {
    /// Records the totals of a finished batch.
    pub(super) fn note(&mut self, size: usize, len: usize) {
        if len > 0 {
            *self = Self { size, len };
        }
    }

    /// Returns the estimated size of `n` more values, from that batch or from the `len` values so far: the larger
    /// sample counts.
    pub(super) fn likely(self, size: usize, len: usize, n: usize) -> usize {
        if self.len > len { likely(self.size, self.len, n) } else { likely(size, len, n) }
    }
}

/// Returns the estimated size of `n` more values if `len` values have `size`, plus a margin. At most [`REACH`] times
/// the sample is covered.
fn likely(size: usize, len: usize, n: usize) -> usize {
    let n = n.min(len.saturating_mul(REACH));
    size.checked_div(len).map_or(0, |_| (size as u128 * n as u128 * 17 / (len as u128 * 16)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_before_the_room_is_used_up() {
        let (mut look, mut looks, mut room) = (NextLook::at(100), 0, 0);
        for len in 0..=1_000_000 {
            if look.is_due(len) {
                looks += 1;
                room = len + likely(len, len, 1_000_000 - len);
            }
            assert!(len < 100 || len <= room);
        }
        assert_eq!(looks, 4);
        assert_eq!((look.is_in(0), likely(0, 0, 7), likely(10, 1, 3)), (100 * 15 * 15 * 15 * 15, 0, 31));
    }
}
