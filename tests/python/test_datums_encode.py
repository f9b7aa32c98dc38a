"""Encoding of datums: the bytes equal fastavro's, and decoding restores the column."""

import datetime as dt
import io
import json
from decimal import Decimal

import fastavro
import polars as pl
import pytest
from framed import DTYPE, FRAMINGS, GLUE_ID, SCHEMA, column, events, expected, header
from polars.testing import assert_frame_equal, assert_series_equal
from registry_server import serve

import polars_avro

VALUES = [*events(40), None, *events(10, 40)]
ID = {"confluent": 258, "apicurio": 258, "glue": GLUE_ID}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_framing_has_the_bytes_of_fastavro(framing):
    got = expected(VALUES).avro.encode(SCHEMA, framing=framing, schema_id=ID.get(framing))
    assert_series_equal(got, column(VALUES, framing))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_queries_encode(engine):
    df = pl.DataFrame({"k": [i % 2 for i in range(51)], "v": expected(VALUES)})
    lf = df.lazy().select("k", pl.col("v").avro.encode(SCHEMA), w=polars_avro.encode("v", SCHEMA))
    assert lf.collect_schema() == {"k": pl.Int64, "v": pl.Binary, "w": pl.Binary}
    rows = column(VALUES)
    assert_frame_equal(lf.collect(engine=engine), df.select("k", rows, w=rows))
    copy = pl.LazyFrame.deserialize(io.BytesIO(lf.serialize()))
    assert_frame_equal(copy.collect(engine=engine), lf.collect())
    grouped = df.lazy().group_by("k", maintain_order=True).agg(polars_avro.encode("v", SCHEMA)).collect(engine=engine)
    wanted = pl.DataFrame({"k": df["k"], "v": rows}).group_by("k", maintain_order=True).agg("v")
    assert_frame_equal(grouped, wanted)


def test_fields_are_found_by_their_names():
    frame = expected(VALUES[:5]).struct.unnest()
    got = frame.select(v=polars_avro.encode(pl.struct("tags", "score", "name", "id"), SCHEMA))["v"]
    assert_series_equal(got, column(VALUES[:5]))
    with pytest.raises(polars_avro.AvroSchemaError, match="no field for the column `more`"):
        frame.select(polars_avro.encode(pl.struct(pl.all(), more=1), SCHEMA))
    with pytest.raises(polars_avro.AvroSchemaError, match="`tags`"):
        frame.select(polars_avro.encode(pl.struct("id", "score", "name"), SCHEMA))
    with pytest.raises(polars_avro.AvroSchemaError, match="Int64"):
        pl.Series([1]).avro.encode("string")


@pytest.mark.parametrize(
    ("values", "dtype", "schema"),
    [
        ([1, None, -3], pl.Int64(), "long"),
        ([1, None], pl.Int16(), "int"),
        (["a", None, "x" * 50], pl.String(), "string"),
        ([b"a", None, b""], pl.Binary(), "bytes"),
        ([1.5, None], pl.Float64(), "double"),
        ([True, None], pl.Boolean(), "boolean"),
        ([None, None], pl.Null(), "null"),
        ([[1, None], None, []], pl.List(pl.Int32), {"type": "array", "items": ["null", "int"]}),
        (["a", None, "b"], pl.Enum(["a", "b"]), {"type": "enum", "name": "v", "symbols": ["a", "b"]}),
        ([dt.date(2020, 1, 2), None], pl.Date(), {"type": "int", "logicalType": "date"}),
    ],
)
def test_a_schema_follows_from_the_dtype(values, dtype, schema):
    series = pl.Series("v", values, dtype=dtype)
    got = series.avro.encode()
    assert got.null_count() == series.null_count()
    assert_series_equal(got.avro.decode(schema).cast(dtype), series)
    assert got[0] == polars_avro_bytes(values[0], schema)


def polars_avro_bytes(value, schema):
    if value is None:
        return None
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def test_a_record_follows_from_a_struct():
    frame = pl.DataFrame({
        "a": [1, None, 3], "b": [["x"], None, []], "t": [dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), None, None],
        "d": [Decimal("1.25"), None, None],
    })  # fmt: skip
    got = frame.select(v=pl.struct(pl.all()).avro.encode(name="Row", namespace="app"))["v"]
    fields = [
        {"name": "a", "type": ["null", "long"]},
        {"name": "b", "type": ["null", {"type": "array", "items": ["null", "string"]}]},
        {"name": "t", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
        {"name": "d", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2}]},
    ]
    schema = {"type": "record", "name": "Row", "namespace": "app", "fields": fields}
    rows = frame.to_dicts()
    decoded = [fastavro.schemaless_reader(io.BytesIO(row), schema) for row in got]
    assert decoded[1:] == rows[1:]
    assert_frame_equal(
        got.avro.decode(schema).struct.unnest().cast({"d": frame["d"].dtype, "t": frame["t"].dtype}), frame
    )


def test_nulls_stay_null_and_unions_take_their_branch():
    assert pl.Series(["a", None]).avro.encode(["null", "string"]).to_list() == [b"\x02\x02a", None]
    assert pl.Series(["a", None]).avro.encode(["string", "null"]).to_list() == [b"\x00\x02a", None]
    nested = pl.Series([{"x": None}, None, {"x": 1}], dtype=pl.Struct({"x": pl.Int32}))
    record = {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["null", "int"]}]}
    assert nested.avro.encode(record).to_list() == [b"\x00", None, b"\x02\x02"]


def test_confluent_writes_plain_bytes_without_a_length():
    values = [b"", b"abc", None, b"x" * 300]
    got = pl.Series(values).avro.encode("bytes", framing="confluent", schema_id=258)
    assert got.to_list() == [None if value is None else header("confluent") + value for value in values]
    assert got.avro.decode("bytes", framing="confluent").to_list() == values


