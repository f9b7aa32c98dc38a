//! Decompresses and checks the data of blocks, and adds positions in the file to errors.

use std::time::Instant;

use memchr::memmem;

use super::{BadBlock, OpenFile};
use crate::binary::{Fault, PADDING, data_end};
use crate::codec::{Decompressor, StreamEnd};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::decode::{explained, take_replaced};
use crate::error::{counted, is_or_are};
use crate::plan::Plan;
use crate::read::blocks::SyncScanner;
use crate::read::stats::{Counters, add, add_time};
use crate::{Error, Result};

/// The location of a block's data that is ready to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockData {
    /// In the bytes of the file: the sync marker is the padding.
    InPlace,
    /// In the buffer that was passed for it.
    Decompressed(StreamEnd),
}

impl BlockData {
    /// Returns the end of the stream that the data comes from.
    pub(crate) fn stream_end(self) -> StreamEnd {
        match self {
            Self::InPlace => StreamEnd::Marked,
            Self::Decompressed(end) => end,
        }
    }
}

/// The number of bytes by which a small block may grow when it is compressed.
const MARGIN_BYTES: u64 = 1 << 20;

impl OpenFile {
    /// Adds the block to the position of an error.
    pub(crate) fn block_error(&self, error: Error, frame: &BlockFrame) -> Error {
        error.in_file(self.source.name()).at(|position| {
            position.block.get_or_insert(frame.index);
            position.offset.get_or_insert(frame.offset);
        })
    }

    /// Returns the report on a block whose last `bytes` bytes belong to none of its rows.
    ///
    /// # Errors
    /// If they count as damage: if `strict`, or if another block ends in them.
    #[cold]
    pub(crate) fn trailing_bytes(&self, bytes: u64, frame: &BlockFrame, strict: bool) -> Result<BadBlock> {
        if !strict && self.header.codec.is_identity() && bytes >= SYNC_BYTES as u64 {
            let scanner = SyncScanner::new(&*self.source, &self.header.sync);
            let marker = scanner.marker(frame.data.end - bytes, frame.data.end)?;
            if marker.is_some_and(|marker| marker + SYNC_BYTES as u64 <= frame.data.end) {
                return Err(self.block_error(ends_inside(), frame));
            }
        }
        let (left, rows) = (counted(bytes, "byte"), counted(frame.rows, "row"));
        let message = format!("{left} {} left after the block's {rows}", is_or_are(bytes));
        self.read_whole(message, frame, strict)
    }

    /// Checks that the data of a block ends with its rows, if its stream has no end.
    ///
    /// # Errors
    /// If it does not: the stream is cut short.
    #[cold]
    pub(crate) fn check_unfinished(&self, plan: &Plan, frame: &BlockFrame, data: &[u8]) -> Result<()> {
        match plan.skip_records(data, 0, frame.rows) {
            (_, end, None) if end == data_end(data) => Ok(()),
            _ => Err(self.block_error(self.header.codec.cut_short(), frame)),
        }
    }

    /// Returns the report on a block that has all of its rows although its compressed stream does not end with the block;
    /// `None` if it does.
    ///
    /// # Errors
    /// If it does not, and `strict`.
    pub(crate) fn check_stream_end(
        &self,
        end: StreamEnd,
        frame: &BlockFrame,
        strict: bool,
    ) -> Result<Option<BadBlock>> {
        let what = match end {
            StreamEnd::Marked => return Ok(None),
            StreamEnd::Missing => "stream has no end",
            StreamEnd::Followed => "stream ends before the block",
        };
        let all = if frame.rows == 1 { "its row" } else { &format!("all of its {} rows", frame.rows) };
        let message = format!("the block has {all}, but its {} {what}", self.header.codec);
        self.read_whole(message, frame, strict).map(Some)
    }

    /// Returns the report on a block of which this thread replaced values; `None` if there were none.
    pub(crate) fn replaced_values(&self, frame: &BlockFrame) -> Option<BadBlock> {
        let values = take_replaced();
        let report = || {
            let message = format!("values that became null or text: {values}");
            BadBlock::replaced(values, self.block_error(Error::data(message), frame))
        };
        (values > 0).then(report)
    }

    fn read_whole(&self, message: String, frame: &BlockFrame, strict: bool) -> Result<BadBlock> {
        let error = self.block_error(Error::data(message), frame);
        if strict { Err(error) } else { Ok(BadBlock::read_whole(error)) }
    }

    /// Refuses a compressed block that is longer than the largest valid one, so that it need not be read.
    ///
    /// # Errors
    /// If it is longer. The margin exceeds the overhead of every codec on incompressible data.
    pub(crate) fn check_size(&self, frame: &BlockFrame) -> Result<()> {
        let (limit, bytes) = (self.limits.block_bytes as u64, frame.data.end - frame.data.start);
        if self.header.codec.is_identity() || bytes <= limit.saturating_add(limit / 4).saturating_add(MARGIN_BYTES) {
            return Ok(());
        }
        let message = format!("the block has {bytes} compressed bytes, and may hold {limit} when decompressed");
        Err(self.block_error(Error::limit("block_bytes", message), frame))
    }

    /// Makes the data of a block, whose bytes end in a sync marker, ready to decode, followed by padding. If the codec is
    /// the null codec, nothing is written to `out`.
    pub(crate) fn decompress(
        &self,
        bytes: &[u8],
        frame: &BlockFrame,
        decompressor: &mut Decompressor,
        out: &mut Vec<u8>,
        counters: &Counters,
    ) -> Result<BlockData> {
        let (data, sync) = bytes.split_at(bytes.len().saturating_sub(PADDING));
        let error = |error| self.block_error(error, frame);
        frame.check_sync(sync, &self.header.sync).map_err(error)?;
        let codec = self.header.codec;
        if codec.is_identity() || (data.is_empty() && frame.rows == 0) {
            add(&counters.bytes_decoded, data.len() as u64);
            return Ok(BlockData::InPlace);
        }
        let start = Instant::now();
        let decompressed = decompressor.decompress(codec, data, out, self.limits.block_bytes);
        add_time(&counters.decompress_ns, start);
        let end = decompressed.map_err(error)?;
        if end == StreamEnd::Followed
            && let Some(marker) = memmem::rfind(data, &self.header.sync)
            && let Ok(StreamEnd::Marked) =
                decompressor.decompress(codec, &data[..marker], &mut Vec::new(), self.limits.block_bytes)
        {
            // A damaged size may have led to the marker of a later block. If so, the stream that ends before the last
            // marker inside is complete.
            return Err(error(ends_inside()));
        }
        add(&counters.blocks_decompressed, 1);
        add(&counters.bytes_decoded, out.len() as u64);
        out.extend_from_slice(&[0; PADDING]);
        Ok(BlockData::Decompressed(end))
    }

    /// Returns the error of a record, by its number in its block; `pos` is its offset in `data`.
    #[cold]
    pub(crate) fn record_fault(
        &self,
        fault: Fault,
        frame: &BlockFrame,
        record: u64,
        (data, pos): (&[u8], usize),
    ) -> Error {
        // The padding after the data must not be used as an explanation.
        let fault = explained(fault, "block", &self.resolved.schemas.writer, data, pos);
        let error = fault.into_error().at(|position| position.record = Some(record));
        self.block_error(error, frame)
    }
}

#[cold]
fn ends_inside() -> Error {
    Error::data("a block ends inside the block: its size is wrong")
}
