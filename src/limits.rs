//! Bounds on the resources that reading a file may use.

/// Bound of [`Limits::schema_depth`] and [`Limits::data_depth`]. Nested types and values are processed recursively, and
/// the smallest stack, that of a thread, has 2 MiB.
const STACK_DEPTH: usize = 256;

/// Bounds on the resources that reading one file may use, independent of the file's content.
///
/// No valid file that we know of reaches a default. A file that exceeds a bound is refused with
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit) and a message that names the field here.
///
/// ```
/// use polars_avro::{ContainerFile, ErrorKind, Limits, OpenOptions};
///
/// let options = OpenOptions::default().with_limits(Limits::default().with_header_bytes(100));
/// let error = ContainerFile::open("docs/sample.avro", &options).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Limit);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a file header (magic, metadata and sync marker): 64 MiB by default.
    pub header_bytes: usize,
    /// Bytes of one block, or of one compressed datum in a column, after decompression: 1 GiB by default. Blocks of the null
    /// codec are bounded by the size of the file instead. If damaged blocks are dropped, this bounds each of their records.
    pub block_bytes: usize,
    /// Depth of nested types in a schema: 128 by default. Values above 256 count as 256.
    pub schema_depth: usize,
    /// Number of types (nodes) in a schema: 2^20 by default.
    pub schema_nodes: usize,
    /// Number of columns of a schema, those nested in structs, lists and maps included: 2^17 by default.
    pub columns: usize,
    /// Depth of one value of a recursive type: 256 by default. Values above 256 count as 256.
    pub data_depth: usize,
    /// Number of items without bytes (nulls, records of no fields) in one block or one array: 2^24 by default.
    pub zero_byte_items: usize,
    /// Number of damaged blocks that one read may drop, if it may drop any: 2^17 by default. Also the number of irregular
    /// blocks reported.
    pub bad_blocks: usize,
}

impl Limits {
    /// Returns [`Self::schema_depth`], bounded by the stack.
    pub(crate) fn type_depth(&self) -> usize {
        self.schema_depth.min(STACK_DEPTH)
    }

    /// Returns [`Self::data_depth`], bounded by the stack.
    pub(crate) fn value_depth(&self) -> usize {
        self.data_depth.min(STACK_DEPTH)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 << 20,
            block_bytes: 1 << 30,
            schema_depth: 128,
            schema_nodes: 1 << 20,
            columns: 1 << 17,
            data_depth: 256,
            zero_byte_items: 1 << 24,
            bad_blocks: 1 << 17,
        }
    }
}

setters!(Limits {
    with_header_bytes(bytes: usize) => header_bytes = bytes;
    with_block_bytes(bytes: usize) => block_bytes = bytes;
    with_schema_depth(depth: usize) => schema_depth = depth;
    with_schema_nodes(nodes: usize) => schema_nodes = nodes;
    with_columns(columns: usize) => columns = columns;
    with_data_depth(depth: usize) => data_depth = depth;
    with_zero_byte_items(items: usize) => zero_byte_items = items;
    with_bad_blocks(blocks: usize) => bad_blocks = blocks;
});
