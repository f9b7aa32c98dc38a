//! Claims blocks in a thread's turn: walks the block headers of a section and takes the blocks that begin in it.

use std::ops::Range;

use super::cursor::Cursor;
use super::fetch::{FetchedPiece, FetchedSection};
use super::file_list::{FileList, Opened};
use super::large_block::LargeBlock;
use super::{BlockSlice, Blocks, FileTask, TaskKind};
use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::blocks::SyncScanner;
use crate::read::fetch;
use crate::read::files::{BadBlock, is_damage};
use crate::read::settings::{Pace, ReadSettings, SECTION_BYTES};
use crate::read::stats::add;
use crate::{Error, Result};

/// The tasks that a section was turned into.
#[derive(Default)]
pub(crate) struct Claimed {
    pub(crate) tasks: Vec<FileTask>,
    /// The error that ends the read after these tasks.
    pub(crate) error: Option<Error>,
}

impl FetchedSection {
    /// Takes the blocks and records that begin in the section.
    pub(crate) fn claim(self, list: &FileList, cursor: &mut Cursor) -> Claimed {
        let mut claimed = Claimed::default();
        for piece in self.pieces {
            if cursor.is_over() {
                break;
            }
            if let Err(error) = claim_piece(piece, list, cursor, &mut claimed.tasks) {
                cursor.has_failed = true;
                claimed.error = Some(error);
            }
        }
        claimed
    }
}

fn claim_piece(mut piece: FetchedPiece, list: &FileList, cursor: &mut Cursor, tasks: &mut Vec<FileTask>) -> Result<()> {
    let inside = piece.piece.inside.as_ref();
    let is_void = match &cursor.inside {
        Some(block) => !block.has(inside),
        None => inside.is_some(),
    };
    if is_void {
        return Ok(());
    }
    let slot = piece.piece.slot.clone();
    let opened = slot.open(list)?;
    if piece.piece.is_first {
        cursor.enter(&slot, opened, list);
    }
    let is_remote = list.files[slot.at].is_remote() && piece.piece.inside.is_none();
    if is_remote {
        let from = cursor.seen().offset;
        piece.fill(opened, list, from.max(piece.piece.range.start))?;
    }
    if piece.piece.inside.is_none() {
        cursor.count(piece.start..piece.end(), &list.counters);
    }
    let settings = list.settings.of_plan(&opened.plan);
    let files_after = list.files.len() - slot.at - 1;
    let (stop, first) = (list.blocks_of(&opened.file).end, tasks.len());
    let mut claim = Claim { list, opened, settings, files_after, stop, cursor, piece, tasks };
    let walked = claim.walk();
    drop(claim);
    if is_remote {
        let read = tasks.split_off(first);
        tasks.extend(complete(read, list)?);
    }
    walked
}

/// The walk over one piece of a section.
struct Claim<'a> {
    list: &'a FileList,
    opened: &'a Opened,
    settings: ReadSettings,
    files_after: usize,
    /// The end of the blocks to read.
    stop: u64,
    cursor: &'a mut Cursor,
    piece: FetchedPiece,
    tasks: &'a mut Vec<FileTask>,
}

