"""Translation of Ray's filters into hints for the reader. A hint keeps a superset of the rows that the filter keeps."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import polars as pl
from ray.data.expressions import AliasExpr, BinaryExpr, ColumnExpr, Expr, LiteralExpr, Operation, UDFExpr, UnaryExpr

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARE: dict[Operation, Callable[[Any, Any], Any]] = {
    Operation.GT: operator.gt,
    Operation.GE: operator.ge,
    Operation.LT: operator.lt,
    Operation.LE: operator.le,
    Operation.EQ: operator.eq,
    Operation.NE: operator.ne,
}
_MIRRORED = {
    Operation.GT: Operation.LT,
    Operation.GE: Operation.LE,
    Operation.LT: Operation.GT,
    Operation.LE: Operation.GE,
}
#: Types whose values Polars and Arrow compare in the same way. Floats are excluded, because only Polars orders NaN.
_ALIKE: tuple[tuple[Callable[[pl.DataType], bool], tuple[type, ...]], ...] = (
    (lambda dtype: dtype.is_integer(), (int,)),
    (lambda dtype: dtype == pl.String, (str,)),
    (lambda dtype: dtype == pl.Boolean, (bool,)),
)


def hint(expr: Expr, schema: pl.Schema) -> pl.Expr | None:
    """Translate a filter, or a part of it that keeps more rows; None if that is not possible."""
    if isinstance(expr, AliasExpr):
        return hint(expr.expr, schema)
    if isinstance(expr, UnaryExpr):
        return _of_nulls(expr, schema)
    if not isinstance(expr, BinaryExpr):
        return None
    if expr.op in (Operation.AND, Operation.OR):
        left, right = hint(expr.left, schema), hint(expr.right, schema)
        if left is None or right is None:
            # One side of a conjunction keeps a superset of its rows.
            return (left if right is None else right) if expr.op == Operation.AND else None
        return left & right if expr.op == Operation.AND else left | right
    return _comparison(expr, schema)


def columns_of(expr: Any) -> list[str] | None:
    """Return the columns that a filter uses; None if it contains an unknown kind of expression."""
    if isinstance(expr, ColumnExpr):
        return [expr.name]
    if isinstance(expr, LiteralExpr):
        return []
    if isinstance(expr, BinaryExpr):
        inner = [expr.left, expr.right]
    elif isinstance(expr, UnaryExpr):
        inner = [expr.operand]
    elif isinstance(expr, AliasExpr):
        inner = [expr.expr]
    elif isinstance(expr, UDFExpr):
        inner = [*expr.args, *expr.kwargs.values()]
    else:
        return None
    operand_columns = [columns_of(operand) for operand in inner]
    if any(columns is None for columns in operand_columns):
        return None
    return list(dict.fromkeys(name for columns in operand_columns for name in columns or ()))


def _of_nulls(expr: UnaryExpr, schema: pl.Schema) -> pl.Expr | None:
    if not isinstance(expr.operand, ColumnExpr) or expr.operand.name not in schema:
        return None
    column = pl.col(expr.operand.name)
    if expr.op == Operation.IS_NULL:
        # Arrow may treat NaN as null.
        return None if schema[expr.operand.name].is_float() else column.is_null()
    return column.is_not_null() if expr.op == Operation.IS_NOT_NULL else None


def _comparison(expr: BinaryExpr, schema: pl.Schema) -> pl.Expr | None:
    left, right, op = expr.left, expr.right, expr.op
    if isinstance(left, LiteralExpr):
        left, right, op = right, left, _MIRRORED.get(op, op)
    if not isinstance(left, ColumnExpr) or not isinstance(right, LiteralExpr) or left.name not in schema:
        return None
    dtype = schema[left.name]
    kinds = next((kinds for is_of, kinds in _ALIKE if is_of(dtype)), ())
    if (
        op == Operation.IN
        and isinstance(right.value, list)
        and right.value
        and all(type(value) in kinds for value in right.value)
    ):
        return pl.col(left.name).is_in(right.value)
    compare = _COMPARE.get(op)
    if compare is None or type(right.value) not in kinds:
        return None
    compared: pl.Expr = compare(pl.col(left.name), right.value)
    return compared
