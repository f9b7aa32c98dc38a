//! The frame of one block: row count, byte size, bytes, sync marker.

use std::ops::Range;

use super::header::MAGIC;
use super::varint::{MAX_LONG_BYTES, NoLong, long};
use crate::error::{counted, is_or_are};
use crate::{Error, Result};

/// The size of the sync marker: bytes that the header defines and every block ends with.
pub(crate) const SYNC_BYTES: usize = 16;

/// The maximum number of bytes of a block's row count and byte size.
pub(crate) const MAX_FRAME_BYTES: usize = 2 * MAX_LONG_BYTES;

/// The size of a block without rows: two numbers and a sync marker.
const LEAST_BYTES: u64 = 2 + SYNC_BYTES as u64;

/// The position of a block, and the rows that it claims. Offsets count from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockFrame {
    /// Index in the file, counted from 0.
    pub(crate) index: u64,
    /// The offset of its row count.
    pub(crate) offset: u64,
    /// The number of rows it claims; 0 is valid.
    pub(crate) rows: u64,
    /// The range of its compressed bytes; the sync marker follows.
    pub(crate) data: Range<u64>,
}

impl BlockFrame {
    /// Parses the frame that `bytes` begins with, at `offset` in a file of `size` bytes. Returns `None` if `bytes` ends
    /// inside the two numbers although the file continues.
    ///
    /// # Errors
    /// If the numbers are malformed, or if the block extends past the end of the file. The position of the error lacks only
    /// the file's name.
    pub(crate) fn parse(bytes: &[u8], index: u64, offset: u64, size: u64) -> Result<Option<Self>> {
        let fault = |message: String| at_block(Error::data(message), index, offset);
        let left = size.saturating_sub(offset);
        if left < LEAST_BYTES && bytes.len() as u64 >= left {
            let (bytes, are) = (counted(left, "byte"), is_or_are(left));
            let message =
                format!("the file ends with {bytes} that {are} no block: it is cut short, or something was added");
            return Err(fault(message));
        }
        if bytes.starts_with(&MAGIC) {
            let message =
                "another Avro file begins here: read the files one by one, or join them by writing their rows";
            return Err(fault(message.to_owned()));
        }
        let number = |pos: usize, what: &str| match long(bytes, pos) {
            Ok((value, after)) => match u64::try_from(value) {
                Ok(value) => Ok(Some((value, after))),
                Err(_) => Err(fault(format!("the block has a {what} of {value}"))),
            },
            Err(NoLong::Overflow) => Err(fault(format!("the block's {what} does not fit into 64 bits"))),
            Err(NoLong::Incomplete) if offset.saturating_add(bytes.len() as u64) >= size => {
                Err(fault(format!("the file ends inside the block's {what}")))
            }
            Err(NoLong::Incomplete) => Ok(None),
        };
        let Some((rows, pos)) = number(0, "row count")? else { return Ok(None) };
        let Some((len, pos)) = number(pos, "byte size")? else { return Ok(None) };
        // No overflow: both are below 2^63, and `start` is at most a few bytes past an offset in the file.
        let start = offset + pos as u64;
        let end = start + len;
        let missing = end.saturating_add(SYNC_BYTES as u64).saturating_sub(size);
        if missing > 0 {
            let (len, missing) = (counted(len, "byte"), counted(missing, "byte"));
            let message = format!(
                "the block claims {len} and a sync marker, but the file ends {missing} too early: it is cut short or \
                 damaged"
            );
            return Err(fault(message));
        }
        Ok(Some(Self { index, offset, rows, data: start..end }))
    }

    /// Returns the offset of the next block, after the sync marker.
    pub(crate) fn end(&self) -> u64 {
        self.data.end + SYNC_BYTES as u64
    }

    /// Checks the bytes that follow the block's data against the file's marker.
    ///
    /// # Errors
    /// If they differ, or are fewer because the file shrank.
    pub(crate) fn check_sync(&self, found: &[u8], sync: &[u8; SYNC_BYTES]) -> Result<()> {
        let end = self.data.end;
        let message = match found.get(..SYNC_BYTES) {
            Some(found) if found == sync => return Ok(()),
            Some(_) => format!("the sync marker at byte {end}, behind the block, is not the file's: one is damaged"),
            None => format!("the file ends inside the sync marker at byte {end}: it was cut short while it was read"),
        };
        Err(at_block(Error::data(message), self.index, self.offset))
    }
}

