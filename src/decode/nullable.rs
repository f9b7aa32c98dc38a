//! A union of null and at most one branch that becomes a value: a nullable column.

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::union::{BranchAction, choose};
use super::{AnyColumn, Column, delegate_to};
use crate::binary::{Fault, read_long};

/// A column for a writer's union of null and one other branch, in either order.
#[derive(Clone)]
pub(crate) struct Nullable<C> {
    column: C,
    null_index: u8,
}

impl<C: Column> Nullable<C> {
    /// `null_index` is 0 or 1.
    pub(crate) fn new(column: C, null_index: usize) -> Self {
        Self { column, null_index: null_index as u8 }
    }

    /// Decodes a value whose branch index is longer than one byte, or is invalid.
    #[cold]
    #[inline(never)]
    fn decode_odd_index(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (index, pos) = read_long(bytes, pos)?;
        match index {
            0 | 1 if index == i64::from(self.null_index) => {
                self.column.push_nulls(1);
                Ok(pos)
            }
            0 | 1 => self.column.decode(bytes, pos),
            _ => Err(Fault::index("union", index, 2)),
        }
    }
}

impl<C: Column> Column for Nullable<C> {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        // Indices 0 and 1 are the bytes 0 and 2.
        match bytes.get(pos) {
            Some(&byte) if byte == 2 - 2 * self.null_index => self.column.decode(bytes, pos + 1),
            Some(&byte) if byte == 2 * self.null_index => {
                self.column.push_nulls(1);
                Ok(pos + 1)
            }
            _ => self.decode_odd_index(bytes, pos),
        }
    }

    delegate_to!(column);
}

/// A column for any writer's union that the reader reads as one nullable value.
#[derive(Clone)]
pub(crate) struct NullableUnion {
    column: AnyColumn,
    /// The action for each of the writer's branches; `BranchAction::Value::child` is not used.
    actions: Vec<BranchAction>,
}

impl NullableUnion {
    pub(crate) fn new(column: AnyColumn, actions: Vec<BranchAction>) -> Self {
        Self { column, actions }
    }
}

impl Column for NullableUnion {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (action, pos) = choose(&self.actions, bytes, pos)?;
        match action {
            BranchAction::Null => {
                self.column.push_nulls(1);
                Ok(pos)
            }
            BranchAction::Value { variant, .. } => self.column.decode_variant(*variant, bytes, pos),
            BranchAction::Skip(_) => unreachable!("only a struct of several branches has some that nobody wants"),
            BranchAction::Refuse(reason) => Err(reason.fault()),
        }
    }

    delegate_to!(column);
}
