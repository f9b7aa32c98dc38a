//! Writing: batches -> records -> blocks -> sink.
//!
//! A [`Writer`] binds each batch to the write plan, cuts rows into shares of about a megabyte, whatever the batches
//! they came in, and has the executor encode and compress them. Their bytes go to the [`Sink`](crate::Sink) in order.

mod append;
mod encoder;
mod fine_times;
mod options;
mod rows;
mod writer;

pub use append::append_options;
pub use options::WriteOptions;
pub use writer::{Writer, Written, avro_schema_of};
