//! From block header to block header, without reading what lies between.

use polars_buffer::Buffer;

use super::block::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::{Error, Header, Result, Source};

/// The marker of one block and the numbers of the next.
const STEP: usize = SYNC_BYTES + MAX_FRAME_BYTES;

/// Blocks below this many bytes are read rather than jumped over: a jump is a call of its own.
const SMALL_BLOCK: u64 = 4 << 10;

/// Bytes read at once where blocks are small.
const WINDOW: usize = 64 << 10;

/// A walk over the frames of a file.
///
/// The sync marker of a block is checked when the walk leaves it, so a walk that has come to the end has checked all.
/// The source is passed to every step, so that whoever owns one may own the other too.
#[derive(Clone, Debug)]
pub(crate) struct BlockWalk {
    sync: [u8; SYNC_BYTES],
    index: u64,
    offset: u64,
    /// The block that the walk stands behind.
    last: Option<BlockFrame>,
    window: Buffer<u8>,
    window_offset: u64,
}

impl BlockWalk {
    /// A walk over all blocks.
    pub(crate) fn new(header: &Header) -> Self {
        Self::behind(header.sync, header.size)
    }

    /// A walk over the blocks that begin at `offset`, behind a header with this marker.
    pub(crate) fn behind(sync: [u8; SYNC_BYTES], offset: u64) -> Self {
        Self { sync, index: 0, offset, last: None, window: Buffer::default(), window_offset: 0 }
    }

    /// The next frame, or `None` where the file ends behind a block, which is the only place where it may.
    ///
    /// # Errors
    /// Where a frame is damaged or a marker is not the file's. The walk does not move then.
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

    /// Gives the bytes at `start`, and how many they are: fewer than `STEP` only where the file ends.
    fn read(&mut self, source: &dyn Source, start: u64, bytes: &mut [u8; STEP]) -> Result<usize> {
        let end = start.saturating_add(STEP as u64).min(source.size());
        let window_end = self.window_offset + self.window.len() as u64;
        if start < self.window_offset || end > window_end {
            if self.last.as_ref().is_none_or(|last| last.end() - last.offset >= SMALL_BLOCK) {
                return source.read_into(start, bytes);
            }
            self.window = source.read_at(start, WINDOW)?;
            self.window_offset = start;
        }
        let window = self.window.get((start - self.window_offset) as usize..).unwrap_or_default();
        let len = window.len().min(STEP);
        bytes[..len].copy_from_slice(&window[..len]);
        Ok(len)
    }

    /// Where the next block begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes its first block for block `first` of the file.
    pub(crate) fn number_on(&mut self, first: u64) {
        self.index += first;
        if let Some(last) = &mut self.last {
            last.index += first;
        }
    }

    /// Lets go of the bytes that were read and are not needed yet.
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
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{ErrorKind, MemorySource};

    const SYNC: [u8; 16] = *b"0123456789abcdef";

    /// Remembers what was read.
    struct Counting(MemorySource, Mutex<Vec<(u64, usize)>>);

    impl Counting {
        fn new(bytes: &[u8]) -> Self {
            Self(MemorySource::new(bytes.to_vec()), Mutex::new(Vec::new()))
        }

        fn reads(&self) -> usize {
            self.1.lock().unwrap().len()
        }

        fn bytes(&self) -> usize {
            self.1.lock().unwrap().iter().map(|(_, len)| len).sum()
        }
    }

