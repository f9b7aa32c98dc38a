//! record: its fields one after the other. The root of every write plan is a record.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};

use super::staged::make_room;
use super::{AnyColumn, Column, Stage, downcast};
use crate::binary::Fault;

/// A column of records.
#[derive(Clone)]
pub(crate) struct Record {
    columns: Vec<AnyColumn>,
    /// The name of each field, for errors, and the index of its array in the frame; `None` for a default.
    fields: Arc<[(String, Option<usize>)]>,
}

impl Record {
    /// Makes a record of these fields, in the order in which they are written.
    pub(crate) fn new(fields: Vec<(String, Option<usize>, AnyColumn)>) -> Self {
        let (fields, columns) = fields.into_iter().map(|(name, index, column)| ((name, index), column)).unzip();
        let fields: Vec<_> = fields;
        Self { columns, fields: fields.into() }
    }

    /// Returns the record bound to the columns of a batch.
    pub(crate) fn bind_columns(&self, arrays: &[Box<dyn Array>]) -> Result<Self, Fault> {
        let bind = |(column, (name, index)): (&AnyColumn, &(String, Option<usize>))| match index {
            Some(index) => column.bind(arrays[*index].as_ref()).map_err(|fault| fault.in_field(name)),
            None => Ok(column.clone()),
        };
        let columns = self.columns.iter().zip(&*self.fields).map(bind).collect::<Result<_, _>>()?;
        Ok(Self { columns, fields: self.fields.clone() })
    }

    /// Writes records from `pos` on, and appends the end of each to `ends`; a fault comes with its row.
    pub(crate) fn encode_rows(
        &self,
        rows: Range<usize>,
        out: &mut Vec<u8>,
        mut pos: usize,
        ends: &mut Vec<usize>,
        stage: &mut Stage,
    ) -> Result<usize, (usize, Fault)> {
        ends.reserve(rows.len());
        let mut left = rows;
        while let Some((rest, end)) = stage.encode(&self.columns, &left, out, pos, ends) {
            (left, pos) = (rest, end);
        }
        // Rows that cannot be staged: few or large ones, and those up to the first one at fault.
        make_room(out, pos.saturating_add(self.bound(left.clone())));
        for row in left {
            pos = self.encode_fields(row, out, pos).map_err(|fault| (row, fault))?;
            ends.push(pos);
        }
        Ok(pos)
    }

    #[inline(always)]
    fn encode_fields(&self, row: usize, out: &mut [u8], mut pos: usize) -> Result<usize, Fault> {
        let mut columns = self.columns.iter();
        while let Some(column) = columns.next() {
            match column.encode(row, out, pos) {
                Ok(next) => pos = next,
                Err(fault) => return Err(fault.in_field(&self.fields[self.fields.len() - columns.len() - 1].0)),
            }
        }
        Ok(pos)
    }
}

impl Column for Record {
    const IN_COLUMNS: bool = true;

    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        self.bind_columns(downcast::<StructArray>(array).values())
    }

    fn bound(&self, rows: Range<usize>) -> usize {
        self.columns.iter().map(|column| column.bound(rows.clone())).fold(0, usize::saturating_add)
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        self.encode_fields(row, out, pos)
    }

    fn widest(&self, rows: Range<usize>) -> usize {
        self.columns.iter().map(|column| column.widest(rows.clone())).fold(0, usize::saturating_add)
    }

    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        self.columns.iter().try_for_each(|column| column.encode_each(rows.clone(), out, ends))
    }
}
