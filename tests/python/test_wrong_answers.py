"""Wrong results of other Avro readers, each as a test of the correct result."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from containers import SYNC, block, container, header, long, text, written

import polars_avro


def record(*fields: tuple[str, Any], name: str = "R") -> dict[str, Any]:
    """A record schema."""
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


def values(schema: Any, rows: list[Any]) -> list[Any]:
    """The column `v` of a file that fastavro writes."""
    return polars_avro.read_avro(written(record(("v", schema)), [{"v": row} for row in rows]))["v"].to_list()


# Rows without bytes, and blocks without rows.


@pytest.mark.parametrize("schema", [record(("v", "null")), record(("v", record(name="E")))])
def test_rows_of_no_bytes_are_rows(schema: Any, engine: Any) -> None:
    data = container(schema, (3, b""), (0, b""), (1_000, b""))
    assert polars_avro.read_avro(data).shape == (1_003, 1)
    assert polars_avro.scan_avro(data).collect(engine=engine).shape == (1_003, 1)
    assert polars_avro.scan_avro(data).slice(2, 10).collect(engine=engine).shape == (10, 1)


def test_a_record_of_no_fields_keeps_its_height(engine: Any) -> None:
    data = container(record(), (3, b""), (4, b""))
    assert polars_avro.read_avro(data).shape == (7, 0)
    assert polars_avro.scan_avro(data).collect(engine=engine).shape == (7, 0)
    assert polars_avro.scan_avro(data).select(pl.len()).collect(engine=engine).item() == 7
    assert polars_avro.read_avro(data, n_rows=5).shape == (5, 0)


def test_an_empty_partition_record_is_a_struct_of_no_fields() -> None:
    schema = record(("path", "string"), ("partition", record(name="r102")), ("count", "long"))
    frame = polars_avro.read_avro(container(schema, (1, text("a") + long(5))))
    assert frame.schema == {"path": pl.String(), "partition": pl.Struct({}), "count": pl.Int64()}
    assert frame.rows() == [("a", {}, 5)]


def test_a_block_of_no_rows_does_not_end_the_file(engine: Any) -> None:
    data = container(record(("v", "int")), (2, long(1) + long(2)), (0, b""), (1, long(3)), (0, b""))
    assert polars_avro.scan_avro(data).collect(engine=engine)["v"].to_list() == [1, 2, 3]
    assert polars_avro.scan_avro(data).tail(2).collect(engine=engine)["v"].to_list() == [2, 3]


# Types.


@pytest.mark.parametrize(
    ("named", "value", "dtype"),
    [
        (
            {"type": "record", "name": "N", "fields": [{"name": "a", "type": "int"}]},
            {"a": 2},
            pl.Struct({"a": pl.Int32}),
        ),
        ({"type": "enum", "name": "N", "symbols": ["A", "B"]}, "B", pl.Enum(["A", "B"])),
        ({"type": "fixed", "name": "N", "size": 2}, b"ab", pl.Binary()),
    ],
    ids=["record", "enum", "fixed"],
)
def test_the_second_use_of_a_named_type_has_its_full_type(named: Any, value: Any, dtype: Any) -> None:
    schema = record(("x", named), ("y", "N"), ("z", {"type": "array", "items": "N"}))
    frame = polars_avro.read_avro(written(schema, [{"x": value, "y": value, "z": [value]}]))
    assert frame.schema == {"x": dtype, "y": dtype, "z": pl.List(dtype)}
    assert frame.rows() == [(value, value, [value])]


def test_an_enum_may_be_null_and_may_be_nested() -> None:
    enum = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
    assert values(["null", enum], ["B", None, "A"]) == ["B", None, "A"]
    assert values({"type": "array", "items": enum}, [["B", "A"], []]) == [["B", "A"], []]
    assert values({"type": "map", "values": ["null", enum]}, [{"k": "B", "l": None}]) == [{"k": "B", "l": None}]


def test_maps_are_maps() -> None:
    inner = {"type": "map", "values": record(("x", ["null", "long"]), name="N")}
    rows = [{"k": {"x": 1}, "l": {"x": None}}, {}]
    assert values(inner, rows) == rows
    assert values(["null", inner], [None, *rows]) == [None, *rows]


def test_of_a_key_that_comes_twice_the_first_place_and_the_last_value_count() -> None:
    entries = long(3) + text("a") + long(1) + text("b") + long(2) + text("a") + long(3) + long(0)
    data = container(record(("v", {"type": "map", "values": "int"})), (1, entries))
    stored = polars_avro.read_avro(data)["v"].to_physical().to_list()
    assert stored == [[{"key": "a", "value": 3}, {"key": "b", "value": 2}]]


def test_unions_of_several_branches_are_structs() -> None:
    schema = ["int", "null", {"type": "array", "items": "string"}]
    rows = [{"int": 1, "array": None}, None, {"int": None, "array": ["x"]}]
    assert values(schema, [("int", 1), None, ("array", ["x"])]) == rows
    assert values(["long"], [5]) == [5]


def test_nulls_stay_nulls_wherever_they_stand() -> None:
    for every in (1, 2, 3, 2_048):
        rows = [None if i % every == 0 else f"a text of more than twelve bytes, {i}" for i in range(10_000)]
        assert values(["null", "string"], rows) == rows
        assert values(["string", "null"], rows) == rows


def test_nested_lists_hold_over_block_ends() -> None:
    rows = [[[j] * (j % 3) for j in range(i % 5)] if i % 7 else None for i in range(3_000)]
    schema = ["null", {"type": "array", "items": {"type": "array", "items": "int"}}]
    data = written(record(("v", schema)), [{"v": row} for row in rows], sync_interval=100)
    assert polars_avro.read_avro(data)["v"].to_list() == rows


def test_decimals_are_exact() -> None:
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}
    wide = decimal | {"precision": 60}
    long_minus_one = b"\xff" * 24
    rows = text(b"\x30\x39") + text(b"") + text(long_minus_one)
    frame = polars_avro.read_avro(container(record(("v", decimal)), (3, rows)))
    assert frame["v"].to_list() == [Decimal("123.45"), Decimal("0.00"), Decimal("-0.01")]
    frame = polars_avro.read_avro(container(record(("v", wide)), (3, rows)))
    assert frame["v"].to_list() == ["123.45", "0.00", "-0.01"]


def test_a_big_decimal_is_its_unscaled_value_and_then_its_scale() -> None:
    big = {"type": "bytes", "logicalType": "big-decimal"}
    data = container(record(("v", big)), (1, text(text(b"\x30\x39") + long(2))))
    assert polars_avro.read_avro(data)["v"].to_list() == ["123.45"]


def test_a_month_is_not_thirty_days() -> None:
    duration = {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}
    data = container(record(("v", duration)), (1, b"\x01\0\0\0\x1e\0\0\0\x05\0\0\0"))
    assert polars_avro.read_avro(data)["v"].to_list() == [{"months": 1, "days": 30, "milliseconds": 5}]


def test_nanoseconds_are_kept() -> None:
    kinds = ("timestamp-nanos", "local-timestamp-nanos")
    schema = record(*((kind[0], {"type": "long", "logicalType": kind}) for kind in kinds))
    frame = polars_avro.read_avro(container(schema, (1, long(1) * 2)))
    assert frame.schema == {"t": pl.Datetime("ns", "UTC"), "l": pl.Datetime("ns")}
    assert [column.to_physical().item() for column in frame] == [1, 1]


def test_uuids_have_one_spelling() -> None:
    spelling = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"
    schema = record(
        ("s", {"type": "string", "logicalType": "uuid"}),
        ("f", {"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}),
    )
    frame = polars_avro.read_avro(container(schema, (1, text(spelling) + bytes.fromhex(spelling.replace("-", "")))))
    assert frame.rows() == [(spelling.lower(), spelling.lower())]


@pytest.mark.parametrize(
    ("schema", "dtype"),
    [
        ({"type": "long", "logicalType": "date"}, pl.Int64()),
        ({"type": "int", "logicalType": "timestamp-millis"}, pl.Int32()),
        ({"type": "string", "logicalType": "no-such-type"}, pl.String()),
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 4}, pl.Binary()),
        ({"type": "bytes", "logicalType": "decimal", "precision": 0}, pl.Binary()),
        ({"type": "bytes", "logicalType": "decimal"}, pl.Binary()),
        ({"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 5}, pl.Binary()),
        ({"type": "fixed", "name": "F", "size": 11, "logicalType": "duration"}, pl.Binary()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_logical_type_that_does_not_apply_is_ignored(schema: Any, dtype: pl.DataType) -> None:
    assert polars_avro.read_avro(container(record(("v", schema)))).schema == {"v": dtype}


def test_dates_and_times_are_dates_and_times() -> None:
    assert values({"type": "int", "logicalType": "date"}, [dt.date(2024, 2, 29)]) == [dt.date(2024, 2, 29)]
    at = dt.datetime(2024, 2, 29, 1, 2, 3, 456_000, tzinfo=dt.timezone.utc)
    assert values({"type": "long", "logicalType": "timestamp-millis"}, [at]) == [at]
    assert values({"type": "int", "logicalType": "time-millis"}, [dt.time(1, 2, 3, 456_000)]) == [
        dt.time(1, 2, 3, 456_000)
    ]


@pytest.mark.parametrize(
    ("root", "row", "value"),
    [
        ("long", long(5), 5),
        (["null", "long"], long(0), None),
        ({"type": "array", "items": "long"}, long(1) + long(5) + long(0), [5]),
        ({"type": "map", "values": "long"}, long(1) + text("k") + long(5) + long(0), {"k": 5}),
        (["string", "long"], long(1) + long(5), {"string": None, "long": 5}),
    ],
)
def test_a_root_of_any_type_is_one_column(root: Any, row: bytes, value: Any) -> None:
    frame = polars_avro.read_avro(container(root, (2, row * 2)))
    assert frame.to_dict(as_series=False) == {"value": [value, value]}


# Headers.


def test_a_header_may_be_large() -> None:
    schema = record(*((f"a_rather_long_name_of_a_field_{i}", "long") for i in range(3_000)))
    data = container(schema, (1, long(1) * 3_000))
    assert len(json.dumps(schema)) > 2 * 65_536
    frame = polars_avro.read_avro(data)
    assert frame.shape == (1, 3_000)
    assert polars_avro.scan_avro(data).select(pl.sum_horizontal(pl.all())).collect().item() == 3_000


def test_a_file_without_a_codec_is_not_compressed() -> None:
    data = container(record(("v", "int")), (1, long(1)), codec=None)
    assert polars_avro.read_avro(data)["v"].to_list() == [1]


def test_metadata_may_come_with_its_size_and_need_not_be_text() -> None:
    entries = text("avro.schema") + text('"int"') + text("user") + text(b"\xff\xfe")
    data = b"Obj\x01" + long(-2) + long(len(entries)) + entries + b"\x00" + SYNC + block(1, long(7))
    assert polars_avro.read_avro(data)["value"].to_list() == [7]


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(polars_avro.AvroError, match="lz77"):
        polars_avro.read_avro(header(record(("v", "int")), "lz77"))
