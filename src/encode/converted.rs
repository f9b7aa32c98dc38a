//! Columns of values that the caller's schema has another type for.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::Array;

use super::convert::{Conversion, Misfits};
use super::{AnyColumn, Column};
use crate::binary::Fault;

/// A column of converted values. Binding it returns the inner column, unless a value cannot be converted.
#[derive(Clone)]
pub(crate) struct Converted {
    conversion: Conversion,
    column: AnyColumn,
    refused: Option<Refused>,
}

/// Values that cannot be converted. Only a written value is an error: others may be in lists that are null or cut off
/// by slicing.
#[derive(Clone)]
struct Refused {
    /// The rows in ascending order.
    rows: Arc<[usize]>,
    array: Box<dyn Array>,
}

impl Converted {
    /// `column` must accept the results of `conversion`.
    pub(crate) fn new(conversion: Conversion, column: AnyColumn) -> Self {
        Self { conversion, column, refused: None }
    }

    pub(super) fn bind(&self, array: &dyn Array) -> Result<AnyColumn, Fault> {
        let mut misfits = Misfits::default();
        let column = self.column.bind(self.conversion.apply(array, &mut misfits).as_ref())?;
        if misfits.rows.is_empty() {
            return Ok(column);
        }
        let refused = Some(Refused { rows: misfits.rows.into(), array: array.to_boxed() });
        Ok(Self { conversion: self.conversion.clone(), column, refused }.into())
    }

    pub(super) fn column(&self) -> &AnyColumn {
        &self.column
    }

    pub(super) fn encode_run(&self, rows: Range<usize>, out: &mut [u8], mut pos: usize) -> Result<usize, Fault> {
        for row in rows {
            pos = self.encode(row, out, pos)?;
        }
        Ok(pos)
    }

    pub(super) fn encode_each(&self, rows: Range<usize>, out: &mut [u8], ends: &mut [usize]) -> Result<(), Fault> {
        for (row, end) in rows.zip(ends) {
            *end = self.encode(row, out, *end)?;
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn encode(&self, row: usize, out: &mut [u8], pos: usize) -> Result<usize, Fault> {
        match self.refused.as_ref().and_then(|refused| refused.fault(&self.conversion, row)) {
            Some(fault) => Err(fault),
            None => self.column.encode(row, out, pos),
        }
    }
}

impl Refused {
    /// Returns the error if the value of `row` cannot be converted; `None` if it can.
    fn fault(&self, conversion: &Conversion, row: usize) -> Option<Fault> {
        self.rows.binary_search(&row).ok()?;
        let mut misfits = Misfits::default();
        conversion.apply(self.array.sliced(row, 1).as_ref(), &mut misfits);
        misfits.first
    }
}

impl From<Converted> for AnyColumn {
    fn from(converted: Converted) -> Self {
        Self::Converted(Box::new(converted))
    }
}
