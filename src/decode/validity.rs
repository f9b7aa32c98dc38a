//! Validity bitmaps under construction.

use polars_arrow::bitmap::Bitmap;

/// A bitmap that is allocated at the first null. Valid values cost nothing: the second of two nulls fills in the bits
/// between them, and [`Validity::finish`] those after the last null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validity {
    words: Vec<u64>,
}

impl Validity {
    /// Marks the value at `index` as null. No later value has been marked yet.
    #[inline]
    pub(crate) fn mark_null(&mut self, index: usize) {
        let word = index / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, u64::MAX);
        }
        self.words[word] &= !(1 << (index % 64));
    }

    /// Marks the `n` values from `index` on as null.
    #[inline]
    pub(crate) fn mark_nulls(&mut self, index: usize, n: usize) {
        if n == 1 { self.mark_null(index) } else { self.mark_many(index, n) }
    }

    fn mark_many(&mut self, index: usize, n: usize) {
        let stop = index + n;
        let mut at = index;
        while at < stop {
            if at.is_multiple_of(64) && stop - at >= 64 {
                self.words.resize(at / 64, u64::MAX);
                self.words.resize(stop / 64, 0);
                at = stop / 64 * 64;
            } else {
                self.mark_null(at);
                at += 1;
            }
        }
    }

    /// Appends `n` nulls to `values`, with `empty` in their place.
    #[inline]
    pub(crate) fn push_nulls<T: Copy>(&mut self, values: &mut Vec<T>, n: usize, empty: T) {
        self.mark_nulls(values.len(), n);
        // Most nulls are appended one by one.
        if n == 1 { values.push(empty) } else { values.resize(values.len() + n, empty) }
    }

    /// Returns the bitmap of `len` values, `None` if none is null; resets the column's validity.
    pub(crate) fn finish(&mut self, len: usize) -> Option<Bitmap> {
        if self.words.is_empty() {
            return None;
        }
        self.words.resize(len.div_ceil(64), u64::MAX);
        let bytes = self.words.drain(..).flat_map(u64::to_le_bytes).collect();
        Some(Bitmap::from_u8_vec(bytes, len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_where_they_were_marked() {
        for (start, n) in [(0, 1), (63, 2), (0, 64), (1, 64), (5, 200), (64, 128), (130, 0)] {
            let mut validity = Validity::default();
            validity.mark_nulls(start, n);
            let len = 400;
            let bits = validity.finish(len);
            for i in 0..len {
                let valid = bits.as_ref().is_none_or(|bits| bits.get_bit(i));
                assert_eq!(valid, !(start..start + n).contains(&i), "{i} of {start}+{n}");
            }
            assert!(validity.finish(3).is_none());
        }
    }
}
