//! Cuts large blocks into several sections.
//!
//! Many writers make one block of a whole file. It is cut between records: a section owns the records that begin in it. An
//! uncompressed block is read from the file in pieces, so its size does not matter. A compressed one is decompressed first,
//! and its data is cut into sections.

use std::ops::Range;
use std::sync::Arc;

use super::RecordRun;
use super::fetch::FetchedPiece;
use super::file_list::Opened;
use super::record_path::RecordHint;
use super::section::DecompressedBlock;
use crate::binary::{Fault, PADDING};
use crate::codec::{Decompressor, StreamEnd};
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::fetch;
use crate::read::files::OpenFile;
use crate::read::settings::{Pace, READ_BYTES};
use crate::read::stats::{Counters, add};
use crate::source::Source;
use crate::{Error, MemorySource, Result};

/// A block whose records are taken in several sections.
pub(super) struct LargeBlock {
    frame: BlockFrame,
    plan: Plan,
    source: Arc<dyn Source>,
    inside: Option<DecompressedBlock>,
    /// The range of the data in the source, without its padding, and the offset of the next record.
    data: Range<u64>,
    offset: u64,
    /// The number of the next record, the number of records to skip first, and the number of wanted records.
    record: u64,
    skip: u64,
    take: u64,
    /// The number of the block's first row in the file.
    first_row: u64,
    /// The maximum number of bytes of a record.
    limit: u64,
    stream_end: StreamEnd,
}

/// A snapshot of a large block, for cutting sections.
pub(super) struct SeenRecords {
    pub(super) inside: Option<DecompressedBlock>,
    plan: Plan,
    record_bytes: usize,
    /// The offset of the next record, and the number of its row in the file.
    pub(super) offset: u64,
    pub(super) row: u64,
    /// The end of the data.
    pub(super) stop: u64,
}

impl SeenRecords {
    /// Returns the hint for a section that begins at `offset`.
    pub(super) fn hint(&self, offset: u64) -> RecordHint {
        RecordHint { plan: self.plan.clone(), bytes: self.record_bytes, begins_here: offset == self.offset }
    }
}

impl LargeBlock {
    /// Checks the block's sync marker, and decompresses the block if needed. `skip` and `take` are row counts.
    ///
    /// # Errors
    /// If the block cannot be read, or is damaged.
    pub(super) fn open(
        opened: &Opened,
        frame: BlockFrame,
        first_row: u64,
        (skip, take): (u64, u64),
        counters: &Counters,
    ) -> Result<Self> {
        let Opened { file, plan } = opened;
        let (source, data, inside, stream_end) = if file.header.codec.is_identity() {
            let sync = fetch::bytes_at(&*file.source, frame.data.end, file.header.sync.len())?;
            let checked = frame.check_sync(&sync, &file.header.sync);
            checked.map_err(|error| file.block_error(error, &frame))?;
            add(&counters.bytes_decoded, frame.data.end - frame.data.start);
            (file.source.clone(), frame.data.clone(), None, StreamEnd::Marked)
        } else {
            let (block, stream_end) = decompressed(opened, &frame, counters)?;
            (block.source.clone(), 0..block.stop, Some(block), stream_end)
        };
        if frame.rows > 0 && data.is_empty() {
            return Err(file.record_fault(Fault::truncated(), &frame, 0, (&[0; PADDING], 0)));
        }
        let (offset, plan) = (data.start, plan.clone());
        Ok(Self {
            frame,
            plan,
            source,
            inside,
            data,
            offset,
            record: 0,
            skip,
            take,
            first_row,
            limit: u64::MAX,
            stream_end,
        })
    }

    /// Returns true if a section with this `inside` was cut from the data of this block.
    pub(super) fn has(&self, inside: Option<&DecompressedBlock>) -> bool {
        self.inside.as_ref().map(|block| block.index) == inside.map(|block| block.index)
    }

    pub(super) fn is_decompressed(&self) -> bool {
        self.inside.is_some()
    }

    /// Returns true if no more records are wanted.
    pub(super) fn is_done(&self) -> bool {
        self.take == 0
    }

