//! enum, read as string.

use std::sync::Arc;

use super::text::TextFormat;
use crate::binary::{Fault, read_long};

/// The symbol with a given index.
#[derive(Clone)]
pub(crate) struct Symbol(Arc<[String]>);

impl Symbol {
    /// `symbols` are the writer's.
    pub(crate) fn new(symbols: &[String]) -> Self {
        Self(symbols.into())
    }
}

impl TextFormat for Symbol {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (index, pos) = read_long(bytes, pos)?;
        let symbol = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        out.push_str(symbol.ok_or_else(|| Fault::index("enum", index, self.0.len()))?);
        Ok(pos)
    }
}
