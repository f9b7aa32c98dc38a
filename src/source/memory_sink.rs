//! A sink that keeps its bytes in memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Result;

/// A sink that keeps the written bytes in memory, in the portions they came in. Clones share the portions, so that one can
/// be written to and another read.
///
/// ```
/// use polars_avro::{MemorySink, Sink};
///
/// let sink = MemorySink::new();
/// sink.clone().write(&[1, 2])?;
/// assert_eq!(sink.take().concat(), [1, 2]);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemorySink {
    portions: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl MemorySink {
    /// Creates an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes and returns the bytes, in the portions they came in.
    #[must_use]
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.portions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &'static str {
        "<bytes>"
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.portions.lock().unwrap_or_else(PoisonError::into_inner).push(bytes.to_vec());
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_kept_as_they_came() {
        let sink = MemorySink::new();
        let mut writer = sink.clone();
        writer.write(&[1, 2]).unwrap();
        writer.write(&[3]).unwrap();
        writer.finish().unwrap();
        assert_eq!(sink.take(), [vec![1, 2], vec![3]]);
        assert!(sink.take().is_empty());
    }
}
