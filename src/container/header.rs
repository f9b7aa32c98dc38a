//! The file header: magic, metadata, sync marker.

use super::block::SYNC_BYTES;
use super::varint::{NoLong, long};
use crate::{Codec, Error, Result};

pub(super) const MAGIC: [u8; 4] = *b"Obj\x01";

/// The maximum number of metadata entries. An entry of two bytes takes 48 in memory; real headers have a handful.
const MOST_ENTRIES: usize = 1 << 20;

/// The header of a file: metadata, schema, codec and sync marker.
///
/// ```
/// use polars_avro::{Codec, ContainerFile, OpenOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let header = file.header();
/// assert_eq!(header.codec, Codec::Deflate);
/// assert_eq!(header.metadata_value("made.by"), Some(b"make_sample.py".as_slice()));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The writer's schema, as the file has it.
    pub schema_json: String,
    /// The codec that the blocks are compressed with.
    pub codec: Codec,
    /// The 16 bytes that every block ends with.
    pub sync: [u8; 16],
    /// All metadata in the file's order, including `avro.schema` and `avro.codec`. If a key is repeated, its last value
    /// counts.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// The size of the header, which is the offset of the first block.
    pub size: u64,
}

impl Header {
    /// Returns the last value of this key.
    #[must_use]
    pub fn metadata_value(&self, key: &str) -> Option<&[u8]> {
        last_value(&self.metadata, key)
    }
}

/// The result of parsing the beginning of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParsedHeader {
    Header(Header),
    /// The header continues: it has at least this many bytes.
    Incomplete(usize),
}

/// The reason that parsing stops.
enum Stop {
    Incomplete(usize),
    Fault(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl ParsedHeader {
    /// Parses a header from the beginning of a file, which may continue after `bytes`.
    ///
    /// # Errors
    /// If the bytes are not those of a header, or if it names a codec that is not supported.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        match parse_header(bytes) {
            Ok(header) => Ok(Self::Header(header)),
            Err(Stop::Incomplete(needed)) => Ok(Self::Incomplete(needed)),
            Err(Stop::Fault(error)) => Err(error),
        }
    }
}

fn parse_header(bytes: &[u8]) -> std::result::Result<Header, Stop> {
    check_magic(bytes)?;
    let mut cursor = Cursor { bytes, pos: MAGIC.len() };
    let metadata = parse_metadata(&mut cursor)?;
    let sync = cursor.take(SYNC_BYTES)?;
    let sync = sync.try_into().expect("taken with this length");
    let (schema_json, codec) = interpret(&metadata)?;
    Ok(Header { schema_json, codec, sync, metadata, size: cursor.pos as u64 })
}

/// Parses a map of bytes: blocks of entries up to an empty block. A negative count is followed by the block's size in
/// bytes.
fn parse_metadata(cursor: &mut Cursor) -> std::result::Result<Vec<(String, Vec<u8>)>, Stop> {
    let mut metadata = Vec::new();
    loop {
        let count = cursor.long()?;
        if count == 0 {
            return Ok(metadata);
        }
        if count < 0 {
            cursor.len("block of metadata")?;
        }
        for _ in 0..count.unsigned_abs() {
            if metadata.len() == MOST_ENTRIES {
                return Err(Error::limit("header_bytes", format!("the header has over {MOST_ENTRIES} entries")).into());
            }
            let start = cursor.pos;
            let key = cursor.len("metadata key")?;
            let key =
                std::str::from_utf8(cursor.take(key)?).map_err(|_| at(start as u64, "a metadata key is not UTF-8"))?;
            let value = cursor.len("metadata value")?;
            metadata.push((key.to_owned(), cursor.take(value)?.to_vec()));
        }
    }
}

fn interpret(metadata: &[(String, Vec<u8>)]) -> Result<(String, Codec)> {
    let text = |key: &str| {
        let value = last_value(metadata, key).map(|value| std::str::from_utf8(value));
        value.transpose().map_err(|_| Error::data(format!("the value of `{key}` in the header is not UTF-8")))
    };
    let Some(schema) = text("avro.schema")? else {
        return Err(Error::data("the header has no `avro.schema`"));
    };
    let codec = text("avro.codec")?.map_or(Ok(Codec::Null), Codec::from_name)?;
    Ok((schema.to_owned(), codec))
}

