//! The sync marker: 16 bytes that the header chooses and every block ends with.

use memchr::memmem::Finder;

use crate::{Result, Source};

/// Bytes of a sync marker.
pub(crate) const SYNC_BYTES: usize = 16;

/// Bytes read at once while looking for a marker.
const WINDOW: usize = 256 << 10;

/// The offset of the first whole `sync` at or behind `from`. What follows it, if anything, is a block.
pub(crate) fn find_sync(source: &dyn Source, sync: &[u8; SYNC_BYTES], from: u64) -> Result<Option<u64>> {
    find_in_windows(source, sync, from, WINDOW)
}

fn find_in_windows(source: &dyn Source, sync: &[u8; SYNC_BYTES], from: u64, window: usize) -> Result<Option<u64>> {
    let finder = Finder::new(sync);
    let mut start = from;
    while start.saturating_add(SYNC_BYTES as u64) <= source.size() {
        let bytes = source.read_at(start, window)?;
        if let Some(found) = finder.find(&bytes) {
            return Ok(Some(start + found as u64));
        }
        if bytes.len() < window {
            break;
        }
        // A marker may begin in this window and end in the next.
        start += (window - (SYNC_BYTES - 1)) as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemorySource;

    const SYNC: [u8; 16] = *b"0123456789abcdef";

    #[test]
    fn a_marker_is_found_wherever_it_stands() {
        for len in [16, 17, 40, 100, 200] {
            for position in 0..=len - 16 {
                let mut bytes = vec![b'0'; len];
                bytes[position..position + 16].copy_from_slice(&SYNC);
                let source = MemorySource::new(bytes);
                for window in [16, 17, 31, 64, 1000] {
                    let find = |from| find_in_windows(&source, &SYNC, from, window).unwrap();
                    assert_eq!(find(0), Some(position as u64), "{len} {position} {window}");
                    assert_eq!(find(position as u64), Some(position as u64));
                    assert_eq!(find(position as u64 + 1), None);
                }
            }
        }
    }

    #[test]
    fn half_a_marker_is_none() {
        let source = MemorySource::new(SYNC[..15].to_vec());
        assert_eq!(find_sync(&source, &SYNC, 0).unwrap(), None);
        assert_eq!(find_sync(&source, &SYNC, u64::MAX).unwrap(), None);
    }
}
