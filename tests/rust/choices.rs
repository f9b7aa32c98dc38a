//! Decisions, taken from a tape of bytes that proptest can shorten or from a seed.

/// Where decisions come from. The first of a list of possibilities is always the simplest.
#[derive(Clone, Debug)]
pub(crate) enum Choices {
    /// A tape that has run out says zero.
    Tape {
        bytes: Vec<u8>,
        at: usize,
    },
    Seed(u64),
}

impl Choices {
    pub(crate) fn tape(bytes: &[u8]) -> Self {
        Self::Tape { bytes: bytes.to_vec(), at: 0 }
    }

    pub(crate) fn word(&mut self) -> u64 {
        match self {
            Self::Tape { bytes, at } => {
                let byte = bytes.get(*at).copied().unwrap_or(0);
                *at += 1;
                u64::from(byte)
            }
            // SplitMix64.
            Self::Seed(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ (z >> 31)
            }
        }
    }

    /// A number under `len`, which is not zero.
    pub(crate) fn below(&mut self, len: usize) -> usize {
        (self.word() % len as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// True one time in `times`; never on a tape that has run out.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }
}
