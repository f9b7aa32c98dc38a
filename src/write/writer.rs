//! The writer of one file.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::Field;

use super::encoder::{BlockEncoder, Blocks};
use super::fine_times::has_fine_times;
use super::options::WriteOptions;
use super::rows::{Rows, Share};
use crate::container::header_bytes;
use crate::dtype::{AvroNames, same_dtype, to_avro};
use crate::executor::{Consumer, OrderedTasks, threads};
use crate::plan::WritePlan;
use crate::{Error, ErrorKind, Limits, Result, Schema, Sink};

/// The maximum size of a share, unless blocks are larger, in bytes.
const SHARE_BYTES: usize = 1 << 20;

/// The minimum number of blocks of a share. They have about equal size, so with many blocks each is nearly full.
const SHARE_BLOCKS: usize = 8;

/// The prefix of header keys that the format reserves.
const RESERVED: &str = "avro.";

/// Writes batches of rows to one file. The file is not visible before [`Writer::finish`] returns.
///
/// ```
/// use polars_avro::{ContainerFile, MemorySink, OpenOptions, ReadOptions, WriteOptions, Writer};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let sink = MemorySink::new();
/// let target = || Ok(Box::new(sink.clone()) as Box<_>);
/// let mut writer = Writer::create(target, file.fields(), &[], &WriteOptions::default())?;
/// for batch in file.read(&ReadOptions::default())? {
///     writer.write(&batch?.into_struct())?;
/// }
/// writer.finish()?;
/// let copy = ContainerFile::open(sink.take().concat(), &OpenOptions::default())?;
/// assert_eq!((copy.count_rows(None)?, copy.fields()), (300, file.fields()));
/// # Ok::<(), polars_avro::Error>(())
/// ```
///
/// To a path:
///
/// ```
/// use polars_avro::arrow::{Array, ArrowDataType, Field, PrimitiveArray, StructArray};
/// use polars_avro::{FileSink, Sink, SyncOnClose, WriteOptions, Writer};
///
/// let path = std::env::temp_dir().join("polars_avro_writer.avro");
/// let target = || Ok(Box::new(FileSink::create(&path, SyncOnClose::None, false)?) as Box<dyn Sink>);
/// let fields = [Field::new("celsius".into(), ArrowDataType::Float64, true)];
/// let mut writer = Writer::create(target, &fields, &[], &WriteOptions::default())?;
/// let column = PrimitiveArray::from_slice([8.5, 14.1]).boxed();
/// writer.write(&StructArray::new(ArrowDataType::Struct(fields.to_vec()), 2, vec![column], None))?;
/// assert_eq!(writer.finish()?.rows, 2);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub struct Writer {
    fields: Arc<[Field]>,
    plan: WritePlan,
    /// The caller's schema, by which batches may have different columns; `None` if the schema is made from the dtypes.
    schema: Option<Arc<Schema>>,
    /// True if fields without a column get their default.
    use_defaults: bool,
    sink: Box<dyn Sink>,
    rows: Rows,
    tasks: OrderedTasks<BlockEncoder>,
    /// True after a share was submitted to the tasks.
    started: bool,
    written: Written,
    /// True after an error, or when the file is finished: no more calls are allowed.
    failed: bool,
    /// The process that created the writer. A forked process has a copy of it but none of its threads.
    process: u32,
}

/// The size of a finished file.
///
/// ```
/// use polars_avro::{MemorySink, WriteOptions, Writer, Written};
///
/// let mut writer = Writer::create(|| Ok(Box::new(MemorySink::new())), &[], &[], &WriteOptions::default())?;
/// let Written { rows, blocks, .. } = writer.finish()?;
/// assert_eq!((rows, blocks), (0, 0));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Rows written, without those that were there before.
    pub rows: u64,
    /// Blocks written.
    pub blocks: u64,
    /// Bytes written, the header included if it is new.
    pub bytes: u64,
}

/// Returns the Avro schema that columns are written with if none is given, as JSON.
///
/// `first` are the first rows, if there are any: times of day in them determine the unit of times.
///
/// ```
/// use polars_avro::arrow::{ArrowDataType, Field};
/// use polars_avro::{Schema, WriteOptions, avro_schema_of};
///
/// let fields = [Field::new("id".into(), ArrowDataType::Int64, true)];
/// let json = avro_schema_of(&fields, &[], &WriteOptions::default().with_name("shop.Order"))?;
/// let schema: Schema = json.parse()?;
/// assert_eq!(schema.node(schema.root()).kind.name().unwrap().fullname(), "shop.Order");
/// # Ok::<(), polars_avro::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Unsupported`] if a dtype has no Avro type; [`ErrorKind::Argument`] if a name is not allowed.
pub fn avro_schema_of(fields: &[Field], first: &[StructArray], options: &WriteOptions) -> Result<String> {
    let names =
        AvroNames { name: options.name.clone(), namespace: options.namespace.clone(), doc: options.doc.clone() };
    if first.iter().any(|rows| rows.values().len() != fields.len()) {
        return Err(Error::argument("the first rows have other columns than the fields"));
    }
    let is_fine = |column: usize| first.iter().any(|rows| has_fine_times(rows.values()[column].as_ref()));
    let fine: Vec<bool> = (0..fields.len()).map(is_fine).collect();
    Ok(to_avro(fields, &fine, &names)?.to_string())
}

