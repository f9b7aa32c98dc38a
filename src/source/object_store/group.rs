//! Files that are read one after the other, and the requests for their bytes.
//!
//! One lock guards what is held and what is requested. Readers wait without it for the byte they need; requests start
//! when a reader reads, or when one ends while a promise to read on is alive. Nothing is requested otherwise.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use polars_buffer::Buffer;

use super::error::Failure;
use super::fetch::{Fetch, Gone};
use super::location::Location;
use super::plan::{Chunk, FileState, Identity};
use super::runtime::runtime;
use super::settings::Ahead;
use super::store::Stores;
use crate::{Error, Result};

/// Files with the same options.
pub(super) struct Group {
    me: Weak<Group>,
    pub(super) locations: Vec<Location>,
    stores: Arc<Stores>,
    ahead: Ahead,
    state: Mutex<State>,
    progress: Condvar,
}

#[derive(Default)]
struct State {
    /// The process that sends the requests: they do not survive a fork.
    process: u32,
    files: Vec<FileState>,
    /// Files that are promised to be read.
    expected: BTreeSet<usize>,
    /// Files that were promised and read so far; what is held of them goes first.
    finished: VecDeque<usize>,
    /// Files whose server sends them whole only.
    whole: BTreeSet<usize>,
    /// Requests under way, and bytes held or on their way.
    requests: usize,
    held: u64,
    /// The number of the next chunk or promise.
    next: u64,
    /// How often waiting reads were ended.
    interrupts: u64,
}

/// Chunks for single reads that are kept.
const PROBES: usize = 32;

