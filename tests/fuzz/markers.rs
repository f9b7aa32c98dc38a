//! Blocks as their markers show them, to whoever has not read the file from its beginning.

use std::ops::Range;

use polars_avro::{ContainerFile, ReadOptions};

use crate::container::SYNC;
use crate::expected::Cell;
use crate::{bad_blocks, naive};

/// Where the file's marker stands, from the header's on.
fn markers(file: &ContainerFile, bytes: &[u8]) -> Vec<usize> {
    let first = file.header().size as usize - SYNC.len();
    (first..bytes.len()).filter(|&at| bytes[at..].starts_with(&file.header().sync)).collect()
}

/// Every block with a whole marker in front and one behind: from its first marker's begin to its last marker's end.
fn blocks(file: &ContainerFile, bytes: &[u8]) -> Vec<Range<usize>> {
    let block = |at| Some(at..block_at(file, bytes, at + SYNC.len())?);
    markers(file, bytes).into_iter().filter_map(block).collect()
}

/// Where the block at `at` ends, behind its marker, if there is one.
fn block_at(file: &ContainerFile, bytes: &[u8], at: usize) -> Option<usize> {
    let mut rest = &bytes[at..];
    u64::try_from(naive::long(&mut rest).ok()?).ok()?;
    naive::prefixed(&mut rest).ok()?;
    rest.starts_with(&file.header().sync).then(|| bytes.len() - rest.len() + SYNC.len())
}

/// The rows of one block, if it is sound.
fn rows(file: &ContainerFile, block: &Range<usize>) -> Option<Vec<Vec<Cell>>> {
    let mut options = ReadOptions::default();
    options.n_threads = Some(1);
    options.byte_range = Some(block.start as u64..block.start as u64 + 1);
    Some(bad_blocks::read(file, &options).ok()?.0)
}

/// Whether the rows of every block that is sound on its own are there, in order.
pub(crate) fn are_all_there(file: &ContainerFile, bytes: &[u8], found: &[Vec<Cell>]) -> bool {
    let mut rest = found.iter();
    let sound = blocks(file, bytes).into_iter().take(20).filter_map(|block| rows(file, &block));
    sound.flatten().all(|row| rest.any(|found| *found == row))
}

/// Whether a sound block holds the file's marker with another block behind it, or markers overlap. What is inside is no
/// block for who reads the whole file, and is one for who begins there.
pub(crate) fn has_blocks_in_blocks(file: &ContainerFile, bytes: &[u8]) -> bool {
    if markers(file, bytes).windows(2).any(|pair| pair[1] - pair[0] < SYNC.len()) {
        return true;
    }
    let blocks = blocks(file, bytes);
    let inside =
        |from: usize, end: usize| blocks.iter().any(|block| from < block.start && block.start + SYNC.len() < end);
    let unmarked = |at: usize| blocks.iter().all(|block| block.start + SYNC.len() != at);
    let mut places = file.header().size as usize..bytes.len();
    blocks.iter().any(|block| inside(block.start, block.end) && rows(file, block).is_some())
        || places.any(|at| unmarked(at) && block_at(file, bytes, at).is_some_and(|end| inside(at, end)))
}