    /// Returns true if it has neither records nor bytes.
    pub(super) fn is_empty(&self) -> bool {
        self.frame.rows == 0 && self.data.is_empty()
    }

    pub(super) fn pace(&self, pace: Pace) -> Pace {
        Pace {
            bytes: self.data.end - self.data.start,
            rows: self.frame.rows,
            blocks: self.frame.rows,
            ratio: 1,
            ..pace
        }
    }

    pub(super) fn seen(&self) -> SeenRecords {
        let record_bytes = (self.data.end - self.data.start) / self.frame.rows.max(1);
        SeenRecords {
            inside: self.inside.clone(),
            plan: self.plan.clone(),
            record_bytes: usize::try_from(record_bytes).unwrap_or(usize::MAX),
            offset: self.offset,
            row: self.first_row + self.record,
            stop: self.data.end,
        }
    }

    /// Returns the next run of wanted records that begin in this piece; `None` if there are no more.
    ///
    /// # Errors
    /// If a record that is not wanted cannot be skipped, or if the data cannot be read.
    pub(super) fn cut(&mut self, file: &OpenFile, piece: &mut FetchedPiece) -> Result<Option<RecordRun>> {
        if self.frame.rows == 0 && self.offset < self.data.end {
            return Ok(Some(self.no_rows()));
        }
        let end = piece.piece.range.end.min(self.data.end);
        let is_last = end == self.data.end;
        while self.take > 0 && (is_last || self.offset < end) {
            let skipping = self.skip > 0;
            let (n, stop, fault) = self.walk(file, piece, if skipping { self.skip } else { self.take }, end)?;
            let bytes = stop - self.offset;
            if skipping {
                if let Some(fault) = fault {
                    return Err(self.fault(fault, file, piece, n, stop));
                }
                self.advance(n, bytes);
                self.skip -= n;
                continue;
            }
            // A record that cannot be skipped cannot be decoded either, and decoding gives the better error.
            let is_broken = fault.is_some();
            let start = (self.offset - piece.start) as usize;
            let data = piece.bytes.clone().sliced(..start + self.within(piece).len());
            let after = (self.data.end + PADDING as u64).saturating_sub(piece.end());
            let run = RecordRun {
                frame: self.frame.clone(),
                data,
                start,
                stop: (!is_broken).then_some(start + bytes as usize),
                behind: (self.record + n == self.frame.rows).then_some(after),
                stream_end: self.stream_end,
                first_row: self.first_row + self.record,
                record: self.record,
                n: if is_broken { self.take } else { n },
            };
            self.advance(n, bytes);
            self.take = if is_broken { 0 } else { self.take - n };
            return Ok(Some(run));
        }
        Ok(None)
    }

    /// Returns a run of no records, for a block that has bytes and no rows.
    fn no_rows(&mut self) -> RecordRun {
        let behind = Some(self.data.end - self.offset);
        self.offset = self.data.end;
        RecordRun {
            frame: self.frame.clone(),
            data: vec![0; PADDING].into(),
            start: 0,
            stop: None,
            behind,
            stream_end: self.stream_end,
            first_row: self.first_row,
            record: 0,
            n: 0,
        }
    }

    /// Walks over all records; only some of them are in memory at a time.
    ///
    /// # Errors
    /// If they do not end where the block ends, or if a record is larger than a decompressed block may be. Unless `strict`,
    /// some bytes may be left after the records, up to the same limit.
    pub(super) fn walk_over(mut self, file: &OpenFile, piece: &mut FetchedPiece, strict: bool) -> Result<()> {
        self.limit = file.limits.block_bytes as u64;
        while self.record < self.frame.rows && !self.plan.rows_are_empty() {
            let left = self.frame.rows - self.record;
            let (n, stop, fault) = self.walk(file, piece, left, self.data.end)?;
            if let Some(fault) = fault {
                return Err(self.fault(fault, file, piece, n, stop));
            }
            self.advance(n, stop - self.offset);
        }
        match self.data.end.checked_sub(self.offset) {
            Some(0) => Ok(()),
            // The task that decodes the rows reports the trailing bytes.
            left => {
                let is_error = strict || left.is_none_or(|left| left > self.limit);
                file.trailing_bytes(left.unwrap_or(0), &self.frame, is_error).map(drop)
            }
        }
    }

