//! The writers' schemas of rows, and the columns that each is decoded into.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{DatumOptions, Framing, SchemaId};
use crate::decode::AnyColumn;
use crate::plan::{Plan, Projection, Schemas};
use crate::schema::{Evolution, Fingerprint, Kind};
use crate::{Error, Result, Schema};

/// A writer's schema.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) schema: Arc<Schema>,
    /// The empty column, which is cloned and filled.
    pub(super) column: AnyColumn,
    /// The result of [`is_bytes`].
    pub(super) is_bytes: bool,
    /// The maximum size of a compressed datum's content.
    pub(super) datum_bytes: usize,
}

/// All schemas of one decoder, by their numbers. Number 0 is the reader's own.
#[derive(Clone)]
pub(super) struct WriterSchemas {
    pub(super) writers: Vec<Arc<Writer>>,
    by_text: HashMap<String, usize>,
    by_id: HashMap<SchemaId, usize>,
    /// The schema of rows without a header.
    pub(super) bare: Option<usize>,
    /// The schema of all rows with a registry id, if those ids are not looked up.
    any_id: Option<usize>,
    /// The ids that may be looked up; any if `None`.
    ids: Option<Arc<HashSet<SchemaId>>>,
    /// The framings whose ids may be looked up; any if `None`.
    looked_up: Option<Arc<HashSet<Framing>>>,
}

impl WriterSchemas {
    /// Makes the schemas that the options contain.
    pub(super) fn new(reader: &Arc<Schema>, options: &DatumOptions) -> Result<Self> {
        let (writers, by_text, by_id, bare, any_id) = Default::default();
        let (ids, looked_up) = (options.ids.clone().map(Arc::new), options.looked_up.clone().map(Arc::new));
        let mut schemas = Self { writers, by_text, by_id, bare, any_id, ids, looked_up };
        let own = schemas.add(reader, reader, options)?;
        schemas.by_id.insert(fingerprint(reader).into(), own);
        if let Some(schema) = &options.schema {
            let writer = schemas.add(schema, reader, options)?;
            schemas.by_id.insert(fingerprint(schema).into(), writer);
            schemas.bare = Some(writer);
            schemas.any_id = options.ignore_ids.then_some(writer);
        }
        Ok(schemas)
    }

    /// Returns the number of a schema; compiles its column if the schema is new.
    fn add(&mut self, schema: &Arc<Schema>, reader: &Arc<Schema>, options: &DatumOptions) -> Result<usize> {
        let text = schema.to_json();
        if let Some(&number) = self.by_text.get(&text) {
            return Ok(number);
        }
        let schemas = Schemas::new(schema.clone(), Some(reader.clone()), Evolution::default(), <_>::default())?;
        let projection = Projection::columns(options.fields.as_deref());
        let column = Plan::compile_datum(&schemas, &projection, &options.limits)?;
        self.writers.push(Arc::new(Writer {
            schema: schema.clone(),
            column,
            is_bytes: is_bytes(schema),
            datum_bytes: options.limits.block_bytes,
        }));
        self.by_text.insert(text, self.writers.len() - 1);
        Ok(self.writers.len() - 1)
    }

    /// Registers the schema of an id or a fingerprint.
    pub(super) fn add_id(
        &mut self,
        id: SchemaId,
        schema: &Arc<Schema>,
        reader: &Arc<Schema>,
        options: &DatumOptions,
    ) -> Result<()> {
        let writer = self.add(schema, reader, options).map_err(|error| {
            let message = format!("the schema of id {id} cannot be read as the reader's: {error}");
            Error::new(error.kind(), message)
        })?;
        self.by_id.insert(id, writer);
        Ok(())
    }

    /// Returns the schema of an id in this framing.
    pub(super) fn find(&self, framing: Framing, id: SchemaId) -> Option<usize> {
        match (framing, self.any_id) {
            (Framing::Confluent | Framing::Apicurio | Framing::Glue, Some(writer)) => Some(writer),
            _ => self.by_id.get(&id).copied(),
        }
    }

    /// Returns true if an unknown id may be looked up.
    pub(super) fn looks_up(&self, framing: Framing, id: SchemaId) -> bool {
        (self.any_id.is_none() || framing == Framing::SingleObject)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && self.looked_up.as_ref().is_none_or(|framings| framings.contains(&framing))
    }

    /// Returns true if a row that begins with a known id has this framing: 8 or 16 bytes match by no coincidence.
    pub(super) fn is_certain(&self, framing: Framing) -> bool {
        match framing {
            Framing::SingleObject => true,
            Framing::Glue => self.any_id.is_none(),
            _ => false,
        }
    }
}

/// Returns true if a schema is plain `bytes`, which Confluent's serializer writes without a length.
pub(super) fn is_bytes(schema: &Schema) -> bool {
    let root = schema.node(schema.root());
    matches!(root.kind, Kind::Bytes) && root.logical.is_none()
}

/// Returns the fingerprint by which single objects identify a schema, as a number.
pub(super) fn fingerprint(schema: &Schema) -> u64 {
    let bytes = schema.fingerprint(Fingerprint::Rabin);
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
