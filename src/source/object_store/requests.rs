//! Decides which ranges of a group's files to request, and when.

use std::ops::Range;

use super::fetch::Fetch;
use super::group::{Group, State};
use super::plan::Chunk;
use super::runtime::runtime;
use super::settings::Ahead;
use crate::Result;

/// The maximum number of chunks kept for single reads.
const PROBES: usize = 32;

impl Group {
    /// Requests the bytes that this reader needs now, and those it is likely to read next.
    pub(super) fn read_on(&self, state: &mut State, index: usize, at: u64, end: u64, cursor: usize) -> Result<()> {
        let file = &state.files[index];
        let likely = file.likely_end(&file.cursors[cursor], self.ahead.bytes).max(end);
        let missing = state.files[index].chunk_at(at).is_none();
        if missing {
            let alone = likely == end && end - at <= Ahead::LEAST;
            let size = state.files[index].identity.as_ref().map_or(end, |identity| identity.size);
            // The first byte is requested even if the limits are reached.
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

    /// Marks a chunk as one for a single read; if there are too many, the oldest is dropped.
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

    /// Requests promised ranges, in order, as far as the limits allow.
    pub(super) fn read_ahead(&self, state: &mut State) -> Result<()> {
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

    /// Requests the missing bytes of a range; returns true if the limits allowed all of them.
    fn request_all(&self, state: &mut State, index: usize, range: Range<u64>) -> Result<bool> {
        if state.files[index].identity.is_none() {
            return Ok(true);
        }
        while let Some(gap) = state.files[index].gap(range.clone(), self.ahead.chunk) {
            let gap = Self::as_sent(state, index, gap);
            if !self.has_room(state, gap.end - gap.start) {
                return Ok(false);
            }
            self.request(state, index, gap)?;
        }
        Ok(true)
    }

    /// Returns the range that a request brings: a server without ranges sends the rest of the object with it.
    fn as_sent(state: &State, index: usize, range: Range<u64>) -> Range<u64> {
        let file = &state.files[index];
        match &file.identity {
            Some(identity) if state.whole.contains(&index) => {
                file.gap(range.start..identity.size, identity.size).unwrap_or(range)
            }
            _ => range,
        }
    }

    pub(super) fn request(&self, state: &mut State, index: usize, range: Range<u64>) -> Result<()> {
        let runtime = runtime()?;
        let range = Self::as_sent(state, index, range);
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
        state.make_room(self.ahead.bytes, index);
        Ok(())
    }

    /// Requests the first bytes of the files after one that is opened, as many as were opened in sequence before it. A
    /// reader that may stop early makes no promises, so this predicts its next files.
    pub(super) fn open_ahead(&self, state: &mut State, index: usize) -> Result<()> {
        if state.last_opened == Some(index) || !state.expected.is_empty() {
            return Ok(());
        }
        let in_a_row = index > 0 && state.last_opened == Some(index - 1);
        state.opened_in_a_row = if in_a_row { state.opened_in_a_row + 1 } else { 0 };
        state.last_opened = Some(index);
        let last = index.saturating_add(state.opened_in_a_row).min(self.locations.len() - 1);
        for next in index + 1..=last {
            let file = &state.files[next];
            if file.identity.is_none() && file.chunks.is_empty() && self.has_room(state, Ahead::OPEN) {
                self.request(state, next, 0..Ahead::OPEN)?;
            }
        }
        Ok(())
    }
}
