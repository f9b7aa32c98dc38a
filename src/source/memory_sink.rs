//! A sink that keeps its bytes in memory.

use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Result;

/// Keeps what is written as it came, in portions. Clones share the portions, so that one can be written to and the other
/// read.
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
    /// A sink that has no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes away, in the portions in which they came.
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
