//! uuid on string or fixed(16): the canonical lower-case text (specification, "UUID"; RFC 4122).

use super::text::TextFormat;
use crate::binary::{Fault, read_array, read_length, read_slice};

/// uuid on string
#[derive(Clone)]
pub(crate) struct UuidText;

/// uuid on fixed(16)
#[derive(Clone)]
pub(crate) struct UuidBytes;

/// True for the positions of the hyphens in the canonical text.
const IS_HYPHEN: [bool; 36] = {
    let mut is_hyphen = [false; 36];
    (is_hyphen[8], is_hyphen[13], is_hyphen[18], is_hyphen[23]) = (true, true, true, true);
    is_hyphen
};

/// The positions of the digits of each byte in the canonical text.
const OF_BYTES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// Returns the canonical text in lower case; `None` if this is no canonical text.
fn lower_case(mut text: [u8; 36]) -> Option<[u8; 36]> {
    let mut is_canonical = true;
    for (byte, is_hyphen) in text.iter_mut().zip(IS_HYPHEN) {
        is_canonical &= if is_hyphen { *byte == b'-' } else { byte.is_ascii_hexdigit() };
        byte.make_ascii_lowercase();
    }
    is_canonical.then_some(text)
}

fn push(text: &[u8; 36], out: &mut String) {
    out.push_str(str::from_utf8(text).expect("digits and hyphens are ASCII"));
}

impl TextFormat for UuidText {
    /// Also accepts the forms of other writers: upper case, without hyphens, in braces, as a URN.
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (len, pos) = read_length(bytes, pos)?;
        let (text, end) = read_slice(bytes, pos, len)?;
        let uuid = text.try_into().ok().and_then(lower_case).or_else(|| other_form(text));
        push(&uuid.ok_or_else(|| not_a_uuid(text))?, out);
        Ok(end)
    }
}

impl TextFormat for UuidBytes {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (uuid, pos) = read_array::<16>(bytes, pos)?;
        let hex = |half: u8| b"0123456789abcdef"[usize::from(half)];
        let mut text = [b'-'; 36];
        for (byte, at) in uuid.iter().zip(OF_BYTES) {
            (text[at], text[at + 1]) = (hex(byte >> 4), hex(byte & 15));
        }
        push(&text, out);
        Ok(pos)
    }
}

/// Returns the canonical text of another form with 32 hexadecimal digits.
#[cold]
fn other_form(text: &[u8]) -> Option<[u8; 36]> {
    let bare = text.strip_prefix(b"urn:uuid:").unwrap_or(text);
    let bare = bare.strip_prefix(b"{").and_then(|bare| bare.strip_suffix(b"}")).unwrap_or(bare);
    let mut digits = bare.iter().filter(|&&byte| byte != b'-');
    let mut canonical = [b'-'; 36];
    for (byte, _) in canonical.iter_mut().zip(IS_HYPHEN).filter(|(_, is_hyphen)| !is_hyphen) {
        *byte = *digits.next()?;
    }
    if digits.next().is_none() { lower_case(canonical) } else { None }
}

#[cold]
fn not_a_uuid(text: &[u8]) -> Fault {
    Fault::invalid(format!("{:?} is not a UUID", String::from_utf8_lossy(&text[..text.len().min(48)])))
}