    impl Source for Counting {
        fn name(&self) -> &'static str {
            "counted.avro"
        }
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
            self.1.lock().unwrap().push((offset, len));
            self.0.read_at(offset, len)
        }
    }

    fn put_long(value: u64, bytes: &mut Vec<u8>) {
        let mut zigzag = value << 1;
        while zigzag >= 0x80 {
            bytes.push(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        bytes.push(zigzag as u8);
    }

    /// Seven bytes that stand for a header, then blocks of these rows and sizes.
    fn file(blocks: &[(u64, usize)]) -> Vec<u8> {
        let mut bytes = b"header.".to_vec();
        for &(rows, size) in blocks {
            put_long(rows, &mut bytes);
            put_long(size as u64, &mut bytes);
            bytes.resize(bytes.len() + size, 0xEE);
            bytes.extend_from_slice(&SYNC);
        }
        bytes
    }

    fn walk() -> BlockWalk {
        BlockWalk::behind(SYNC, 7)
    }

    /// Blocks and rows of a whole file.
    fn totals(source: &dyn Source) -> Result<(u64, u64)> {
        let (mut walk, mut blocks, mut rows) = (walk(), 0, 0);
        while let Some(frame) = walk.next_frame(source)? {
            (blocks, rows) = (blocks + 1, rows + frame.rows);
        }
        Ok((blocks, rows))
    }

    #[test]
    fn every_frame_is_seen_once_and_in_order() {
        let blocks = [(3, 200), (0, 0), (1_000_000, 100_000), (5, 5), (0, 7), (9, 70_000), (1, 1)];
        let source = Counting::new(&file(&blocks));
        let (mut walk, mut seen) = (walk(), Vec::new());
        let mut offset = 7;
        while let Some(frame) = walk.next_frame(&source).unwrap() {
            assert_eq!((frame.index, frame.offset), (seen.len() as u64, offset));
            seen.push((frame.rows, (frame.data.end - frame.data.start) as usize));
            offset = frame.end();
            assert_eq!((walk.index, walk.offset), (seen.len() as u64, offset));
        }
        assert_eq!(seen, blocks);
        assert_eq!(offset, source.size());
        assert_eq!(walk.next_frame(&source).unwrap(), None, "the end stays the end");
    }

    #[test]
    fn a_file_without_blocks_ends_at_once() {
        let source = Counting::new(&file(&[]));
        assert_eq!(totals(&source).unwrap(), (0, 0));
    }

    #[test]
    fn large_blocks_are_jumped_over_and_small_ones_are_read() {
        let large = Counting::new(&file(&[(100, 16_000); 50]));
        assert_eq!(totals(&large).unwrap(), (50, 5000));
        assert_eq!(large.bytes(), 51 * STEP);
        let small = Counting::new(&file(&vec![(10, 100); 5000]));
        assert_eq!(totals(&small).unwrap(), (5000, 50_000));
        assert!(small.reads() <= 12, "{}", small.reads());
    }

    #[test]
    fn only_the_end_of_a_block_is_a_good_end() {
        let blocks = [(3, 20), (300, 40), (2, 5000)];
        let bytes = file(&blocks);
        let ends: Vec<usize> = (0..=3).map(|count| file(&blocks[..count]).len()).collect();
        for len in 7..bytes.len() {
            let source = Counting::new(&bytes[..len]);
            match totals(&source) {
                Ok((blocks, _)) => assert_eq!(Some(blocks as usize), ends.iter().position(|&end| end == len)),
                Err(error) => {
                    assert!(!ends.contains(&len), "{len}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Data);
                    assert!(error.to_string().starts_with("counted.avro: block "), "{error}");
                }
            }
        }
    }

    #[test]
    fn every_sync_marker_is_checked_the_last_one_too() {
        let blocks = [(3, 20), (3, 9000), (3, 20)];
        let bytes = file(&blocks);
        for (index, length) in [(0u64, 1), (1, 2), (2, 3)] {
            let mut damaged = bytes.clone();
            let end = file(&blocks[..length]).len();
            damaged[end - 1] ^= 1;
            let source = Counting::new(&damaged);
            let error = totals(&source).unwrap_err();
            assert_eq!(error.position().block, Some(index));
            assert!(error.message().contains(&format!("at byte {}", end - 16)), "{error}");
        }
    }

    #[test]
    fn a_walk_stands_still_at_damage() {
        let mut bytes = file(&[(3, 20), (3, 20)]);
        bytes[44] ^= 1;
        let source = Counting::new(&bytes);
        let mut walk = walk();
        walk.next_frame(&source).unwrap().unwrap();
        let first = walk.next_frame(&source).unwrap_err().to_string();
        assert_eq!(walk.next_frame(&source).unwrap_err().to_string(), first);
    }

    #[test]
    fn a_file_that_shrinks_during_the_walk_is_refused() {
        struct Shrunk(MemorySource);
        impl Source for Shrunk {
            fn name(&self) -> &'static str {
                "shrunk.avro"
            }
            fn size(&self) -> u64 {
                self.0.size() + 1000
            }
            fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
                self.0.read_at(offset, len)
            }
        }
        let bytes = file(&[(3, 20)]);
        for len in 7..=bytes.len() {
            let error = totals(&Shrunk(MemorySource::new(bytes[..len].to_vec()))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.message().contains("cut short while it was read"), "{len}: {error}");
        }
    }
}
