"""Schema resolution with a reader schema (specification 1.12, "Schema Resolution"), one row per rule."""

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import polars as pl
import pytest
from containers import container, long, text
from polars.testing import assert_frame_equal

import polars_avro


@pytest.fixture(params=["read", "scan", "scan two", "AvroReader"])
def read(request):
    """Write one value with a writer's schema, and read it with a reader's."""

    def read(data, reader):
        if request.param == "read":
            return polars_avro.read_avro(data, reader_schema=reader)
        if request.param == "AvroReader":
            with polars_avro.AvroReader(data, reader_schema=reader) as batches:
                return pl.concat([pl.DataFrame(schema=batches.schema), *batches])
        both = polars_avro.scan_avro([data, data], reader_schema=reader).collect()
        if request.param == "scan two":
            assert_frame_equal(both.head(both.height // 2), both.tail(both.height // 2))
            return both.head(both.height // 2)
        return polars_avro.scan_avro(data, reader_schema=reader).collect()

    return read


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    named = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": named, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F", **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def logical(base: Any, name: str, **more: Any) -> dict[str, Any]:
    return {**(base if isinstance(base, dict) else {"type": base}), "logicalType": name, **more}


ONE = {"x": 1}
#: The rule, the writer's type, the written value, the reader's type, the value that is read.
ACCEPTED: list[tuple[str, Any, Any, Any, Any]] = [
    *(
        (f"the same primitive, {kind}", kind, value, kind, value)
        for kind, value in (
            ("null", None),
            ("boolean", True),
            ("int", -7),
            ("long", 1 << 40),
            ("float", 0.5),
            ("double", 0.1),
            ("bytes", b"\x00\xff"),
            ("string", "é"),
        )
    ),
    ("int is promoted to long", "int", 7, "long", 7),
    ("int is promoted to float", "int", 7, "float", 7.0),
    ("int is promoted to double", "int", 7, "double", 7.0),
    ("long is promoted to float", "long", 7, "float", 7.0),
    ("long is promoted to double", "long", 7, "double", 7.0),
    ("float is promoted to double", "float", 0.5, "double", 0.5),
    ("string is promoted to bytes", "string", "é", "bytes", "é".encode()),
    ("bytes are promoted to string", "bytes", "é".encode(), "string", "é"),
    ("arrays: the items resolve", array("int"), [1, 2], array("long"), [1, 2]),
    ("maps: the values resolve", mapping("int"), ONE, mapping("double"), {"x": 1.0}),
    ("enums: symbols by name", enum("A", "B"), "B", enum("B", "C", "A"), "B"),
    ("enums: the reader's default", enum("A", "B"), "B", enum("A", "D", default="D"), "D"),
    ("enums: an unknown symbol that is not used", enum("A", "B"), "A", enum("A"), "A"),
    ("fixed: name and size agree", fixed(2), b"ab", fixed(2), b"ab"),
    ("names: the namespace does not matter", fixed(2, "a.F"), b"ab", fixed(2, "b.F"), b"ab"),
    ("names: an alias of the reader's", fixed(2, "Old"), b"ab", fixed(2, "New", aliases=["Old"]), b"ab"),
    (
        "records: fields in another order",
        record(("a", "int"), ("b", "string")),
        {"a": 1, "b": "x"},
        record(("b", "string"), ("a", "int")),
        {"b": "x", "a": 1},
    ),
    (
        "records: the reader's default",
        record(("a", "int")),
        {"a": 1},
        record(("a", "int"), {"name": "b", "type": "string", "default": "d"}),
        {"a": 1, "b": "d"},
    ),
    (
        "records: a default that is a record",
        record(("a", "int")),
        {"a": 1},
        record(("a", "int"), {"name": "b", "type": record(("c", array("int")), name="N"), "default": {"c": [1, 2]}}),
        {"a": 1, "b": {"c": [1, 2]}},
    ),
    (
        "records: a default of null",
        record(("a", "int")),
        {"a": 1},
        record(("a", "int"), {"name": "b", "type": ["null", "long"], "default": None}),
        {"a": 1, "b": None},
    ),
    (
        "records: the writer's other fields are passed over",
        record(("z", array(mapping("string"))), ("a", "int"), ("y", ["null", fixed(3)])),
        {"z": [{"k": "v"}], "a": 1, "y": b"abc"},
        record(("a", "int")),
        {"a": 1},
    ),
    (
        "records: a field by the reader's alias",
        record(("old", "int")),
        {"old": 1},
        record({"name": "new", "type": "long", "aliases": ["old"]}),
        {"new": 1},
    ),
    (
        "records: a name counts before an alias",
        record(("old", "int"), ("new", "int")),
        {"old": 1, "new": 2},
        record({"name": "new", "type": "int", "aliases": ["old"]}),
        {"new": 2},
    ),
    (
        "records: an alias of the record's name",
        record(("a", "int"), name="Old"),
        {"a": 1},
        record(("a", "int"), name="New", aliases=["Old"]),
        {"a": 1},
    ),
    (
        "both unions: the first branch that matches",
        ["null", "int"],
        7,
        ["string", "null", "long"],
        {"string": None, "long": 7},
    ),
    ("both unions: the same type before a promotion", ["int", "string"], 7, ["long", "int"], {"long": None, "int": 7}),
    ("both unions: null", ["int", "null"], None, ["null", "long"], None),
    ("the reader's is a union, and the writer's is null", "null", None, ["null", "long"], None),
    ("the reader's is a union", "int", 7, ["null", "long"], 7),
    ("the writer's is a union, and this branch matches", ["null", "int"], 7, "long", 7),
    ("the writer's is a union of one", ["int"], 7, "double", 7.0),
    ("the writer's branch need not match if it is not used", ["string", "int"], 7, "int", 7),
    ("a date stays a date", logical("int", "date"), 3, logical("int", "date"), dt.date(1970, 1, 4)),
    ("the reader decides on the logical type", logical("int", "date"), 3, "long", 3),
    (
        "decimals of one precision and scale",
        logical("bytes", "decimal", precision=4, scale=2),
        Decimal("1.25"),
        logical("bytes", "decimal", precision=4, scale=2),
        Decimal("1.25"),
    ),
]

#: The rule, the writer's type, the reader's type, the error, which is raised before data is read.
REFUSED: list[tuple[str, Any, Any, str]] = [
    *(
        (f"{writer} is not {reader}", writer, reader, f"the writer's {writer} cannot be read as the reader's {reader}")
        for writer, reader in (
            ("long", "int"),
            ("float", "long"),
            ("double", "float"),
            ("double", "long"),
            ("string", "int"),
            ("int", "string"),
            ("boolean", "int"),
            ("int", "boolean"),
            ("null", "int"),
            ("bytes", "int"),
            ("int", "null"),
        )
    ),
    ("array is not map", array("int"), mapping("int"), "the writer's array cannot be read as the reader's map"),
    (
        "arrays: items",
        array("string"),
        array("int"),
        r"`v\[\]`.*the writer's string cannot be read as the reader's int",
    ),
    ("maps: values", mapping("string"), mapping("int"), r"`v{}`.*the writer's string"),
    ("fixed: sizes differ", fixed(2), fixed(3), "fixed F of 2 bytes cannot be read as the reader's fixed F of 3 bytes"),
    ("fixed is not bytes", fixed(2), "bytes", "fixed F of 2 bytes cannot be read as the reader's bytes"),
    ("fixed: names differ", fixed(2, "F"), fixed(2, "G"), "neither its name nor its aliases agree"),
    ("enums: names differ", enum("A"), enum("A", name="G"), "neither its name nor its aliases agree"),
    ("enum is not string", enum("A"), "string", "enum E cannot be read as the reader's string"),
    ("records: names differ", record(("a", "int")), record(("a", "int"), name="S"), "neither its name nor its aliases"),
    ("records: no default", record(("a", "int")), record(("a", "int"), ("b", "int")), r"`v\.b`.*has no default"),
    (
        "records: a field does not resolve",
        record(("a", "string")),
        record(("a", "int")),
        r"`v\.a`.*the writer's string",
    ),
    (
        "records: a default that is not valid",
        record(("a", "int")),
        record(("a", "int"), {"name": "b", "type": "int", "default": "x"}),
        r"`v\.b`.*default",
    ),
    ("unions: no branch matches", ["string", "boolean"], ["int", "bytes"][:1], "cannot be read as"),
    (
        "the reader's union has no such branch",
        "string",
        ["null", "int"],
        r"cannot be read as the reader's union \[null, int\]",
    ),
    ("a date is not a time", logical("int", "date"), logical("int", "time-millis"), "cannot be read as"),
    (
        "scales differ",
        logical("bytes", "decimal", precision=4, scale=2),
        logical("bytes", "decimal", precision=4, scale=1),
        "cannot be read as",
    ),
]

#: Values that fail only when they are read.
REFUSED_VALUES: list[tuple[str, Any, Any, Any, str]] = [
    ("enums: a symbol that the reader lacks", enum("A", "B"), "B", enum("A"), "symbol 1 of the file's enum"),
    ("the writer's branch does not match", ["string", "int"], "x", "int", "the writer's string cannot be read"),
    ("both unions: the branch does not match", ["null", "string", "int"], "x", ["null", "int"], "the writer's string"),
    ("bytes that are not UTF-8", "bytes", b"\xff", "string", "UTF-8"),
]


def written(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, record(("v", schema), name="Root"), [{"v": value}] * 3)
    return out.getvalue()


@pytest.mark.parametrize(("rule", "writer", "value", "reader", "expected"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_accepted(read, rule, writer, value, reader, expected):
    df = read(written(writer, value), record(("v", reader), name="Root"))
    assert df["v"].to_list() == [expected] * 3
    assert df.schema == polars_avro.read_avro_schema(container(record(("v", reader), name="Root")))


@pytest.mark.parametrize(("rule", "writer", "reader", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_before_data_is_read(read, tmp_path, rule, writer, reader, message):
    path = tmp_path / "refused.avro"
    path.write_bytes(container(record(("v", writer), name="Root"), (1, b"damaged")))
    with pytest.raises(polars_avro.AvroSchemaError, match=message) as caught:
        read(str(path), record(("v", reader), name="Root"))
    assert caught.value.file == str(path)
    assert caught.value.field.startswith("v")
    assert caught.value.block_index is None


@pytest.mark.parametrize(
    ("rule", "writer", "value", "reader", "message"), REFUSED_VALUES, ids=[row[0] for row in REFUSED_VALUES]
)
def test_refused_values(read, rule, writer, value, reader, message):
    with pytest.raises(polars_avro.AvroDataError, match=message) as caught:
        read(written(writer, value), record(("v", reader), name="Root"))
    assert (caught.value.block_index, caught.value.record, caught.value.field) == (0, 0, "v")


def test_a_root_that_is_no_record(read):
    data = container("int", (2, long(1) + long(2)))
    assert read(data, "double")["value"].to_list() == [1.0, 2.0]
    assert read(container("string", (1, text("x"))), '["null", "bytes"]')["value"].to_list() == [b"x"]


def test_every_form_of_a_schema(tmp_path):
    data = written("int", 1)
    reader = record(("v", "double"), name="Root")
    path = tmp_path / "reader.avsc"
    path.write_text(json.dumps(reader))
    for form in (reader, json.dumps(reader), path, str(path)):
        assert polars_avro.read_avro(data, reader_schema=form)["v"].dtype == pl.Float64
    with pytest.raises(polars_avro.AvroSchemaError, match="neither JSON nor the path"):
        polars_avro.read_avro(data, reader_schema="no schema")
    with pytest.raises(FileNotFoundError):
        polars_avro.read_avro(data, reader_schema=tmp_path / "missing.avsc")
    with pytest.raises(TypeError, match="`reader_schema` must be"):
        polars_avro.read_avro(data, reader_schema=3)
    with pytest.raises(polars_avro.AvroSchemaError):
        polars_avro.read_avro(data, reader_schema={"type": "no-such-type"})


def test_projection_slices_and_filters_hold_for_the_readers_columns(tmp_path):
    path = tmp_path / "rows.avro"
    writer = record(("a", "int"), ("b", "string"), ("c", "float"))
    with path.open("wb") as file:
        rows = [{"a": i, "b": f"{i}", "c": i / 2} for i in range(5_000)]
        fastavro.writer(file, writer, rows, sync_interval=1_000)
    reader = record(("c", "double"), {"name": "d", "type": "int", "default": 9}, ("a", ["null", "long"]))
    expected = pl.DataFrame({"c": [i / 2 for i in range(5_000)], "d": [9] * 5_000, "a": list(range(5_000))})
    expected = expected.cast({"d": pl.Int32})
    for source in (path, [path]):
        lf = polars_avro.scan_avro(source, reader_schema=reader)
        assert_frame_equal(lf.collect(), expected)
        assert_frame_equal(lf.select("d").tail(3).collect(), expected.select("d").tail(3))
        assert_frame_equal(lf.filter(pl.col("a") > 4_990).select("d", "c").collect(), expected[4_991:].select("d", "c"))
        df = polars_avro.read_avro(source, reader_schema=reader, columns=["a", "d"], n_rows=7)
        assert_frame_equal(df, expected.select("a", "d").head(7))
    assert lf.select(pl.len()).collect().item() == 5_000
