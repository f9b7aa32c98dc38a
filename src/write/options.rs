//! Options of the caller.

use std::sync::Arc;

use crate::{Codec, Schema};

/// Options for writing a file.
///
/// ```
/// use polars_avro::{Codec, WriteOptions};
///
/// let options = WriteOptions::default().with_codec(Codec::Zstandard).with_level(3).with_name("shop.Order");
/// assert_eq!(options.level, Some(3));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The codec of the blocks: snappy by default, which needs the cargo feature `snappy`.
    pub codec: Codec,
    /// The compression level; `None` is the codec's own default.
    pub level: Option<i32>,
    /// The schema to write by; if `None`, it is made from the dtypes.
    pub schema: Option<Arc<Schema>>,
    /// The text of `schema` in the header; if `None`, it is made from the schema, as it is if the text has a type inside
    /// another one (`{"type": {"type": "int"}}`), which not all readers accept.
    pub schema_json: Option<String>,
    /// The name of the root record, if its schema is made from the dtypes. A dotted name includes its namespace.
    pub name: Option<String>,
    /// The namespace of the root record, if its schema is made from the dtypes.
    pub namespace: Option<String>,
    /// The documentation of the root record, if its schema is made from the dtypes.
    pub doc: Option<String>,
    /// Entries of the header besides the schema and the codec.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// The maximum size of a block before compression, in bytes: 64 KiB by default. A block has at least one row.
    pub block_size: usize,
    /// The 16 bytes after every block; `None` is random.
    pub sync_marker: Option<[u8; 16]>,
    /// The number of threads to encode on; `None` is all of the pool, 1 is only the calling thread.
    pub n_threads: Option<usize>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            codec: Codec::Snappy,
            level: None,
            schema: None,
            schema_json: None,
            name: None,
            namespace: None,
            doc: None,
            metadata: Vec::new(),
            // Snappy compresses units of this size: larger blocks do not compress better, smaller ones compress worse.
            block_size: 64 << 10,
            sync_marker: None,
            n_threads: None,
        }
    }
}

setters!(WriteOptions {
    with_codec(codec: Codec) => codec = codec;
    with_level(level: impl Into<Option<i32>>) => level = level.into();
    with_schema(schema: impl Into<Arc<Schema>>) => schema = Some(schema.into());
    with_schema_json(json: impl Into<String>) => schema_json = Some(json.into());
    with_name(name: impl Into<String>) => name = Some(name.into());
    with_namespace(namespace: impl Into<String>) => namespace = Some(namespace.into());
    with_doc(doc: impl Into<String>) => doc = Some(doc.into());
    with_metadata(entries: impl IntoIterator<Item = (impl Into<String>, impl Into<Vec<u8>>)>) =>
        metadata = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    with_block_size(bytes: usize) => block_size = bytes;
    with_sync_marker(marker: impl Into<Option<[u8; 16]>>) => sync_marker = marker.into();
    with_n_threads(threads: impl Into<Option<usize>>) => n_threads = threads.into();
});
