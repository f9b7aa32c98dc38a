//! Batches in file order, decoded by as many threads as there are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use polars_arrow::datatypes::Field;

use super::bad_block::BadBlock;
use super::batch::{Batch, Extras};
use super::decoder::{Decoder, Scratch};
use super::filter::Filter;
use super::filtered;
use super::portions::Portions;
use super::salvage::{self, Salvaged};
use super::sequence::{Job, Sequence, Tasks};
use super::split::FirstBlock;
use super::stats::{Counters, Stats};
use super::task::Item;
use crate::executor::{OrderedTasks, Workload};
use crate::{Error, Result};

/// An iterator over the batches of one read.
pub struct BatchReader {
    tasks: OrderedTasks<Decoding>,
    fields: Arc<[Field]>,
    /// Results of tasks that were taken.
    ready: VecDeque<Item>,
    /// Counts rows where blocks may be missing.
    salvaged: Option<Salvaged>,
    /// Numbers blocks from the file's first where the read begins at another one.
    first_block: Option<FirstBlock>,
    finished: bool,
}

/// What every task of one read shares.
struct Decoding {
    portions: Portions,
    extras: Extras,
    filter: Option<Filter>,
    counters: Arc<Counters>,
    scratch: Mutex<Vec<Scratch>>,
}

impl BatchReader {
    pub(super) fn new(
        sequence: Sequence,
        fields: Arc<[Field]>,
        portions: Portions,
        extras: Extras,
        filter: Option<Filter>,
        salvaged: Option<Salvaged>,
        counters: Arc<Counters>,
    ) -> Self {
        let decoding = Decoding { portions, extras, filter, counters, scratch: Mutex::default() };
        let tasks = OrderedTasks::new(decoding, sequence, portions.threads);
        Self { tasks, fields, ready: VecDeque::new(), salvaged, first_block: None, finished: false }
    }

    /// Numbers blocks in errors and reports from the file's first, although the read begins at this one.
    pub(super) fn starting_at(mut self, first_block: FirstBlock) -> Self {
        self.first_block = Some(first_block);
        self
    }

    /// The columns that come out, in order.
    #[must_use]
    pub fn fields(&self) -> &Arc<[Field]> {
        &self.fields
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.tasks.workload().counters.stats()
    }

    /// The blocks left out before the last batch that came, or before the end, but for those given before.
    pub fn take_bad_blocks(&mut self) -> Vec<BadBlock> {
        self.salvaged.as_mut().map(|salvaged| std::mem::take(&mut salvaged.lost)).unwrap_or_default()
    }

    /// How many rows come.
    pub(super) fn height(self) -> Result<u64> {
        let mut rows = 0;
        for batch in self {
            rows += batch?.height as u64;
        }
        Ok(rows)
    }

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.salvaged.as_ref().is_some_and(Salvaged::is_done) {
                return Ok(None);
            }
            if let Some(item) = self.ready.pop_front() {
                match self.batch(item)? {
                    Some(batch) => return Ok(Some(batch)),
                    None => continue,
                }
            }
            match self.tasks.next() {
                Some(items) => {
                    let items = items.map_err(|error| self.renumber(error))?;
                    self.ready.extend(items);
                }
                None => return Ok(None),
            }
        }
    }

    /// The batch that comes out for this one, if any.
    fn batch(&mut self, item: Item) -> Result<Option<Batch>> {
        match item {
            Item::Batch(batch) => match &mut self.salvaged {
                Some(salvaged) => salvaged.number(batch),
                None => Ok(Some(batch)),
            },
            Item::Lost(bad) => {
                let bad = BadBlock { error: self.renumber(bad.error), ..bad };
                match &mut self.salvaged {
                    Some(salvaged) => salvaged.lose(bad).map(|()| None),
                    None => Err(bad.error),
                }
            }
        }
    }

    fn renumber(&mut self, error: Error) -> Error {
        match &mut self.first_block {
            Some(first) => first.renumber(error),
            None => error,
        }
    }
}

impl Workload for Decoding {
    type Input = Sequence;
    type Task = Job;
    type Output = Vec<Item>;

    fn claim(&self, sequence: &mut Sequence) -> Result<Option<Job>> {
        sequence.next_job()
    }

    fn work(&self, job: Job) -> Result<Vec<Item>> {
        let Tasks { parts, spare, end } = job.open();
        let mut scratch = self.scratch().pop().unwrap_or_default();
        let decoder = Decoder { extras: &self.extras, portions: self.portions, counters: &self.counters };
        let items = if self.portions.salvage {
            salvage::decode(&decoder, parts, &spare, &mut scratch)
        } else {
            let testable = parts.first().is_some_and(|part| part.plan.tested.is_some());
            let batches = match &self.filter {
                Some(filter) if testable && filter.is_due() => filtered::decode(&decoder, filter, &parts, &mut scratch),
                _ => decoder.decode(&parts, &mut scratch),
            };
            for part in parts {
                spare.give(part.task.into_bytes());
            }
            batches.map(|batches| batches.into_iter().map(Item::Batch).collect())
        };
        self.scratch().push(scratch);
        let items = items?;
        end.map(|()| items)
    }
}

impl Decoding {
    /// What is left in it after a panic is as good as before.
    fn scratch(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iterator for BatchReader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let batch = self.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.finished = true;
            self.tasks.cancel();
        }
        batch
    }
}
