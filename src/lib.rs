//! Reads and writes Apache Avro object container files as columns that Polars uses without a copy.
//!
//! ```
//! use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
//!
//! let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
//! let options = ReadOptions::default().with_columns(["station", "celsius"]).with_length(100);
//! for batch in file.read(&options)? {
//!     let batch = batch?;
//!     for (field, array) in batch.fields.iter().zip(&batch.arrays) {
//!         println!("{}: {} values, {} nulls", field.name, array.len(), array.null_count());
//!     }
//! }
//! # Ok::<(), polars_avro::Error>(())
//! ```
//!
//! A [`ContainerFile`] is opened from a path, from bytes or from a [`Source`]; a [`FileSet`] reads several as one.
//! [`ContainerFile::read`] decodes on all cores and returns [`Batch`]es in file order: Arrow arrays of polars-arrow, see
//! [`arrow`]. [`Writer`] turns batches into a file. [`DatumDecoder`] and [`DatumEncoder`] handle columns of single datums.
//!
//! # Frames
//!
//! The crate links polars-arrow, not Polars, which takes minutes to build. A program that uses the same version of the
//! crate `polars` creates a series from each array without a copy:
//!
//! ```ignore
//! let columns = batch.fields.iter().zip(batch.arrays).map(|column| Ok(Series::try_from(column)?.into()));
//! let frame = DataFrame::new(batch.height, columns.collect::<PolarsResult<_>>()?)?;
//! ```
//!
//! The cargo feature `polars` includes this: `AvroReader`, `AvroWriter` and `scan_avro` in the style of polars-io, and
//! `DataFrame::try_from(batch)`.
//!
//! # Features
//!
//! | feature | adds | costs |
//! |---|---|---|
//! | `snappy`, `zstandard`, `bzip2`, `xz` (default) | the codec; null and deflate are always there | its library |
//! | `object_store` | `StoreFile`: S3, Google Cloud Storage, Azure, HTTP | tokio, hyper, rustls |
//! | `arrow` | `BatchReader::into_record_batches` | arrow-array |
//! | `polars` | `AvroReader`, `AvroWriter`, `scan_avro` | the crate `polars` |

#[macro_use]
mod setters;

#[cfg(feature = "arrow")]
mod arrow_export;
#[doc(hidden)]
pub mod arrow_import;
mod binary;
mod casts;
mod codec;
mod container;
mod datum;
mod decode;
mod dtype;
mod encode;
mod error;
mod executor;
mod ffi;
mod limits;
mod plan;
#[cfg(feature = "polars")]
mod polars;
mod read;
pub mod schema;
mod source;
mod write;

#[cfg(feature = "polars")]
pub use self::polars::{
    AvroBatchedWriter, AvroBatches, AvroReader, AvroWriter, ScanArgsAvro, scan_avro, scan_avro_files,
};
pub use casts::{Cast, Casts};
pub use codec::Codec;
pub use container::Header;
pub use datum::{DatumDecoder, DatumEncoder, DatumOptions, Decoded, Framing, RowIds, SchemaId, datum_schema_of};
pub use error::{Error, ErrorKind, FieldConflict, Position, Result};
#[doc(hidden)]
pub use executor::set_thread_pool_size;
pub use limits::Limits;
pub use plan::InvalidValues;
pub use read::{
    BadBlock, Batch, BatchReader, Canceller, ContainerFile, FileInput, FileOpener, FileSet, OpenOptions, ReadOptions,
    RowFilter, Stats, Times,
};
pub use schema::{Annotations, Evolution, Extra, FieldMatching, Incompatibility, Missing, Schema};
#[cfg(feature = "object_store")]
pub use source::{
    CredentialSource, CredentialSources, Credentials, OptionValue, SCHEMES, StoreFile, StoreOptions, StoreSink,
    StoreTarget, StoreTargets, WaitCheck, remove_store_files, store_files_in, store_sizes,
};
pub use source::{
    DeferredSource, FileSink, FileSource, MemorySink, MemorySource, ReadAhead, Sink, Source, SyncOnClose,
};
pub use write::{WriteOptions, Writer, Written, append_options, avro_schema_of};

/// Types of polars-arrow that appear in signatures and in batches here.
pub mod arrow {
    pub use polars_arrow::array::{
        Array, BinaryViewArray, BooleanArray, DictionaryArray, DictionaryKey, FixedSizeBinaryArray, FixedSizeListArray,
        ListArray, MapArray, NullArray, PrimitiveArray, StructArray, Utf8ViewArray,
    };
    pub use polars_arrow::bitmap::Bitmap;
    pub use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};
    pub use polars_buffer::Buffer;
}

/// The stores that [`StoreFile::from_store`] takes, in the version that this crate is built with.
///
/// ```
/// use std::sync::Arc;
///
/// use polars_avro::object_store::ObjectStore;
/// use polars_avro::object_store::memory::InMemory;
///
/// let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
/// assert_eq!(store.to_string(), "InMemory");
/// ```
#[cfg(feature = "object_store")]
pub use ::object_store;

/// Runs the examples of the documentation as tests.
#[cfg(all(doctest, feature = "arrow", feature = "object_store", feature = "polars"))]
#[doc = include_str!("../docs/rust.md")]
struct Guide;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
