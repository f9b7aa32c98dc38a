//! What the threads of a queue share: its state, their turns, and the loop that works on shares.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, Thread};

use super::lock::lock;
use super::pool;
use crate::Result;

/// Results that may wait for the consumer while every thread is at work.
pub(super) const AHEAD: usize = 2;

/// The work that is done on the shares of an input.
pub(crate) trait Workload: Send + Sync + Sized + 'static {
    /// Everything that is left to do. It is behind a lock, which nobody holds while anything is read or waited for.
    type Input: Send + 'static;
    /// What one thread takes from the input.
    type Share;
    /// The result of one share.
    type Output: Send + 'static;

    /// Takes the next share. Returns `None` if there is none, at least until a share that is taken ends its turn.
    fn reserve(&self, input: &mut Self::Input) -> Option<Self::Share>;

    /// Does the work of a share, on any thread. In its turn it may learn from the shares before, and tell those after it.
    fn run(&self, share: Self::Share, turn: &mut Turn<'_, Self>) -> Result<Self::Output>;
}

/// What the consumer of a queue does while its next result is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Any share, as one of the threads.
    Works,
    /// The share that the next result comes from, unless another thread has begun it.
    Waits,
}

pub(super) struct Shared<W: Workload> {
    pub(super) workload: W,
    /// At most as many shares are worked on at a time; with 1, all of them on the consumer's thread.
    pub(super) threads: usize,
    pub(super) consumer: Consumer,
    pub(super) state: Mutex<State<W>>,
    /// A share has ended, or its turn has.
    pub(super) progress: Condvar,
    pub(super) cancelled: AtomicBool,
}

pub(super) struct State<W: Workload> {
    pub(super) input: W::Input,
    pub(super) turns: Turns,
    /// How many shares were put into the input, taken from it, and how many results the consumer has taken.
    pub(super) submitted: u64,
    pub(super) next: u64,
    pub(super) taken: u64,
    /// Shares that are worked on, and jobs on the pool.
    pub(super) running: usize,
    pub(super) jobs: usize,
    /// The input had no share when it was asked last.
    pub(super) is_exhausted: bool,
    pub(super) has_failed: bool,
    pub(super) has_panicked: bool,
    pub(super) done: BTreeMap<u64, Result<W::Output>>,
}

impl<W: Workload> Shared<W> {
    /// How many shares may be taken whose results are not.
    pub(super) fn most(&self) -> u64 {
        (self.threads + AHEAD) as u64
    }

    pub(super) fn may_reserve(&self, state: &State<W>) -> bool {
        let is_over = state.is_exhausted || state.has_failed || self.cancelled.load(Ordering::Relaxed);
        !is_over && state.next - state.taken < self.most()
    }

    /// Has as many threads of the pool work as may.
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

    /// A turn has ended: there may be another share.
    fn has_changed(self: &Arc<Self>, state: &mut State<W>) {
        state.is_exhausted = false;
        // Without the pool the consumer learns of it, and does all shares.
        let _ = self.start_jobs(state);
        self.progress.notify_all();
    }

    /// Works on shares as long as there are any, and no other queue waits for the thread.
    fn job(self: &Arc<Self>) {
        while self.run_one() && !pool::is_wanted() {}
        lock(&self.state).jobs -= 1;
    }

    /// Works on the next share, if there is one; returns whether there was.
    pub(super) fn run_one(self: &Arc<Self>) -> bool {
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let (number, share) = self.reserve()?;
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
                self.cancelled.store(true, Ordering::Relaxed);
                state.has_panicked = true;
            }
        }
        self.progress.notify_all();
        true
    }

    /// Takes the next share and its number.
    fn reserve(&self) -> Option<(u64, W::Share)> {
        let mut state = lock(&self.state);
        if !self.may_reserve(&state) {
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

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Turns {
    /// Number of the share whose turn it is.
    now: u64,
    /// A share panicked in its turn, which never ends.
    abandoned: bool,
    /// Threads that wait, by the numbers of their shares. They are woken one by one: most would only wait again.
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

    /// Waits until all shares before have had their turns. Returns false if one of them never ends its turn.
    pub(crate) fn wait(&mut self) -> bool {
        let mut state = lock(&self.shared.state);
        while state.turns.now != self.number {
            if state.turns.abandoned {
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

    /// Changes the input; the lock is held meanwhile.
    pub(crate) fn input<T>(&self, change: impl FnOnce(&mut W::Input) -> T) -> T {
        change(&mut lock(&self.shared.state).input)
    }

    /// Ends the turn: `publish` tells the input what later shares need to know.
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

    /// Is true when nobody wants the result any more.
    pub(crate) fn cancelled(&self) -> &'a AtomicBool {
        &self.shared.cancelled
    }
}

impl<W: Workload> Drop for Turn<'_, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut state = lock(&self.shared.state);
            state.turns.abandoned = true;
            state.turns.waiting.values().for_each(Thread::unpark);
        } else if self.is_mine {
            self.pass(|_| ());
        }
    }
}
