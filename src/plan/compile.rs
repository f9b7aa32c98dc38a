//! From a resolution to columns: the one match over node kinds.

use std::sync::{Arc, OnceLock};

use super::leaf::{bytes, duration, enumeration, number, scaled};
use super::{Plan, Projection, Schemas, skip};
use crate::binary::PADDING;
use crate::decode::{
    AnyColumn, Boolean, DefaultValue, Entries, Extension, FixedList, ItemBudget, Json, JsonGraph, List, Map, Null,
    Record, SkipPrograms, Step, Symbol, Text,
};
use crate::dtype::{Restored, column_name, extension_metadata};
use crate::schema::{self, FieldAction, Kind, Logical, NodeId, Resolution, Resolved, ResolvedId, Wire};
use crate::{Error, Limits, Result};

/// Name of the only column of a file whose root is not a record.
const VALUE: &str = "value";

pub(super) fn compile(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<Plan> {
    let programs = Arc::new(skip::compile(&schemas.writer, limits)?);
    let mut compiler = Compiler::new(schemas, programs.clone(), limits);
    if let Some(extra) = &schemas.resolution.extra {
        return Err(extra.error());
    }
    let root = schemas.resolution.root;
    let record = match (&compiler.node(root).wire, compiler.reader_kind(root)) {
        (Wire::Record { .. }, Kind::Record(_)) => compiler.record(root, projection)?,
        _ => compiler.value_record(root, projection)?,
    };
    let skip_record = programs.of(schemas.writer.root()).into();
    let row_values = compiler.values.max(1);
    Ok(Plan {
        fields: record.fields().into(),
        record: Arc::new(record),
        skip_record,
        row_values,
        programs,
        filter: None,
        all_columns: None,
    })
}

/// The root as one column, whatever it is: a record is a struct.
pub(super) fn compile_datum(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<AnyColumn> {
    let programs = Arc::new(skip::compile(&schemas.writer, limits)?);
    Compiler::new(schemas, programs, limits).column(schemas.resolution.root, projection)
}

pub(super) struct Compiler<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) limits: &'s Limits,
    pub(super) programs: Arc<SkipPrograms>,
    /// Skip programs of the reader's schema, for its types as themselves.
    own_programs: OnceLock<Arc<SkipPrograms>>,
    json: OnceLock<Arc<JsonGraph>>,
    /// The reader's records around the type that is compiled now, outermost first.
    pub(super) open: Vec<NodeId>,
    columns: usize,
    /// Columns that take memory for every value.
    values: usize,
    pub(super) depth: usize,
}

impl<'s> Compiler<'s> {
    pub(super) fn new(schemas: &'s Schemas, programs: Arc<SkipPrograms>, limits: &'s Limits) -> Self {
        let (own_programs, json) = (OnceLock::new(), OnceLock::new());
        Self { schemas, limits, programs, own_programs, json, open: Vec::new(), columns: 0, values: 0, depth: 0 }
    }

