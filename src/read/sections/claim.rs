//! Claims blocks in a thread's turn: walks the block headers of a section and takes the blocks that begin in it.

use std::borrow::Cow;
use std::ops::Range;

use polars_buffer::Buffer;

use super::cursor::Cursor;
use super::file_list::{FileList, Opened};
use super::large_block::LargeBlock;
use super::section::{Piece, Section};
use super::{BlockSlice, Blocks, FileTask, TaskKind};
use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::blocks::SyncScanner;
use crate::read::fetch;
use crate::read::files::{BadBlock, is_damage};
use crate::read::settings::{Pace, ReadSettings, SECTION_BYTES};
use crate::read::stats::add;
use crate::{Error, Result};

impl Section {
    /// Takes the blocks and records that begin in the section. Returns their tasks, and the error that ends the read after
    /// them.
    pub(crate) fn claim(self, list: &FileList, cursor: &mut Cursor) -> (Vec<FileTask>, Result<()>) {
        let mut tasks = Vec::new();
        for piece in self.pieces {
            if cursor.is_over() {
                break;
            }
            if let Err(error) = claim_piece(piece, list, cursor, &mut tasks) {
                cursor.has_failed = true;
                return (tasks, Err(error));
            }
        }
        (tasks, Ok(()))
    }
}

fn claim_piece(mut piece: Piece, list: &FileList, cursor: &mut Cursor, tasks: &mut Vec<FileTask>) -> Result<()> {
    // The section is void if a block that turned out to be large covers it.
    if cursor.inside_index() != piece.inside_index() {
        return Ok(());
    }
    let slot = piece.slot.clone();
    let opened = slot.open(list)?;
    if piece.is_first {
        cursor.enter(&slot, opened, list);
    }
    let is_remote = piece.is_read_in_turn(list);
    if is_remote {
        let from = cursor.position();
        piece.fill(opened, list, from.max(piece.range.start))?;
    }
    if piece.inside.is_none() {
        cursor.count(piece.start..piece.end(), &list.counters);
    }
    let settings = list.settings.of_plan(&opened.plan);
    let stop = list.blocks_of(&opened.file).end;
    let walked = Claim { list, opened, settings, stop, cursor, piece, tasks }.walk();
    if is_remote {
        complete(tasks, list)?;
    }
    walked
}

/// The walk over one piece of a section.
struct Claim<'a> {
    list: &'a FileList,
    opened: &'a Opened,
    settings: ReadSettings,
    /// The end of the blocks to read.
    stop: u64,
    cursor: &'a mut Cursor,
    piece: Piece,
    tasks: &'a mut Vec<FileTask>,
}

