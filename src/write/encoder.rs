//! Encoding of a share of rows as blocks: encoded, split, compressed, framed.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::rows::Share;
use crate::codec::Compressor;
use crate::container::{BlockBuffer, SYNC_BYTES};
use crate::encode::Stage;
use crate::executor::{Turn, Workload, lock};
use crate::{Codec, Error, Result};

/// Encodes shares, on any number of threads.
pub(super) struct BlockEncoder {
    codec: Codec,
    level: Option<i32>,
    block_size: usize,
    sync: [u8; SYNC_BYTES],
    scratch: Mutex<Vec<Scratch>>,
    /// Buffers to reuse: their blocks are written.
    buffers: Mutex<Vec<BlockBuffer>>,
}

/// Encoded blocks with their framing.
pub(super) struct Blocks {
    pub(super) buffer: BlockBuffer,
    pub(super) blocks: u64,
    pub(super) rows: u64,
}

/// Memory that a task reuses from an earlier task.
struct Scratch {
    compressor: Compressor,
    /// Encoded rows. Never shrinks, so that no memory is zeroed again.
    rows: Vec<u8>,
    /// The end of each row in `rows`.
    ends: Vec<usize>,
    stage: Stage,
}

impl BlockEncoder {
    /// # Errors
    /// If the codec has no such level.
    pub(super) fn new(codec: Codec, level: Option<i32>, block_size: usize, sync: [u8; SYNC_BYTES]) -> Result<Self> {
        let encoder = Self { codec, level, block_size, sync, scratch: Mutex::default(), buffers: Mutex::default() };
        let scratch = encoder.scratch()?;
        encoder.put_back(scratch);
        Ok(encoder)
    }

    fn scratch(&self) -> Result<Scratch> {
        if let Some(scratch) = lock(&self.scratch).pop() {
            return Ok(scratch);
        }
        let compressor = Compressor::new(self.codec, self.level)?;
        Ok(Scratch { compressor, rows: Vec::new(), ends: Vec::new(), stage: Stage::default() })
    }

    fn put_back(&self, scratch: Scratch) {
        lock(&self.scratch).push(scratch);
    }

    /// Takes back the memory of written blocks.
    pub(super) fn recycle(&self, mut buffer: BlockBuffer) {
        buffer.clear();
        lock(&self.buffers).push(buffer);
    }

    /// Splits encoded rows into the minimum number of blocks, of about equal size.
    fn blocks(&self, scratch: &mut Scratch) -> Result<Blocks> {
        let Scratch { compressor, rows, ends, .. } = scratch;
        let total = ends.last().copied().unwrap_or(0);
        let (mut buffer, mut blocks) = (lock(&self.buffers).pop().unwrap_or_default(), 0);
        let (mut row, mut start) = (0, 0);
        while row < ends.len() {
            let rest = total - start;
            let goal = start + rest.div_ceil(rest.div_ceil(self.block_size).max(1));
            // At least one row, of any size.
            let stop = (row + ends[row..].partition_point(|&end| end <= goal)).max(row + 1);
            let data = &rows[start..ends[stop - 1]];
            buffer.push(stop - row, &self.sync, |out, pos| compressor.compress(data, out, pos))?;
            (row, start) = (stop, ends[stop - 1]);
            blocks += 1;
        }
        Ok(Blocks { buffer, blocks, rows: ends.len() as u64 })
    }

    /// Encodes the rows of a share as blocks.
    pub(super) fn encode(&self, share: &Share) -> Result<Blocks> {
        let mut scratch = self.scratch()?;
        scratch.ends.clear();
        let (mut pos, mut done) = (0, share.first);
        for run in &share.runs {
            let Scratch { rows, ends, stage, .. } = &mut scratch;
            let encoded = run.record.encode_rows(run.rows.clone(), rows, pos, ends, stage);
            pos = encoded.map_err(|(row, fault)| in_row(fault.into_error(), done + (row - run.rows.start) as u64))?;
            done += run.rows.len() as u64;
        }
        let blocks = self.blocks(&mut scratch);
        self.put_back(scratch);
        blocks
    }
}

impl Workload for BlockEncoder {
    type Input = VecDeque<Share>;
    type Share = Share;
    type Output = Blocks;

    fn reserve(&self, shares: &mut VecDeque<Share>) -> Option<Share> {
        shares.pop_front()
    }

    /// Encodes a share. It does not depend on other shares, so the turn is not used.
    fn run(&self, share: Share, _: &mut Turn<'_, Self>) -> Result<Blocks> {
        self.encode(&share)
    }
}

#[cold]
fn in_row(error: Error, row: u64) -> Error {
    error.at(|position| position.record = Some(row))
}
