//! A cache of schemas: each is resolved once, and each selection of its columns is compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::OpenOptions;
use crate::executor::lock;
use crate::plan::{Plan, Projection, Schemas};
use crate::{Error, ErrorKind, Evolution, FieldMatching, Limits, Result, Schema};

/// The maximum number of schemas kept, of bytes of a schema that is kept, and of plans kept per schema. Files of one
/// producer have a handful of schemas.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 1 << 20;
const KEPT_PLANS: usize = 8;

/// The columns that a read needs of its files. The default is all of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The columns that are returned; `None` is all of them.
    pub(crate) columns: Option<Vec<String>>,
    /// The columns that the filter reads.
    pub(crate) filter: Option<Vec<String>>,
    /// True if damaged blocks are dropped. All columns must then be decoded to find damage.
    pub(crate) ignore_errors: bool,
}

/// The options of opening files, and a cache of their resolved schemas.
#[derive(Default)]
pub(crate) struct PlanCache {
    pub(crate) options: OpenOptions,
    /// The reader's schema resolved with itself.
    own: OnceLock<Arc<ResolvedSchemas>>,
    /// Resolved schemas by the schema text in the header.
    known: Mutex<HashMap<String, Arc<ResolvedSchemas>>>,
}

/// The resolved schemas of a file, and the plans compiled from them.
pub(crate) struct ResolvedSchemas {
    pub(crate) schemas: Schemas,
    evolution: Evolution,
    plans: Mutex<Vec<(Selection, Plan)>>,
}

impl PlanCache {
    pub(crate) fn new(options: OpenOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Returns the reader's schema resolved with itself, if there is one.
    pub(crate) fn own(&self) -> Result<Option<&Arc<ResolvedSchemas>>> {
        let Some(reader) = &self.options.reader_schema else { return Ok(None) };
        if let Some(own) = self.own.get() {
            return Ok(Some(own));
        }
        let own = ResolvedSchemas::new(reader, None, &self.options)?;
        Ok(Some(self.own.get_or_init(|| own)))
    }

    /// Returns the resolved schemas of a file with this schema in its header.
    ///
    /// # Errors
    /// If the schema is not valid or cannot be read as the reader's.
    pub(crate) fn of(&self, json: &str) -> Result<Arc<ResolvedSchemas>> {
        // The lock is held while a schema is resolved, so that other threads wait for the result instead of repeating the
        // work.
        let mut known = lock(&self.known);
        if let Some(found) = known.get(json) {
            return Ok(found.clone());
        }
        let writer = Schema::parse(json, &self.options.limits)?;
        let writer = Arc::new(writer.annotated(&self.options.annotations)?);
        let made = match self.own()? {
            // Its plans are shared.
            Some(own) if writer.to_json() == own.schemas.reader.to_json() => own.clone(),
            _ => ResolvedSchemas::new(&writer, self.options.reader_schema.as_ref(), &self.options)?,
        };
        if json.len() <= KEPT_BYTES {
            if known.len() == KEPT {
                known.clear();
            }
            known.insert(json.to_owned(), made.clone());
        }
        Ok(made)
    }
}

impl ResolvedSchemas {
    fn new(writer: &Arc<Schema>, reader: Option<&Arc<Schema>>, options: &OpenOptions) -> Result<Arc<Self>> {
        let evolution = options.evolution;
        let resolved = Schemas::new(writer.clone(), reader.cloned(), evolution, options.conversions());
        let schemas = resolved.map_err(|error| match reader {
            Some(reader) => suggest_union(error, [reader, writer], evolution, &options.limits),
            None => error,
        })?;
        Ok(Arc::new(Self { schemas, evolution, plans: Mutex::default() }))
    }

    /// Returns true if some columns of the reader's schema cannot be read, so that not every selection has a plan.
    pub(crate) fn has_refusals(&self) -> bool {
        let resolution = &self.schemas.resolution;
        resolution.extra.is_some() || !resolution.refused.is_empty()
    }

    /// Returns the plan for these columns, and true if it was compiled by this call.
    ///
    /// # Errors
    /// If a column is not in the reader's schema or is selected twice, or if the columns exceed a limit.
    pub(crate) fn plan(&self, selection: &Selection, limits: &Limits) -> Result<(Plan, bool)> {
        let mut plans = lock(&self.plans);
        if let Some((_, plan)) = plans.iter().find(|(known, _)| known == selection) {
            return Ok((plan.clone(), false));
        }
        let all = plans.iter().find(|(known, _)| *known == Selection::default()).map(|(_, plan)| plan);
        let Schemas { reader, writer, .. } = &self.schemas;
        let plan = self.compile(selection, all, limits);
        let plan = plan.map_err(|error| suggest_union(error, [reader, writer], self.evolution, limits))?;
        plans.truncate(KEPT_PLANS - 1);
        plans.insert(0, (selection.clone(), plan.clone()));
        Ok((plan, true))
    }

    fn compile(&self, selection: &Selection, all: Option<&Plan>, limits: &Limits) -> Result<Plan> {
        let Selection { columns, filter, ignore_errors } = selection;
        let mut plan = match (all, columns) {
            (Some(all), Some(columns)) if all.is_of(columns) => all.clone(),
            _ => Plan::compile(&self.schemas, &Projection::columns(columns.as_deref()), limits)?,
        };
        if *ignore_errors && columns.is_some() {
            plan.all_columns = Some(Arc::new(Plan::compile(&self.schemas, &Projection::Readable, limits)?));
        }
        match filter {
            Some(columns) => plan.with_filter(columns, &self.schemas, limits),
            None => Ok(plan),
        }
    }
}

/// Marks the error of two schemas if their union would read both files.
#[cold]
fn suggest_union(error: Error, schemas: [&Arc<Schema>; 2], evolution: Evolution, limits: &Limits) -> Error {
    let Evolution { by_columns, exact, field_matching, .. } = evolution;
    // Otherwise the reader's schema is not that of another file.
    let is_of_file = by_columns && !exact && field_matching == FieldMatching::Name;
    let has_union = || Schema::union(&schemas.map(|schema| (**schema).clone()), limits).is_ok();
    let reads = is_of_file && error.kind() == ErrorKind::Schema && has_union();
    error.with_union_reads(reads)
}