impl Writer {
    /// Begins a file of these columns. `first` are rows that decide whether times are written in nanoseconds, as in
    /// [`avro_schema_of`]; they are not written. Pass `&[]` if there are no columns of times. `sink` opens the target, after
    /// all checks.
    ///
    /// # Errors
    /// If the columns do not fit the schema, or an option is invalid. The sink is not opened in these cases.
    pub fn create(
        sink: impl FnOnce() -> Result<Box<dyn Sink>>,
        fields: &[Field],
        first: &[StructArray],
        options: &WriteOptions,
    ) -> Result<Self> {
        let (schema, json) = schema(fields, first, options)?;
        if let Some((key, _)) = options.metadata.iter().find(|(key, _)| key.starts_with(RESERVED)) {
            return Err(Error::argument(format!("`metadata` must not have keys that begin with `avro.`, got {key:?}")));
        }
        let sync = options.sync_marker.unwrap_or_else(random_marker);
        let plan = WritePlan::compile(&schema, fields, true)?;
        if first.iter().any(|rows| !rows.is_empty()) {
            WritePlan::check_nulls(&schema, fields)?;
        }
        let mut writer = Self::new(sink, fields, plan, sync, options)?;
        writer.use_defaults = true;
        writer.put(&header_bytes(&json, options.codec, &options.metadata, &sync))?;
        Ok(writer)
    }

    /// Appends to a file that ends at the position of the sink, with options from
    /// [`append_options`](super::append_options).
    ///
    /// # Errors
    /// As [`Writer::create`].
    pub fn append(
        sink: impl FnOnce() -> Result<Box<dyn Sink>>,
        fields: &[Field],
        options: &WriteOptions,
    ) -> Result<Self> {
        let (Some(schema), Some(sync)) = (&options.schema, options.sync_marker) else {
            return Err(Error::argument("appending needs the schema and the sync marker of the file"));
        };
        // A missing column is more likely a mistake than a request for defaults.
        let plan = WritePlan::compile(schema, fields, false).map_err(|error| {
            error.with_hint("appending keeps the schema of the file: for another schema, write a new file")
        })?;
        Self::new(sink, fields, plan, sync, options)
    }

    fn new(
        sink: impl FnOnce() -> Result<Box<dyn Sink>>,
        fields: &[Field],
        plan: WritePlan,
        sync: [u8; 16],
        options: &WriteOptions,
    ) -> Result<Self> {
        if options.block_size == 0 {
            return Err(Error::argument("`block_size` must be at least 1"));
        }
        let fields: Arc<[Field]> = fields.into();
        let encoder = BlockEncoder::new(options.codec, options.level, options.block_size, sync)?;
        let threads = options.n_threads.unwrap_or(usize::MAX).min(threads());
        let tasks = OrderedTasks::new(encoder, VecDeque::new(), threads, Consumer::Works);
        let rows = Rows::new(SHARE_BYTES.max(options.block_size.saturating_mul(SHARE_BLOCKS)));
        let sink = sink()?;
        let (written, process) = (Written::default(), std::process::id());
        let (schema, use_defaults) = (options.schema.clone(), false);
        Ok(Self {
            fields,
            plan,
            schema,
            use_defaults,
            sink,
            rows,
            tasks,
            started: false,
            written,
            failed: false,
            process,
        })
    }

    /// Returns the current columns of the batches.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the rows, blocks and bytes that were passed to the sink.
    #[must_use]
    pub fn written(&self) -> Written {
        self.written
    }

    /// Writes the rows of a batch. Rows that do not fill a share are buffered.
    ///
    /// Its columns must be those of the file. If the options have a schema, any columns that fit it are allowed.
    ///
    /// # Errors
    /// If the batch has other columns, a value does not fit its type, or the sink fails. The file cannot be continued
    /// after an error.
    pub fn write(&mut self, batch: &StructArray) -> Result<()> {
        self.guarded(|writer| writer.write_batch(batch))
    }

