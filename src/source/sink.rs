//! Destinations of bytes, the counterpart of a [`Source`](super::Source).

use crate::Result;

/// A destination that takes the bytes of one file in order, and makes them visible under the file's name at the end.
///
/// Dropping an unfinished sink aborts it: nothing of the file becomes visible, if the destination can take bytes back.
///
/// ```
/// use polars_avro::{Result, Sink};
///
/// /// Counts bytes.
/// struct Counted(u64);
///
/// impl Sink for Counted {
///     fn name(&self) -> &str {
///         "<counted>"
///     }
///
///     fn write(&mut self, bytes: &[u8]) -> Result<()> {
///         self.0 += bytes.len() as u64;
///         Ok(())
///     }
///
///     fn finish(&mut self) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// let mut sink = Counted(0);
/// sink.write(&[1, 2])?;
/// assert_eq!(sink.0, 2);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub trait Sink: Send {
    /// Returns its name in errors: a path, a URL, `<bytes>`.
    fn name(&self) -> &str;

    /// Appends bytes, in portions of about a megabyte. The sink may copy them and send them later.
    ///
    /// # Errors
    /// If they cannot be written. The sink is then aborted and takes no more bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Ends the file and makes it visible. Called once, after the last [`Sink::write`].
    ///
    /// # Errors
    /// If the last bytes cannot be written, or if the file cannot get its name. Nothing of it is then visible, unless the
    /// destination cannot take bytes back or its answer was lost.
    fn finish(&mut self) -> Result<()>;
}
