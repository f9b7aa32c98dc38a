//! Walks from block header to block header, without reading the data between them.

use polars_buffer::Buffer;

use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::fetch;
use crate::read::settings::READ_BYTES;
use crate::{Error, Header, Result, Source};

/// The bytes of a block's sync marker and of the next block's header.
const STEP: usize = SYNC_BYTES + MAX_FRAME_BYTES;

/// The number of bytes read at once if they hold several blocks. Seeking over a large block is faster.
const WINDOW: usize = READ_BYTES as usize;

/// A walk over the frames of a file.
///
/// The sync marker of a block is checked when the walk leaves it, so a walk that has reached the end has checked all.
/// The source is passed to every step, so that one struct can own both the walk and the source.
#[derive(Clone, Debug)]
pub(crate) struct BlockWalk {
    sync: [u8; SYNC_BYTES],
    /// The index and the offset of the next block.
    pub(super) index: u64,
    pub(super) offset: u64,
    /// The block that the walk has passed last.
    last: Option<BlockFrame>,
    window: Buffer<u8>,
    window_offset: u64,
}

impl BlockWalk {
    /// Creates a walk over all blocks.
    pub(crate) fn new(header: &Header) -> Self {
        Self::behind(header.sync, header.size)
    }

    /// Creates a walk over the blocks from `offset` on, in a file with this sync marker.
    pub(crate) fn behind(sync: [u8; SYNC_BYTES], offset: u64) -> Self {
        Self { sync, index: 0, offset, last: None, window: Buffer::default(), window_offset: 0 }
    }

    /// Returns the next frame, or `None` if the file ends after a block. A file that ends elsewhere is an error.
    ///
    /// # Errors
    /// If a frame is damaged, or if a marker is not the file's. The walk then stays at its position.
    pub(crate) fn next_frame(&mut self, source: &dyn Source) -> Result<Option<BlockFrame>> {
        self.step(source).map_err(|error| error.in_file(source.name()))
    }

    fn step(&mut self, source: &dyn Source) -> Result<Option<BlockFrame>> {
        let size = source.size();
        let start = self.last.as_ref().map_or(self.offset, |last| last.data.end);
        let mut bytes = [0; STEP];
        let len = self.read(source, start, &mut bytes)?;
        let mut header = &bytes[..len];
        if let Some(last) = &self.last {
            last.check_sync(header, &self.sync)?;
            header = &header[SYNC_BYTES..];
        }
        if self.offset >= size {
            return Ok(None);
        }
        let Some(frame) = BlockFrame::parse(header, self.index, self.offset, size)? else {
            return Err(self.shrank());
        };
        self.index += 1;
        self.offset = frame.end();
        self.last = Some(frame.clone());
        Ok(Some(frame))
    }

    /// Reads the bytes at `start`; returns their number, which is less than `STEP` only at the end of the file.
    fn read(&mut self, source: &dyn Source, start: u64, bytes: &mut [u8; STEP]) -> Result<usize> {
        let end = start.saturating_add(STEP as u64).min(source.size());
        let window_end = self.window_offset + self.window.len() as u64;
        if start < self.window_offset || end > window_end {
            if self.last.as_ref().is_none_or(|last| last.end() - last.offset >= WINDOW as u64 / 16) {
                return fetch::fill(source, start, bytes);
            }
            self.window = fetch::bytes_at(source, start, WINDOW)?;
            self.window_offset = start;
        }
        let window = self.window.get((start - self.window_offset) as usize..).unwrap_or_default();
        let len = window.len().min(STEP);
        bytes[..len].copy_from_slice(&window[..len]);
        Ok(len)
    }

    /// Renumbers the walk: its first block becomes block `first` of the file.
    pub(crate) fn number_on(&mut self, first: u64) {
        self.index += first;
        if let Some(last) = &mut self.last {
            last.index += first;
        }
    }

    /// Frees the bytes that were read ahead.
    pub(crate) fn forget_bytes(&mut self) {
        self.window = Buffer::default();
    }

    #[cold]
    fn shrank(&self) -> Error {
        let message = "the file ends inside the block's header: it was cut short while it was read";
        Error::data(message).at(|position| {
            position.block = Some(self.index);
            position.offset = Some(self.offset);
        })
    }
}

#[cfg(test)]
mod tests;
