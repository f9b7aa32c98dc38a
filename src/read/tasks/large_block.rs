//! Blocks that are large enough for several tasks.
//!
//! Many writers make one block of a whole file. It is cut between records: each thread fetches a part, looks for the
//! records in it ([`RecordPath`](super::RecordPath)), and learns in its turn where the first of them begins. A compressed
//! block is decompressed first; a block of the null codec is taken from the file, so that its size does not matter.

mod parts;
mod walk_over;

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::ranges::Ranges;
use super::{Part, RecordRun};
use crate::binary::{Fault, PADDING};
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::fetch::{self, BufferPool, Window};
use crate::read::files::OpenFile;
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};
use crate::source::Source;
use crate::{Error, MemorySource, Result};

/// Most bytes of a part: the thread that walks them finds them in its cache when it decodes them.
const PART_BYTES: u64 = 2 << 20;

/// Fewer bytes are not worth a read.
const LEAST_PART_BYTES: u64 = 64 << 10;

/// Rows that are enough for a task.
const FEW_ROWS: u64 = 4096;

/// A block that is taken in several tasks.
pub(crate) struct LargeBlock {
    frame: BlockFrame,
    /// Decompressed and padded; `None` where the file has the data as it is.
    data: Option<Arc<dyn Source>>,
    /// Where the data begins, and ends without its padding, in the file or in `data`.
    start: u64,
    stop: u64,
    /// Where the next record begins.
    offset: u64,
    /// Number of the next record, how many to pass over first, how many more are wanted.
    record: u64,
    skip: u64,
    take: u64,
    /// Number of the block's first row in the file.
    first_row: u64,
    /// The walk came to something that cannot be passed over.
    broken: bool,
    /// The compressed stream has no end; whether its rows are to be checked before any is cut.
    is_unfinished: bool,
    is_unchecked: bool,
    /// What other threads fetch and have fetched of it, and the part that is cut now.
    parts: Ranges,
    part: Option<Part>,
}

/// Some bytes of the block, padded: a walk may go to their end and, if they are the last, must not go further.
struct Chunk {
    bytes: Buffer<u8>,
    start: usize,
    /// Bytes of the block after these.
    behind: u64,
}

impl LargeBlock {
    pub(crate) fn open(
        file: &OpenFile,
        frame: BlockFrame,
        first_row: u64,
        (skip, take): (u64, u64),
        window: &mut Window,
        counters: &Counters,
        buffers: Arc<BufferPool>,
    ) -> Result<Self> {
        let error = |error| file.block_error(error, &frame);
        let mut is_unfinished = false;
        let data: Option<Arc<dyn Source>> = if file.header.codec.is_identity() {
            let sync = fetch::bytes_at(&*file.source, frame.data.end, file.header.sync.len())?;
            frame.check_sync(&sync, &file.header.sync).map_err(error)?;
            add(&counters.bytes_decoded, frame.data.end - frame.data.start);
            None
        } else {
            let len = frame.end() - frame.data.start;
            window.fill(&*file.source, frame.data.start, len, len)?;
            let block = window.from(frame.data.start);
            let block = &block[..block.len().min(usize::try_from(len).unwrap_or(usize::MAX))];
            let mut data = Vec::new();
            let place = file.decompress(block, &frame, &mut Decompressor::new(), &mut data, counters)?;
            is_unfinished = place.is_unfinished();
            window.release_before(frame.end());
            Some(Arc::new(MemorySource::new(data)))
        };
        let Range { start, end: stop } =
            data.as_ref().map_or(frame.data.clone(), |data| 0..data.size() - PADDING as u64);
        let (parts, part) = (Ranges::new(buffers), None);
        Ok(Self {
            frame,
            data,
            start,
            stop,
            offset: start,
            record: 0,
            skip,
            take,
            first_row,
            broken: false,
            is_unfinished,
            is_unchecked: is_unfinished,
            parts,
            part,
        })
    }

