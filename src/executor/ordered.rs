//! Ordered results of a parallel input: several threads take shares of it, the consumer gets results in input order.
//!
//! At most `threads + AHEAD` shares are taken whose results the consumer has not taken. This bounds memory without a
//! blocking send. A thread that finishes a share continues with the next one, unless another queue waits for a thread.
//!
//! The consumer is one of the threads: if its next result is missing, it works on a share itself. With one thread more than
//! cores, results would wait until the consumer is scheduled. If shares may wait long for their input, the consumer works
//! only on the share of its next result, so that it gets each result as soon as it is ready. In either case it never waits
//! for a share that no thread has started, so a full pool cannot block it.
//!
//! Reading pulls with [`OrderedTasks::next`]. Writing pushes with [`OrderedTasks::submit`] and takes results with `next`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::lock::lock;
use super::shared::{Consumer, Shared, State, Workload};
use crate::{Error, ErrorKind, Result};

/// A queue of shares, as its consumer sees it. Dropping it cancels the remaining shares.
pub(crate) struct OrderedTasks<W: Workload> {
    shared: Arc<Shared<W>>,
}

impl<W: Workload> OrderedTasks<W> {
    pub(crate) fn new(workload: W, input: W::Input, threads: usize, consumer: Consumer) -> Self {
        let (turns, submitted, next, taken, running, jobs, done) = <_>::default();
        let (is_exhausted, has_failed, has_panicked) = (false, false, false);
        let state =
            State { input, turns, submitted, next, taken, running, jobs, is_exhausted, has_failed, has_panicked, done };
        let shared = Shared {
            workload,
            threads: threads.max(1),
            consumer: if threads <= 1 { Consumer::Works } else { consumer },
            state: Mutex::new(state),
            progress: Condvar::new(),
            cancelled: Arc::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn workload(&self) -> &W {
        &self.shared.workload
    }

    /// Adds a share to the input.
    pub(crate) fn submit(&mut self, put: impl FnOnce(&mut W::Input)) -> Result<()> {
        let mut state = lock(&self.shared.state);
        put(&mut state.input);
        state.submitted += 1;
        state.is_exhausted = false;
        self.shared.start_jobs(&mut state)
    }

    /// Returns true if the consumer must take a result before it may submit another share.
    pub(crate) fn is_full(&self) -> bool {
        let state = lock(&self.shared.state);
        state.submitted - state.taken >= if self.shared.threads == 1 { 1 } else { self.shared.most() }
    }

    /// Returns the next result, in order; `None` if the input has ended. Works or waits until the result is ready.
    pub(crate) fn next(&mut self) -> Option<Result<W::Output>> {
        let Self { shared } = self;
        let mut state = lock(&shared.state);
        loop {
            let taken = state.taken;
            let result = state.done.remove(&taken);
            state.taken += u64::from(result.is_some());
            if let Err(error) = shared.start_jobs(&mut state) {
                return Some(Err(error));
            }
            if result.is_some() {
                return result;
            }
            if state.has_panicked {
                return Some(Err(Error::new(ErrorKind::Internal, "a task panicked")));
            }
            // Another thread may start the share of the next result before this one does.
            let only = (shared.consumer == Consumer::Waits).then_some(state.taken);
            if only.is_none_or(|number| number == state.next) && shared.may_reserve(&state) {
                drop(state);
                shared.run_one(only);
                state = lock(&shared.state);
            } else if state.running == 0 {
                return None;
            } else {
                state = shared.progress.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Prevents further shares from being taken, and asks running ones to end early.
    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns a flag that is true once the queue is cancelled, and that cancels it from another thread.
    pub(crate) fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.shared.cancelled
    }
}

impl<W: Workload> Drop for OrderedTasks<W> {
    fn drop(&mut self) {
        self.cancel();
    }
}
