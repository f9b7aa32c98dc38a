//! Records: the steps of their fields, and the root of a file.

use std::collections::HashMap;
use std::sync::Arc;

use super::compile::Compiler;
use super::{Projection, skip};
use crate::binary::PADDING;
use crate::decode::{AnyColumn, DefaultValue, Record, Skip, SkipPrograms, Skipped, UNREAD};
use crate::schema::{self, FieldAction, Kind, NodeId, Resolution, ResolvedId, Wire, column_name};
use crate::{Error, Result};

/// The name of the only column of a file whose root is not a record.
const VALUE: &str = "value";

impl Compiler<'_> {
    /// Compiles the one column of a file whose root is not a record.
    pub(super) fn value_record(&mut self, root: ResolvedId, projection: &Projection) -> Result<Record> {
        let (step, outputs) = match projection.of_value(VALUE)? {
            Some(projection) => (self.column(root, &projection)?, vec![(VALUE.to_owned(), 0)]),
            None => (skipped(self.programs.of(self.schemas.writer.root()), &self.programs), Vec::new()),
        };
        Ok(Record::new(vec![(VALUE.to_owned(), step)], outputs))
    }

    /// Compiles the selected fields of a record.
    pub(super) fn record(&mut self, id: ResolvedId, projection: &Projection) -> Result<Record> {
        let (Wire::Record { fields, defaults }, Kind::Record(record)) = (&self.node(id).wire, self.reader_kind(id))
        else {
            return Err(Error::new(crate::ErrorKind::Internal, "a record does not resolve with a record"));
        };
        let wanted = self.wanted(id, record, projection)?;
        let projections: HashMap<usize, &Projection> = wanted.iter().map(|(field, inner)| (*field, inner)).collect();
        self.open.push(self.node(id).reader);
        let programs = self.programs_of(id)?;
        let mut steps = Steps::new(record, programs);
        for action in fields {
            match *action {
                FieldAction::Read { field, value } => match projections.get(&field) {
                    Some(projection) => {
                        let column = self.column(value, projection).map_err(|e| in_field(e, record, field))?;
                        steps.column(field, column);
                    }
                    None => steps.skip(self.node(value).writer),
                },
                FieldAction::Skip(writer) => steps.skip(writer),
            }
        }
        for (field, datum) in defaults {
            if let Some(projection) = projections.get(field) {
                let datum = datum.as_ref().map(|datum| Arc::from([datum.as_slice(), &[0; PADDING]].concat()));
                let column = self.column(self.own(record.fields[*field].schema), projection);
                let column = DefaultValue::new(column.map_err(|e| in_field(e, record, *field))?, datum);
                steps.column(*field, Box::new(column).into());
            }
        }
        self.open.pop();
        let outputs = wanted.iter().map(|(index, _)| *index);
        Ok(steps.finish(outputs))
    }

    /// Returns the selected fields of a record, after checking that all of them can be read.
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
}

fn skipped(skips: &[Skip], programs: &Arc<SkipPrograms>) -> AnyColumn {
    Skipped { skips: skips.into(), programs: programs.clone() }.into()
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

/// The steps of one record under construction.
struct Steps<'s> {
    record: &'s schema::Record,
    programs: Arc<SkipPrograms>,
    steps: Vec<(String, AnyColumn)>,
    /// The step of each of the reader's fields.
    step_of: Vec<Option<usize>>,
}

impl<'s> Steps<'s> {
    fn new(record: &'s schema::Record, programs: Arc<SkipPrograms>) -> Self {
        Self { record, programs, steps: Vec::new(), step_of: vec![None; record.fields.len()] }
    }

    fn column(&mut self, field: usize, column: AnyColumn) {
        self.step_of[field] = Some(self.steps.len());
        self.steps.push((column_name(&self.record.fields[field]).to_owned(), column));
    }

    /// Appends a skip. Adjacent skips are merged into one step.
    fn skip(&mut self, writer: NodeId) {
        let skips = self.programs.of(writer);
        if let Some((_, AnyColumn::Skipped(before))) = self.steps.last_mut() {
            let mut fused = std::mem::take(&mut before.skips).into_vec();
            for each in skips {
                skip::push(&mut fused, each.clone());
            }
            before.skips = fused.into();
        } else if !skips.is_empty() {
            self.steps.push((UNREAD.to_owned(), skipped(skips, &self.programs)));
        }
    }

    fn finish(self, outputs: impl Iterator<Item = usize>) -> Record {
        let step_of = self.step_of;
        let output = |field: usize| {
            let step = step_of[field].expect("every field of the reader's record is read or has a default");
            (column_name(&self.record.fields[field]).to_owned(), step)
        };
        let outputs = outputs.map(output).collect();
        Record::new(self.steps, outputs)
    }
}
