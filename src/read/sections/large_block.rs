//! Cuts large blocks into several sections.
//!
//! Many writers make one block of a whole file. It is cut between records: a section owns the records that begin in it. An
//! uncompressed block is read from the file in pieces, so its size does not matter. A compressed one is decompressed first,
//! and its data is cut into sections.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::RecordRun;
use super::file_list::Opened;
use super::record_path::RecordHint;
use super::section::{DecompressedBlock, Piece};
use crate::binary::{Fault, PADDING, data_end};
use crate::codec::{Decompressor, StreamEnd};
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::read::fetch;
use crate::read::files::OpenFile;
use crate::read::settings::READ_BYTES;
use crate::read::stats::{Counters, add};
use crate::source::Source;
use crate::{Error, MemorySource, Result};

/// A block whose records are taken in several sections.
#[derive(Clone)]
pub(super) struct LargeBlock {
    pub(super) frame: BlockFrame,
    plan: Plan,
    /// The file, or memory if the block was decompressed.
    source: Arc<dyn Source>,
    pub(super) is_decompressed: bool,
    /// The range of the data in the source, without its padding, and the offset of the next record.
    pub(super) data: Range<u64>,
    pub(super) offset: u64,
    /// The number of the next record, the number of records to skip first, and the number of wanted records.
    record: u64,
    skip: u64,
    pub(super) take: u64,
    /// The number of the block's first row in the read.
    first_row: u64,
    stream_end: StreamEnd,
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
        let (mut source, mut data, mut stream_end) = (file.source.clone(), frame.data.clone(), StreamEnd::Marked);
        let is_decompressed = !file.header.codec.is_identity();
        if is_decompressed {
            let len = usize::try_from(frame.end() - data.start).unwrap_or(usize::MAX);
            let (block, mut out) = (fetch::bytes_at(&*source, data.start, len)?, Vec::new());
            let decompressor = &mut Decompressor::new();
            stream_end = file.decompress(&block, &frame, decompressor, &mut out, counters)?.stream_end();
            if stream_end == StreamEnd::Missing {
                file.check_unfinished(plan, &frame, &out)?;
            }
            data = 0..data_end(&out) as u64;
            source = Arc::new(MemorySource::new(out));
        } else {
            let sync = fetch::bytes_at(&*source, data.end, file.header.sync.len())?;
            frame.check_sync(&sync, &file.header.sync).map_err(|error| file.block_error(error, &frame))?;
            add(&counters.bytes_decoded, data.end - data.start);
        }
        if frame.rows > 0 && data.is_empty() {
            return Err(file.record_fault(Fault::truncated(), &frame, 0, (&[0; PADDING], 0)));
        }
        let (plan, offset, record) = (plan.clone(), data.start, 0);
        Ok(Self { frame, plan, source, is_decompressed, data, offset, record, skip, take, first_row, stream_end })
    }

    /// Returns the part of this block that a section needs.
    pub(super) fn decompressed(&self) -> DecompressedBlock {
        DecompressedBlock { index: self.frame.index, source: self.source.clone() }
    }

    /// Returns the hint for a section that begins at `offset`.
    pub(super) fn hint(&self, offset: u64) -> RecordHint {
        let bytes = (self.data.end - self.data.start) / self.frame.rows.max(1);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        RecordHint { plan: self.plan.clone(), bytes, begins_here: offset == self.offset }
    }

    /// Returns the number of the next record's row in the read.
    pub(super) fn next_row(&self) -> u64 {
        self.first_row + self.record
    }

    /// Returns the next run of wanted records that begin in this piece, and its bytes; `None` if there are no more.
    ///
    /// # Errors
    /// If a record that is not wanted cannot be skipped, or if the data cannot be read.
    pub(super) fn cut(&mut self, file: &OpenFile, piece: &mut Piece) -> Result<Option<(Buffer<u8>, RecordRun)>> {
        let end = piece.range.end.min(self.data.end);
        let is_last = end == self.data.end;
        // A block without rows has one empty run, which reports its bytes.
        while self.frame.rows == 0 || (self.take > 0 && (is_last || self.offset < end)) {
            let skipping = self.skip > 0;
            let (n, stop, fault) =
                self.walk(file, piece, if skipping { self.skip } else { self.take }, end, u64::MAX)?;
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
                start,
                stop: (!is_broken).then_some(start + bytes as usize),
                behind: (self.record + n == self.frame.rows).then_some(after),
                stream_end: self.stream_end,
                first_row: self.next_row(),
                record: self.record,
                n: if is_broken { self.take } else { n },
            };
            self.advance(n, bytes);
            self.take = if is_broken { 0 } else { self.take - n };
            return Ok(Some((data, run)));
        }
        Ok(None)
    }

    /// Walks over all records; only some of them are in memory at a time.
    ///
    /// # Errors
    /// If they do not end where the block ends, or if a record is larger than a decompressed block may be. Unless `strict`,
    /// some bytes may be left after the records, up to the same limit.
    pub(super) fn walk_over(mut self, file: &OpenFile, piece: &mut Piece, strict: bool) -> Result<()> {
        let limit = file.limits.block_bytes as u64;
        while self.record < self.frame.rows && !self.plan.rows_are_empty() {
            let left = self.frame.rows - self.record;
            let (n, stop, fault) = self.walk(file, piece, left, self.data.end, limit)?;
            if let Some(fault) = fault {
                return Err(self.fault(fault, file, piece, n, stop));
            }
            self.advance(n, stop - self.offset);
        }
        match self.data.end.checked_sub(self.offset) {
            Some(0) => Ok(()),
            // The task that decodes the rows reports the trailing bytes.
            left => {
                let is_error = strict || left.is_none_or(|left| left > limit);
                file.trailing_bytes(left.unwrap_or(0), &self.frame, is_error).map(drop)
            }
        }
    }

    /// Walks over at most `n` records that begin before `end`, as far as the piece has their bytes. Reads more bytes if the
    /// piece does not have a whole record. Returns the number of records, the offset of the next one, and the fault that
    /// stops the walk. A record of more than `limit` bytes is one.
    fn walk(
        &self,
        file: &OpenFile,
        piece: &mut Piece,
        n: u64,
        end: u64,
        limit: u64,
    ) -> Result<(u64, u64, Option<Fault>)> {
        if let Some(path) = &piece.path
            && let Some(before) = path.begin.checked_sub(self.offset)
            && self.within(piece).len() >= PADDING
        {
            let (records, pos, fault) = self.plan.skip_within(self.within(piece), 0, n, before as usize);
            let all = records + path.records;
            if fault.is_none() && pos as u64 == before && (1..=n).contains(&all) {
                return Ok((all, path.stop, None));
            }
        }
        let mut room = READ_BYTES;
        loop {
            let after = (self.data.end + PADDING as u64).saturating_sub(piece.end().max(self.offset));
            let bytes = self.within(piece);
            let (mut records, mut stop, mut fault) = (0, self.offset, Some(Fault::truncated()));
            if bytes.len() >= PADDING {
                // The last piece must have all remaining records that the header claims.
                let border = if end == self.data.end { usize::MAX } else { end.saturating_sub(self.offset) as usize };
                let walked = self.plan.skip_within(bytes, 0, n, border);
                (records, stop, fault) = (walked.0, self.offset + walked.1 as u64, walked.2);
            }
            let may_go_on = after > 0 && fault.as_ref().is_none_or(Fault::is_short);
            if records > 0 || !may_go_on || fault.is_none() {
                return Ok((records, stop, fault.filter(|_| !may_go_on)));
            }
            // The next record has more bytes than the piece.
            if bytes.len() as u64 > limit {
                let fault = Fault::limit("block_bytes", &format!("the record has more than {limit} bytes"));
                return Ok((0, self.offset, Some(fault)));
            }
            room = room.max(2 * bytes.len() as u64);
            let len = room.min(self.data.end + PADDING as u64 - self.offset);
            piece.bytes = fetch::bytes_at(&*self.source, self.offset, usize::try_from(len).unwrap_or(usize::MAX))?;
            piece.start = self.offset;
            if (piece.bytes.len() as u64) < len {
                let error = Error::data("the file became shorter while it was read");
                return Err(file.block_error(error, &self.frame));
            }
        }
    }

    /// Returns the bytes of the block that the piece has, from the next record on.
    fn within<'p>(&self, piece: &'p Piece) -> &'p [u8] {
        let bytes = piece.from(self.offset);
        let left = (self.data.end + PADDING as u64).saturating_sub(self.offset);
        &bytes[..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))]
    }

    fn advance(&mut self, n: u64, bytes: u64) {
        self.record += n;
        self.offset += bytes;
    }

    #[cold]
    fn fault(&self, fault: Fault, file: &OpenFile, piece: &Piece, n: u64, stop: u64) -> Error {
        let data = (self.within(piece), (stop - self.offset) as usize);
        file.record_fault(fault, &self.frame, self.record + n, data)
    }
}
