//! Reads headers: `container` parses them, this loop reads as many bytes as parsing needs.

use crate::container::ParsedHeader;
use crate::read::fetch;
use crate::{Error, Header, Limits, Result, Source};

/// The number of bytes of the first read: most headers fit, and so do small files as a whole.
const FIRST_READ: usize = 16 << 10;

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// If the file is not an Avro object container file, is cut short, names a codec that is not supported, or has a header
    /// of more than [`Limits::header_bytes`].
    pub fn read(source: &dyn Source, limits: &Limits) -> Result<Self> {
        read(source, limits).map_err(|error| error.in_file(source.name()))
    }
}

fn read(source: &dyn Source, limits: &Limits) -> Result<Header> {
    let over_limit = |needed: usize| {
        let message = format!("the header takes {needed} bytes or more");
        Err(Error::limit("header_bytes", message))
    };
    let size = source.size();
    let mut window = FIRST_READ;
    loop {
        let bytes = fetch::bytes_at(source, 0, window)?;
        let needed = match ParsedHeader::parse(&bytes)? {
            ParsedHeader::Header(header) if header.size > limits.header_bytes as u64 => {
                return over_limit(header.size as usize);
            }
            ParsedHeader::Header(header) => return Ok(header),
            ParsedHeader::Incomplete(needed) => needed,
        };
        if needed as u64 > size {
            return Err(cut_short(size));
        }
        // Fewer bytes than requested although the file should have more: it shrank.
        if bytes.len() < window {
            return Err(cut_short(bytes.len() as u64));
        }
        if needed > limits.header_bytes {
            return over_limit(needed);
        }
        window = needed.max(window.saturating_mul(2).min(limits.header_bytes));
    }
}

#[cold]
fn cut_short(size: u64) -> Error {
    Error::data("the file ends inside the header").at(|position| position.offset = Some(size))
}

#[cfg(test)]
mod tests;