fn last_value<'a>(metadata: &'a [(String, Vec<u8>)], key: &str) -> Option<&'a [u8]> {
    metadata.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_slice())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Cursor<'a> {
    fn long(&mut self) -> std::result::Result<i64, Stop> {
        match long(self.bytes, self.pos) {
            Ok((value, after)) => {
                self.pos = after;
                Ok(value)
            }
            Err(NoLong::Incomplete) => Err(Stop::Incomplete(self.bytes.len() + 1)),
            Err(NoLong::Overflow) => Err(at(self.pos as u64, "a number does not fit into 64 bits").into()),
        }
    }

    /// Reads a length, which may exceed the remaining bytes.
    fn len(&mut self, what: &str) -> std::result::Result<usize, Stop> {
        let start = self.pos;
        let len = self.long()?;
        if len < 0 {
            return Err(at(start as u64, format!("a {what} has a length of {len}")).into());
        }
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn take(&mut self, len: usize) -> std::result::Result<&'a [u8], Stop> {
        let end = self.pos.saturating_add(len);
        let taken = self.bytes.get(self.pos..end).ok_or(Stop::Incomplete(end))?;
        self.pos = end;
        Ok(taken)
    }
}

#[cold]
fn at(offset: u64, message: impl Into<String>) -> Error {
    Error::data(message).at(|position| position.offset = Some(offset))
}

fn check_magic(bytes: &[u8]) -> std::result::Result<(), Stop> {
    if bytes.is_empty() {
        return Err(at(0, "empty file, not an Avro object container file").into());
    }
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    if MAGIC.starts_with(bytes) {
        return Err(Stop::Incomplete(MAGIC.len()));
    }
    let guess = match bytes {
        [b'O', b'b', b'j', version, ..] => format!("it has version {version} of the format, only 1 is defined"),
        _ => match FORMATS.iter().find(|(start, _)| bytes.starts_with(start)) {
            Some((_, format)) => (*format).to_owned(),
            None => {
                text_format(bytes).unwrap_or_else(|| format!("it begins with {:02x?}", &bytes[..bytes.len().min(4)]))
            }
        },
    };
    Err(at(0, format!("not an Avro object container file: {guess}")).into())
}

/// The first bytes of other formats. No container file begins with them.
const FORMATS: [(&[u8], &str); 12] = [
    (b"PAR1", "it looks like Parquet"),
    (b"ARROW1", "it looks like an Arrow IPC file"),
    (b"ORC", "it looks like ORC"),
    (b"\x1F\x8B", "it looks like gzip: decompress it first, or end its name in .gz"),
    (
        b"\x28\xB5\x2F\xFD",
        if cfg!(feature = "zstandard") {
            "it looks like zstd: decompress it first, or end its name in .zst"
        } else {
            "it looks like zstd: decompress it first, or enable the cargo feature `zstandard`"
        },
    ),
    (
        b"BZh",
        if cfg!(feature = "bzip2") {
            "it looks like bzip2: decompress it first, or end its name in .bz2"
        } else {
            "it looks like bzip2: decompress it first, or enable the cargo feature `bzip2`"
        },
    ),
    (b"\xFD7zXZ\x00", "it looks like xz: decompress it first"),
    (b"PK\x03\x04", "it looks like a zip archive: extract the files first"),
    (b"SQLite format 3", "it looks like an SQLite database"),
    (b"version https://git-lfs", "it is a pointer of Git LFS: run `git lfs pull`"),
    (b"\xC3\x01", "it looks like one value in Avro's single-object encoding, which is decoded as a datum"),
    (b"\x00", "it looks like one value in the framing of a schema registry, which is decoded as a datum"),
];

/// The offset and the bytes of the mark of a tar archive.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Returns a guess of the format of an archive or a text.
fn text_format(bytes: &[u8]) -> Option<String> {
    if bytes.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Some("it looks like a tar archive: extract the files first".to_owned());
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let start = text[..text.len().min(16)].to_ascii_lowercase();
    let is_json = |open: u8| text.strip_prefix(&[open]).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""));
    Some(if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        // Proxies and login pages return HTML with status 200.
        "it is an HTML page, perhaps of a login or a proxy: open the URL in a browser".to_owned()
    } else if start.starts_with(b"<?xml") {
        "it looks like XML".to_owned()
    } else if is_json(b'{') || start.starts_with(b"[{") {
        "it looks like JSON".to_owned()
    } else {
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = str::from_utf8(&line[..line.len().min(24)]).ok()?.trim_end();
        if line.len() < 4 || line.contains(char::is_control) {
            return None;
        }
        format!("it begins with the text {line:?}")
    })
}
