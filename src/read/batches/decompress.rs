//! Decompresses the blocks of tasks, and tells how long it takes without looking at the clock for every one.

use std::time::Instant;

use crate::Result;
use crate::codec::Decompressor;
use crate::read::files::{BlockData, OpenFile};
use crate::read::stats::{Counters, add};
use crate::read::tasks::BlockSlice;

/// So many blocks of a task are timed, spread over it.
const TIMED_BLOCKS: usize = 8;

/// Decompresses, and keeps times.
pub(crate) struct TimedDecompressor {
    decompressor: Decompressor,
    /// Nanoseconds and compressed bytes of the blocks that were timed.
    timed: Vec<(u64, usize)>,
    /// Compressed bytes of all blocks since times were last counted.
    bytes: usize,
}

impl TimedDecompressor {
    pub(crate) fn new() -> Self {
        Self { decompressor: Decompressor::new(), timed: Vec::with_capacity(TIMED_BLOCKS), bytes: 0 }
    }

    /// Makes the data of one of a task's blocks ready to decode, see [`OpenFile::decompress`].
    pub(crate) fn decompress(
        &mut self,
        file: &OpenFile,
        slices: &[BlockSlice],
        at: usize,
        bytes: &[u8],
        out: &mut Vec<u8>,
        counters: &Counters,
    ) -> Result<BlockData> {
        let frame = &slices[at].frame;
        if file.header.codec.is_identity() {
            return file.decompress(bytes, frame, &mut self.decompressor, out, counters);
        }
        let stride = slices.len().div_ceil(TIMED_BLOCKS);
        let start = (at % stride == stride / 2).then(Instant::now);
        let place = file.decompress(bytes, frame, &mut self.decompressor, out, counters)?;
        if let Some(start) = start {
            let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.timed.push((nanoseconds, bytes.len()));
        }
        self.bytes += bytes.len();
        if at + 1 == slices.len() {
            add(&counters.decompress_ns, likely(&mut self.timed, self.bytes));
            self.timed.clear();
            self.bytes = 0;
        }
        Ok(place)
    }
}

/// How long `bytes` are likely to have taken, if these did: what disturbed some of them is not multiplied.
fn likely(timed: &mut [(u64, usize)], bytes: usize) -> u64 {
    let (taken, seen) = timed.iter().fold((0, 0), |(taken, seen), &(time, bytes)| (taken + time, seen + bytes));
    if seen == bytes {
        return taken;
    }
    let rate = |&(time, bytes): &(u64, usize)| time as f64 / bytes.max(1) as f64;
    timed.sort_unstable_by(|one, other| rate(one).total_cmp(&rate(other)));
    timed.get(timed.len() / 2).map_or(0, |median| (rate(median) * bytes as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::likely;

    #[test]
    fn what_was_timed_whole_is_the_sum() {
        assert_eq!(likely(&mut [(10, 5), (1_000_000, 5)], 10), 1_000_010);
        assert_eq!(likely(&mut [], 0), 0);
    }

    #[test]
    fn a_disturbed_block_is_not_multiplied() {
        let mut timed =
            [(1_000_000, 100), (200, 100), (50, 25), (400, 200), (9_000_000, 100), (210, 105), (20, 10), (2, 1)];
        assert_eq!(likely(&mut timed, 100_000), 200_000);
    }
}