    pub(super) fn node(&self, id: ResolvedId) -> &'s Resolved {
        &self.schemas.resolution.nodes[id.0 as usize]
    }

    pub(super) fn reader_kind(&self, id: ResolvedId) -> &'s Kind {
        &self.schemas.reader.node(self.node(id).reader).kind
    }

    /// The column for one pair of types.
    pub(super) fn column(&mut self, id: ResolvedId, projection: &Projection) -> Result<AnyColumn> {
        self.columns += 1;
        if self.columns > self.limits.columns {
            return Err(Error::limit(
                "columns",
                format!("the schema becomes more than {} columns", self.limits.columns),
            ));
        }
        self.values += usize::from(!matches!(self.node(id).wire, Wire::Null | Wire::Record { .. }));
        if self.depth >= self.limits.type_depth() {
            return Err(skip::too_deep(self.limits.type_depth()));
        }
        self.depth += 1;
        let column = self.column_of(id, projection);
        self.depth -= 1;
        let extension = extension_metadata(&self.schemas.reader.node(self.node(id).reader).properties);
        Ok(match extension {
            Some(metadata) => Box::new(Extension::new(column?, metadata)).into(),
            None => column?,
        })
    }

    fn column_of(&mut self, id: ResolvedId, projection: &Projection) -> Result<AnyColumn> {
        let node = self.node(id);
        let of_reader = self.schemas.reader.node(node.reader);
        let logical = node.logical;
        let restored = Restored::of(&self.schemas.reader, of_reader);
        let restored = restored.as_ref();
        match &node.wire {
            Wire::Fixed(_) if logical == Some(Logical::Duration) => return Ok(Box::new(duration(projection)?).into()),
            Wire::Record { .. } if self.open.contains(&node.reader) => projection.check_is_all("a recursive value")?,
            Wire::Record { .. } | Wire::Array(_) | Wire::Map(_) | Wire::Union(_) | Wire::IntoUnion { .. } => {}
            Wire::Null if !matches!(self.reader_kind(id), Kind::Null) => {}
            _ => projection.check_is_all(self.reader_kind(id).type_name())?,
        }
        Ok(match &node.wire {
            Wire::Null if matches!(self.reader_kind(id), Kind::Null) => Null::default().into(),
            Wire::Null => self.nulls(node.reader, projection)?,
            Wire::Boolean => Boolean::default().into(),
            Wire::Int | Wire::Long | Wire::Float | Wire::Double => {
                number(&node.wire, self.reader_kind(id), logical, restored)
            }
            Wire::Scaled(scale) => scaled(*scale, logical, restored)?,
            Wire::Bytes | Wire::String => bytes(None, self.reader_kind(id), logical, restored),
            Wire::Fixed(size) => bytes(Some(*size), self.reader_kind(id), logical, restored),
            Wire::Enum(of_writer) => enumeration(self.reader_kind(id), of_writer, restored),
            Wire::Symbol(symbols) => Text::new(Symbol::new(symbols)).into(),
            Wire::Array(item) => self.list(*item, restored, projection)?,
            Wire::Map(value) => Box::new(Map::new(self.column(*value, projection)?)).into(),
            Wire::Record { .. } if self.open.contains(&node.reader) => Text::new(self.json(id)).into(),
            Wire::Record { .. } => Box::new(self.record(id, projection)?).into(),
            Wire::Union(branches) => self.union(id, branches, projection)?,
            Wire::IntoUnion { branch, value } => self.union_of_one(id, *branch, *value, projection)?,
        })
    }

    /// Lists, and the dtypes that a property makes of them.
    fn list(&mut self, item: ResolvedId, restored: Option<&Restored>, projection: &Projection) -> Result<AnyColumn> {
        if matches!(restored, Some(Restored::Map)) {
            projection.check_is_all("a map")?;
        }
        let before = self.values;
        let column = self.column(item, projection)?;
        Ok(match restored {
            Some(Restored::Array(width)) => {
                // A null takes the memory of all its items.
                self.values = self.values.saturating_add((self.values - before).saturating_mul(width - 1));
                Box::new(FixedList::new(column, *width)).into()
            }
            Some(Restored::Map) => {
                let list = List::new(column, self.item_budget(item, self.values - before));
                Box::new(Entries::new(list)).into()
            }
            _ => Box::new(List::new(column, self.item_budget(item, self.values - before))).into(),
        })
    }

    /// Returns the bound of a list's items: their bytes, or a limit if they take none. Items of a default are bounded
    /// by the default itself.
    fn item_budget(&self, item: ResolvedId, values: usize) -> ItemBudget {
        let item = self.node(item);
        if item.writer_is_reader || self.programs.of(item.writer).is_empty() {
            ItemBudget::empty(values, self.limits.zero_byte_items)
        } else {
            ItemBudget::BYTES
        }
    }

    fn json(&self, root: ResolvedId) -> Json {
        let graph = self.json.get_or_init(|| {
            let Schemas { reader, resolution, .. } = self.schemas;
            let (resolution, reader) = (resolution.clone(), reader.clone());
            Arc::new(JsonGraph { resolution, reader, programs: self.programs.clone() })
        });
        Json::new(graph.clone(), root)
    }

    /// The one column of a file whose root is not a record.
    fn value_record(&mut self, root: ResolvedId, projection: &Projection) -> Result<Record> {
        let (step, outputs) = match projection.of_value(VALUE)? {
            Some(projection) => (Step::Column(self.column(root, &projection)?), vec![(VALUE.to_owned(), 0)]),
            None => (Step::Skip(self.programs.of(self.schemas.writer.root()).into()), Vec::new()),
        };
        Ok(Record::new(vec![(VALUE.to_owned(), step)], outputs, self.programs.clone()))
    }

    /// The wanted fields of a record.
    fn record(&mut self, id: ResolvedId, projection: &Projection) -> Result<Record> {
        let (Wire::Record { fields, defaults }, Kind::Record(record)) = (&self.node(id).wire, self.reader_kind(id))
        else {
            return Err(Error::new(crate::ErrorKind::Internal, "a record does not resolve with a record"));
        };
        let wanted = self.wanted(id, record, projection)?;
        self.open.push(self.node(id).reader);
        let programs = self.programs_of(id)?;
        let mut steps = Steps::new(record);
        for action in fields {
            match *action {
                FieldAction::Read { field, value } => match wanted.iter().find(|(index, _)| *index == field) {
                    Some((_, projection)) => {
                        let column = self.column(value, projection).map_err(|e| in_field(e, record, field))?;
                        steps.column(field, column);
                    }
                    None => steps.skip(programs.of(self.node(value).writer)),
                },
                FieldAction::Skip(writer) => steps.skip(programs.of(writer)),
            }
        }
        for (field, datum) in defaults {
            if let Some((_, projection)) = wanted.iter().find(|(index, _)| index == field) {
                let datum = datum.as_ref().map(|datum| Arc::from([datum.as_slice(), &[0; PADDING]].concat()));
                let column = self.column(self.own(record.fields[*field].schema), projection);
                let column = DefaultValue::new(column.map_err(|e| in_field(e, record, *field))?, datum);
                steps.column(*field, Box::new(column).into());
            }
        }
        self.open.pop();
        let outputs = wanted.iter().map(|(index, _)| *index);
        Ok(steps.finish(outputs, programs))
    }

    /// The fields of a record that come out, all of which can be read.
    fn wanted(
        &self,
        id: ResolvedId,
        record: &schema::Record,
        projection: &Projection,
    ) -> Result<Vec<(usize, Projection)>> {
        let mut wanted = projection.of_record(record)?;
        let Resolution { root, .. } = *self.schemas.resolution;
        if id != root {
            return Ok(wanted);
        }
        let refusal = |field: usize| self.schemas.resolution.refusal(field);
        if matches!(projection, Projection::Readable) {
            wanted.retain(|(field, _)| refusal(*field).is_none());
        }
        match wanted.iter().find_map(|(field, _)| refusal(*field)) {
            Some(why) => Err(why.error()),
            None => Ok(wanted),
        }
    }

    /// A type of the reader's as itself.
    pub(super) fn own(&self, reader: NodeId) -> ResolvedId {
        self.schemas.resolution.own(reader)
    }

    /// Returns the skip programs of the schema that wrote this type.
    pub(super) fn programs_of(&self, id: ResolvedId) -> Result<Arc<SkipPrograms>> {
        if !self.node(id).writer_is_reader {
            return Ok(self.programs.clone());
        }
        if let Some(programs) = self.own_programs.get() {
            return Ok(programs.clone());
        }
        let programs = Arc::new(skip::compile(&self.schemas.reader, self.limits)?);
        Ok(self.own_programs.get_or_init(|| programs).clone())
    }
}

