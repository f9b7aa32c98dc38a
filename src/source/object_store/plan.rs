//! The chunks that are held of a file, and the ranges to request next. Sends no requests itself.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;
use tokio::task::AbortHandle;

use super::error::Failure;
use super::settings::Ahead;

/// The identity of an object, from its first response.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub(super) size: u64,
    pub(super) etag: Option<String>,
    /// The time of the last change, as the server formats it.
    pub(super) modified: Option<String>,
}

impl Identity {
    /// Returns true if another response is one of the same object. If the `ETag` identifies its bytes, times are ignored.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        let is_identified = self.condition().is_some();
        self.size == other.size && self.etag == other.etag && (is_identified || self.modified == other.modified)
    }

    /// Returns the `ETag` for a conditional request; `None` for a weak one, which never matches.
    pub(super) fn condition(&self) -> Option<String> {
        self.etag.clone().filter(|etag| is_strong(etag))
    }
}

/// Returns true if an `ETag` identifies the bytes of an object. Some servers send an empty one.
pub(super) fn is_strong(etag: &str) -> bool {
    !etag.is_empty() && !etag.starts_with("W/")
}

/// A requested range, and the bytes of it that have arrived.
pub(super) struct Chunk {
    pub(super) id: u64,
    pub(super) end: u64,
    pub(super) frames: Vec<Buffer<u8>>,
    pub(super) filled: u64,
    pub(super) done: bool,
    pub(super) failed: Option<Failure>,
    pub(super) waiters: usize,
    pub(super) task: Option<AbortHandle>,
    /// True if it was requested for a single read, without prefetching.
    pub(super) probe: bool,
}

impl Chunk {
    /// Returns the bytes that have arrived from `at` to `end`; the chunk starts at `start`.
    pub(super) fn bytes(&self, start: u64, at: u64, end: u64) -> Vec<Buffer<u8>> {
        let mut found = Vec::new();
        let mut offset = start;
        for frame in &self.frames {
            let stop = offset + frame.len() as u64;
            if stop > at && offset < end {
                let (from, to) = (at.max(offset) - offset, end.min(stop) - offset);
                found.push(frame.clone().sliced(from as usize..to as usize));
            }
            offset = stop;
        }
        found
    }
}

/// A reader's position in a file. Consecutive reads share one.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    start: u64,
    pub(super) at: u64,
}

/// The maximum number of cursors of a file.
const CURSORS: usize = 8;

/// The number of bytes before a cursor that are kept: a reader may step back a little.
const KEPT_BEHIND: u64 = 64 << 10;

/// The ratio of bytes prefetched to bytes read in a row, if no promise covers the position.
const GROWTH: u64 = 16;

/// The step in bytes by which the prefetch window of a reader grows.
const STEP: u64 = 1 << 20;

/// The state of one file: its identity, chunks, cursors and promises.
#[derive(Default)]
pub(super) struct FileState {
    pub(super) identity: Option<Arc<Identity>>,
    /// The chunks by their first byte; they do not overlap.
    pub(super) chunks: BTreeMap<u64, Chunk>,
    pub(super) cursors: VecDeque<Cursor>,
    /// Ranges that are promised to be read in order, with the number of the promise.
    pub(super) expected: Vec<(u64, Range<u64>)>,
    /// True if it is among the group's finished files.
    pub(super) finished: bool,
}

impl FileState {
    /// Returns the chunk that has this byte.
    pub(super) fn chunk_at(&mut self, at: u64) -> Option<(u64, &mut Chunk)> {
        let (start, chunk) = self.chunks.range_mut(..=at).next_back()?;
        (at < chunk.end).then_some((*start, chunk))
    }

    /// Returns the first range without a chunk in `range`, at most `longest` bytes.
    pub(super) fn gap(&self, range: Range<u64>, longest: u64) -> Option<Range<u64>> {
        let mut at = range.start;
        if let Some((_, chunk)) = self.chunks.range(..=at).next_back() {
            at = at.max(chunk.end);
        }
        for (start, chunk) in self.chunks.range(at..) {
            if *start > at {
                return (at < range.end).then(|| at..(*start).min(range.end).min(at + longest));
            }
            at = chunk.end;
        }
        (at < range.end).then(|| at..range.end.min(at.saturating_add(longest)))
    }

    /// Finds or creates the cursor of a read at `at`; returns its index.
    pub(super) fn cursor(&mut self, at: u64) -> usize {
        let near = |cursor: &Cursor| at + (1 << 20) >= cursor.at && at <= cursor.at.saturating_add(Ahead::JUMP);
        let distance = |cursor: &Cursor| cursor.at.abs_diff(at);
        let nearest = self.cursors.iter().enumerate().filter(|(_, cursor)| near(cursor));
        if let Some((found, _)) = nearest.min_by_key(|(_, cursor)| distance(cursor)) {
            return found;
        }
        if self.cursors.len() == CURSORS {
            self.cursors.pop_front();
        }
        self.cursors.push_back(Cursor { start: at, at });
        self.cursors.len() - 1
    }

    /// Returns the offset up to which a reader at this cursor is likely to read on.
    pub(super) fn likely_end(&self, cursor: &Cursor, ahead: u64) -> u64 {
        let size = self.identity.as_ref().map_or(0, |identity| identity.size);
        let promised =
            self.expected.iter().find(|(_, range)| range.start <= cursor.at + KEPT_BEHIND && cursor.at < range.end);
        if let Some((_, range)) = promised {
            return range.end.min(size);
        }
        let run = cursor.at.saturating_sub(cursor.start);
        let window = if run < Ahead::OPEN / 2 { 0 } else { run.saturating_mul(GROWTH).min(ahead) };
        let end = cursor.at.saturating_add(window);
        // The end is rounded, because steps of a few kilobytes would each send a request.
        if end >= size || window < STEP { end.min(size) } else { end - end % STEP }
    }

