//! Files, or a range of one, and a read of them.

use std::ops::Range;
use std::time::{Duration, Instant};

use polars_avro::{Batch, FileInput, FileSet, OpenOptions, ReadOptions, TaskTimes, Times};

/// A read that has ended.
pub(crate) struct Read {
    pub(crate) took: Duration,
    pub(crate) times: Times,
    pub(crate) tasks: Vec<TaskTimes>,
    pub(crate) batches: Vec<Batch>,
}

/// Files, or a range of one.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) files: Vec<String>,
    pub(crate) range: Option<Range<u64>>,
}

impl Part {
    /// Reads and keeps the batches, as whole reads do: who drops them gives memory to the thread that decodes next, if it is
    /// the same one, and takes it from that thread's caches, if it is another.
    pub(crate) fn read(&self, threads: usize, simulated: Option<usize>) -> Read {
        let start = Instant::now();
        let inputs: Vec<_> = self.files.iter().map(|path| FileInput::Path(path.into())).collect();
        let set = FileSet::new(inputs, &OpenOptions::default()).unwrap();
        let mut options = ReadOptions::default().with_byte_range(self.range.clone());
        options.n_threads = Some(threads);
        options.simulated_threads = simulated;
        let mut reader = set.read(&options).unwrap();
        let batches = reader.by_ref().map(Result::unwrap).collect();
        Read { took: start.elapsed(), times: reader.stats().times, tasks: reader.task_times(), batches }
    }

    pub(crate) fn rows(&self) -> usize {
        self.read(1, None).batches.iter().map(|batch| batch.height).sum()
    }

    /// Two parts of half the rows each, unless there is but one block.
    pub(crate) fn halves(&self) -> Option<[Self; 2]> {
        let (files, half) = (&self.files, self.files.len() / 2);
        let bytes = std::fs::metadata(&files[0]).unwrap().len();
        let part = |files: &[String], range| Self { files: files.to_vec(), range };
        let halves = if half > 0 {
            [part(&files[..half], None), part(&files[half..], None)]
        } else {
            [part(files, Some(0..bytes / 2)), part(files, Some(bytes / 2..u64::MAX))]
        };
        let [one, other] = [halves[0].rows() as f64, halves[1].rows() as f64];
        ((one / other - 1.0).abs() < 0.05).then_some(halves)
    }
}
