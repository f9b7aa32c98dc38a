//! Predicates: which rows pass, and whether a batch can tell.

use polars::prelude::{BooleanChunked, Column, DataFrame, Expr, IntoLazy, PolarsResult, Schema, SchemaRef};
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_plan::plans::{ExprToIRContext, is_elementwise_rec, to_expr_ir};
use polars_plan::utils::expr_to_leaf_column_names;
use polars_utils::arena::Arena;

use crate::{Batch, Result};

/// An expression that tells which rows are wanted.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    expr: Expr,
    /// The columns that it looks at.
    pub(super) columns: Vec<String>,
    /// Every row is judged by its own values, so that batches can be filtered one by one.
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

    /// Returns which rows of a batch pass; null does not.
    pub(super) fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        let height = batch.height;
        let mask = self.mask(DataFrame::try_from(batch)?)?;
        let mut passed = BitmapBuilder::with_capacity(height);
        for array in mask.downcast_iter() {
            match array.validity() {
                Some(validity) => passed.extend_from_bitmap(&(validity & array.values())),
                None => passed.extend_from_bitmap(array.values()),
            }
        }
        Ok(passed.freeze())
    }

    fn mask(&self, frame: DataFrame) -> PolarsResult<BooleanChunked> {
        let height = frame.height();
        let answer = frame.lazy().select([self.expr.clone()]).collect()?;
        let mask = answer.columns().first().map(Column::as_materialized_series);
        let mask = mask.map_or_else(|| Ok(BooleanChunked::full("".into(), true, 1)), |mask| mask.bool().cloned())?;
        // A literal is the same for all rows.
        Ok(if mask.len() == height { mask } else { mask.new_from_index(0, height) })
    }
}

/// Polars' own judgement; an expression that stands for several has none.
fn is_row_wise(expr: &Expr, schema: &Schema) -> bool {
    let mut arena = Arena::new();
    match to_expr_ir(expr.clone(), &mut ExprToIRContext::new(&mut arena, schema)) {
        Ok(lowered) => is_elementwise_rec(lowered.node(), &arena),
        Err(_) => false,
    }
}
