//! Object container files written and read the plain way.

use std::io::{Read, Write};

use libdeflater::DecompressionError;
use serde_json::Value as Json;

use crate::naive::{Schema, Value, item_blocks, long, prefixed, take, text};

pub(crate) const CODECS: [&str; 6] = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"];
pub(crate) const SYNC: [u8; 16] = *b"sixteen sync byt";

/// A file in the making. What the file says need not be true.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) sync: [u8; 16],
    pub(crate) blocks: Vec<Block>,
}

/// A block as it stands in the file: the count, the (compressed) bytes and how many the file says they are.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) count: i64,
    pub(crate) size: i64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sync: [u8; 16],
}

impl Container {
    pub(crate) fn new(schema: &str, codec: &str) -> Self {
        let metadata = vec![("avro.schema".into(), schema.into()), ("avro.codec".into(), codec.into())];
        Self { metadata, sync: SYNC, blocks: Vec::new() }
    }

    /// Adds a block of `count` records whose data is `datums`.
    pub(crate) fn block(mut self, count: i64, datums: impl AsRef<[u8]>) -> Self {
        let codec = self.metadata.iter().rfind(|(key, _)| key == "avro.codec");
        let codec = codec.map_or("null", |(_, codec)| std::str::from_utf8(codec).unwrap());
        let bytes = compress(codec, datums.as_ref());
        self.blocks.push(Block { count, size: bytes.len() as i64, bytes, sync: self.sync });
        self
    }

    /// Changes the block that was added last.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Block)) -> Self {
        change(self.blocks.last_mut().unwrap());
        self
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = b"Obj\x01".to_vec();
        put_long(&mut out, self.metadata.len() as i64);
        for (key, value) in &self.metadata {
            put_bytes(&mut out, key.as_bytes());
            put_bytes(&mut out, value);
        }
        put_long(&mut out, 0);
        out.extend(self.sync);
        out
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut out = self.header();
        self.blocks.iter().for_each(|block| block.build(&mut out));
        out
    }
}

impl Block {
    pub(crate) fn build(&self, out: &mut Vec<u8>) {
        put_long(out, self.count);
        put_long(out, self.size);
        out.extend(&self.bytes);
        out.extend(self.sync);
    }
}

pub(crate) fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64);
    out.extend(bytes);
}

/// The varint of `value`.
pub(crate) fn varint(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    put_long(&mut out, value);
    out
}

pub(crate) fn compress(codec: &str, data: &[u8]) -> Vec<u8> {
    match codec {
        "deflate" => {
            let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
            let mut out = vec![0; compressor.deflate_compress_bound(data.len())];
            let len = compressor.deflate_compress(data, &mut out).unwrap();
            out.truncate(len);
            out
        }
        "snappy" => {
            let mut out = snap::raw::Encoder::new().compress_vec(data).unwrap();
            out.extend(crc32fast::hash(data).to_be_bytes());
            out
        }
        "zstandard" => zstd::stream::encode_all(data, 1).unwrap(),
        "bzip2" => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "xz" => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        // An unknown codec stands in a header only.
        _ => data.to_vec(),
    }
}

/// No block of a test holds more.
const MOST_CONTENT: usize = 1 << 24;

pub(crate) fn decompress(codec: &str, data: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut all = |from: &mut dyn Read| {
        from.take(MOST_CONTENT as u64).read_to_end(&mut out).map_err(|error| error.to_string()).map(drop)
    };
    match codec {
        "null" => out.extend(data),
        "deflate" => {
            let decompress = |out: &mut [u8]| libdeflater::Decompressor::new().deflate_decompress(data, out);
            let mut len = Err(DecompressionError::InsufficientSpace);
            while matches!(len, Err(DecompressionError::InsufficientSpace)) && out.len() < MOST_CONTENT {
                out.resize((out.len() * 4).clamp(1 << 20, MOST_CONTENT), 0);
                len = decompress(&mut out);
            }
            out.truncate(len.map_err(|error| error.to_string())?);
        }
        "snappy" => {
            let (data, crc) = data.split_at_checked(data.len().wrapping_sub(4)).ok_or("no room for the CRC")?;
            if snap::raw::decompress_len(data).map_err(|error| error.to_string())? > MOST_CONTENT {
                return Err("a block of too much".into());
            }
            out = snap::raw::Decoder::new().decompress_vec(data).map_err(|error| error.to_string())?;
            if crc32fast::hash(&out).to_be_bytes() != crc {
                return Err("CRC".into());
            }
        }
        "zstandard" => all(&mut zstd::stream::Decoder::new(data).map_err(|error| error.to_string())?)?,
        "bzip2" => all(&mut bzip2::read::BzDecoder::new(data))?,
        "xz" => all(&mut liblzma::read::XzDecoder::new(data))?,
        codec => return Err(format!("codec {codec}")),
    }
    if out.len() == MOST_CONTENT {
        return Err("a block of too much".into());
    }
    Ok(out)
}

/// Every value of a file, in order, and the schema they were written with.
pub(crate) fn read(file: &[u8]) -> Result<(Schema, Vec<Value>), String> {
    let mut bytes = file;
    if take(&mut bytes, 4)? != b"Obj\x01" {
        return Err("no container file".into());
    }
    let (mut json, mut codec) = (None, "null".to_owned());
    item_blocks(&mut bytes, |bytes| {
        let (key, value) = (text(bytes)?, prefixed(bytes)?);
        match key.as_str() {
            "avro.schema" => json = Some(serde_json::from_slice::<Json>(value).map_err(|error| error.to_string())?),
            "avro.codec" => codec = String::from_utf8_lossy(value).into_owned(),
            _ => {}
        }
        Ok(())
    })?;
    let schema = Schema::parse(&json.ok_or("no schema")?);
    let sync = take(&mut bytes, 16)?;
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let count = long(&mut bytes)?;
        let data = decompress(&codec, prefixed(&mut bytes)?)?;
        if take(&mut bytes, 16)? != sync {
            return Err("sync marker".into());
        }
        let mut data = data.as_slice();
        for _ in 0..count {
            values.push(schema.decode(&schema.root, &mut data)?);
        }
        if !data.is_empty() {
            return Err("bytes left in a block".into());
        }
    }
    Ok((schema, values))
}
