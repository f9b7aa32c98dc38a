"""The schema of `schema_mode="union"`: the types of its columns and the order of nested fields."""

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from written import AROUND, avro, enum, logical, record

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


UNITED = [
    (logical("long", "timestamp-millis"), logical("long", "timestamp-nanos"), pl.Datetime("ns", "UTC")),
    (logical("long", "local-timestamp-micros"), logical("long", "local-timestamp-millis"), pl.Datetime("us")),
    (logical("int", "time-millis"), logical("long", "time-micros"), pl.Time),
    (enum("E", "A"), "string", pl.String),
    (
        logical("bytes", "decimal", precision=5, scale=2),
        logical("bytes", "decimal", precision=7, scale=2),
        pl.Decimal(7, 2),
    ),
    ({"type": "fixed", "name": "F", "size": 2}, {"type": "fixed", "name": "F", "size": 3}, pl.Binary),
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("types", UNITED, ids=str)
def test_the_union_takes_the_finer_and_the_wider_type(types, order, around):
    values = {"timestamp": 1_500, "time": 1_500, "decimal": b"\x01", "fixed": b"abc", "enum": "A", "string": "text"}
    schema, make = AROUND[around]

    def value(of: Any) -> Any:
        word = of if isinstance(of, str) else of.get("logicalType", of["type"]).removeprefix("local-").partition("-")[0]
        return values[word][: of["size"]] if word == "fixed" else values[word]

    one, other = types[:2][::order]
    files = [avro([{"v": make(value(each))}], v=schema(each)) for each in (one, other)]
    df = polars_avro.scan_avro(files, schema_mode="union").collect()
    alone = [polars_avro.read_avro(file) for file in files]
    if around in ("plain", "nullable"):
        assert df["v"].dtype == types[2]
        expected = pl.concat([frame.cast({"v": types[2]}) for frame in alone])
        assert_frame_equal(df, expected)
    assert df["v"].to_list() == [row for frame in alone for row in frame["v"].to_list()]


ORDERS = ["xy-yx", "x-yx", "yx-x", "xy-z", "x-zy", "ab-ba-c", "a-bc-dabc", "ab-cd", "ab-cda", "b-a-c"]


# Polars has no supertype of two maps.
@pytest.mark.parametrize("around", [around for around in AROUND if around != "map"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_union_orders_nested_fields_as_polars_does(order, around):
    schema, make = AROUND[around]
    files = [
        avro([{"v": make(dict.fromkeys(names, 1))}], v=schema(record("S", **dict.fromkeys(names, "long"))))
        for names in order.split("-")
    ]
    expected = pl.concat([polars_avro.read_avro(file) for file in files], how="diagonal_relaxed")
    assert_frame_equal(polars_avro.scan_avro(files, schema_mode="union").collect(), expected)


def test_parts_of_durations_and_branches_of_unions_are_read():
    duration = {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}
    inner = record("N", x="int", y="string")
    rows = [
        {"d": bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]), "u": "text", "l": [None], "k": 1},
        {"d": None, "u": {"x": 5, "y": "z"}, "l": [], "k": 2},
        {"d": bytes(12), "u": None, "l": [bytes([4, *bytes(11)])], "k": 3},
    ]
    file = avro(
        rows, d=["null", duration], u=["null", "string", inner], l={"type": "array", "items": ["null", "D"]}, k="int"
    )

    def read_batches(source: bytes, columns: list[str]) -> pl.DataFrame:
        return pl.concat(polars_avro.AvroReader(source, columns=columns))

    for function in (polars_avro.read_avro, read_batches):
        df = function(file, columns=["d.months"])
        assert df["d"].to_list() == [{"months": 1}, None, {"months": 0}]
        df = function(file, columns=["d.milliseconds", "k", "d.days"])
        assert df["d"].to_list() == [{"milliseconds": 3, "days": 2}, None, {"milliseconds": 0, "days": 0}]
        assert df["k"].to_list() == [1, 2, 3]
        assert function(file, columns=["u.string"])["u"].to_list() == [{"string": "text"}, {"string": None}, None]
        df = function(file, columns=["u.N.x", "u.string"])
        assert df["u"].to_list() == [{"N": None, "string": "text"}, {"N": {"x": 5}, "string": None}, None]
        assert function(file, columns=["l.months"])["l"].to_list() == [[None], [], [{"months": 4}]]
    reader = record("Row", u=["null", "string", inner, "int"], w=["int", "string"])
    reader["fields"][1]["default"] = 7
    df = polars_avro.read_avro(file, reader_schema=reader, columns=["u.int", "w.string"])
    assert df.rows() == [({"int": None}, {"string": None}), ({"int": None}, {"string": None}), (None, {"string": None})]
    only = avro([{"u": "a"}, {"u": "b"}], u="string")
    for columns, value in ((["u.int"], {"int": None}), (["u.string"], None)):
        df = polars_avro.read_avro(only, reader_schema=record("Row", u=["null", "string", "int"]), columns=columns)
        assert df["u"].to_list() == ([value] * 2 if value else [{"string": "a"}, {"string": "b"}])


def test_fields_of_a_default_are_read():
    """Skip programs of the writer's schema must not be used for default values."""
    inner = record("N", s="string", x="int", y="int")
    reader = record("Row", a="int", n=inner)
    reader["fields"][1]["default"] = {"s": "some text", "x": 5, "y": 6}
    file = avro([{"a": 1}], a="int")
    df = polars_avro.read_avro(file, reader_schema=reader, columns=["n.y"])
    assert df["n"].to_list() == [{"y": 6}]