    /// Walks over at most `n` records that begin before `end`, as far as the piece has their bytes. Reads more bytes if the
    /// piece does not have a whole record. Returns the number of records, the offset of the next one, and the fault that
    /// stops the walk.
    fn walk(&self, file: &OpenFile, piece: &mut FetchedPiece, n: u64, end: u64) -> Result<(u64, u64, Option<Fault>)> {
        let known = piece.path.as_ref().and_then(|path| path.from(self.offset));
        if let Some((records, stop)) = known.filter(|(records, _)| (1..=n).contains(records)) {
            return Ok((records, stop, None));
        }
        let mut room = READ_BYTES;
        loop {
            let after = (self.data.end + PADDING as u64).saturating_sub(piece.end().max(self.offset));
            let bytes = self.within(piece);
            let (mut records, mut stop, mut fault) = (0, self.offset, Some(Fault::truncated()));
            if bytes.len() >= PADDING {
                // The last piece must have all remaining records that the header claims.
                let border = if end == self.data.end { usize::MAX } else { (end - self.offset) as usize };
                let walked = self.plan.skip_within(bytes, 0, n, border);
                (records, stop, fault) = (walked.0, self.offset + walked.1 as u64, walked.2);
            }
            let may_go_on = after > 0 && fault.as_ref().is_none_or(Fault::is_short);
            if records > 0 || !may_go_on || fault.is_none() {
                return Ok((records, stop, fault.filter(|_| !may_go_on)));
            }
            // The next record has more bytes than the piece.
            let limit = self.limit;
            if bytes.len() as u64 > limit {
                let fault = Fault::limit("block_bytes", &format!("the record has more than {limit} bytes"));
                return Ok((0, self.offset, Some(fault)));
            }
            room = room.max(2 * bytes.len() as u64);
            let len = room.min(self.data.end + PADDING as u64 - self.offset);
            piece.refill(&*self.source, self.offset, len)?;
            if (piece.bytes.len() as u64) < len {
                let error = Error::data("the file became shorter while it was read");
                return Err(file.block_error(error, &self.frame));
            }
        }
    }

    /// Returns the bytes of the block that the piece has, from the next record on.
    fn within<'p>(&self, piece: &'p FetchedPiece) -> &'p [u8] {
        let bytes = piece.from(self.offset);
        let left = (self.data.end + PADDING as u64).saturating_sub(self.offset);
        &bytes[..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))]
    }

    fn advance(&mut self, n: u64, bytes: u64) {
        self.record += n;
        self.offset += bytes;
    }

    #[cold]
    fn fault(&self, fault: Fault, file: &OpenFile, piece: &FetchedPiece, n: u64, stop: u64) -> Error {
        let data = (self.within(piece), (stop - self.offset) as usize);
        file.record_fault(fault, &self.frame, self.record + n, data)
    }
}

/// Reads a block and decompresses it; also returns the end of its stream.
fn decompressed(opened: &Opened, frame: &BlockFrame, counters: &Counters) -> Result<(DecompressedBlock, StreamEnd)> {
    let Opened { file, plan } = opened;
    let len = usize::try_from(frame.end() - frame.data.start).unwrap_or(usize::MAX);
    let block = fetch::bytes_at(&*file.source, frame.data.start, len)?;
    let mut data = Vec::new();
    let stream_end = file.decompress(&block, frame, &mut Decompressor::new(), &mut data, counters)?.stream_end();
    if stream_end == StreamEnd::Missing {
        file.check_unfinished(plan, frame, &data)?;
    }
    let stop = (data.len() - PADDING.min(data.len())) as u64;
    Ok((DecompressedBlock { index: frame.index, source: Arc::new(MemorySource::new(data)), stop }, stream_end))
}