impl Claim<'_> {
    fn walk(&mut self) -> Result<()> {
        let end = self.piece.piece.range.end.min(self.stop);
        while !self.cursor.is_over() {
            if let Some(block) = &mut self.cursor.inside {
                // A block that was decompressed just now is cut in later sections.
                if !block.has(self.piece.piece.inside.as_ref()) {
                    break;
                }
                let run = block.cut(&self.opened.file, &mut self.piece)?;
                let (is_done, is_in_file) = (block.is_done(), !block.is_decompressed());
                if is_in_file {
                    self.cursor.count(self.piece.start..self.piece.end(), &self.list.counters);
                }
                if is_done {
                    self.cursor.inside = None;
                }
                match run {
                    Some(run) => self.push(TaskKind::RecordRun(run)),
                    None if !is_done => break,
                    None => {}
                }
            } else if self.piece.piece.inside.is_none() && self.cursor.offset < end {
                self.blocks(end)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: TaskKind) {
        let Opened { file, plan } = self.opened.clone();
        self.tasks.push(FileTask { file, plan, base: self.cursor.base, kind });
    }

    /// Takes blocks up to a large one, a damaged one, or the end of the section.
    fn blocks(&mut self, end: u64) -> Result<()> {
        let start = self.cursor.offset;
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
            let (batch_rows, ratio) = (self.settings.batch_rows as u64, self.opened.file.header.codec.expected_ratio());
            self.cursor.pace = Pace { bytes, rows, blocks, batch_rows, ratio };
            let missing = self.piece.end()..self.cursor.offset.max(self.piece.end());
            self.cursor.count(missing.clone(), &self.list.counters);
            self.push(TaskKind::Blocks(Blocks { window: self.piece.bytes.clone(), missing, slices, stop: self.stop }));
        }
        if let Some(block) = &self.cursor.inside {
            self.cursor.pace = block.pace(Pace { batch_rows: self.settings.batch_rows as u64, ..self.cursor.pace });
        }
        damage.map_or(Ok(()), |error| self.lose(error))
    }

    /// Takes the next block; `None` if it is skipped or large.
    fn block(&mut self) -> Result<Option<BlockSlice>> {
        let frame = self.frame()?;
        let (row, wanted) = (self.cursor.row, self.cursor.wanted());
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
            let block = LargeBlock::open(self.opened, frame.clone(), row, (skip, take), counters)?;
            if block.is_decompressed() {
                self.cursor.count(frame.offset..frame.end(), counters);
            }
            self.cursor.inside = Some(block).filter(|block| !block.is_empty());
            None
        } else {
            let range = (frame.data.start - self.piece.start) as usize..(frame.end() - self.piece.start) as usize;
            Some(BlockSlice { first_row: row, range, skip, take, frame: frame.clone() })
        };
        add(&self.list.counters.blocks_read, 1);
        self.cursor.pass(&frame, self.settings.ignore_errors);
        Ok(slice)
    }

    /// Reads the header of the next block.
    fn frame(&self) -> Result<BlockFrame> {
        let (file, Cursor { offset, index, .. }) = (&self.opened.file, &*self.cursor);
        let known = self.piece.from(*offset);
        let frame = if known.len() >= MAX_FRAME_BYTES || self.piece.end() >= file.source.size() {
            file.frame(*offset, *index, known)?
        } else {
            file.frame(*offset, *index, &fetch::bytes_at(&*file.source, *offset, MAX_FRAME_BYTES)?)?
        };
        if self.settings.ignore_errors {
            self.check_marker(&frame)?;
        }
        Ok(frame)
    }

    /// Checks the sync marker before the block's size is used.
    fn check_marker(&self, frame: &BlockFrame) -> Result<()> {
        let file = &self.opened.file;
        let found = match self.piece.from(frame.data.end).get(..SYNC_BYTES) {
            Some(found) => frame.check_sync(found, &file.header.sync),
            None => frame.check_sync(&fetch::bytes_at(&*file.source, frame.data.end, SYNC_BYTES)?, &file.header.sync),
        };
        found.map_err(|error| error.in_file(file.source.name()))
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
        self.push(TaskKind::BadBlock(BadBlock::new(error, None, file)));
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
        let block = LargeBlock::open(self.opened, frame.clone(), self.cursor.row, (0, 0), &<_>::default())?;
        block.walk_over(
            file,
            &mut FetchedPiece::empty(self.piece.piece.slot.clone(), frame.data.clone()),
            self.settings.strict,
        )
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
        let left = self.stop.saturating_sub(frame.offset) / bytes.max(1) + self.files_after as u64;
        let is_shared = threads > 1 && left < threads as u64;
        let ratio = if threads > 1 { self.opened.file.header.codec.expected_ratio() } else { 1 };
        let batches = if threads > 1 && !is_shared { 4 } else { 2 };
        bytes > SECTION_BYTES.end / 2 && (is_shared || bytes.saturating_mul(ratio) > batch_bytes as u64)
            || frame.rows > batches * batch_rows as u64
    }
}

impl Claimed {
    /// Reads the bytes that the section's blocks need after its end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn complete(&mut self, list: &FileList) -> Result<()> {
        self.tasks = complete(std::mem::take(&mut self.tasks), list)?;
        Ok(())
    }
}

/// Reads the missing bytes of these tasks. Blocks that are not in the file any more become reports, if that is no error.
fn complete(tasks: Vec<FileTask>, list: &FileList) -> Result<Vec<FileTask>> {
    let mut complete = Vec::with_capacity(tasks.len());
    for mut task in tasks {
        let bad = task.complete(list)?;
        let FileTask { file, plan, base, .. } = &task;
        let bad = bad.into_iter().map(TaskKind::BadBlock);
        let bad: Vec<_> =
            bad.map(|kind| FileTask { file: file.clone(), plan: plan.clone(), base: *base, kind }).collect();
        complete.push(task);
        complete.extend(bad);
    }
    Ok(complete)
}

impl FileTask {
    /// Reads the missing bytes; returns the blocks that are not in the file any more, if that is no error.
    fn complete(&mut self, list: &FileList) -> Result<Vec<BadBlock>> {
        let mut bad = Vec::new();
        if let TaskKind::Blocks(Blocks { window, missing, slices, .. }) = &mut self.kind
            && !missing.is_empty()
        {
            let bytes = fetch::append(&*self.file.source, std::mem::take(window), missing, &list.buffers)?;
            let whole = slices.iter().take_while(|slice| slice.range.end <= bytes.len()).count();
            (*window, *missing) = (bytes, Range::default());
            for slice in slices.drain(whole..) {
                let error = Error::data("the file became shorter while it was read");
                let error = self.file.block_error(error, &slice.frame);
                if !list.settings.ignore_errors || !is_damage(&error) {
                    return Err(error);
                }
                bad.push(BadBlock::new(error, Some(&slice.frame), &self.file));
            }
        }
        Ok(bad)
    }
}
