//! Datums in a column: one encoded value per row, bare or after a header that names its schema.
//!
//! A [`DatumDecoder`] decodes the rows of a Binary column into a column of the reader's schema, with the same decoders
//! as files.

mod cells;
mod decoder;
mod encoder;
mod fill;
mod framing;
mod options;
mod probe;
mod route;
mod router;
mod row_ids;
mod rows;
mod run;
mod schema_id;
mod task;
mod writers;
mod zlib;

pub use decoder::{DatumDecoder, Decoded};
pub use encoder::{DatumEncoder, datum_schema_of};
pub use framing::Framing;
pub use options::DatumOptions;
pub use row_ids::RowIds;
pub use schema_id::SchemaId;
