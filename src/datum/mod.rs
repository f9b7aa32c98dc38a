//! Datums in a column: one encoded value per row, bare or after a header that names its schema.
//!
//! A [`DatumDecoder`] turns the rows of a Binary column into the column that the reader's schema describes, by the
//! columns that files are decoded into.

mod cells;
mod decoder;
mod encoder;
mod fill;
mod framing;
mod options;
mod probe;
mod route;
mod router;
mod rows;
mod run;
mod task;
mod writers;

pub use decoder::{DatumDecoder, Decoded};
pub use encoder::{DatumEncoder, datum_schema_of};
pub use framing::Framing;
pub use options::DatumOptions;
