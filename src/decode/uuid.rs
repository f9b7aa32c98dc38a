//! uuid on string or fixed(16): the canonical lower-case text (specification, "UUID"; RFC 4122).

use super::text::TextFormat;
use crate::binary::{Fault, read_array, read_length, read_slice};

/// uuid on string
#[derive(Clone)]
pub(crate) struct UuidText;

/// uuid on fixed(16)
#[derive(Clone)]
pub(crate) struct UuidBytes;

/// The positions of the hyphens in the canonical text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Returns the canonical text of 32 hexadecimal digits; `None` if their number differs or another character is among
/// them.
fn canonical(digits: impl Iterator<Item = u8>) -> Option<[u8; 36]> {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for digit in digits {
        at += usize::from(HYPHENS.contains(&at));
        *text.get_mut(at)? = digit.to_ascii_lowercase();
        if !digit.is_ascii_hexdigit() {
            return None;
        }
        at += 1;
    }
    (at == 36).then_some(text)
}

fn push(text: &[u8; 36], out: &mut String) {
    out.push_str(str::from_utf8(text).expect("digits and hyphens are ASCII"));
}

impl TextFormat for UuidText {
    /// Also accepts the forms of other writers: upper case, without hyphens, in braces, as a URN.
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (len, pos) = read_length(bytes, pos)?;
        let (text, end) = read_slice(bytes, pos, len)?;
        let bare = text.strip_prefix(b"urn:uuid:").unwrap_or(text);
        let bare = bare.strip_prefix(b"{").and_then(|bare| bare.strip_suffix(b"}")).unwrap_or(bare);
        match canonical(bare.iter().copied().filter(|&byte| byte != b'-')) {
            Some(text) => push(&text, out),
            None => return Err(not_a_uuid(text)),
        }
        Ok(end)
    }
}

impl TextFormat for UuidBytes {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (uuid, pos) = read_array::<16>(bytes, pos)?;
        let hex = |half: u8| b"0123456789abcdef"[usize::from(half)];
        let text = canonical(uuid.iter().flat_map(|&byte| [hex(byte >> 4), hex(byte & 15)]));
        push(&text.expect("16 bytes are 32 digits"), out);
        Ok(pos)
    }
}

#[cold]
fn not_a_uuid(text: &[u8]) -> Fault {
    Fault::invalid(format!("{:?} is not a UUID", String::from_utf8_lossy(&text[..text.len().min(48)])))
}
