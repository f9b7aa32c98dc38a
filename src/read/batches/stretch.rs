//! Decoding a stretch of a file: its pieces come one after the other, and batches go on from one to the next.
//!
//! How many rows are behind the piece that is there is not known, so the room of a batch is guessed from the rows before. Full
//! batches have just as many rows as fill what allocators give.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::builder::BatchBuilder;
use super::{Batch, Decoder, Scratch};
use crate::Result;
use crate::decode::Record;
use crate::read::fetch::BufferPool;
use crate::read::stats::add_time;
use crate::read::tasks::StretchBlocks;

/// What a thread knows of a read from its stretches before.
pub(crate) struct StretchSample {
    /// The columns, empty, which know what their values have taken.
    record: Record,
    rows: u64,
    /// What the rows took in the file, and decompressed.
    compressed: u64,
    decompressed: u64,
}

impl Decoder<'_> {
    /// The batches of a stretch; `None` if it was stopped.
    ///
    /// # Errors
    /// Where something is wrong in it, or it does not begin where it seems to.
    pub(crate) fn decode_stretch(
        &self,
        blocks: &mut StretchBlocks,
        buffers: &BufferPool,
        scratch: &mut Scratch,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Batch>>> {
        let plan = blocks.plan.clone();
        let new = || StretchSample { record: Record::clone(&plan.record), rows: 0, compressed: 0, decompressed: 0 };
        let before = scratch.stretch.take().unwrap_or_else(new);
        let mut out = BatchBuilder::with_record(self, &plan, before.record);
        let (mut rows, mut compressed, mut decompressed) = (before.rows, before.compressed, before.decompressed);
        loop {
            let start = Instant::now();
            let piece = blocks.next();
            add_time(&self.counters.fetch_ns, start);
            let Some(piece) = piece? else { break };
            let (passed, left) = blocks.bytes();
            if rows > 0 {
                let likely = u128::from(left) * u128::from(rows) / u128::from(compressed.max(1));
                out.expect(u64::try_from(likely).unwrap_or(u64::MAX), out.settings.rows_that_fill(rows, decompressed));
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            self.decode_part(&piece, &[], scratch, &mut out)?;
            buffers.release(piece.task.into_bytes());
            rows = before.rows + out.total.rows;
            (compressed, decompressed) = (before.compressed + passed, before.decompressed + out.total.bytes);
        }
        let (batches, record) = out.finish_record()?;
        scratch.stretch = Some(StretchSample { record, rows, compressed, decompressed });
        Ok(Some(batches))
    }
}