impl Group {
    pub(super) fn new(locations: Vec<Location>, stores: Arc<Stores>, ahead: Ahead) -> Arc<Self> {
        let files = locations.iter().map(|_| FileState::default()).collect();
        let state = Mutex::new(State { process: std::process::id(), files, ..State::default() });
        Arc::new_cyclic(|me| Self { me: me.clone(), locations, stores, ahead, state, progress: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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

    /// The size of a file; its first bytes come with it.
    pub(super) fn open(&self, index: usize) -> Result<u64> {
        let mut state = self.lock();
        loop {
            if let Some(identity) = &state.files[index].identity {
                return Ok(identity.size);
            }
            state = self.wait_for(state, index, 0, Ahead::OPEN)?;
        }
    }

    /// The size of a file if it is known.
    pub(super) fn size(&self, index: usize) -> Option<u64> {
        self.lock().files[index].identity.as_ref().map(|identity| identity.size)
    }

    /// Waits for a change of the chunk that has the byte at `at`, which is requested unless it is on its way.
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
        let Some((start, chunk)) = state.files[index].chunk_at(at) else { return Ok(state) };
        if let Some(failure) = chunk.failed.take() {
            let len = chunk.end - start;
            state.files[index].chunks.remove(&start);
            state.held -= len;
            return Err(failure.raise(shown));
        }
        chunk.waiters += 1;
        let (id, interrupts) = (chunk.id, state.interrupts);
        state = self.wait(state);
        if let Some(chunk) = state.files[index].chunks.values_mut().find(|chunk| chunk.id == id) {
            chunk.waiters = chunk.waiters.saturating_sub(1);
        }
        if state.interrupts != interrupts {
            let error = io::Error::new(io::ErrorKind::Interrupted, "the read was interrupted");
            return Err(Error::source(error).in_file(shown));
        }
        Ok(state)
    }

    /// Ends the reads that wait now.
    pub(super) fn interrupt(&self) {
        self.lock().interrupts += 1;
        self.progress.notify_all();
    }

    /// Reads up to `end`, which is not behind the file's end, and hands the bytes over in order.
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

    /// The bytes at `at`, at least one, as soon as there are any.
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
                let State { files, held, expected, finished, .. } = &mut *state;
                // A file that is opened for its schema is read later.
                let keep_first = self.locations.len() == 1 || !expected.contains(&index);
                *held -= files[index].drop_behind(cursor, keep_first);
                if files[index].is_read_as_promised() && expected.remove(&index) {
                    finished.push_back(index);
                }
                self.read_ahead(&mut state)?;
                return Ok(found);
            }
            state = self.wait_for(state, index, at, end - at)?;
        }
    }

    /// Requests what this reader reads now, and what it is likely to read next.
    fn read_on(&self, state: &mut State, index: usize, at: u64, end: u64, cursor: usize) -> Result<()> {
        let file = &state.files[index];
        let likely = file.likely_end(&file.cursors[cursor], self.ahead.bytes).max(end);
        let missing = state.files[index].chunk_at(at).is_none();
        if missing {
            let alone = likely == end && end - at <= Ahead::LEAST;
            let size = state.files[index].identity.as_ref().map_or(end, |identity| identity.size);
            // The first byte is requested whatever is under way.
            let longest = (likely - at).clamp(Ahead::LEAST, self.ahead.chunk);
            if let Some(gap) = state.files[index].gap(at..(at + longest).min(size), longest) {
                let start = gap.start;
                self.request(state, index, gap)?;
                if alone {
                    Self::keep_probe(state, index, start);
                }
            }
        }
        self.request_all(state, index, at..likely)?;
        Ok(())
    }

    /// Remembers that a chunk stands for a single read; the oldest of many is dropped.
    fn keep_probe(state: &mut State, index: usize, start: u64) {
        let State { files, held, .. } = state;
        let file = &mut files[index];
        if let Some(chunk) = file.chunks.get_mut(&start) {
            chunk.probe = true;
        }
        let mut probes: Vec<u64> = file.chunks.values().filter(|chunk| chunk.probe).map(|chunk| chunk.id).collect();
        if probes.len() > PROBES {
            probes.sort_unstable();
            let oldest = probes[0];
            *held -= file.drop_chunks(|_, chunk| chunk.id == oldest && chunk.done);
        }
    }

    /// Requests what is promised to be read, in order, as far as the bounds allow.
    fn read_ahead(&self, state: &mut State) -> Result<()> {
        let mut next = 0;
        while let Some(index) = state.expected.range(next..).next().copied() {
            next = index + 1;
            if state.files[index].identity.is_none() {
                if state.files[index].chunks.is_empty() && !self.has_room(state, Ahead::OPEN_WHOLE) {
                    return Ok(());
                }
                if state.files[index].chunks.is_empty() {
                    let wanted = state.files[index].expected.iter().map(|(_, range)| range.end).max().unwrap_or(0);
                    let len = wanted.clamp(Ahead::OPEN, Ahead::OPEN_WHOLE);
                    self.request(state, index, 0..len)?;
                }
                continue;
            }
            for range in state.files[index].expected.clone() {
                let file = &state.files[index];
                let size = file.identity.as_ref().map_or(0, |identity| identity.size);
                let range = range.1.start..range.1.end.min(size);
                let from = file.position_in(&range);
                if !self.request_all(state, index, from..range.end)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn has_room(&self, state: &State, bytes: u64) -> bool {
        state.requests < self.ahead.requests && state.held + bytes <= self.ahead.bytes
    }

    /// Requests what is missing in a range; says whether the bounds allowed all of it.
    fn request_all(&self, state: &mut State, index: usize, range: Range<u64>) -> Result<bool> {
        if state.files[index].identity.is_none() {
            return Ok(true);
        }
        while let Some(gap) = state.files[index].gap(range.clone(), self.ahead.chunk) {
            if !self.has_room(state, gap.end - gap.start) {
                return Ok(false);
            }
            self.request(state, index, gap)?;
        }
        Ok(true)
    }

    fn request(&self, state: &mut State, index: usize, range: Range<u64>) -> Result<()> {
        let runtime = runtime()?;
        let id = state.next;
        state.next += 1;
        let fetch = Fetch {
            group: self.me.clone(),
            stores: self.stores.clone(),
            location: self.locations[index].clone(),
            index,
            id,
            range: range.clone(),
            filled: 0,
            identity: state.files[index].identity.clone(),
            whole: state.whole.contains(&index),
        };
        let task = Some(runtime.spawn(fetch.run()).abort_handle());
        let chunk = Chunk {
            id,
            end: range.end,
            frames: Vec::new(),
            filled: 0,
            done: false,
            failed: None,
            waiters: 0,
            task,
            probe: false,
        };
        state.held += range.end - range.start;
        state.requests += 1;
        state.files[index].chunks.insert(range.start, chunk);
        while state.held > self.ahead.bytes
            && let Some(finished) = state.finished.pop_front()
        {
            if finished != index {
                state.held -= state.files[finished].drop_chunks(|_, chunk| chunk.done);
            }
        }
        Ok(())
    }

    /// The first response has come; the chunk is as long as the object has bytes for it.
    pub(super) fn identified(
        &self,
        index: usize,
        id: u64,
        identity: &Arc<Identity>,
        whole: bool,
    ) -> std::result::Result<(), Gone> {
        let mut state = self.lock();
        if whole {
            state.whole.insert(index);
        }
        let State { files, held, .. } = &mut *state;
        let file = &mut files[index];
        file.identity.get_or_insert_with(|| identity.clone());
        let (start, chunk) = file.chunks.iter_mut().find(|(_, chunk)| chunk.id == id).ok_or(Gone)?;
        let end = if whole { identity.size } else { chunk.end.min(identity.size) };
        *held = *held + end - chunk.end;
        chunk.end = end;
        if end <= *start {
            let start = *start;
            file.chunks.remove(&start);
            state.requests = state.requests.saturating_sub(1);
        }
        // Its size is what the next requests were waiting for.
        let _ = self.read_ahead(&mut state);
        drop(state);
        self.progress.notify_all();
        Ok(())
    }

    /// Bytes have come.
    pub(super) fn append<B>(&self, index: usize, id: u64, bytes: B) -> std::result::Result<(), Gone>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let mut state = self.lock();
        let chunk = state.files[index].chunks.values_mut().find(|chunk| chunk.id == id).ok_or(Gone)?;
        let bytes = Buffer::from_owner(bytes);
        chunk.filled += bytes.len() as u64;
        chunk.frames.push(bytes);
        let waited_for = chunk.waiters > 0;
        drop(state);
        if waited_for {
            self.progress.notify_all();
        }
        Ok(())
    }

    /// A request has ended.
    pub(super) fn finished(&self, index: usize, id: u64, ended: std::result::Result<(), Failure>) {
        let mut state = self.lock();
        let found = state.files[index].chunks.values_mut().find(|chunk| chunk.id == id);
        if let Some(chunk) = found {
            chunk.done = true;
            chunk.task = None;
            chunk.failed = ended.err();
            state.requests = state.requests.saturating_sub(1);
        }
        // A failure shows when a reader gets there.
        let _ = self.read_ahead(&mut state);
        drop(state);
        self.progress.notify_all();
    }

    /// Promises that these files will be read, each in this range and in order, until the promise is taken back.
    pub(super) fn expect(&self, files: impl IntoIterator<Item = usize>, range: &Range<u64>) -> u64 {
        let mut state = self.lock();
        let promise = state.next;
        state.next += 1;
        for index in files {
            state.files[index].expected.push((promise, range.clone()));
            // A new pass begins, wherever the last one ended.
            state.files[index].cursors.clear();
            state.expected.insert(index);
        }
        // A failure shows when a reader gets there.
        let _ = self.read_ahead(&mut state);
        promise
    }

    /// Takes a promise back, and with it the requests that nobody waits for.
    pub(super) fn release(&self, promise: u64, files: impl IntoIterator<Item = usize>) {
        let mut state = self.lock();
        let State { files: all, held, expected, finished, requests, .. } = &mut *state;
        for index in files {
            let file = &mut all[index];
            file.expected.retain(|(id, _)| *id != promise);
            if file.expected.is_empty() {
                if expected.remove(&index) {
                    finished.push_back(index);
                }
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
