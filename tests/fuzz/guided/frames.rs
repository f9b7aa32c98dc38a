//! Mutations of files that keep their framing: what stands inside changes, and the lengths around it say so.

use std::ops::Range;

use libfuzzer_sys::fuzzer_mutate;

use crate::choices::Choices;
use crate::container::{SYNC, compress, decompress, put_bytes};
use crate::naive::{long, prefixed, take};

/// Bytes with their length in front of them.
struct Frame {
    /// Where the length and the bytes stand.
    place: Range<usize>,
    bytes: Vec<u8>,
    /// What the bytes are compressed with.
    codec: Option<String>,
}

/// Changes a file that begins behind `from` bytes of something else. Every other time it is changed like any bytes.
pub fn mutate(bytes: &mut [u8], len: usize, most: usize, seed: u32, from: usize) -> usize {
    let choices = &mut Choices::Seed(u64::from(seed));
    let mut frames = if choices.one_in(2) { Vec::new() } else { frames(&bytes[from.min(len)..len]) };
    if frames.is_empty() {
        return fuzzer_mutate(bytes, len, most);
    }
    let frame = frames.swap_remove(choices.below(frames.len()));
    let codec = frame.codec.as_deref().filter(|_| !choices.one_in(4));
    let content = codec.and_then(|codec| decompress(codec, &frame.bytes).ok());
    let recompress = codec.filter(|_| content.is_some());
    let mut content = content.unwrap_or(frame.bytes);
    let old = content.len();
    content.resize(old + 256, 0);
    let new = fuzzer_mutate(&mut content, old, old + 256);
    content.truncate(new);
    if let Some(codec) = recompress {
        content = compress(codec, &content);
    }
    let mut changed = bytes[..from + frame.place.start].to_vec();
    put_bytes(&mut changed, &content);
    changed.extend(&bytes[from + frame.place.end..len]);
    changed.truncate(most);
    bytes[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

/// The header's keys and values, and the content of blocks.
fn frames(file: &[u8]) -> Vec<Frame> {
    let (mut frames, mut codec) = (Vec::new(), None);
    let mut rest = file.get(4..).unwrap_or_default();
    while let Ok(count @ 1..=20) = long(&mut rest) {
        for _ in 0..2 * count {
            let Some(frame) = frame(file, &mut rest) else { return frames };
            if frames.last().is_some_and(|before: &Frame| before.bytes == b"avro.codec") {
                codec = Some(String::from_utf8_lossy(&frame.bytes).into_owned());
            }
            frames.push(frame);
        }
    }
    while take(&mut rest, SYNC.len()).is_ok() && long(&mut rest).is_ok() {
        let Some(frame) = frame(file, &mut rest) else { return frames };
        frames.push(Frame { codec: codec.clone(), ..frame });
    }
    frames
}

fn frame(file: &[u8], rest: &mut &[u8]) -> Option<Frame> {
    let start = file.len() - rest.len();
    let bytes = prefixed(rest).ok()?.to_vec();
    Some(Frame { place: start..file.len() - rest.len(), bytes, codec: None })
}
