//! Where bytes go: the other end of a [`Source`](super::Source).

use crate::Result;

/// A place that takes the bytes of one file in order, and shows them under the file's name at the end.
///
/// Dropping a sink that was not finished is the same as aborting it: nothing of it is seen, as far as the place can take
/// bytes back.
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
    /// Name in errors: a path, a URL, `<bytes>`.
    fn name(&self) -> &str;

    /// Appends bytes. They come in portions of about a megabyte; the sink may copy them and hand them on later.
    ///
    /// # Errors
    /// Where they cannot be written. The sink is aborted then and takes no more.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Ends the file and makes it visible. Called once, after the last [`Sink::write`].
    ///
    /// # Errors
    /// Where the last bytes cannot be written or the file cannot get its name. Nothing of it is seen then, as far as the
    /// place can take bytes back and has told whether it took them.
    fn finish(&mut self) -> Result<()>;
}
