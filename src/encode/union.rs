//! A union of several branches, from a struct with one field for each branch. The field that is not null is the value.

use std::ops::Range;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::bitmap::Bitmap;

use super::nullable::{is_valid, nulls};
use super::{AnyColumn, Column, downcast};
use crate::binary::{Fault, MAX_VARINT, put_length};

/// A column of unions.
#[derive(Clone)]
pub(crate) struct Union {
    children: Vec<Child>,
    /// Index of the null branch.
    null: Option<usize>,
    validity: Option<Bitmap>,
}

/// The field of one branch, in the order of the struct's fields.
#[derive(Clone)]
struct Child {
    name: String,
    branch: usize,
    column: AnyColumn,
    validity: Option<Bitmap>,
}

impl Union {
    /// Makes a union from a struct with these fields: name, index of the branch, values.
    pub(crate) fn new(children: Vec<(String, usize, AnyColumn)>, null: Option<usize>) -> Self {
        let child = |(name, branch, column)| Child { name, branch, column, validity: None };
        Self { children: children.into_iter().map(child).collect(), null, validity: None }
    }

    /// Returns the field that has the value of `row`.
    fn child(&self, row: usize) -> Result<Option<&Child>, Fault> {
        if !is_valid(self.validity.as_ref(), row) {
            return Ok(None);
        }
        let mut valid = self.children.iter().filter(|child| is_valid(child.validity.as_ref(), row));
        match (valid.next(), valid.next()) {
            (Some(one), Some(other)) => Err(Fault::data(format!(
                "a union holds one value, but the fields `{}` and `{}` are both not null",
                one.name, other.name
            ))),
            (one, _) => Ok(one),
        }
    }
}

impl Column for Union {
    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        let bind = |(child, array): (&Child, &dyn Array)| {
            let column = child.column.bind(array).map_err(|fault| fault.in_field(&child.name))?;
            Ok(Child { column, validity: nulls(array), name: child.name.clone(), branch: child.branch })
        };
        let arrays = downcast::<StructArray>(array).values().iter().map(AsRef::as_ref);
        let children = self.children.iter().zip(arrays).map(bind).collect::<Result<_, _>>()?;
        Ok(Self { children, null: self.null, validity: nulls(array) })
    }

    /// Returns the sum over all fields, although each row has a value in only one of them.
    fn bound(&self, rows: Range<usize>) -> usize {
        let children = self.children.iter().map(|child| child.column.bound(rows.clone()));
        children.fold(rows.len() * MAX_VARINT, usize::saturating_add)
    }

    #[inline(never)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        match (self.child(row)?, self.null) {
            (Some(child), _) => {
                let pos = put_length(out, pos, child.branch);
                child.column.encode(row, out, pos).map_err(|fault| fault.in_field(&child.name))
            }
            (None, Some(null)) => Ok(put_length(out, pos, null)),
            (None, None) => Err(Fault::data("a null, and the union of the Avro schema has no branch null")),
        }
    }
}
