//! How much room values get before they come.
//!
//! What comes is known of rows, and guessed of what they hold: items, entries, bytes. Memory that is full is doubled, and
//! the half that stays empty is kept as long as the batch. So a guess reaches no further than a sample can tell, and is
//! made again from a larger one.

/// A sample tells what this many times as many values take.
const REACH: usize = 16;

/// When to look how much room the rest of a batch takes.
pub(crate) struct NextLook(usize);

impl NextLook {
    /// The first look is at `len` values.
    pub(crate) fn at(len: usize) -> Self {
        Self(len)
    }

    /// How many values may come before the next look if there are `len`.
    pub(crate) fn is_in(&self, len: usize) -> usize {
        self.0.saturating_sub(len)
    }

    /// Whether `len` values are enough; the look after this one is where its guess ends.
    pub(crate) fn is_due(&mut self, len: usize) -> bool {
        let due = len >= self.0;
        if due {
            self.0 = len.saturating_mul(REACH - 1);
        }
        due
    }
}

/// What the values of the batch before have taken, the column's last one.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    size: usize,
    len: usize,
}

impl Before {
    /// Takes note of a batch that ends.
    pub(super) fn note(&mut self, size: usize, len: usize) {
        if len > 0 {
            *self = Self { size, len };
        }
    }

    /// Returns what `n` more values take, by that batch or by the `len` values so far: whatever has more.
    pub(super) fn likely(self, size: usize, len: usize, n: usize) -> usize {
        if self.len > len { likely(self.size, self.len, n) } else { likely(size, len, n) }
    }
}

/// Returns what `n` more values take if `len` values have taken `size`, and a little more; no more than the sample tells.
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
