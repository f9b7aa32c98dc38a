//! Appending to an existing file.

use std::sync::Arc;

use super::options::WriteOptions;
use crate::read::BlockWalk;
use crate::{Error, Header, Limits, Result, Schema, Source};

/// Returns the options for appending rows to a file, with its own schema and sync marker, and the offset of its end.
///
/// A schema among the options must be the file's; `doc` and `aliases` may differ.
///
/// ```
/// use polars_avro::{Codec, FileSource, Limits, Source, WriteOptions, append_options};
///
/// let source = FileSource::open("docs/sample.avro")?;
/// let wanted = WriteOptions::default().with_codec(Codec::Deflate);
/// let (options, end) = append_options(&source, &wanted, &Limits::default())?;
/// assert_eq!(end, source.size());
/// assert!(options.schema.is_some() && options.sync_marker.is_some());
/// # Ok::<(), polars_avro::Error>(())
/// ```
///
/// # Errors
/// If the file is damaged, or if its codec or its schema differs from `options`.
pub fn append_options(source: &dyn Source, options: &WriteOptions, limits: &Limits) -> Result<(WriteOptions, u64)> {
    let named = |error: Error| error.in_file(source.name());
    let header = Header::read(source, limits)?;
    if header.codec != options.codec {
        let (file, wanted) = (header.codec.name(), options.codec.name());
        let message =
            format!("cannot append blocks of codec {wanted} to a file of codec {file}: pass `compression={file:?}`");
        return Err(named(Error::argument(message)));
    }
    let schema = Arc::new(Schema::parse(&header.schema_json, limits).map_err(named)?);
    if let Some(wanted) = &options.schema
        && wanted.without_notes().to_json() != schema.without_notes().to_json()
    {
        let message = format!(
            "cannot append by another schema than the file's, which stays as it is: {}; write a new file",
            header.schema_json
        );
        return Err(named(Error::schema(message)));
    }
    if !options.metadata.is_empty() {
        return Err(named(Error::argument("cannot append with `metadata`: the header is written already")));
    }
    if options.sync_marker.is_some_and(|marker| marker != header.sync) {
        return Err(named(Error::argument("cannot append with another `sync_marker` than the file's")));
    }
    let mut walk = BlockWalk::new(&header);
    while walk.next_frame(source)?.is_some() {}
    let sync_marker = Some(header.sync);
    let schema_json = Some(header.schema_json);
    Ok((WriteOptions { schema: Some(schema), schema_json, sync_marker, ..options.clone() }, source.size()))
}
