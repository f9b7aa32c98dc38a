//! The data of a block: decompressed and checked, and errors that say where in the file they are.

use memchr::memmem;

use super::{OpenFile, shortfall};
use crate::binary::{Fault, PADDING};
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::read::stats::{Counters, add};
use crate::{Error, Result};

/// A small block may be so much longer compressed.
const MARGIN_BYTES: u64 = 1 << 20;

impl OpenFile {
    /// Adds to an error which block it is about.
    pub(crate) fn block_error(&self, error: Error, frame: &BlockFrame) -> Error {
        error.in_file(self.source.name()).at(|position| {
            position.block.get_or_insert(frame.index);
            position.offset.get_or_insert(frame.offset);
        })
    }

    /// The error of a block with bytes that belong to none of its rows.
    #[cold]
    pub(crate) fn trailing_bytes(&self, bytes: u64, frame: &BlockFrame) -> Error {
        let message = format!("{bytes} bytes are left after the block's {} rows", frame.rows);
        self.block_error(Error::data(message), frame)
    }

    /// Refuses a compressed block that is longer than one of the most bytes that it may hold: it need not be read for that.
    ///
    /// # Errors
    /// If it is. The margin is more than any codec adds to data that it cannot compress.
    pub(crate) fn check_size(&self, frame: &BlockFrame) -> Result<()> {
        let (limit, bytes) = (self.limits.block_bytes as u64, frame.data.end - frame.data.start);
        if self.header.codec.is_identity() || bytes <= limit.saturating_add(limit / 4).saturating_add(MARGIN_BYTES) {
            return Ok(());
        }
        let message = format!("the block has {bytes} compressed bytes, and may hold {limit} when decompressed");
        Err(self.block_error(Error::limit("block_bytes", message), frame))
    }

    /// Makes the data of a block, whose bytes end in a sync marker, ready to decode, with padding behind it. Gives `true`
    /// where the bytes are that already, the sync marker being the padding, and nothing was written to `out`.
    pub(crate) fn decompress(
        &self,
        bytes: &[u8],
        frame: &BlockFrame,
        decompressor: &mut Decompressor,
        out: &mut Vec<u8>,
        counters: &Counters,
    ) -> Result<bool> {
        let (data, sync) = bytes.split_at(bytes.len().saturating_sub(PADDING));
        let error = |error| self.block_error(error, frame);
        frame.check_sync(sync, &self.header.sync).map_err(error)?;
        let codec = self.header.codec;
        if codec.is_identity() || (data.is_empty() && frame.rows == 0) {
            add(&counters.bytes_decoded, data.len() as u64);
            return Ok(true);
        }
        decompressor.decompress(codec, data, out, self.limits.block_bytes).map_err(error)?;
        if codec.tolerates_trailing_bytes()
            && let Some(marker) = memmem::rfind(data, &self.header.sync)
            && decompressor.decompress(codec, &data[..marker], &mut Vec::new(), self.limits.block_bytes).is_ok()
        {
            // A damaged size may have led to the marker of a later block. If so,
            // the stream is whole before the last marker inside, whatever holds those before it.
            return Err(error(Error::data("a block ends inside the block: its size is wrong")));
        }
        add(&counters.blocks_decompressed, 1);
        add(&counters.bytes_decoded, out.len() as u64);
        out.extend_from_slice(&[0; PADDING]);
        Ok(false)
    }

    /// Returns the error of a record, by its number in its block; `pos` is where it begins in `data`.
    #[cold]
    pub(crate) fn record_fault(
        &self,
        fault: Fault,
        frame: &BlockFrame,
        record: u64,
        (data, pos): (&[u8], usize),
    ) -> Error {
        // What stands behind the data explains nothing.
        let short = shortfall::explain(&self.resolved.schemas.writer, data, pos);
        let error = short.unwrap_or_else(|| fault.into_error()).at(|position| position.record = Some(record));
        self.block_error(error, frame)
    }
}
