//! Predicates, and the check that they can be evaluated batch by batch.

use polars::prelude::{DataFrame, Expr, IntoLazy, PolarsResult, Schema, SchemaRef, polars_err};
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_plan::plans::{ExprToIRContext, is_elementwise_rec, to_expr_ir};
use polars_plan::utils::expr_to_leaf_column_names;
use polars_utils::arena::Arena;

use crate::{Batch, Result};

/// An expression that selects rows.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    expr: Expr,
    /// The columns that it uses.
    pub(super) columns: Vec<String>,
    /// True if the result for a row depends on its own values only, so that batches can be filtered one by one.
    pub(super) is_row_wise: bool,
}

impl Predicate {
    /// Checks an expression against the columns that rows have.
    pub(super) fn new(expr: Expr, schema: &SchemaRef) -> PolarsResult<Self> {
        DataFrame::empty_with_schema(schema).lazy().filter(expr.clone()).collect()?;
        let mut columns: Vec<String> = Vec::new();
        for name in expr_to_leaf_column_names(&expr) {
            if !columns.iter().any(|column| *column == name.as_str()) {
                columns.push(name.to_string());
            }
        }
        let is_row_wise = is_row_wise(&expr, schema);
        Ok(Self { expr, columns, is_row_wise })
    }

    /// Keeps the rows that pass.
    pub(super) fn filter(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        frame.lazy().filter(self.expr.clone()).collect()
    }

    /// Returns a mask of the rows of a batch that pass; null does not pass. The predicate must be row-wise.
    pub(super) fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        let answer = DataFrame::try_from(batch)?.lazy().select([self.expr.clone()]).collect()?;
        let mask = answer.select_at_idx(0).ok_or_else(|| polars_err!(NoData: "a predicate without a value"))?;
        let mut passed = BitmapBuilder::with_capacity(mask.len());
        for array in mask.bool()?.downcast_iter() {
            match array.validity() {
                Some(validity) => passed.extend_from_bitmap(&(validity & array.values())),
                None => passed.extend_from_bitmap(array.values()),
            }
        }
        Ok(passed.freeze())
    }
}

/// Returns true if Polars considers the expression elementwise; false if it expands to several expressions.
fn is_row_wise(expr: &Expr, schema: &Schema) -> bool {
    let mut arena = Arena::new();
    match to_expr_ir(expr.clone(), &mut ExprToIRContext::new(&mut arena, schema)) {
        Ok(lowered) => is_elementwise_rec(lowered.node(), &arena),
        Err(_) => false,
    }
}
