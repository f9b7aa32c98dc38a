"""Tests of the module `expected`: each line of the type table, by hand."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest
import strategies
from containers import expected_frame, raw_rows, written
from expected import JsonText, Node, assert_frame, difference, mapped, parse
from hypothesis import given
from random_cases import cases


def named(kind: str, name: str, **attributes: Any) -> dict[str, Any]:
    """A named type."""
    return {"type": kind, "name": name, **attributes}


EMPTY = named("record", "a.E", fields=[])
DURATION = named("fixed", "D", size=12, logicalType="duration")
DECIMAL = {"type": "bytes", "logicalType": "decimal", "scale": 2}
TABLE = [
    ("int", -1, pl.Int32(), -1),
    (["null", "string"], (1, "x"), pl.String(), "x"),
    (["string", "null"], (1, None), pl.String(), None),
    (["long"], (0, 1), pl.Int64(), 1),
    (["int", "string"], (1, "x"), pl.Struct({"int": pl.Int32(), "string": pl.String()}), {"int": None, "string": "x"}),
    (["null", "int", "string"], (0, None), pl.Struct({"int": pl.Int32(), "string": pl.String()}), None),
    ([EMPTY, "int"], (0, []), pl.Struct({"E": pl.Struct({}), "int": pl.Int32()}), {"E": {}, "int": None}),
    (
        [EMPTY, named("enum", "b.E", symbols=["x"])],
        (1, "x"),
        pl.Struct({"a.E": pl.Struct({}), "b.E": pl.Enum(["x"])}),
        {"a.E": None, "b.E": 0},
    ),
    (named("enum", "E", symbols=["x", "y"]), "y", pl.Enum(["x", "y"]), 1),
    ({"type": "map", "values": "int"}, {"k": 1}, pl.Map(pl.String, pl.Int32), [{"key": "k", "value": 1}]),
    (DECIMAL | {"precision": 38}, b"\xff\x85", pl.Decimal(38, 2), -123),
    (DECIMAL | {"precision": 38}, b"", pl.Decimal(38, 2), 0),
    (DECIMAL | {"precision": 39}, b"\xff\x85", pl.String(), "-1.23"),
    (DECIMAL | {"precision": 39}, b"\x05", pl.String(), "0.05"),
    (DECIMAL | {"precision": 1}, b"\x05", pl.Binary(), b"\x05"),
    ({"type": "bytes", "logicalType": "big-decimal"}, b"\x04\x30\x39\x04", pl.String(), "123.45"),
    ({"type": "int", "logicalType": "time-millis"}, 1, pl.Time(), 1_000_000),
    ({"type": "long", "logicalType": "timestamp-nanos"}, 1, pl.Datetime("ns", "UTC"), 1),
    ({"type": "long", "logicalType": "local-timestamp-millis"}, 1, pl.Datetime("ms"), 1),
    ({"type": "long", "logicalType": "date"}, 1, pl.Int64(), 1),
    (
        DURATION,
        b"\x01\0\0\0\x02\0\0\0\xff\xff\xff\xff",
        pl.Struct({"months": pl.UInt32(), "days": pl.UInt32(), "milliseconds": pl.UInt32()}),
        {"months": 1, "days": 2, "milliseconds": 2**32 - 1},
    ),
]


@pytest.mark.parametrize(("schema", "raw", "dtype", "physical"), TABLE, ids=lambda value: str(value)[:30])
def test_the_type_table(schema: Any, raw: Any, dtype: pl.DataType, physical: Any) -> None:
    actual, convert = mapped(parse(schema))
    assert actual == dtype
    assert difference(convert(raw), physical) is None


def test_a_recursive_reference_is_text_and_a_second_use_is_not() -> None:
    tree = named("record", "T", fields=[{"name": "b", "type": "bytes"}, {"name": "sub", "type": ["null", "T"]}])
    schema = named("record", "R", fields=[{"name": "x", "type": tree}, {"name": "y", "type": "T"}])
    rows = [{"x": {"b": b"\xff", "sub": {"b": b"a", "sub": None}}, "y": {"b": b"", "sub": None}}]
    dtypes, columns, _ = expected_frame(written(schema, rows))
    dtype = pl.Struct({"b": pl.Binary(), "sub": pl.String()})
    assert dict(dtypes) == {"x": dtype, "y": dtype}
    assert columns["x"][0]["sub"].tree == (("b", "a"), ("sub", None))
    assert columns["y"][0] == {"b": b"", "sub": None}


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        (0.0, -0.0),
        (1, 1.0),
        (True, 1),
        ([1, None], [1, 2]),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        (None, {"a": None}),
        ('{"a": 1, "b": 2}', JsonText((("b", 2), ("a", 1)))),
        ("[]", JsonText(())),
        ("NaN", JsonText("NaN")),
    ],
)
def test_a_difference_is_seen(actual: Any, wanted: Any) -> None:
    assert difference(actual, wanted) is not None


def test_equal_values_do_not_differ() -> None:
    value = {"a": [float("nan"), None, b""], "b": -0.0}
    assert difference(value, {"a": [float("nan"), None, b""], "b": -0.0}) is None
    assert difference('{"a": 0.1, "b": [{}]}', JsonText((("a", 0.10000000149011612), ("b", [()])))) is None


def test_a_frame_is_compared_with_its_dtypes_names_order_and_height() -> None:
    frame = pl.DataFrame({"a": [dt.date(1970, 1, 2)], "b": [1]})
    schema, columns = frame.schema, {"a": [1], "b": [1]}
    assert_frame(frame, schema, columns, 1)
    other_dtype, other_value = pl.col("a").cast(pl.Int32), pl.col("b") + 1
    others = frame.with_columns(other_dtype), frame.with_columns(other_value), frame.head(0), frame.select("b", "a")
    for wrong in others:
        with pytest.raises(AssertionError):
            assert_frame(wrong, schema, columns, 1)


def raw_of(node: Node, value: Any) -> Any:
    """Convert a value for fastavro into the form of `raw_rows`."""
    if node.kind == "union":
        kinds = [branch.branch_name for branch in node.inner]
        name, inner = ("null", None) if value is None else value
        return kinds.index(name), raw_of(node.inner[kinds.index(name)], inner)
    if node.kind == "array":
        return [raw_of(node.inner[0], item) for item in value]
    if node.kind == "map":
        return {key: raw_of(node.inner[0], item) for key, item in value.items()}
    if node.kind == "record":
        return [raw_of(inner, value[name]) for name, inner in node.fields]
    return value


@cases(0.5)
@given(strategies.schemas(record_root=True))
def test_what_fastavro_wrote_is_what_raw_rows_gives(schema: Any) -> None:
    values = strategies.Values(random.Random(1))
    node = parse(schema)
    rows = [values.of(node) for _ in range(20)]
    _, raw = raw_rows(written(schema, rows, sync_interval=30))
    for actual, row in zip(raw, rows, strict=True):
        assert repr(actual) == repr(raw_of(node, row))
