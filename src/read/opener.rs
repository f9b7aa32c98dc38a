//! Opening files, with what depends on their schemas made once for each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polars_arrow::datatypes::Field;

use super::file::ContainerFile;
use super::options::OpenOptions;
use super::plans::Known;
use crate::plan::{Plan, Projection, Schemas};
use crate::{Error, Header, Result, Schema, Source};

/// Schemas that are remembered, and the most bytes that the text of each may have.
const KEPT: usize = 16;
const KEPT_BYTES: usize = 1 << 20;

/// Opens any number of files in the same way. What it has made of the schema of one serves the next ones.
#[derive(Default)]
pub struct Opener {
    options: OpenOptions,
    /// The reader's schema as itself, and its text.
    own: OnceLock<(String, Known)>,
    /// By the text in the header, the latest one first.
    known: Mutex<VecDeque<(Arc<str>, Known)>>,
}

impl Opener {
    /// What opens files in this way.
    #[must_use]
    pub fn new(options: OpenOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// How it opens files.
    #[must_use]
    pub fn options(&self) -> &OpenOptions {
        &self.options
    }

    /// Every column of files that are read as the reader's schema, as Polars has it.
    ///
    /// # Errors
    /// Where there is none, and where it is more than a limit allows.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        let Some(reader) = &self.options.reader_schema else {
            return Err(Error::argument(
                "files are read as they were written: there is no schema before one is opened",
            ));
        };
        Ok(self.own(reader)?.1.plan.fields.clone())
    }

    /// Reads a file's header, and makes the plan for reading all of it unless there is one.
    ///
    /// # Errors
    /// Where the source cannot be read or is not an Avro object container file, where its schema is not valid, and where
    /// it cannot be read as the reader's schema.
    pub fn open(&self, source: Arc<dyn Source>) -> Result<ContainerFile> {
        let header = Header::read(&*source, &self.options.limits)?;
        let known = self.known(&header.schema_json).map_err(|error| error.in_file(source.name()))?;
        Ok(ContainerFile::new(source, header, known, self.options.limits.clone()))
    }

    fn known(&self, json: &str) -> Result<Known> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = lock().iter().find(|(text, _)| **text == *json) {
            return Ok(found.clone());
        }
        let made = self.make(json)?;
        if json.len() <= KEPT_BYTES {
            let mut known = lock();
            known.truncate(KEPT - 1);
            known.push_front((json.into(), made.clone()));
        }
        Ok(made)
    }

    fn make(&self, json: &str) -> Result<Known> {
        let OpenOptions { reader_schema, evolution, limits } = &self.options;
        let writer = Arc::new(Schema::parse(json, limits)?);
        if let Some(reader) = reader_schema {
            let (own_json, own) = self.own(reader)?;
            if writer.to_json() == *own_json {
                return Ok(own.clone());
            }
        }
        let schemas = Schemas::new(writer, reader_schema.clone(), *evolution)?;
        self.compile(schemas)
    }

    fn own(&self, reader: &Arc<Schema>) -> Result<&(String, Known)> {
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let schemas = Schemas::new(reader.clone(), None, self.options.evolution)?;
        let own = (reader.to_json(), self.compile(schemas)?);
        Ok(self.own.get_or_init(|| own))
    }

    fn compile(&self, schemas: Schemas) -> Result<Known> {
        let plan = Plan::compile(&schemas, &Projection::All, &self.options.limits)?;
        Ok(Known { schemas, plan })
    }
}
