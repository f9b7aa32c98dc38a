//! uuid on string or fixed(16): the canonical lower-case text (specification, "UUID"; RFC 4122).

use super::text::Form;
use crate::binary::{Fault, read_array, read_length, read_slice};

/// uuid on string
#[derive(Clone)]
pub(crate) struct UuidText;

/// uuid on fixed(16)
#[derive(Clone)]
pub(crate) struct UuidBytes;

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_hex(digits: impl Iterator<Item = u8>, out: &mut String) {
    for (i, digit) in digits.enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(char::from(digit.to_ascii_lowercase()));
    }
}

impl Form for UuidText {
    /// Takes the forms that others write too: upper case, without hyphens, in braces, as a URN.
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (len, pos) = read_length(bytes, pos)?;
        let (text, end) = read_slice(bytes, pos, len)?;
        let bare = text.strip_prefix(b"urn:uuid:").unwrap_or(text);
        let bare = bare.strip_prefix(b"{").and_then(|bare| bare.strip_suffix(b"}")).unwrap_or(bare);
        let digits = || bare.iter().copied().filter(|&byte| byte != b'-');
        if digits().take(33).count() != 32 || !digits().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fault::data(format!(
                "{:?} is not a UUID",
                String::from_utf8_lossy(&text[..text.len().min(48)])
            )));
        }
        push_hex(digits(), out);
        Ok(end)
    }
}

impl Form for UuidBytes {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (uuid, pos) = read_array::<16>(bytes, pos)?;
        push_hex(uuid.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| HEX[usize::from(digit)]), out);
        Ok(pos)
    }
}
