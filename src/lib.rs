//! Apache Avro object container files, decoded straight into Polars columns.
//!
//! Bytes in, columns out: a [`Container`] is a file whose header has been read; [`Container::read`] gives its rows as
//! Arrow [`Batch`]es, decoded on all cores and handed out in file order.

mod binary;
mod codec;
mod container;
mod datum;
mod decode;
mod dtype;
mod encode;
mod error;
mod executor;
mod limits;
mod plan;
#[cfg(feature = "python")]
mod python;
mod read;
mod schema;
mod source;
mod write;

pub use codec::Codec;
pub use container::Header;
pub use datum::{DatumDecoder, DatumEncoder, DatumOptions, Decoded, Framing, datum_schema_of};
pub use error::{Error, ErrorKind, Position, Result};
pub use executor::set_thread_pool_size;
pub use limits::Limits;
pub use read::{
    BadBlock, Batch, BatchReader, ContainerFile, FileInput, FileOpener, FileSet, OpenOptions, ReadOptions, RowFilter,
    Stats,
};
pub use schema::{
    Cast, Casts, Enum, Evolution, Extra, Field, Fingerprint, Fixed, Kind, Logical, Missing, Name, Node, NodeId,
    Properties, Record, Schema,
};
#[cfg(feature = "object_store")]
pub use source::{
    CredentialSource, CredentialSources, Credentials, OptionValue, SCHEMES, StoreFile, StoreOptions, StoreSink,
    StoreTarget, StoreTargets, WaitCheck, remove_store_files, store_sizes,
};
pub use source::{
    DeferredSource, FileSink, FileSource, MemorySink, MemorySource, ReadAhead, Sink, Source, SyncOnClose,
};
pub use write::{WriteOptions, Writer, Written, append_options, avro_schema_of};
