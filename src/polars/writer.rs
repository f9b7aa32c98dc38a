//! Writing frames.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use polars::prelude::{DataFrame, PolarsResult, Schema as PolarsSchema, polars_bail};
use polars_arrow::array::StructArray;
use polars_arrow::datatypes::Field;

use super::frame::{batches_of, fields_of};
use crate::{Codec, MemorySink, Result, Schema, WriteOptions, Writer, Written};

/// Writes a [`DataFrame`] as an Avro file, in the style of the writers of polars-io.
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// use polars::prelude::*;
/// use polars_avro::{AvroReader, AvroWriter, Codec};
///
/// let mut frame = df!("id" => [1, 2], "name" => ["one", "two"])?;
/// let mut file = Vec::new();
/// AvroWriter::new(&mut file).with_compression(Codec::Zstandard).finish(&mut frame)?;
/// assert_eq!(AvroReader::new(file).finish()?, frame);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AvroWriter<W> {
    writer: W,
    options: WriteOptions,
}

impl<W: Write> AvroWriter<W> {
    /// Writes to any [`Write`], in portions of about a megabyte.
    ///
    /// Bytes written before an error remain. Use [`FileSink`](crate::FileSink) for files that appear only when they are
    /// complete.
    pub fn new(writer: W) -> Self {
        Self { writer, options: WriteOptions::default() }
    }

    /// Sets the codec of the blocks; the default is snappy.
    pub fn with_compression(mut self, codec: Codec) -> Self {
        self.options.codec = codec;
        self
    }

    /// Sets the compression level; `None` is the codec's own default.
    pub fn with_compression_level(mut self, level: Option<i32>) -> Self {
        self.options.level = level;
        self
    }

    /// Sets the name of the root record. A dotted name includes its namespace.
    pub fn with_name(mut self, name: String) -> Self {
        self.options.name = Some(name);
        self
    }

    /// Writes by this schema instead of one that is made from the dtypes.
    pub fn with_schema(mut self, schema: Option<Arc<Schema>>) -> Self {
        self.options.schema = schema;
        self
    }

    /// Sets all options at once.
    pub fn with_options(mut self, options: WriteOptions) -> Self {
        self.options = options;
        self
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// If a dtype has no Avro type, a value does not fit the schema, or writing fails.
    pub fn finish(&mut self, frame: &mut DataFrame) -> PolarsResult<()> {
        let mut file = OpenFile::new(fields_of(frame.schema()), self.options.clone());
        file.write(frame)?;
        file.finish(&mut self.writer)?;
        Ok(())
    }

    /// Begins a file of frames with these columns.
    pub fn batched(self, schema: &PolarsSchema) -> AvroBatchedWriter<W> {
        AvroBatchedWriter { file: OpenFile::new(fields_of(schema), self.options), writer: self.writer }
    }
}

/// Writes frame after frame to one file.
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// use polars::prelude::*;
/// use polars_avro::{AvroReader, AvroWriter};
///
/// let frame = df!("id" => [1, 2])?;
/// let mut file = Vec::new();
/// let mut writer = AvroWriter::new(&mut file).batched(frame.schema());
/// writer.write_batch(&frame)?;
/// writer.write_batch(&frame)?;
/// assert_eq!(writer.finish()?.rows, 4);
/// assert_eq!(AvroReader::new(file).finish()?.height(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AvroBatchedWriter<W> {
    file: OpenFile,
    writer: W,
}

impl<W: Write> AvroBatchedWriter<W> {
    /// Writes the rows of a frame. Rows that do not fill a block are buffered.
    ///
    /// # Errors
    /// If the frame has other columns, a value does not fit the schema, or writing fails.
    pub fn write_batch(&mut self, frame: &DataFrame) -> PolarsResult<()> {
        self.file.write(frame)?;
        Ok(self.file.pass_on(&mut self.writer)?)
    }

    /// Writes the buffered rows, and returns the size of the file.
    ///
    /// # Errors
    /// As [`AvroBatchedWriter::write_batch`].
    pub fn finish(mut self) -> PolarsResult<Written> {
        Ok(self.file.finish(&mut self.writer)?)
    }
}

/// An Avro file whose bytes are passed to the inner writer as they are produced.
struct OpenFile {
    fields: Vec<Field>,
    options: WriteOptions,
    bytes: MemorySink,
    /// Created with the first frame, whose times of day determine the unit to write.
    writer: Option<Writer>,
}

impl OpenFile {
    fn new(fields: Vec<Field>, options: WriteOptions) -> Self {
        Self { fields, options, bytes: MemorySink::new(), writer: None }
    }

    fn writer(&mut self, first: &[StructArray]) -> Result<&mut Writer> {
        if self.writer.is_none() {
            let sink = || Ok(Box::new(self.bytes.clone()) as Box<_>);
            self.writer = Some(Writer::create(sink, &self.fields, first, &self.options)?);
        }
        Ok(self.writer.as_mut().expect("begun above"))
    }

    fn write(&mut self, frame: &DataFrame) -> PolarsResult<()> {
        let fields = fields_of(frame.schema());
        if frame.width() != self.fields.len() {
            polars_bail!(ShapeMismatch: "expected {} columns, got {}", self.fields.len(), frame.width());
        }
        let batches = batches_of(frame, &fields);
        let writer = self.writer(&batches)?;
        for batch in &batches {
            writer.write(batch)?;
        }
        Ok(())
    }

    fn pass_on(&mut self, target: &mut impl Write) -> Result<()> {
        for portion in self.bytes.take() {
            target.write_all(&portion)?;
        }
        Ok(())
    }

    fn finish(&mut self, target: &mut impl Write) -> Result<Written> {
        let written = self.writer(&[])?.finish()?;
        self.pass_on(target)?;
        target.flush()?;
        Ok(written)
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("fields", &self.fields).finish_non_exhaustive()
    }
}
