//! Damage, by decisions that a seed makes.

use std::ops::Range;

use crate::choices::Choices;
use crate::container::{SYNC, varint};

/// Bytes of the original, and what stands there instead.
pub(crate) type Edit = (Range<usize>, Vec<u8>);

/// Ways to damage `bytes` from `from` on, most often next to one of the `marks`.
pub(crate) fn edits(choices: &mut Choices, bytes: &[u8], from: usize, marks: &[usize]) -> Vec<Edit> {
    apart((0..=choices.below(3)).flat_map(|_| edit(choices, bytes, from, marks)).collect())
}

/// Damage in `places` places, none of it large.
pub(crate) fn small_edits(
    choices: &mut Choices,
    places: usize,
    bytes: &[u8],
    from: usize,
    marks: &[usize],
) -> Vec<Edit> {
    let edits = (0..places).flat_map(|_| edit(choices, bytes, from, marks));
    apart(edits.filter(|(range, replacement)| range.len().max(replacement.len()) <= 100).collect())
}

/// In order, without those that overlap others.
fn apart(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut end = 0;
    edits.retain(|(range, _)| {
        let free = range.start >= end;
        end = end.max(range.end);
        free
    });
    edits
}

/// What the edits make of `bytes`.
pub(crate) fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for (range, replacement) in edits {
        out.extend_from_slice(&bytes[at..range.start]);
        out.extend_from_slice(replacement);
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// Whether none of the edits touches this part of the original.
pub(crate) fn is_intact(part: &Range<usize>, edits: &[Edit]) -> bool {
    edits.iter().all(|(range, _)| range.end <= part.start || range.start >= part.end)
}

fn edit(choices: &mut Choices, bytes: &[u8], from: usize, marks: &[usize]) -> Vec<Edit> {
    let room = bytes.len() - from;
    if room == 0 {
        return Vec::new();
    }
    let at = match choices.below(3) {
        0 if !marks.is_empty() => (choices.pick(marks) + choices.below(6)).clamp(from, bytes.len() - 1),
        _ => from + choices.below(room),
    };
    let len = choices.pick(&[1, 2, 16, 17, 100, room]).min(bytes.len() - at);
    let other = from + choices.below(room);
    let there = other..bytes.len().min(other + len);
    match choices.below(9) {
        0 | 1 => vec![(at..at + 1, vec![bytes[at] ^ 1 << choices.below(8)])],
        2 => vec![(at..at + 1, vec![choices.word() as u8])],
        3 => vec![(at..at + len, Vec::new())],
        4 => vec![(at..bytes.len(), Vec::new())],
        5 => vec![(at..at, bytes[there].to_vec())],
        6 => vec![(at..at + len, vec![choices.pick(&[0, 0xFF, 0x80, 2]); len])],
        7 => {
            let odd = [&SYNC[..], &SYNC[..8], &varint(i64::MAX), &varint(-1), &varint(1 << 40), &[2, 0], &[0xFF; 20]];
            let end = choices.pick(&[at, at + 1, at + len]);
            vec![(at..end, odd[choices.below(odd.len())].to_vec())]
        }
        _ if at + len <= there.start || there.end <= at => {
            vec![(at..at + len, bytes[there.clone()].to_vec()), (there, bytes[at..at + len].to_vec())]
        }
        _ => vec![(at..at + len, (0..len).map(|_| choices.word() as u8).collect())],
    }
}
