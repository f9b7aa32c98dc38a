//! What two threads gain: whole reads, halves that know nothing of one another, and bare decoding.

use std::sync::Barrier;

use crate::bare::Bare;
use crate::median;
use crate::part::Part;

/// How long a whole read takes, after one like it: memory that other threads have let go of would have to be got anew.
fn seconds(part: &Part, threads: usize) -> f64 {
    drop(part.read(threads, None));
    part.read(threads, None).took.as_secs_f64()
}

/// How long two reads that know nothing of one another take at the same time, on average.
fn seconds_beside(parts: &[Part; 2]) -> f64 {
    let both = Barrier::new(2);
    let alone = |part: &Part| {
        drop(part.read(1, None));
        both.wait();
        let read = part.read(1, None);
        both.wait();
        read.took.as_secs_f64()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| alone(&parts[0]));
        f64::midpoint(alone(&parts[1]), other.join().unwrap())
    })
}

/// How many times as fast two threads are.
pub(crate) struct Measured {
    /// Halves that are read at the same time instead of one after the other. What cannot be halved is read twice.
    pub(crate) halves: f64,
    /// Bare decompression and decoding, if it knows the files.
    pub(crate) bare: Option<f64>,
    /// The whole read.
    pub(crate) read: f64,
}

impl Measured {
    pub(crate) fn of(whole: &Part, rounds: usize) -> Self {
        let (mut halves, mut bare, mut read) = (Vec::new(), Vec::new(), Vec::new());
        let (parts, times) =
            whole.halves().map_or_else(|| ([whole.clone(), whole.clone()], 2.0), |halves| (halves, 1.0));
        let blocks = Bare::of(&whole.files);
        if let Some(blocks) = &blocks {
            assert_eq!(blocks.rows(), whole.rows());
        }
        for _ in 0..rounds {
            let alone = seconds(whole, 1);
            read.push(alone / seconds(whole, 2));
            halves.push(times * alone / seconds_beside(&parts));
            bare.extend(blocks.as_ref().map(|blocks| blocks.seconds(1) / blocks.seconds(2)));
        }
        Self { halves: median(halves), bare: blocks.map(|_| median(bare)), read: median(read) }
    }
}
