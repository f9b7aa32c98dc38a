//! The state that the threads of a queue share, their turns, and the loop that works on shares.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, Thread};

use super::lock::lock;
use super::pool;
use crate::Result;

/// The number of results that may wait for the consumer while every thread is busy.
pub(super) const AHEAD: usize = 2;

/// A function from shares of an input to results, run on several threads.
pub(crate) trait Workload: Send + Sync + Sized + 'static {
    /// The remaining input. It is guarded by a lock, which no thread holds during I/O or while it waits.
    type Input: Send + 'static;
    /// A unit of work that one thread takes from the input.
    type Share;
    /// The result of one share.
    type Output: Send + 'static;

    /// Takes the next share. Returns `None` if there is none, at least until a share in progress ends its turn.
    fn reserve(&self, input: &mut Self::Input) -> Option<Self::Share>;

    /// Works on a share, on any thread. In its turn it may read state that the shares before left in the input, and update
    /// it.
    fn run(&self, share: Self::Share, turn: &mut Turn<'_, Self>) -> Result<Self::Output>;
}

/// The behaviour of a queue's consumer while its next result is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Works on any share, as one of the threads.
    Works,
    /// Works on the share of the next result, unless another thread has started it.
    Waits,
}

pub(super) struct Shared<W: Workload> {
    pub(super) workload: W,
    /// The maximum number of shares in progress. If it is 1, the consumer's thread works on all of them.
    pub(super) threads: usize,
    pub(super) consumer: Consumer,
    pub(super) state: Mutex<State<W>>,
    /// Signals that a share or a turn has ended.
    pub(super) progress: Condvar,
    pub(super) cancelled: Arc<AtomicBool>,
}

pub(super) struct State<W: Workload> {
    pub(super) input: W::Input,
    pub(super) turns: Turns,
    /// The numbers of shares added to the input, of shares taken from it, and of results that the consumer has taken.
    pub(super) submitted: u64,
    pub(super) next: u64,
    pub(super) taken: u64,
    /// The number of shares in progress, and of jobs on the pool.
    pub(super) running: usize,
    pub(super) jobs: usize,
    /// True if the input had no share at the last attempt to take one.
    pub(super) is_exhausted: bool,
    pub(super) has_failed: bool,
    /// True if a share panicked. Its turn may never end.
    pub(super) has_panicked: bool,
    pub(super) done: BTreeMap<u64, Result<W::Output>>,
}

impl<W: Workload> Shared<W> {
    /// Returns the maximum number of shares that are taken but whose results are not.
    pub(super) fn most(&self) -> u64 {
        (self.threads + AHEAD) as u64
    }

    pub(super) fn may_reserve(&self, state: &State<W>) -> bool {
        let is_over = state.is_exhausted || state.has_failed || self.cancelled.load(Ordering::Relaxed);
        !is_over && state.next - state.taken < self.most()
    }

    /// Starts as many jobs on the pool as are allowed.
    pub(super) fn start_jobs(self: &Arc<Self>, state: &mut State<W>) -> Result<()> {
        let others = self.threads - usize::from(self.consumer == Consumer::Works);
        while state.jobs < others && self.may_reserve(state) {
            let pool = pool::pool()?;
            state.jobs += 1;
            let shared = self.clone();
            pool::spawn(pool, move || shared.job());
        }
        Ok(())
    }

    /// Handles the end of a turn, after which there may be another share.
    fn has_changed(self: &Arc<Self>, state: &mut State<W>) {
        state.is_exhausted = false;
        // If the pool cannot be started, the consumer gets the error from its own call.
        let _ = self.start_jobs(state);
        self.progress.notify_all();
    }

    /// Works on shares until there are none, or until another queue waits for a thread.
    fn job(self: &Arc<Self>) {
        while self.run_one(None) && !pool::is_wanted() {}
        lock(&self.state).jobs -= 1;
    }

    /// Works on the next share, if it has the number `only`; returns false if there was none.
    pub(super) fn run_one(self: &Arc<Self>, only: Option<u64>) -> bool {
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let (number, share) = self.reserve(only)?;
            let mut turn = Turn::new(self, number);
            Some((number, self.workload.run(share, &mut turn)))
        }));
        let mut state = lock(&self.state);
        match worked {
            Ok(Some((number, result))) => {
                state.running -= 1;
                state.has_failed |= result.is_err();
                state.done.insert(number, result);
            }
            Ok(None) => return false,
            Err(_) => {
                (state.has_failed, state.has_panicked) = (true, true);
                state.turns.waiting.values().for_each(Thread::unpark);
            }
        }
        self.progress.notify_all();
        true
    }

    /// Takes the next share and its number, if that is `only`.
    fn reserve(&self, only: Option<u64>) -> Option<(u64, W::Share)> {
        let mut state = lock(&self.state);
        if !self.may_reserve(&state) || only.is_some_and(|number| number != state.next) {
            return None;
        }
        let Some(share) = self.workload.reserve(&mut state.input) else {
            state.is_exhausted = true;
            return None;
        };
        let number = state.next;
        state.next += 1;
        state.running += 1;
        Some((number, share))
    }
}

/// The order of turns.
#[derive(Default)]
pub(super) struct Turns {
    /// The number of the share whose turn it is.
    now: u64,
    /// Waiting threads by the numbers of their shares. They are woken one by one, since all but one would wait again.
    waiting: BTreeMap<u64, Thread>,
}

/// The turn of one share. Either every share of a queue waits for its turn, or none does.
pub(crate) struct Turn<'a, W: Workload> {
    shared: &'a Arc<Shared<W>>,
    number: u64,
    is_mine: bool,
}

impl<'a, W: Workload> Turn<'a, W> {
    fn new(shared: &'a Arc<Shared<W>>, number: u64) -> Self {
        Self { shared, number, is_mine: false }
    }

    /// Waits until all shares before have ended their turns. Returns false if one of them never does.
    pub(crate) fn wait(&mut self) -> bool {
        let mut state = lock(&self.shared.state);
        while state.turns.now != self.number {
            if state.has_panicked {
                return false;
            }
            state.turns.waiting.insert(self.number, thread::current());
            drop(state);
            thread::park();
            state = lock(&self.shared.state);
        }
        state.turns.waiting.remove(&self.number);
        self.is_mine = true;
        true
    }

    /// Changes the input while the lock is held.
    pub(crate) fn input<T>(&self, change: impl FnOnce(&mut W::Input) -> T) -> T {
        change(&mut lock(&self.shared.state).input)
    }

    /// Ends the turn; `publish` stores the state that later shares need in the input.
    pub(crate) fn pass(&mut self, publish: impl FnOnce(&mut W::Input)) {
        let mut state = lock(&self.shared.state);
        publish(&mut state.input);
        self.is_mine = false;
        state.turns.now = self.number + 1;
        if let Some(thread) = state.turns.waiting.get(&state.turns.now) {
            thread.unpark();
        }
        self.shared.has_changed(&mut state);
    }

    /// Returns a flag that is true once the queue is cancelled.
    pub(crate) fn cancelled(&self) -> &'a AtomicBool {
        &self.shared.cancelled
    }
}

impl<W: Workload> Drop for Turn<'_, W> {
    fn drop(&mut self) {
        if self.is_mine && !thread::panicking() {
            self.pass(|_| ());
        }
    }
}
