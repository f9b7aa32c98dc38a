//! Plans of the schemas that the files of a read are written with, made once for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::stats::{Counters, add};
use crate::plan::{Plan, Projection, Schemas};
use crate::{Evolution, Header, Limits, Result, Schema};

/// Plans that are kept. Files of one producer have a handful of schemas.
const KEPT: usize = 256;

/// How files are read as one schema.
pub(super) struct Plans {
    projection: Projection,
    /// The columns that a filter looks at.
    tested: Option<Vec<String>>,
    /// Whether damaged blocks are left out.
    salvage: bool,
    evolution: Evolution,
    pub(super) limits: Limits,
    /// The reader's schema as itself, and its text.
    own: Known,
    own_json: String,
    /// By the text in the header.
    known: Mutex<HashMap<String, Known>>,
    counters: Arc<Counters>,
}

/// What is made of a schema.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) schemas: Schemas,
    pub(super) plan: Plan,
}

impl Plans {
    /// # Errors
    /// Where a column is not in the schema or is asked for twice.
    pub(super) fn new(
        reader: Arc<Schema>,
        projection: Projection,
        tested: Option<Vec<String>>,
        salvage: bool,
        evolution: Evolution,
        limits: Limits,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let own_json = reader.to_json();
        let schemas = Schemas::new(reader, None, evolution)?;
        let plan = compile(&schemas, &projection, tested.as_deref(), salvage, &limits)?;
        let own = Known { schemas, plan };
        Ok(Self { projection, tested, salvage, evolution, limits, own, own_json, known: Mutex::default(), counters })
    }

    /// The reader's own schema and its plan, whose columns those of all others are.
    pub(super) fn own(&self) -> &Known {
        &self.own
    }

    /// The plan for a file with this header.
    ///
    /// # Errors
    /// Where its schema is not valid or cannot be read as the reader's.
    pub(super) fn of(&self, header: &Header) -> Result<Known> {
        // The lock is held while a plan is made: others wait for it and do not make it again.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&header.schema_json) {
            return Ok(found.clone());
        }
        let made = self.make(&header.schema_json)?;
        if known.len() == KEPT {
            known.clear();
        }
        known.insert(header.schema_json.clone(), made.clone());
        Ok(made)
    }

    fn make(&self, json: &str) -> Result<Known> {
        add(&self.counters.plans_compiled, 1);
        let writer = Schema::parse(json, &self.limits)?;
        if writer.to_json() == self.own_json {
            return Ok(self.own.clone());
        }
        let reader = self.own.schemas.reader.clone();
        let schemas = Schemas::new(Arc::new(writer), Some(reader), self.evolution)?;
        let plan = compile(&schemas, &self.projection, self.tested.as_deref(), self.salvage, &self.limits)?;
        Ok(Known { schemas, plan })
    }
}

fn compile(
    schemas: &Schemas,
    projection: &Projection,
    tested: Option<&[String]>,
    salvage: bool,
    limits: &Limits,
) -> Result<Plan> {
    let mut plan = Plan::compile(schemas, projection, limits)?;
    if salvage && !matches!(projection, Projection::All) {
        plan.whole = Some(Arc::new(Plan::compile(schemas, &Projection::Readable, limits)?));
    }
    match tested {
        Some(columns) => plan.testing(columns, schemas, limits),
        None => Ok(plan),
    }
}
