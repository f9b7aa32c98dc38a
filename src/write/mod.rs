//! Writing: batches -> records -> blocks -> sink.
//!
//! A [`Writer`] binds each batch to the write plan and splits the rows into shares of about a megabyte, independent of
//! batch boundaries. The executor encodes and compresses the shares. Their bytes go to the [`Sink`](crate::Sink) in
//! order.

mod append;
mod encoder;
mod fine_times;
mod options;
mod rows;
mod writer;

pub use append::append_options;
pub use options::WriteOptions;
pub use writer::{Writer, Written, avro_schema_of};
