"""Writing with `avro_schema`."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from decimal import Decimal
from pathlib import Path

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import AvroSchemaError, read_avro, write_avro


def record(*fields: object) -> dict[str, object]:
    """Make a record of fields, and give names to types."""

    def is_field(given: object) -> bool:
        return isinstance(given, dict) and "name" in given and given["type"] not in ("fixed", "enum", "record")

    name = "f{}" if len(fields) > 1 else "f"
    made = [given if is_field(given) else {"name": name.format(i), "type": given} for i, given in enumerate(fields)]
    return {"type": "record", "name": "R", "fields": made}


def values(df: pl.DataFrame, schema: object) -> list[object]:
    """Write one column with a schema, and read it by fastavro."""
    target = io.BytesIO()
    write_avro(df, target, avro_schema=schema)
    target.seek(0)
    return [row["f"] for row in fastavro.reader(target)]


EPOCH = dt.datetime(2024, 1, 2, 3, 4, 5, 678_000)
UTC = EPOCH.replace(tzinfo=dt.timezone.utc)
UUID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
ENUM = {"type": "enum", "name": "E", "symbols": ["B", "A"]}
FITTING = [
    ("int", pl.Series([1, -5], dtype=pl.Int64), [1, -5]),
    ("int", pl.Series([1, 5], dtype=pl.UInt64), [1, 5]),
    ("long", pl.Series([1, 2**63 - 1], dtype=pl.UInt64), [1, 2**63 - 1]),
    ("long", pl.Series([1, -7], dtype=pl.Int8), [1, -7]),
    ("float", pl.Series([1, -7], dtype=pl.Int16), [1.0, -7.0]),
    ("double", pl.Series([1, -7], dtype=pl.Int32), [1.0, -7.0]),
    ("double", pl.Series([0.5, -7], dtype=pl.Float32), [0.5, -7.0]),
    (["null", "string"], pl.Series(["a", None]), ["a", None]),
    (["string", "null"], pl.Series(["a", None]), ["a", None]),
    (["null", "string", "long"], pl.Series([1, None]), [1, None]),
    (["int", "long"], pl.Series([1, 2**40]), [1, 2**40]),
    ("null", pl.Series([None, None], dtype=pl.Null), [None, None]),
    (["null", "int"], pl.Series([None, None], dtype=pl.Null), [None, None]),
    ("string", pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
    ("string", pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), ["a", "b"]),
    (ENUM, pl.Series(["A", "B"], dtype=pl.Enum(["A", "B", "C"])), ["A", "B"]),
    (ENUM, pl.Series(["A", "B"], dtype=pl.Enum(["B", "A"])), ["A", "B"]),
    (ENUM, pl.Series(["A", "B"], dtype=pl.Categorical), ["A", "B"]),
    (ENUM, pl.Series(["A", "B"]), ["A", "B"]),
    ({"type": "fixed", "name": "F", "size": 2}, pl.Series([b"ab", b"cd"]), [b"ab", b"cd"]),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1},
        pl.Series([Decimal("1.5"), Decimal("-999.9")], dtype=pl.Decimal(10, 1)),
        [Decimal("1.5"), Decimal("-999.9")],
    ),
    (
        {"type": "fixed", "name": "F", "size": 8, "logicalType": "decimal", "precision": 4, "scale": 0},
        pl.Series([15, -9999]),
        [Decimal(15), Decimal(-9999)],
    ),
    ({"type": "int", "logicalType": "date"}, pl.Series([dt.date(2024, 1, 2)] * 2), [dt.date(2024, 1, 2)] * 2),
    (
        {"type": "int", "logicalType": "time-millis"},
        pl.Series([dt.time(1, 2, 3, 4000)] * 2),
        [dt.time(1, 2, 3, 4000)] * 2,
    ),
    ({"type": "long", "logicalType": "time-micros"}, pl.Series([dt.time(1, 2, 3, 4)] * 2), [dt.time(1, 2, 3, 4)] * 2),
    ({"type": "long", "logicalType": "timestamp-millis"}, pl.Series([EPOCH] * 2), [UTC] * 2),
    (
        {"type": "long", "logicalType": "timestamp-micros"},
        pl.Series([UTC] * 2, dtype=pl.Datetime("ns", "UTC")),
        [UTC] * 2,
    ),
    ({"type": "long", "logicalType": "timestamp-micros"}, pl.Series([EPOCH] * 2, dtype=pl.Datetime("ms")), [UTC] * 2),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, pl.Series([EPOCH] * 2), [EPOCH] * 2),
    ({"type": "string", "logicalType": "uuid"}, pl.Series([str(UUID), str(UUID).upper()]), [UUID, UUID]),
    ({"type": "array", "items": "int"}, pl.Series([[1, 2], []]), [[1, 2], []]),
    ({"type": "array", "items": "int"}, pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)), [[1, 2], [3, 4]]),
    (
        {"type": "map", "values": ["null", "int"]},
        pl.Series([{"a": 1}, {}], dtype=pl.Map(pl.String, pl.Int32)),
        [{"a": 1}, {}],
    ),
    (
        {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]},
        pl.Series([{"x": 1}, {"x": 2}]),
        [{"x": 1}, {"x": 2}],
    ),
]


@pytest.mark.parametrize(("schema", "series", "expected"), FITTING)
def test_values_are_written_as_the_schema_has_them(schema: object, series: pl.Series, expected: list[object]) -> None:
    assert values(pl.DataFrame({"f": series}), record(schema)) == expected


def test_uuids_and_durations_are_written_into_fixeds() -> None:
    schema = record(
        {"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"},
        {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"},
    )
    duration = pl.Struct({"months": pl.UInt32, "days": pl.UInt32, "milliseconds": pl.UInt32})
    df = pl.DataFrame(
        {"f0": [str(UUID)], "f1": pl.Series([{"months": 1, "days": 2, "milliseconds": 2**32 - 1}], dtype=duration)}
    )
    target = io.BytesIO()
    write_avro(df, target, avro_schema=schema)
    assert_frame_equal(read_avro(target.getvalue()), df)


REFUSED = [
    ("int", pl.Series([1.5]), "pl.Int32"),
    ("string", pl.Series([1]), "pl.String"),
    ("long", pl.Series([EPOCH]), "pl.Int64"),
    ("float", pl.Series([0.1]), "pl.Float32"),
    ("bytes", pl.Series(["a"]), "pl.Binary"),
    ("boolean", pl.Series([1]), "pl.Boolean"),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1},
        pl.Series([Decimal("1.25")]),
        r"pl.Decimal\(4, 1\)",
    ),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, pl.Series([UTC]), "replace_time_zone"),
    ({"type": "array", "items": "string"}, pl.Series([[1]]), "pl.String"),
    ({"type": "map", "values": "int"}, pl.Series([{"a": 1}]), "pl.Map"),
    ({"type": "int", "polars.dtype": "Int8"}, pl.Series([1]), "pl.Int8"),
    (["null", "string"], pl.Series([1]), "pl.String"),
    ("string", pl.Series([None], dtype=pl.Null), "pl.String"),
]


@pytest.mark.parametrize(("schema", "series", "match"), REFUSED)
def test_dtypes_that_do_not_fit_are_refused_before_the_target_is_touched(
    tmp_path: Path, schema: object, series: pl.Series, match: str
) -> None:
    with pytest.raises(AvroSchemaError, match=match) as error:
        write_avro(pl.DataFrame({"f": series}), tmp_path / "a.avro", avro_schema=record(schema))
    assert error.value.field.startswith("f")
    assert list(tmp_path.iterdir()) == []


BAD_VALUES = [
    ("int", pl.Series([2**31]), "2147483648"),
    ("long", pl.Series([None, 1]), "null"),
    (["int", "string"], pl.Series([None, "a"]), "null"),
    (ENUM, pl.Series(["C"]), '"C"'),
    ({"type": "fixed", "name": "F", "size": 2}, pl.Series([b"abc"]), "3 bytes"),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1},
        pl.Series([Decimal("100.0")], dtype=pl.Decimal(10, 1)),
        "3 digits",
    ),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        pl.Series([dt.datetime(2024, 1, 1, 0, 0, 0, 1)]),
        "whole number of ms",
    ),
    ({"type": "long", "logicalType": "timestamp-nanos"}, pl.Series([dt.datetime(9999, 1, 1)]), "fit 64 bits in ns"),
    ({"type": "string", "logicalType": "uuid"}, pl.Series(["no"]), "UUID"),
    ({"type": "int", "logicalType": "time-millis"}, pl.Series([dt.time(0, 0, 0, 1)]), "whole number of ms"),
    ({"type": "array", "items": "int"}, pl.Series([[1, None]]), "null"),
]


@pytest.mark.parametrize(("schema", "series", "match"), BAD_VALUES)
def test_values_that_do_not_fit_are_refused(tmp_path: Path, schema: object, series: pl.Series, match: str) -> None:
    with pytest.raises(polars_avro.AvroDataError, match=match) as error:
        write_avro(pl.DataFrame({"f": series}), tmp_path / "a.avro", avro_schema=record(schema))
    assert error.value.field.startswith("f")
    assert list(tmp_path.iterdir()) == []


def test_columns_are_found_by_name_and_defaults_fill_in(tmp_path: Path) -> None:
    schema = record(
        {"name": "b", "type": "string", "doc": "kept", "order": "ignore"},
        {"name": "new", "type": {"type": "array", "items": "int"}, "default": [1, 2]},
        {"name": "a", "type": ["null", "long"], "default": None, "aliases": ["z"]},
        {"name": "missing", "type": ["null", "string"], "default": None},
    )
    path = tmp_path / "s.avsc"
    path.write_text(json.dumps(schema))
    df = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    for given in (schema, json.dumps(schema), path):
        target = io.BytesIO()
        write_avro(df, target, avro_schema=given)
        assert json.loads(polars_avro.read_avro_metadata(target.getvalue()).avro_schema) == schema
        expected = df.select(
            "b", new=pl.lit([1, 2], dtype=pl.List(pl.Int32)), a="a", missing=pl.lit(None, dtype=pl.String)
        )
        assert_frame_equal(read_avro(target.getvalue()), expected)
    for bad, match in ((df.drop("b"), "no column"), (df.with_columns(c=1), "`c`")):
        with pytest.raises(AvroSchemaError, match=match):
            write_avro(bad, io.BytesIO(), avro_schema=schema)


def test_unions_of_several_types_come_from_structs() -> None:
    schema = record(
        ["null", "int", {"type": "record", "name": "I", "fields": [{"name": "x", "type": "string"}]}, "string"]
    )
    records = [{"f": 1}, {"f": "s"}, {"f": None}, {"f": {"x": "y"}}]
    source = io.BytesIO()
    fastavro.writer(source, schema, records)
    df = read_avro(source.getvalue())
    target = io.BytesIO()
    write_avro(df, target, avro_schema=schema)
    assert_frame_equal(read_avro(target.getvalue()), df)
    assert list(fastavro.reader(io.BytesIO(target.getvalue()))) == records
    both = df.with_columns(f=pl.struct(pl.lit(1, dtype=pl.Int32).alias("int"), pl.lit("s").alias("string")))
    with pytest.raises(polars_avro.AvroDataError, match="both"):
        write_avro(both, io.BytesIO(), avro_schema=schema)


def test_a_schema_that_is_no_record_is_one_column() -> None:
    target = io.BytesIO()
    write_avro(pl.DataFrame({"value": [1, 2]}), target, avro_schema='"long"')
    assert list(fastavro.reader(io.BytesIO(target.getvalue()))) == [1, 2]
    with pytest.raises(AvroSchemaError, match="one column"):
        write_avro(pl.DataFrame({"a": [1], "b": [2]}), io.BytesIO(), avro_schema='"long"')


def test_what_reading_gives_can_be_written_by_the_files_schema() -> None:
    df = read_avro("docs/sample.avro")
    schema = polars_avro.read_avro_metadata("docs/sample.avro").avro_schema
    target = io.BytesIO()
    write_avro(df, target, avro_schema=schema, compression="deflate")
    assert_frame_equal(read_avro(target.getvalue()), df)
    assert list(fastavro.reader(io.BytesIO(target.getvalue()))) == list(
        fastavro.reader(io.BytesIO(Path("docs/sample.avro").read_bytes()))
    )


def test_bad_schemas_are_refused() -> None:
    for schema, error in (("{", AvroSchemaError), ({"type": "recor"}, AvroSchemaError), (5, TypeError)):
        with pytest.raises(error):
            write_avro(pl.DataFrame({"a": [1]}), io.BytesIO(), avro_schema=schema)


def test_times_that_need_nanoseconds_are_told_by_the_first_frame() -> None:
    fine = pl.DataFrame({"t": pl.Series([1]).cast(pl.Time)})
    coarse = pl.DataFrame({"t": pl.Series([1000]).cast(pl.Time)})
    target = io.BytesIO()
    with polars_avro.AvroWriter(target) as writer:
        writer.write(fine)
        writer.write(coarse)
    assert_frame_equal(read_avro(target.getvalue()), pl.concat([fine, coarse]))
    target = io.BytesIO()
    with polars_avro.AvroWriter(target) as writer:
        writer.write(fine.clear())
        assert writer.schema == fine.schema
        writer.write(fine)
    assert_frame_equal(read_avro(target.getvalue()), fine)
    writer = polars_avro.AvroWriter(io.BytesIO())
    writer.write(coarse)
    writer.write(fine)
    with pytest.raises(polars_avro.AvroDataError, match=r"polars\.dtype"):
        writer.close()


def test_only_values_that_are_written_have_to_fit() -> None:
    lists = {"type": "array", "items": ["null", "int"]}
    large = pl.DataFrame({"f": [[1], [2**40], [3]]})
    fixed = pl.DataFrame({"f": [[1], [2**40], [3]]}, schema={"f": pl.Array(pl.Int64, 1)})
    small = [[1], [3]]
    assert values(large.head(1), record(lists)) == [[1]]
    assert values(large[2:], record(lists)) == [[3]]
    assert values(large.filter(pl.col("f").list.max() < 2**31), record(lists)) == small
    for df in (large, fixed):
        masked = df.with_columns(f=pl.when(pl.int_range(pl.len()) != 1).then("f"))
        assert values(masked, record(["null", lists])) == [[1], None, [3]]
    words = pl.DataFrame({"f": [["A"], ["other"]]})
    assert values(words.head(1), record({"type": "array", "items": ENUM})) == [["A"]]


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ([0] * 150 + [2**40] + [0] * 149, "int", "1099511627776 does not fit an Avro int"),
        (["A"] * 150 + ["C"] + ["B"] * 9, ENUM, '"C" does not fit the symbols'),
        ([str(UUID)] * 150 + ["x"], {"type": "string", "logicalType": "uuid"}, '"x" does not fit the form of a UUID'),
        (
            pl.Series([0] * 150 + [1_500]).cast(pl.Datetime("us", "UTC")),
            {"type": "long", "logicalType": "timestamp-millis"},
            "1500 us are no whole number of ms",
        ),
        (
            pl.Series([0] * 150 + [1_000]).cast(pl.Time),
            {"type": "int", "logicalType": "time-millis"},
            "1000 ns are no whole number of ms",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_its_record(column: object, kind: object, message: str) -> None:
    df = pl.DataFrame({"f": column})
    for wrapped, at in ((df, "f"), (df.select(f=pl.concat_list("f")), "f[]")):
        schema = record(kind if at == "f" else {"type": "array", "items": kind})
        with pytest.raises(polars_avro.AvroDataError, match=message) as error:
            write_avro(wrapped, io.BytesIO(), avro_schema=schema)
        assert (error.value.record, error.value.field) == (150, at)


def test_the_branch_is_the_first_one_that_fits_without_narrowing() -> None:
    def branch(name: str, *fields: tuple[str, object]) -> dict[str, object]:
        listed = [{"name": field, "type": kind} for field, kind in fields]
        return {"type": "record", "name": name, "fields": listed}

    empty = pl.DataFrame({"f": pl.Series([{}, None], dtype=pl.Struct({}))})
    assert values(empty, record(["null", "long", branch("P")])) == [{}, None]
    assert values(empty.head(1), record(["long", branch("P")])) == [{}]
    wide = pl.DataFrame({"f": [{"x": 2**40}]})
    assert values(wide, record([branch("A", ("x", "int")), branch("B", ("x", "long"))])) == [{"x": 2**40}]
    named = pl.DataFrame({"f": [{"string": 1}]})
    assert values(named, record(["string", branch("Q", ("string", "long"))])) == [{"string": 1}]
    decimals = [{"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": 0} for digits in (2, 10)]
    decimals[1] |= {"type": "fixed", "name": "D", "size": 8}
    df = pl.DataFrame({"f": [Decimal(12345)]}, schema={"f": pl.Decimal(10, 0)})
    assert values(df, record(decimals)) == [Decimal(12345)]


def test_an_argument_is_named_as_it_was_given() -> None:
    with pytest.raises(TypeError, match="`avro_schema` must contain only types that JSON has"):
        write_avro(pl.DataFrame({"a": [1]}), io.BytesIO(), avro_schema={"type": "int", "x": {1}})


def test_no_cast_is_proposed_if_none_helps() -> None:
    for kind in (
        {"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 2},
        {"type": "bytes", "logicalType": "big-decimal"},
    ):
        with pytest.raises(AvroSchemaError, match="no dtype is written as it yet: change the Avro schema"):
            write_avro(pl.DataFrame({"f": ["1.00"]}), io.BytesIO(), avro_schema=record(kind))