    /// The next run of records; `None` where no more are wanted.
    pub(super) fn cut(
        &mut self,
        file: &OpenFile,
        plan: &Plan,
        settings: ReadSettings,
        window: &mut Window,
    ) -> Result<Option<RecordRun>> {
        if std::mem::take(&mut self.is_unchecked)
            && let Some(data) = &self.data
        {
            file.check_unfinished(plan, &self.frame, &fetch::bytes_at(&**data, 0, usize::MAX)?)?;
        }
        if self.frame.rows == 0 && self.offset < self.stop {
            return Ok(Some(self.no_rows()));
        }
        let mut room = (settings.batch_bytes as u64).clamp(LEAST_PART_BYTES, PART_BYTES);
        while self.take > 0 && !self.broken {
            let chunk = match self.part_chunk() {
                Some(chunk) => chunk,
                None => self.chunk(file, room, window)?,
            };
            let skipping = self.skip > 0;
            let (n, stop, fault) = if let Some((n, stop)) = self.path(settings) {
                (n, chunk.start + (stop - self.offset) as usize, None)
            } else {
                let wanted = if skipping { self.skip } else { self.run_rows(settings, self.record, self.take) };
                plan.skip_records(&chunk.bytes, chunk.start, wanted)
            };
            let may_go_on = chunk.behind > 0 && fault.as_ref().is_none_or(Fault::is_short);
            if n == 0 && fault.is_some() && may_go_on {
                // One record is larger than the part.
                if self.part.take().is_none() {
                    room = room.saturating_mul(2);
                }
                continue;
            }
            // Decoding what cannot be passed over fails at the same place, and says what is wrong.
            let fault = fault.filter(|_| !may_go_on);
            if skipping {
                if let Some(fault) = fault {
                    return Err(file.record_fault(fault, &self.frame, self.record + n, (&chunk.bytes, stop)));
                }
                self.advance(n, stop - chunk.start);
                self.skip -= n;
                continue;
            }
            self.broken = fault.is_some();
            let rows = RecordRun {
                frame: self.frame.clone(),
                data: chunk.bytes,
                start: chunk.start,
                stop: (!self.broken).then_some(stop),
                behind: (self.record + n == self.frame.rows).then_some(chunk.behind),
                is_unfinished: self.is_unfinished,
                first_row: self.first_row + self.record,
                record: self.record,
                n: if self.broken { self.take } else { n },
            };
            self.advance(n, stop - chunk.start);
            self.take -= n;
            return Ok(Some(rows));
        }
        Ok(None)
    }

    /// A run of no records, for a block that has bytes and no rows.
    fn no_rows(&mut self) -> RecordRun {
        let behind = Some(self.stop - self.offset);
        self.offset = self.stop;
        RecordRun {
            frame: self.frame.clone(),
            data: vec![0; PADDING].into(),
            start: 0,
            stop: None,
            behind,
            is_unfinished: self.is_unfinished,
            first_row: self.first_row,
            record: 0,
            n: 0,
        }
    }

    /// How many records a walk has passed from here on, and where it ended, if all of them are wanted in one task.
    fn path(&self, settings: ReadSettings) -> Option<(u64, u64)> {
        let walked = self.part.as_ref()?.path.as_ref()?.from(self.offset)?;
        let most = self.take.min(settings.batch_rows as u64 * 5 / 4);
        (self.skip == 0 && walked.0 > 0 && walked.0 <= most).then_some(walked)
    }

    fn advance(&mut self, n: u64, bytes: usize) {
        self.record += n;
        self.offset += bytes as u64;
        // The task that was cut last has the memory of the part to itself.
        self.part = self.part.take().filter(|part| part.fetched.has(self.offset));
    }

    /// Rows for one task, of `take` from number `record` on: those of a batch, but few at the block's beginning, where the
    /// first rows are waited for, and at its end, where all threads wait for the last task.
    fn run_rows(&self, settings: ReadSettings, record: u64, take: u64) -> u64 {
        let most = self.rows_in(settings.batch_bytes as u64).clamp(1, settings.batch_rows as u64).min(take);
        if settings.threads == 1 {
            return most;
        }
        let share = (take / (2 * settings.threads as u64)).min(record.saturating_add(FEW_ROWS));
        most.min(share.max(FEW_ROWS))
    }

    /// The rest of the part that is cut now.
    fn part_chunk(&self) -> Option<Chunk> {
        let fetched = &self.part.as_ref()?.fetched;
        let end = fetched.range.start + fetched.bytes().len() as u64;
        let start = usize::try_from(self.offset - fetched.range.start).ok()?;
        Some(Chunk { bytes: fetched.bytes().clone(), start, behind: (self.stop + PADDING as u64).saturating_sub(end) })
    }

    /// The data from the next record on, `room` bytes of it if it is in the file.
    fn chunk(&self, file: &OpenFile, room: u64, window: &mut Window) -> Result<Chunk> {
        if let Some(data) = &self.data {
            return Ok(Chunk { bytes: fetch::bytes_at(&**data, self.offset, usize::MAX)?, start: 0, behind: 0 });
        }
        let left = self.frame.end() - self.offset;
        // A window that has less than half of what is wanted is moved on.
        let need = (room / 2).max(PADDING as u64).min(left);
        window.fill(&*file.source, self.offset, need, room.max(need).min(left))?;
        let stop = self.frame.end().min(window.end());
        // Asking for more would not help either.
        if stop < self.offset + need {
            let error = Error::data("the file became shorter while it was read");
            return Err(file.block_error(error, &self.frame));
        }
        let start = (self.offset - window.start()) as usize;
        let bytes = window.bytes().sliced(..(stop - window.start()) as usize);
        Ok(Chunk { bytes, start, behind: self.frame.end() - stop })
    }
}
