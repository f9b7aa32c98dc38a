//! Any type, as the storage of an extension type: only the field's metadata differs.

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field, Metadata};

use super::{AnyColumn, Column};
use crate::binary::Fault;

/// A column of an extension type.
#[derive(Clone)]
pub(crate) struct Extension {
    storage: AnyColumn,
    metadata: Metadata,
}

impl Extension {
    /// `metadata` is the metadata of the field, whose dtype is that of `storage`.
    pub(crate) fn new(storage: AnyColumn, metadata: Metadata) -> Self {
        Self { storage, metadata }
    }
}

impl Column for Extension {
    #[inline]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.storage.decode(bytes, pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.storage.push_nulls(n);
    }

    fn reserve(&mut self, n: usize) {
        self.storage.reserve(n);
    }

    fn dtype(&self) -> ArrowDataType {
        self.storage.dtype()
    }

    fn field(&self, name: &str) -> Field {
        let field = self.storage.field(name);
        let mut metadata = self.metadata.clone();
        if let Some(own) = &field.metadata {
            metadata.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        field.with_metadata(metadata)
    }

    fn finish(&mut self) -> Box<dyn Array> {
        self.storage.finish()
    }
}