def test_slices_chunks_and_large_columns():
    values, rows = expected(VALUES), column(VALUES)
    assert_series_equal(values[7:45].avro.encode(SCHEMA), rows[7:45])
    chunked = pl.concat([values, values[:0], values[3:9]], rechunk=False)
    assert_series_equal(chunked.avro.encode(SCHEMA), pl.concat([rows, rows[3:9]]))
    n = 4000
    large = pl.concat([values] * n, rechunk=True)
    assert_series_equal(large.avro.encode(SCHEMA), pl.concat([rows] * n))
    for empty in (values[:0], values.clear()):
        got = empty.avro.encode(SCHEMA)
        assert (got.dtype, got.len(), got.name) == (pl.Binary, 0, "v")


def test_a_value_that_does_not_fit_names_its_row_and_field():
    record = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
    values = pl.Series([{"x": 1}] * 70_000 + [None, {"x": 2**40}], dtype=pl.Struct({"x": pl.Int64}))
    with pytest.raises(polars_avro.AvroError, match="row 70001, field `x`") as caught:
        values.avro.encode(record)
    assert (caught.value.row, caught.value.field) == (70001, "x")
    with pytest.raises(polars_avro.AvroError, match="row 1, field `x`"):
        pl.Series([{"x": 1}, {"x": None}], dtype=pl.Struct({"x": pl.Int32})).avro.encode(record)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"framing": "auto"}, "`framing` must be one of"),
        ({"framing": "confluent"}, "`schema_id` is needed"),
        ({"framing": "apicurio"}, "`schema_id` is needed"),
        ({"framing": "confluent", "schema_id": 2**32}, "4 bytes"),
        ({"framing": "confluent", "schema_id": -1}, "`schema_id` must be"),
        ({"framing": "confluent", "schema_id": GLUE_ID}, "`schema_id` must be a number"),
        ({"framing": "glue"}, "`schema_id` is needed"),
        ({"framing": "glue", "schema_id": 1}, "`schema_id` must be a UUID"),
        ({"framing": "glue", "schema_id": "orders"}, "`schema_id` must be a number or a UUID, got 'orders'"),
        ({"framing": "glue", "schema_id": GLUE_ID, "compression": "gzip"}, "`compression` must be 'zlib' or None"),
        ({"framing": "confluent", "schema_id": 1, "compression": "zlib"}, '`compression` needs `framing="glue"`'),
        ({"framing": "datum", "schema_id": 1}, "`schema_id` has no place"),
        ({"framing": "single_object", "schema_id": 1}, "`schema_id` has no place"),
        ({"registry": polars_avro.SchemaRegistry("http://x", subject="s")}, "`registry` gives"),
        ({"framing": "confluent", "registry": polars_avro.SchemaRegistry("http://x")}, "must have a subject"),
        ({"framing": "confluent", "schema_id": 1, "auto_register": False}, "`auto_register=False` needs `registry`"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        polars_avro.encode("v", SCHEMA, **arguments)


def test_dtypes_and_schemas_are_checked():
    with pytest.raises(polars_avro.AvroUnsupportedError, match="Object"):
        pl.Series([object()]).avro.encode()
    with pytest.raises(polars_avro.AvroSchemaError, match="Foo"):
        polars_avro.encode("v", {"type": "Foo"})
    with pytest.raises(TypeError, match="`expr`"):
        polars_avro.encode(3, "int")


def test_a_registry_gives_the_id():
    with serve() as server:
        registry = polars_avro.SchemaRegistry(server.url, subject="events")
        frame = pl.DataFrame({"v": expected(VALUES)})
        expr = polars_avro.encode("v", SCHEMA, framing="confluent", registry=registry)
        assert server.requests == []
        rows = column(VALUES, "confluent", schema_id=1)
        for _ in range(2):
            assert_series_equal(frame.lazy().select(expr).collect(engine="streaming")["v"], rows)
        assert server.requests == ["POST /subjects/events/versions"]
        assert json.loads(registry.schema(1)) == SCHEMA
        # Without `schema` the latest version of the subject is used.
        server.requests.clear()
        latest = polars_avro.encode("v", framing="confluent", registry=registry)
        assert_series_equal(frame.select(latest)["v"], rows)
        assert server.requests == ["GET /subjects/events/versions/latest"]
        assert_series_equal(rows.avro.decode(framing="confluent", schemas=registry), expected(VALUES))
        assert rows.avro.decode(framing="confluent", schemas=registry).dtype == DTYPE


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_schema_is_looked_up_without_registering_it(engine):
    with serve() as server:
        registry = polars_avro.SchemaRegistry(server.url, subject="events")
        lf = pl.LazyFrame({"v": expected(VALUES)})
        expr = polars_avro.encode("v", SCHEMA, framing="confluent", registry=registry, auto_register=False)
        # In the streaming engine Polars recreates the exception from its text.
        with pytest.raises(polars_avro.AvroSchemaNotFoundError, match="no schema as 'events'"):
            lf.select(expr).collect(engine=engine)
        server.add("events", '"int"')
        number = server.add("events", SCHEMA)
        rows = column(VALUES, "confluent", schema_id=number)
        for query in (lf.select(expr), pl.LazyFrame.deserialize(io.BytesIO(lf.select(expr).serialize()))):
            assert_series_equal(query.collect(engine=engine)["v"], rows)
        assert set(server.requests) == {"POST /subjects/events"}
        got = expected(VALUES).avro.encode(SCHEMA, framing="confluent", registry=registry, auto_register=False)
        assert_series_equal(got, rows)
        with pytest.raises(TypeError, match="`auto_register` must be a bool"):
            polars_avro.encode("v", SCHEMA, framing="confluent", registry=registry, auto_register="no")