    /// Returns the position that reading a promised range has reached.
    pub(super) fn position_in(&self, range: &Range<u64>) -> u64 {
        let inside = self.cursors.iter().filter(|cursor| cursor.start <= range.end && cursor.at >= range.start);
        inside.map(|cursor| cursor.at.min(range.end)).max().unwrap_or(range.start)
    }

    /// Returns true if all promised bytes were read.
    pub(super) fn is_read_as_promised(&self) -> bool {
        let size = self.identity.as_ref().map_or(u64::MAX, |identity| identity.size);
        self.expected.iter().all(|(_, range)| self.position_in(range) >= range.end.min(size))
    }

    /// Returns true if a promise covers the file to its end.
    pub(super) fn is_promised_whole(&self) -> bool {
        let size = self.identity.as_ref().map_or(u64::MAX, |identity| identity.size);
        self.expected.iter().any(|(_, range)| range.end >= size)
    }

    /// Returns true if the reader of this cursor has reached the end of the file.
    pub(super) fn is_at_end(&self, cursor: usize) -> bool {
        self.identity.as_ref().is_some_and(|identity| self.cursors[cursor].at >= identity.size)
    }

    /// Drops the chunks before a cursor; returns the number of bytes dropped. With `keep_first` the file's first chunk
    /// stays.
    pub(super) fn drop_behind(&mut self, cursor: usize, keep_first: bool) -> u64 {
        let Cursor { start, at } = self.cursors[cursor];
        let behind = at.saturating_sub(KEPT_BEHIND);
        let at_end = self.is_at_end(cursor);
        self.drop_chunks(|first, chunk| {
            let passed = chunk.end <= behind || (at_end && chunk.end <= at);
            chunk.done && first >= start && passed && (first > 0 || !keep_first)
        })
    }

    /// Drops the chunks that `which` selects and no reader waits for; returns the number of bytes they covered.
    pub(super) fn drop_chunks(&mut self, which: impl Fn(u64, &Chunk) -> bool) -> u64 {
        let mut dropped = 0;
        self.chunks.retain(|start, chunk| {
            let drop = chunk.waiters == 0 && which(*start, chunk);
            if drop {
                dropped += chunk.end - start;
                if let Some(task) = chunk.task.take() {
                    task.abort();
                }
            }
            !drop
        });
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: u64, held: &[Range<u64>]) -> FileState {
        let mut file =
            FileState { identity: Some(Arc::new(Identity { size, ..Identity::default() })), ..<_>::default() };
        for (id, range) in held.iter().enumerate() {
            let bytes = Buffer::from(vec![id as u8; (range.end - range.start) as usize]);
            let chunk = Chunk {
                id: id as u64,
                end: range.end,
                filled: bytes.len() as u64,
                frames: vec![bytes],
                done: true,
                failed: None,
                waiters: 0,
                task: None,
                probe: false,
            };
            file.chunks.insert(range.start, chunk);
        }
        file
    }

    #[test]
    fn gaps_are_found_in_order() {
        let file = file(100, &[0..10, 20..30]);
        assert_eq!(file.gap(0..100, 50), Some(10..20));
        assert_eq!(file.gap(12..100, 5), Some(12..17));
        assert_eq!(file.gap(20..100, 50), Some(30..80));
        assert_eq!(file.gap(20..30, 50), None);
        assert_eq!(file.gap(0..10, 50), None);
    }

    #[test]
    fn near_reads_share_a_cursor_and_far_ones_do_not() {
        let mut file = file(1 << 40, &[]);
        assert_eq!(file.cursor(0), 0);
        file.cursors[0].at = 1000;
        assert_eq!(file.cursor(500), 0);
        assert_eq!(file.cursor(Ahead::JUMP), 0);
        assert_eq!(file.cursor(Ahead::JUMP * 3), 1);
        for far in 0..20 {
            file.cursor(far << 30);
        }
        assert_eq!(file.cursors.len(), CURSORS);
    }

    #[test]
    fn nothing_is_likely_until_a_reader_has_read_on() {
        let mut file = file(1 << 30, &[]);
        let full = 32 << 20;
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 16 << 10 }, full), 16 << 10);
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 128 << 10 }, full), 2 << 20);
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 256 << 10 }, full), 4 << 20);
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 272 << 10 }, full), 4 << 20);
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 64 << 20 }, full), (64 << 20) + full);
        file.expected.push((1, 0..1 << 20));
        assert_eq!(file.likely_end(&Cursor { start: 0, at: 100 }, full), 1 << 20);
    }

    #[test]
    fn what_is_behind_is_dropped_but_for_the_first_bytes() {
        let mut file = file(4 << 20, &[0..1 << 20, 1 << 20..2 << 20, 2 << 20..3 << 20]);
        file.cursor(0);
        file.cursors[0].at = 5 << 19;
        assert_eq!(file.drop_behind(0, true), 1 << 20);
        assert_eq!(file.chunks.keys().copied().collect::<Vec<_>>(), [0, 2 << 20]);
        assert_eq!(file.drop_behind(0, false), 1 << 20);
    }

    #[test]
    fn parts_of_chunks_are_cut_out() {
        let mut file = file(20, &[5..10, 15..20]);
        let (start, chunk) = file.chunk_at(7).unwrap();
        let parts = chunk.bytes(start, 7, 20);
        assert_eq!(parts.iter().map(Buffer::len).sum::<usize>(), 3);
        assert!(file.chunk_at(10).is_none());
    }
}
