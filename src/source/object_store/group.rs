//! Groups of files that are read one after the other, and the requests for their bytes.
//!
//! One lock guards the chunks that are held or requested. Readers do not hold it while they wait for bytes. Requests start
//! only when a reader reads, or when a request ends while a read-ahead promise is alive. `requests` decides which ranges to
//! request, and `arrivals` stores the responses.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use polars_buffer::Buffer;

use super::location::Location;
use super::plan::FileState;
use super::settings::Ahead;
use super::store::Stores;
use crate::{Error, Result};

/// A group of files with the same options.
pub(super) struct Group {
    pub(super) me: Weak<Group>,
    pub(super) locations: Vec<Location>,
    pub(super) stores: Arc<Stores>,
    pub(super) ahead: Ahead,
    state: Mutex<State>,
    pub(super) progress: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// The process that sends the requests, which do not survive a fork.
    pub(super) process: u32,
    pub(super) files: Vec<FileState>,
    /// Files that a read-ahead promise covers.
    pub(super) expected: BTreeSet<usize>,
    /// Files that were read as far as promised, or to their ends. Their bytes are evicted first.
    pub(super) finished: VecDeque<usize>,
    /// Files whose server ignores ranges.
    pub(super) whole: BTreeSet<usize>,
    /// The number of requests in flight, and the number of bytes held or in flight.
    pub(super) requests: usize,
    pub(super) held: u64,
    /// The number of the next chunk or promise.
    pub(super) next: u64,
    /// The file that was opened last, and the number of files opened in sequence before it.
    pub(super) last_opened: Option<usize>,
    pub(super) opened_in_a_row: usize,
    /// The number of times that waiting reads were interrupted.
    pub(super) interrupts: u64,
}

impl State {
    /// Allows the bytes of a file to be evicted.
    fn finish(&mut self, index: usize) {
        if !std::mem::replace(&mut self.files[index].finished, true) {
            self.finished.push_back(index);
        }
    }

    /// Evicts the bytes of finished files until at most `most` bytes are held; those of file `but` stay.
    pub(super) fn make_room(&mut self, most: u64, but: usize) {
        while self.held > most
            && let Some(index) = self.finished.pop_front()
        {
            self.files[index].finished = false;
            if index != but && !self.expected.contains(&index) {
                self.held -= self.files[index].drop_chunks(|_, chunk| chunk.done);
            }
        }
    }
}