fn in_field(error: Error, record: &schema::Record, field: usize) -> Error {
    error.at(|position| {
        let name = column_name(&record.fields[field]);
        position.path = Some(match position.path.take() {
            Some(path) => format!("{name}.{path}"),
            None => name.to_owned(),
        });
    })
}

/// The steps of one record while they are put together.
struct Steps<'s> {
    record: &'s schema::Record,
    steps: Vec<(String, Step)>,
    /// The step of each of the reader's fields.
    step_of: Vec<Option<usize>>,
}

impl<'s> Steps<'s> {
    fn new(record: &'s schema::Record) -> Self {
        Self { record, steps: Vec::new(), step_of: vec![None; record.fields.len()] }
    }

    fn column(&mut self, field: usize, column: AnyColumn) {
        self.step_of[field] = Some(self.steps.len());
        self.steps.push((column_name(&self.record.fields[field]).to_owned(), Step::Column(column)));
    }

    /// Neighbours that are skipped become one step.
    fn skip(&mut self, skips: &[crate::decode::Skip]) {
        if let Some((_, Step::Skip(before))) = self.steps.last_mut() {
            let mut fused = std::mem::take(before).into_vec();
            for each in skips {
                skip::push(&mut fused, each.clone());
            }
            *before = fused.into();
        } else if !skips.is_empty() {
            self.steps.push(("(a field that is not read)".to_owned(), Step::Skip(skips.into())));
        }
    }

    fn finish(self, outputs: impl Iterator<Item = usize>, programs: Arc<SkipPrograms>) -> Record {
        let step_of = self.step_of;
        let output = |field: usize| {
            let step = step_of[field].expect("every field of the reader's record is read or has a default");
            (column_name(&self.record.fields[field]).to_owned(), step)
        };
        let outputs = outputs.map(output).collect();
        Record::new(self.steps, outputs, programs)
    }
}
