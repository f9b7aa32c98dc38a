//! What is left to do, behind its lock: reservations, turns, claims.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, Thread};

use super::Workload;
use super::lock::lock;
use super::times::{Clock, Phase};
use crate::Result;

/// The answer to a claim.
pub(crate) enum Claimed<T> {
    Task(T),
    /// Nothing yet: the input has moved past what was fetched, or has something to fetch now.
    Again,
    End,
}

/// The input of a queue of tasks.
pub(super) struct Input<W: Workload>(Mutex<State<W::Input>>);

struct State<I> {
    rest: I,
    /// The next ticket, which a reservation takes, and the one whose turn it is to claim.
    ticket: u64,
    turn: u64,
    /// Threads that wait for their turn, by ticket.
    waiting: BTreeMap<u64, Thread>,
    /// Number of the next task.
    next: u64,
    ended: bool,
    abandoned: bool,
}

impl<W: Workload> Input<W> {
    pub(super) fn new(rest: W::Input) -> Self {
        let (waiting, ended, abandoned) = (BTreeMap::new(), false, false);
        Self(Mutex::new(State { rest, ticket: 0, turn: 0, waiting, next: 0, ended, abandoned }))
    }

    /// Changes what is left to do.
    pub(super) fn put(&self, put: impl FnOnce(&mut W::Input)) {
        put(&mut lock(&self.0).rest);
    }

    /// A claim panicked: its turn never ends, so nobody waits for one any more.
    fn abandon(&self) {
        let mut state = lock(&self.0);
        state.abandoned = true;
        state.waiting.values().for_each(Thread::unpark);
    }

    /// The next task and its number; an error of the input takes a number too, and is the last.
    pub(super) fn claim(
        &self,
        workload: &W,
        cancelled: &AtomicBool,
        clock: &mut Clock,
    ) -> Option<(u64, Result<W::Task>)> {
        let _guard = AbandonOnPanic(self);
        loop {
            let mut state = lock(&self.0);
            clock.ends(Phase::LockWait);
            if state.ended || cancelled.load(Ordering::Relaxed) {
                return None;
            }
            let ticket = state.ticket;
            state.ticket += 1;
            let mut fetched = None;
            if let Some(share) = workload.reserve(&mut state.rest) {
                drop(state);
                clock.ends(Phase::Locked);
                fetched = Some(workload.fetch(share));
                clock.ends(Phase::Fetch);
                state = lock(&self.0);
            }
            state = self.wait_for_turn(state, ticket)?;
            clock.ends(Phase::LockWait);
            // Turns go on after the end: every ticket has to be used.
            let is_over = state.ended || cancelled.load(Ordering::Relaxed);
            let claimed = if is_over { Ok(Claimed::End) } else { workload.claim(&mut state.rest, fetched) };
            state.turn += 1;
            state.ended |= matches!(claimed, Ok(Claimed::End) | Err(_));
            if let Some(thread) = state.waiting.get(&state.turn) {
                thread.unpark();
            }
            let number = state.next;
            let task = match claimed {
                Ok(Claimed::Again) => {
                    clock.ends(Phase::Locked);
                    continue;
                }
                Ok(Claimed::End) => None,
                Ok(Claimed::Task(task)) => Some(Ok(task)),
                Err(error) => Some(Err(error)),
            };
            state.next += u64::from(task.is_some());
            drop(state);
            clock.ends(Phase::Locked);
            return task.map(|task| (number, task));
        }
    }

    /// Waits until the tickets before this one are used. `None` if one of them never will be.
    fn wait_for_turn<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<W::Input>>,
        ticket: u64,
    ) -> Option<MutexGuard<'a, State<W::Input>>> {
        while state.turn != ticket {
            if state.abandoned {
                return None;
            }
            state.waiting.insert(ticket, thread::current());
            drop(state);
            thread::park();
            state = lock(&self.0);
        }
        state.waiting.remove(&ticket);
        Some(state)
    }
}

/// Dropped by a panic, it keeps others from waiting for this thread's turn.
struct AbandonOnPanic<'a, W: Workload>(&'a Input<W>);

impl<W: Workload> Drop for AbandonOnPanic<'_, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}