impl Claim<'_> {
    fn walk(&mut self) -> Result<()> {
        let end = self.piece.range.end.min(self.stop);
        // A block that was decompressed just now is cut in later sections.
        while !self.cursor.is_over() && self.cursor.inside_index() == self.piece.inside_index() {
            if let Some(block) = &mut self.cursor.inside {
                let run = block.cut(&self.opened.file, &mut self.piece)?;
                let (is_done, is_in_file) = (block.take == 0, !block.is_decompressed);
                if is_in_file {
                    self.cursor.count(self.piece.start..self.piece.end(), &self.list.counters);
                }
                if is_done {
                    self.cursor.inside = None;
                }
                match run {
                    Some((bytes, run)) => self.push(bytes, TaskKind::RecordRun(run)),
                    None if !is_done => break,
                    None => {}
                }
            } else if self.cursor.offset < end {
                self.blocks(end)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, bytes: Buffer<u8>, kind: TaskKind) {
        let Opened { file, plan } = self.opened.clone();
        self.tasks.push(FileTask { file, plan, bytes, kind });
    }

    /// Takes blocks up to a large one, a damaged one, or the end of the section.
    fn blocks(&mut self, end: u64) -> Result<()> {
        let (start, batch_rows) = (self.cursor.offset, self.settings.batch_rows as u64);
        let (mut slices, mut damage) = (Vec::new(), None);
        while self.cursor.offset < end && self.cursor.inside.is_none() && !self.cursor.is_over() {
            match self.block() {
                Ok(slice) => slices.extend(slice),
                Err(error) => {
                    damage = Some(error);
                    break;
                }
            }
        }
        if !slices.is_empty() {
            let (bytes, blocks) = (self.cursor.offset - start, slices.len() as u64);
            let rows = slices.iter().fold(0_u64, |rows, slice: &BlockSlice| rows.saturating_add(slice.frame.rows));
            let ratio = self.opened.file.header.codec.expected_ratio();
            self.cursor.pace = Pace { bytes, rows, blocks, batch_rows, ratio };
            let missing = self.piece.end()..self.cursor.offset.max(self.piece.end());
            self.cursor.count(missing.clone(), &self.list.counters);
            let blocks = Blocks { missing, slices, stop: self.stop };
            self.push(self.piece.bytes.clone(), TaskKind::Blocks(blocks));
        }
        if let Some(block) = &self.cursor.inside {
            let (bytes, rows) = (block.data.end - block.data.start, block.frame.rows);
            self.cursor.pace = Pace { bytes, rows, blocks: rows, batch_rows, ratio: 1 };
        }
        damage.map_or(Ok(()), |error| self.lose(error))
    }

    /// Takes the next block; `None` if it is skipped or large.
    fn block(&mut self) -> Result<Option<BlockSlice>> {
        let frame = self.frame()?;
        let (row, wanted) = (self.cursor.row, self.cursor.wanted());
        let first_row = self.cursor.base.saturating_add(row);
        if row.saturating_add(frame.rows) <= wanted.start && frame.rows > 0 {
            add(&self.list.counters.blocks_skipped, 1);
            self.cursor.pass(&frame, self.settings.ignore_errors);
            return Ok(None);
        }
        self.opened.file.check_size(&frame)?;
        self.walk_over(&frame)?;
        let skip = wanted.start.saturating_sub(row).min(frame.rows);
        let take = wanted.end.saturating_sub(row).min(frame.rows).saturating_sub(skip);
        let is_large = !self.settings.ignore_errors && self.is_large(&frame);
        let slice = if is_large {
            let counters = &self.list.counters;
            let block = LargeBlock::open(self.opened, frame.clone(), first_row, (skip, take), counters)?;
            if block.is_decompressed {
                self.cursor.count(frame.offset..frame.end(), counters);
            }
            self.cursor.inside = Some(block).filter(|block| frame.rows > 0 || !block.data.is_empty());
            None
        } else {
            let range = (frame.data.start - self.piece.start) as usize..(frame.end() - self.piece.start) as usize;
            Some(BlockSlice { first_row, range, skip, take, frame: frame.clone() })
        };
        add(&self.list.counters.blocks_read, 1);
        self.cursor.pass(&frame, self.settings.ignore_errors);
        Ok(slice)
    }

    /// Reads the header of the next block.
    fn frame(&self) -> Result<BlockFrame> {
        let (file, Cursor { offset, index, .. }) = (&self.opened.file, &*self.cursor);
        let frame = file.frame(*offset, *index, &self.bytes(*offset, MAX_FRAME_BYTES)?)?;
        // If damaged blocks are dropped, the sync marker is checked before the block's size is used.
        if self.settings.ignore_errors {
            let checked = frame.check_sync(&self.bytes(frame.data.end, SYNC_BYTES)?, &file.header.sync);
            checked.map_err(|error| error.in_file(file.source.name()))?;
        }
        Ok(frame)
    }

    /// Returns the bytes at `offset`, at least `len` of them unless the file ends. Reads them if the piece lacks them.
    fn bytes(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        let (source, known) = (&self.opened.file.source, self.piece.from(offset));
        if known.len() >= len || (!known.is_empty() && self.piece.end() >= source.size()) {
            return Ok(Cow::Borrowed(known));
        }
        Ok(Cow::Owned(fetch::bytes_at(&**source, offset, len)?.to_vec()))
    }

    /// Skips damage at the next block and reports it, if damaged blocks are dropped.
    fn lose(&mut self, error: Error) -> Result<()> {
        if !self.settings.ignore_errors || !is_damage(&error) {
            return Err(error);
        }
        let file = &self.opened.file;
        let scanner = SyncScanner::new(&*file.source, &file.header.sync);
        let found = scanner.find(self.cursor.offset, u64::MAX)?;
        self.cursor.offset = found.map_or(file.source.size(), |found| found.offset);
        self.cursor.index += 1;
        self.push(Buffer::new(), TaskKind::BadBlock(BadBlock::new(error, None, file)));
        Ok(())
    }

    /// Walks over the records of a block that is larger than a decompressed block may be, if damaged blocks are dropped.
    /// The size in a damaged header then costs no memory.
    fn walk_over(&self, frame: &BlockFrame) -> Result<()> {
        let (file, bytes) = (&self.opened.file, frame.data.end - frame.data.start);
        let is_oversized = file.header.codec.is_identity() && bytes > file.limits.block_bytes as u64;
        if !self.settings.ignore_errors || !is_oversized {
            return Ok(());
        }
        let (strict, counters) = (self.settings.strict, &<_>::default());
        let block = LargeBlock::open(self.opened, frame.clone(), self.cursor.row, (0, 0), counters)?;
        block.walk_over(file, &mut Piece::new(self.piece.slot.clone(), frame.data.clone()), strict)
    }

    /// Returns true if a block should be cut: it is larger than a batch, or fewer blocks are left than threads.
    fn is_large(&self, frame: &BlockFrame) -> bool {
        let ReadSettings { batch_rows, batch_bytes, threads, .. } = self.settings;
        let bytes = frame.data.end - frame.data.start;
        // Records of no bytes cannot be cut apart.
        if self.opened.plan.rows_are_empty() {
            return false;
        }
        // Finding records takes two fifths of the time of decoding them. If there are enough blocks, one per thread is
        // faster.
        let files_after = self.list.files.len() - self.piece.slot.at - 1;
        let left = self.stop.saturating_sub(frame.offset) / bytes.max(1) + files_after as u64;
        let is_shared = threads > 1 && left < threads as u64;
        let ratio = if threads > 1 { self.opened.file.header.codec.expected_ratio() } else { 1 };
        let batches = if threads > 1 && !is_shared { 4 } else { 2 };
        bytes > SECTION_BYTES.end / 2 && (is_shared || bytes.saturating_mul(ratio) > batch_bytes as u64)
            || frame.rows > batches * batch_rows as u64
    }
}

/// Reads the bytes that the blocks of these tasks need after the section. Blocks that are not in the file any more become
/// reports, if that is no error.
///
/// # Errors
/// If they cannot be read.
pub(crate) fn complete(tasks: &mut Vec<FileTask>, list: &FileList) -> Result<()> {
    for mut task in std::mem::take(tasks) {
        let FileTask { file, plan, bytes, kind } = &mut task;
        let mut reports = Vec::new();
        if let TaskKind::Blocks(Blocks { missing, slices, .. }) = kind
            && !missing.is_empty()
        {
            *bytes = fetch::append(&*file.source, std::mem::take(bytes), missing, &list.buffers)?;
            let whole = slices.iter().take_while(|slice| slice.range.end <= bytes.len()).count();
            *missing = Range::default();
            for slice in slices.drain(whole..) {
                let error = file.block_error(Error::data("the file became shorter while it was read"), &slice.frame);
                if !list.settings.ignore_errors {
                    return Err(error);
                }
                let kind = TaskKind::BadBlock(BadBlock::new(error, Some(&slice.frame), file));
                reports.push(FileTask { file: file.clone(), plan: plan.clone(), bytes: Buffer::new(), kind });
            }
        }
        tasks.push(task);
        tasks.extend(reports);
    }
    Ok(())
}