    /// Writes the buffered rows and makes the file visible.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn finish(&mut self) -> Result<Written> {
        self.guarded(|writer| {
            let rest = writer.rows.rest();
            if rest.rows > 0 && !writer.started {
                // The whole file is one share, so waking a thread does not pay.
                let blocks = writer.tasks.workload().encode(&rest)?;
                writer.put_blocks(blocks)?;
            } else if rest.rows > 0 {
                writer.submit(rest)?;
            }
            while let Some(blocks) = writer.tasks.next() {
                writer.put_blocks(blocks?)?;
            }
            writer.sink.finish()?;
            // A second call is an error.
            writer.failed = true;
            Ok(writer.written)
        })
    }

    /// Runs `work` unless an earlier call failed, and records a failure.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.process != std::process::id() {
            return Err(Error::argument("the file was begun by another process, which alone can go on with it"));
        }
        if self.failed {
            return Err(Error::new(ErrorKind::Argument, "the file is finished already, or writing it failed before"));
        }
        let worked = work(self);
        self.failed |= worked.is_err();
        worked
    }

    fn write_batch(&mut self, batch: &StructArray) -> Result<()> {
        if batch.null_count() > 0 {
            return Err(Error::argument("the batch has rows that are null: only values in columns can be null"));
        }
        self.plan_columns(batch.fields(), batch.len() > 0)?;
        let record = self.plan.record.bind_columns(batch.values()).map_err(crate::binary::Fault::into_error)?;
        let mut next = 0;
        while let Some(share) = self.rows.fill(&record, &mut next, batch.len()) {
            self.submit(share)?;
        }
        Ok(())
    }

    /// Recompiles the plan if a batch has other columns and the schema is the caller's.
    fn plan_columns(&mut self, fields: &[Field], has_rows: bool) -> Result<()> {
        let same = |(a, b): (&Field, &Field)| a.name == b.name && same_dtype(a, b);
        if fields.len() == self.fields.len() && fields.iter().zip(&*self.fields).all(same) {
            return Ok(());
        }
        if let Some(schema) = &self.schema {
            self.plan = WritePlan::compile(schema, fields, self.use_defaults)?;
            if has_rows {
                WritePlan::check_nulls(schema, fields)?;
            }
            self.fields = fields.into();
            return Ok(());
        }
        let list = |fields: &[Field]| {
            let columns = fields.iter().map(|field| format!("{} ({})", field.name, crate::dtype::polars_name(field)));
            columns.collect::<Vec<_>>().join(", ")
        };
        let message = format!(
            "every frame of a file must have the columns of the first, which are {}; got {}",
            list(&self.fields),
            list(fields)
        );
        Err(Error::schema(message))
    }

    fn submit(&mut self, share: Share) -> Result<()> {
        self.started = true;
        while self.tasks.is_full() {
            match self.tasks.next() {
                Some(blocks) => self.put_blocks(blocks?)?,
                None => break,
            }
        }
        self.tasks.submit(|shares| shares.push_back(share))
    }

    fn put_blocks(&mut self, blocks: Blocks) -> Result<()> {
        self.written.rows += blocks.rows;
        self.written.blocks += blocks.blocks;
        self.put(blocks.buffer.as_slice())?;
        self.tasks.workload().recycle(blocks.buffer);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.written.bytes += bytes.len() as u64;
        self.sink.write(bytes)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sink, fields) = (self.sink.name(), &self.fields);
        let writer = &mut f.debug_struct("Writer");
        writer.field("sink", &sink).field("fields", fields).field("written", &self.written).finish_non_exhaustive()
    }
}

/// Returns the schema to write by, and its text.
fn schema(fields: &[Field], first: &[StructArray], options: &WriteOptions) -> Result<(Arc<Schema>, String)> {
    if let Some(schema) = &options.schema {
        schema.validate()?;
        if let Some(json) = &options.schema_json
            && Schema::parse(json, &Limits::default())?.without_notes().to_json() != schema.without_notes().to_json()
        {
            return Err(Error::argument("`schema_json` is the text of another schema than `schema`"));
        }
        let given = options.schema_json.as_ref().filter(|_| !schema.has_nested_types());
        let json = given.cloned().unwrap_or_else(|| schema.to_json());
        return Ok((schema.clone(), json));
    }
    if options.schema_json.is_some() {
        return Err(Error::argument("`schema_json` is the text of `schema`, which is not set"));
    }
    let json = avro_schema_of(fields, first, options)?;
    Ok((Arc::new(Schema::parse(&json, &Limits::default())?), json))
}

/// Returns a random sync marker, from the keys of hashers, which are random and differ for each hasher.
fn random_marker() -> [u8; 16] {
    let half = || RandomState::new().hash_one(std::process::id()).to_le_bytes();
    let mut marker = [0; 16];
    let (first, last) = marker.split_at_mut(8);
    first.copy_from_slice(&half());
    last.copy_from_slice(&half());
    marker
}
