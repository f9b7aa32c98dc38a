//! enum: an int that indexes the writer's symbols; here it becomes an index of the reader's.

use std::sync::Arc;

use polars_arrow::array::{Array, DictionaryArray, DictionaryKey, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, Field, Metadata};

use super::Column;
use super::validity::Validity;
use crate::binary::{Fault, read_long};
use crate::dtype;

/// A column of symbols, as keys of type `K` into the reader's list.
#[derive(Clone)]
pub(crate) struct Enumeration<K: DictionaryKey> {
    keys: Vec<K>,
    validity: Validity,
    symbols: Arc<Symbols<K>>,
}

struct Symbols<K> {
    /// The reader's key for each of the writer's symbols; `Err` with the symbol if the reader lacks it.
    of_writer: Vec<Result<K, String>>,
    values: Utf8ViewArray,
    metadata: Metadata,
}

impl<K: DictionaryKey> Enumeration<K> {
    /// `symbols` are the reader's; `of_writer` gives the reader's index for each symbol of the writer, or the symbol if the
    /// reader lacks it.
    pub(crate) fn new(symbols: &[String], of_writer: &[Result<usize, String>]) -> Self {
        let key = |index: &Result<usize, String>| match index {
            Ok(index) => K::try_from(*index).map_err(|_| index.to_string()),
            Err(symbol) => Err(symbol.clone()),
        };
        let of_writer = of_writer.iter().map(key).collect();
        let values = Utf8ViewArray::from_slice_values(symbols);
        let symbols = Symbols { of_writer, values, metadata: dtype::enum_metadata(symbols) };
        Self { keys: Vec::new(), validity: Validity::default(), symbols: Arc::new(symbols) }
    }
}

/// Returns the error for a symbol that the reader's enum lacks, if it has no default.
#[cold]
pub(super) fn unknown_symbol(index: i64, symbol: &str) -> Fault {
    Fault::mismatch(format!(
        "symbol {index} of the file's enum, {symbol:?}, is not in the reader's: add it there, or give the enum a default"
    ))
}

impl<K: DictionaryKey> Column for Enumeration<K> {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (index, pos) = read_long(bytes, pos)?;
        match usize::try_from(index).ok().and_then(|index| self.symbols.of_writer.get(index)) {
            Some(Ok(key)) => self.keys.push(*key),
            Some(Err(symbol)) => return Err(unknown_symbol(index, symbol)),
            None => return Err(Fault::index("enum", index, self.symbols.of_writer.len())),
        }
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.keys, n, K::default());
    }

    fn reserve(&mut self, n: usize) {
        self.keys.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Dictionary(K::KEY_TYPE, Box::new(ArrowDataType::Utf8View), true)
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name.into(), self.dtype(), true).with_metadata(self.symbols.metadata.clone())
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let keys = std::mem::take(&mut self.keys);
        let validity = self.validity.finish(keys.len());
        let keys = PrimitiveArray::new(K::PRIMITIVE.into(), keys.into(), validity);
        DictionaryArray::try_new(self.dtype(), keys, self.symbols.values.clone().boxed())
            .expect("every key was looked up among the symbols")
            .boxed()
    }
}
