//! A union of null and one other branch, and types that have no null.

use std::ops::Range;

use polars_arrow::array::Array;
use polars_arrow::bitmap::Bitmap;

use super::{AnyColumn, Column};
use crate::binary::{Fault, put_byte};

/// The encoded index of a union's branch, in one byte.
#[derive(Clone, Copy)]
pub(crate) struct Branch(u8);

impl Branch {
    /// Returns the branch of this index; `None` if it takes more than one byte.
    pub(crate) fn new(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|&index| index < 64).map(|index| Self(2 * index))
    }
}

/// Returns the validity of an array, if it has nulls.
pub(super) fn nulls(array: &dyn Array) -> Option<Bitmap> {
    array.validity().filter(|validity| validity.unset_bits() > 0).cloned()
}

/// Returns true if the value of `row` is not null.
#[inline(always)]
pub(super) fn is_valid(validity: Option<&Bitmap>, row: usize) -> bool {
    validity.is_none_or(|validity| validity.get_bit(row))
}

/// A column of values and nulls.
#[derive(Clone)]
pub(crate) struct Nullable<C> {
    column: C,
    null: Branch,
    value: Branch,
    validity: Option<Bitmap>,
}

impl<C: Column> Nullable<C> {
    /// Makes a column with these branches for nulls and for values.
    pub(crate) fn new(column: C, null: Branch, value: Branch) -> Self {
        Self { column, null, value, validity: None }
    }

    /// Writes runs of nulls and runs of values, each run together.
    fn encode_stretches(&self, rows: Range<usize>, out: &mut [u8], mut ends: &mut [usize]) -> Result<(), Fault> {
        let mut start = rows.start;
        while start < rows.end {
            let valid = is_valid(self.validity.as_ref(), start);
            let goes_on = |&row: &usize| is_valid(self.validity.as_ref(), row) == valid;
            let stretch = match self.validity {
                Some(_) => 1 + (start + 1..rows.end).take_while(goes_on).count(),
                None => rows.end - start,
            };
            let (now, later) = ends.split_at_mut(stretch);
            let branch = if valid { self.value } else { self.null };
            for end in &mut *now {
                *end = put_byte(out, *end, branch.0);
            }
            if valid {
                self.column.encode_each(start..start + stretch, out, now)?;
            }
            (start, ends) = (start + stretch, later);
        }
        Ok(())
    }
}

impl<C: Column> Column for Nullable<C> {
    fn widest(&self, rows: Range<usize>) -> usize {
        self.column.widest(rows).saturating_add(1)
    }

    fn bind(&self, array: &dyn Array) -> Result<Self, Fault> {
        Ok(Self { column: self.column.bind(array)?, validity: nulls(array), ..*self })
    }

    /// Excludes the values under nulls, so that equal rows have equal bounds.
    fn bound(&self, rows: Range<usize>) -> usize {
        if self.validity.is_none() {
            return rows.len() + self.column.bound(rows);
        }
        let valid = rows.clone().filter(|&row| is_valid(self.validity.as_ref(), row));
        valid.map(|row| self.column.bound(row..row + 1)).fold(rows.len(), usize::saturating_add)
    }

    #[inline(always)]
    fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        if is_valid(self.validity.as_ref(), row) {
            let pos = put_byte(out, pos, self.value.0);
            self.column.encode(row, out, pos)
        } else {
            Ok(put_byte(out, pos, self.null.0))
        }
    }

    #[inline]
    fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        if C::IN_COLUMNS {
            return self.encode_stretches(rows, out, ends);
        }
        if self.validity.is_none() {
            return self.column.encode_each_after(self.value.0, rows, out, ends);
        }
        for (row, end) in rows.zip(ends) {
            *end = self.encode(row, out, *end)?;
        }
        Ok(())
    }
}

/// A column of a type without null, or of one branch of a union without null.
#[derive(Clone)]
pub(crate) struct Required {
    column: Box<AnyColumn>,
    branch: Option<Branch>,
    validity: Option<Bitmap>,
}

impl From<Required> for AnyColumn {
    fn from(required: Required) -> Self {
        Self::Required(required)
    }
}

impl Required {
    /// Makes a column that rejects nulls.
    pub(crate) fn new(column: AnyColumn, branch: Option<Branch>) -> Self {
        Self { column: Box::new(column), branch, validity: None }
    }

    /// Binds the column. Returns the inner column if there are no nulls to reject and no branch to write.
    pub(super) fn bind(&self, array: &dyn Array) -> Result<AnyColumn, Fault> {
        let (column, validity) = ((*self.column).bind(array)?, nulls(array));
        if validity.is_none() && self.branch.is_none() {
            return Ok(column);
        }
        Ok(AnyColumn::Required(Self { column: Box::new(column), branch: self.branch, validity }))
    }

    pub(super) fn bound(&self, rows: Range<usize>) -> usize {
        rows.len() + self.column.bound(rows)
    }

    pub(super) fn encode_run(&self, rows: Range<usize>, out: &mut [u8], mut pos: usize) -> Result<usize, Fault> {
        for row in rows {
            pos = self.encode(row, out, pos)?;
        }
        Ok(pos)
    }

    pub(super) fn widest(&self, rows: Range<usize>) -> usize {
        self.column.widest(rows).saturating_add(1)
    }

    pub(super) fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (row, end) in rows.zip(ends) {
            *end = self.encode(row, out, *end)?;
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        if !is_valid(self.validity.as_ref(), row) {
            return Err(Fault::data(
                "a null, which the Avro schema does not allow here: make the type a union with null",
            ));
        }
        let pos = self.branch.map_or(pos, |branch| put_byte(out, pos, branch.0));
        self.column.encode(row, out, pos)
    }
}