#[cold]
fn at_block(error: Error, index: u64, offset: u64) -> Error {
    error.at(|position| {
        position.block = Some(index);
        position.offset = Some(offset);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn refused(bytes: &[u8], size: u64) -> String {
        let error = BlockFrame::parse(bytes, 3, 100, size).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string()
    }

    #[test]
    fn a_frame_is_two_numbers_and_a_range() {
        // 3 rows, 200 bytes.
        let frame = BlockFrame::parse(&[0x06, 0x90, 0x03, 0xFF], 3, 100, 319).unwrap().unwrap();
        assert_eq!(frame, BlockFrame { index: 3, offset: 100, rows: 3, data: 103..303 });
        assert_eq!(frame.end(), 319);
    }

    #[test]
    fn a_block_of_no_rows_and_no_bytes_is_one() {
        let frame = BlockFrame::parse(&[0x00, 0x00], 0, 50, 68).unwrap().unwrap();
        assert_eq!(frame, BlockFrame { index: 0, offset: 50, rows: 0, data: 52..52 });
    }

    #[test]
    fn an_incomplete_frame_asks_for_more_only_where_there_is_more() {
        for bytes in [&[][..], &[0x80], &[0x06], &[0x06, 0x90]] {
            assert_eq!(BlockFrame::parse(bytes, 3, 100, 1000).unwrap(), None);
        }
        let long = [&[0x80; 9][..], &[1]].concat();
        let message = "block 3 at byte 100: the file ends inside the block's byte size";
        assert_eq!(refused(&[&long[..], &[0x80; 8]].concat(), 118), message);
    }

    #[test]
    fn what_is_too_short_for_a_block_is_none() {
        for bytes in [&[0x80][..], &[0x06, 0x90], b"\n", &[0; 17]] {
            let left = bytes.len();
            let (count, are) = (counted(left as u64, "byte"), is_or_are(left as u64));
            let message = format!("block 3 at byte 100: the file ends with {count} that {are} no block: ");
            assert!(refused(bytes, 100 + left as u64).starts_with(&message), "{bytes:?}");
        }
    }

    #[test]
    fn another_file_is_named() {
        let error = refused(b"Obj\x01\x04\x16avro.schema\x0cstring", 1000);
        assert!(error.starts_with("block 3 at byte 100: another Avro file begins here"), "{error}");
    }

    #[test]
    fn a_block_that_runs_past_the_end_says_by_how_much() {
        let message = "block 3 at byte 100: the block claims 200 bytes and a sync marker, but the file ends 1 byte \
                       too early: it is cut short or damaged";
        assert_eq!(refused(&[0x06, 0x90, 0x03], 318), message);
        // 1 row, i64::MAX bytes.
        let huge = [0x02, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert!(refused(&huge, 1000).contains("too early"));
    }

    #[test]
    fn malformed_numbers_are_refused() {
        assert_eq!(refused(&[0x01, 0x02], 1000), "block 3 at byte 100: the block has a row count of -1");
        assert_eq!(refused(&[0x02, 0x01], 1000), "block 3 at byte 100: the block has a byte size of -1");
        let message = "block 3 at byte 100: the block's row count does not fit into 64 bits";
        assert_eq!(refused(&[0xFF; 20], 1000), message);
    }

    #[test]
    fn another_sync_marker_is_refused() {
        let frame = BlockFrame { index: 3, offset: 100, rows: 3, data: 103..303 };
        let sync = *b"0123456789abcdef";
        frame.check_sync(b"0123456789abcdef and more", &sync).unwrap();
        let error = frame.check_sync(b"0123456789abcdeF", &sync).unwrap_err();
        let message = "block 3 at byte 100: the sync marker at byte 303, behind the block, is not the file's: one is \
                       damaged";
        assert_eq!(error.to_string(), message);
        assert!(frame.check_sync(&sync[..15], &sync).unwrap_err().message().contains("cut short"));
    }
}
