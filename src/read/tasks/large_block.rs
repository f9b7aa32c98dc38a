//! Blocks that are large enough for several tasks.
//!
//! Many writers make one block of a whole file. The walk that finds where records begin is much quicker than decoding
//! them, so one thread walks while the others decode what it has passed. A compressed block is decompressed first; a block
//! of the null codec is walked through a window, so that its size does not matter.

use polars_buffer::Buffer;

use super::RecordRun;
use crate::binary::PADDING;
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::fetch::{self, Window};
use crate::read::files::OpenFile;
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};
use crate::{Error, Result};

/// Bytes of an uncompressed block that are read at once: the thread that walks them finds them in its cache.
const CHUNK_BYTES: u64 = 2 << 20;

/// Rows that are enough for a task.
const FEW_ROWS: u64 = 4096;

/// Fewer bytes are not worth a read.
const LEAST_CHUNK_BYTES: u64 = 64 << 10;

/// A block that is taken in several tasks.
pub(crate) struct LargeBlock {
    frame: BlockFrame,
    /// Decompressed and padded; `None` where the file has the data as it is.
    data: Option<Buffer<u8>>,
    /// Where the next record begins in the data.
    pos: u64,
    /// Number of the next record, how many to pass over first, how many more are wanted.
    record: u64,
    skip: u64,
    take: u64,
    /// Number of the block's first row in the file.
    first_row: u64,
    /// The walk came to something that cannot be passed over.
    broken: bool,
}

/// A part of the data, padded: a walk may go to its end and, if it is the last part, must not go further.
struct BlockChunk {
    bytes: Buffer<u8>,
    start: usize,
    last: bool,
}

impl LargeBlock {
    pub(crate) fn open(
        file: &OpenFile,
        frame: BlockFrame,
        first_row: u64,
        (skip, take): (u64, u64),
        window: &mut Window,
        counters: &Counters,
    ) -> Result<Self> {
        let error = |error| file.block_error(error, &frame);
        let data = if file.header.codec.is_identity() {
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
            file.decompress(block, &frame, &mut Decompressor::new(), &mut data, counters)?;
            window.release_before(frame.end());
            Some(data.into())
        };
        Ok(Self { frame, data, pos: 0, record: 0, skip, take, first_row, broken: false })
    }

    /// The next run of records; `None` where no more are wanted.
    pub(crate) fn cut(
        &mut self,
        file: &OpenFile,
        plan: &Plan,
        settings: ReadSettings,
        window: &mut Window,
    ) -> Result<Option<RecordRun>> {
        let mut room = (settings.batch_bytes as u64).clamp(LEAST_CHUNK_BYTES, CHUNK_BYTES);
        while self.take > 0 && !self.broken {
            let chunk = self.chunk(file, room, window)?;
            let skipping = self.skip > 0;
            let wanted = if skipping { self.skip } else { self.take.min(self.run_rows(settings)) };
            let (n, stop, fault) = plan.skip_records(&chunk.bytes, chunk.start, wanted);
            if n == 0 && fault.is_some() && !chunk.last {
                // One record is larger than the part.
                room = room.saturating_mul(2);
                continue;
            }
            // Decoding what cannot be passed over fails at the same place, and says what is wrong.
            let fault = fault.filter(|_| chunk.last);
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
                last: self.record + n == self.frame.rows && chunk.last,
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

    fn advance(&mut self, n: u64, bytes: usize) {
        self.record += n;
        self.pos += bytes as u64;
    }

    /// Rows for one task: those of a batch, but few at the block's beginning, where the other threads wait for the first
    /// walk to end, and at its end, where they wait for the last task.
    fn run_rows(&self, settings: ReadSettings) -> u64 {
        let bytes = self.data.as_ref().map_or(self.frame.data.end - self.frame.data.start, |data| data.len() as u64);
        let by_bytes = (settings.batch_bytes as u64).saturating_mul(self.frame.rows) / bytes.max(1);
        let most = (settings.batch_rows as u64).min(by_bytes.max(1));
        if settings.threads == 1 {
            return most;
        }
        let share = (self.take / (2 * settings.threads as u64)).min(self.record + FEW_ROWS);
        most.min(share.max(FEW_ROWS))
    }

    /// The data from the next record on, `room` bytes of it if it is in the file.
    fn chunk(&self, file: &OpenFile, room: u64, window: &mut Window) -> Result<BlockChunk> {
        if let Some(data) = &self.data {
            return Ok(BlockChunk { bytes: data.clone(), start: self.pos as usize, last: true });
        }
        let offset = self.frame.data.start + self.pos;
        let left = self.frame.end() - offset;
        // A window that has less than half of what is wanted is moved on.
        let need = (room / 2).max(PADDING as u64).min(left);
        window.fill(&*file.source, offset, need, room.max(need).min(left))?;
        let stop = self.frame.end().min(window.end());
        // Asking for more would not help either.
        if stop < offset + need {
            let error = Error::data("the file became shorter while it was read");
            return Err(file.block_error(error, &self.frame));
        }
        let start = (offset - window.start()) as usize;
        let bytes = window.bytes().sliced(..(stop - window.start()) as usize);
        Ok(BlockChunk { bytes, start, last: stop == self.frame.end() })
    }
}
