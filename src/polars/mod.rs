//! `DataFrame`s of the crate `polars`: readers and writers in the style of polars-io, and a lazy scan.

mod batches;
mod frame;
mod predicate;
mod pump;
mod reader;
mod scan;
mod writer;

pub use batches::AvroBatches;
pub use reader::AvroReader;
pub use scan::{ScanArgsAvro, scan_avro, scan_avro_files};
pub use writer::{AvroBatchedWriter, AvroWriter};