impl Group {
    pub(super) fn new(locations: Vec<Location>, stores: Arc<Stores>, ahead: Ahead) -> Arc<Self> {
        let files = locations.iter().map(|_| FileState::default()).collect();
        let state = Mutex::new(State { process: std::process::id(), files, ..State::default() });
        Arc::new_cyclic(|me| Self { me: me.clone(), locations, stores, ahead, state, progress: Condvar::new() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if state.process != process {
            state.process = process;
            state.requests = 0;
            let State { files, held, .. } = &mut *state;
            for file in files {
                for chunk in file.chunks.values_mut() {
                    chunk.waiters = 0;
                }
                *held -= file.drop_chunks(|_, chunk| !chunk.done);
            }
        }
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.progress.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the size of a file; its first bytes are fetched with it.
    pub(super) fn open(&self, index: usize) -> Result<u64> {
        let mut state = self.lock();
        self.open_ahead(&mut state, index)?;
        loop {
            if let Some(identity) = &state.files[index].identity {
                return Ok(identity.size);
            }
            state = self.wait_for(state, index, 0, Ahead::OPEN)?;
        }
    }

    /// Returns the size of a file, if it is known.
    pub(super) fn size(&self, index: usize) -> Option<u64> {
        self.lock().files[index].identity.as_ref().map(|identity| identity.size)
    }

    /// Waits for a change of the chunk with the byte at `at`, and requests it unless it is in flight.
    fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        index: usize,
        at: u64,
        need: u64,
    ) -> Result<MutexGuard<'a, State>> {
        let shown = &self.locations[index].shown;
        if state.files[index].chunk_at(at).is_none() {
            let len = need.clamp(Ahead::LEAST, self.ahead.chunk);
            let identity = state.files[index].identity.as_ref();
            let end = identity.map_or(at + len, |identity| identity.size.min(at + len));
            let range = state.files[index].gap(at..end, len).unwrap_or(at..end);
            self.request(&mut state, index, range)?;
        }
        let Some((_, chunk)) = state.files[index].chunk_at(at) else { return Ok(state) };
        let id = chunk.id;
        chunk.waiters += 1;
        let (ended, interrupts) = (chunk.failed.is_some(), state.interrupts);
        if !ended {
            state = self.wait(state);
        }
        let found = state.files[index].chunks.iter_mut().find(|(_, chunk)| chunk.id == id);
        if let Some((&start, chunk)) = found {
            chunk.waiters = chunk.waiters.saturating_sub(1);
            if start + chunk.filled <= at
                && let Some(failure) = chunk.failed.clone()
            {
                // The failure wakes every waiter; later readers retry the request.
                if chunk.waiters == 0 {
                    let len = chunk.end - start;
                    state.files[index].chunks.remove(&start);
                    state.held -= len;
                }
                return Err(failure.raise(shown));
            }
        }
        if state.interrupts != interrupts {
            let error = io::Error::new(io::ErrorKind::Interrupted, "the read was interrupted");
            return Err(Error::source(error).in_file(shown));
        }
        Ok(state)
    }

    /// Interrupts the reads that are waiting now.
    pub(super) fn interrupt(&self) {
        self.lock().interrupts += 1;
        self.progress.notify_all();
    }

    /// Reads a range, which does not exceed the file, and passes the bytes to `take` in order.
    pub(super) fn read(&self, index: usize, range: Range<u64>, mut take: impl FnMut(&[u8])) -> Result<()> {
        let Range { start: mut at, end } = range;
        while at < end {
            let found = self.next_bytes(index, at, end)?;
            for bytes in found {
                at += bytes.len() as u64;
                take(&bytes);
            }
        }
        Ok(())
    }

    /// Returns the bytes at `at`, at least one, as soon as there are any.
    fn next_bytes(&self, index: usize, at: u64, end: u64) -> Result<Vec<Buffer<u8>>> {
        let mut state = self.lock();
        let cursor = state.files[index].cursor(at);
        self.read_on(&mut state, index, at, end, cursor)?;
        loop {
            if let Some((start, chunk)) = state.files[index].chunk_at(at)
                && start + chunk.filled > at
            {
                let found = chunk.bytes(start, at, end);
                let read: u64 = found.iter().map(|bytes| bytes.len() as u64).sum();
                let cursor = state.files[index].cursor(at);
                state.files[index].cursors[cursor].at = at + read;
                let State { files, held, expected, .. } = &mut *state;
                // The first bytes are kept if the file is read again later: after it was opened for its schema, or if only
                // its header is promised.
                let keep_first = self.locations.len() == 1 || !files[index].is_promised_whole();
                *held -= files[index].drop_behind(cursor, keep_first);
                let promised = files[index].is_read_as_promised() && expected.remove(&index);
                if promised || files[index].is_at_end(cursor) {
                    state.finish(index);
                }
                self.read_ahead(&mut state)?;
                return Ok(found);
            }
            state = self.wait_for(state, index, at, end - at)?;
        }
    }

    /// Promises that these files will be read, each in this range and in order, until the promise is released.
    pub(super) fn expect(&self, files: impl IntoIterator<Item = usize>, range: &Range<u64>) -> u64 {
        let mut state = self.lock();
        let promise = state.next;
        state.next += 1;
        for index in files {
            state.files[index].expected.push((promise, range.clone()));
            // A new pass begins, so the cursors of the last one are obsolete.
            state.files[index].cursors.clear();
            state.expected.insert(index);
        }
        // An error is ignored here: a reader gets it later.
        let _ = self.read_ahead(&mut state);
        promise
    }

    /// Releases a promise, and drops the requests that no reader waits for.
    pub(super) fn release(&self, promise: u64, files: impl IntoIterator<Item = usize>) {
        let mut state = self.lock();
        for index in files {
            state.files[index].expected.retain(|(id, _)| *id != promise);
            if state.files[index].expected.is_empty() {
                if state.expected.remove(&index) {
                    state.finish(index);
                }
                let State { files, held, requests, .. } = &mut *state;
                let file = &mut files[index];
                let running = file.chunks.values().filter(|chunk| !chunk.done).count();
                *held -= file.drop_chunks(|start, chunk| !chunk.done || start > 0);
                let left = file.chunks.values().filter(|chunk| !chunk.done).count();
                *requests = requests.saturating_sub(running - left);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for file in &mut state.files {
            for chunk in file.chunks.values_mut() {
                if let Some(task) = chunk.task.take() {
                    task.abort();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
