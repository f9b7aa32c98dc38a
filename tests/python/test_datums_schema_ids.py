"""Schema ids in another column: numbers, and message headers of Confluent's and Apicurio's serializers."""

import io
import uuid

import polars as pl
import pytest
from framed import DTYPE, SCHEMA, column, datum, events, expected
from polars.testing import assert_frame_equal, assert_series_equal
from registry_server import serve

import polars_avro
from polars_avro import SchemaRegistry

GUID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
OLD = SCHEMA | {"fields": [field for field in SCHEMA["fields"] if field["name"] != "score"]}
READER = SCHEMA | {"fields": [f | ({"default": None} if f["name"] == "score" else {}) for f in SCHEMA["fields"]]}
#: The schema id 258 as each kind of column has it, and the key of its schema.
KINDS = {
    "int32": (pl.Series([258], dtype=pl.Int32), 258),
    "uint8": (pl.Series([200], dtype=pl.UInt8), 200),
    "uint64": (pl.Series([2**64 - 1], dtype=pl.UInt64), -1),
    "int64": (pl.Series([-1], dtype=pl.Int64), 2**64 - 1),
    "confluent id": (pl.Series([b"\x00\x00\x00\x01\x02"]), 258),
    "confluent guid": (pl.Series([b"\x01" + GUID.bytes]), GUID),
    "guid text": (pl.Series([b"\x01" + GUID.bytes]), str(GUID)),
    "guid bytes": (pl.Series([GUID.bytes]), GUID.bytes),
    "apicurio": (pl.Series([(2**40).to_bytes(8, "big")]), 2**40),
    "four bytes": (pl.Series([b"\x00\x00\x01\x02"]), 258),
}


def without_score(n):
    return [{k: v for k, v in event.items() if k != "score"} for event in events(n)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_ids_of_every_kind_select_the_schema(kind, engine):
    ids, key = KINDS[kind]
    values = [*events(300), None, *events(5)]
    frame = pl.DataFrame({"v": column(values)}).with_columns(id=pl.lit(ids[0], ids.dtype))
    expr = polars_avro.decode("v", schemas={key: SCHEMA}, schema_id="id")
    lf = frame.lazy().select(expr)
    assert lf.collect_schema() == {"v": DTYPE}
    assert_frame_equal(lf.collect(engine=engine), expected(values).to_frame())
    copy = pl.LazyFrame.deserialize(io.BytesIO(lf.serialize()))
    assert_frame_equal(copy.collect(engine=engine), expected(values).to_frame())
    for again in (
        frame.select(polars_avro.decode("v", schemas={key: SCHEMA}, schema_id=ids)),
        frame.select(polars_avro.decode("v", schemas={key: SCHEMA}, schema_id=pl.lit(ids[0], ids.dtype))),
        frame["v"].avro.decode(schemas={key: SCHEMA}, schema_id=frame["id"]).to_frame(),
    ):
        assert_frame_equal(again, expected(values).to_frame())


@pytest.mark.parametrize("pattern", ["runs", "alternating", "nulls"])
def test_rows_of_several_schemas_are_read_as_one(pattern):
    rows = [(datum(value), 1, value) for value in events(200)]
    rows += [(datum(value, OLD), 2, {**value, "score": None}) for value in without_score(200)]
    if pattern != "runs":
        rows = [row for pair in zip(rows[:200], rows[200:], strict=True) for row in pair]
    if pattern == "nulls":
        rows = [row for one in rows for row in ((None, None, None), (None, 7, None), one)]
    frame = pl.DataFrame({"v": [row[0] for row in rows], "id": [row[1] for row in rows]})
    expr = polars_avro.decode("v", READER, schemas={1: SCHEMA, 2: OLD}, schema_id="id")
    assert_series_equal(frame.select(expr)["v"], expected([row[2] for row in rows]))
    # The rows are in several chunks, which do not end at the ends of runs.
    chunked = pl.concat([frame[:7], frame[7:150], frame[150:]], rechunk=False)
    assert_series_equal(chunked.select(expr)["v"], expected([row[2] for row in rows]))


@pytest.mark.parametrize("framing", ["confluent", "auto"])
def test_rows_without_an_id_have_the_framing(framing):
    bare, framed = column(events(50)), column(events(50, 50), "confluent", OLD | {"fields": SCHEMA["fields"]}, 3)
    frame = pl.DataFrame({"v": pl.concat([bare, framed, bare]), "id": [*[7] * 50, *[None] * 50, *[7] * 50]})
    options = {"framing": framing, "schemas": {7: SCHEMA, 3: SCHEMA}}
    got = frame.select(polars_avro.decode("v", schema_id="id", **options))["v"]
    assert_series_equal(got, expected([*events(100), *events(50)]))
    # Without any id all rows are framed.
    got = framed.avro.decode(schema_id=pl.Series([None] * 50, dtype=pl.Null), **options)
    assert_series_equal(got, expected(events(50, 50)))


@pytest.mark.parametrize(
    ("schema_id", "message"),
    [
        (pl.Series([None, 7]), "row 0: the schema id of the row is null"),
        (pl.Series([7, 8]), "row 1: schema id 8 is not known"),
        (pl.Series([b"\x01" + GUID.bytes] * 2), f"row 0: schema id {GUID} is not known"),
        (pl.Series([b"\x02\x00\x00\x00\x07"] * 2), "row 0: the schema id of the row is 5 bytes that begin with 02"),
        (pl.Series([b""] * 2), "row 0: the schema id of the row is 0 bytes"),
    ],
)
def test_a_bad_id_names_its_row(schema_id, message):
    rows = column(events(2))
    with pytest.raises(polars_avro.AvroDataError, match=message):
        rows.avro.decode(schemas={7: SCHEMA}, schema_id=schema_id)
    with pytest.warns(polars_avro.AvroWarning, match=message):
        got = rows.avro.decode(schemas={7: SCHEMA}, schema_id=schema_id, ignore_errors=True)
    good = [value if key == 7 else None for value, key in zip(events(2), schema_id, strict=True)]
    assert_series_equal(got, expected(good))


def test_a_bad_datum_names_its_row():
    rows = pl.concat([column(events(3)), pl.Series("v", [b"\x02"])])
    with pytest.raises(polars_avro.AvroDataError, match="row 3, field `name`"):
        rows.avro.decode(schemas={7: SCHEMA}, schema_id=pl.Series([7] * 4))


def test_a_callable_gets_numbers_and_uuids():
    asked = []

    def find(key):
        asked.append(key)
        return SCHEMA

    ids = pl.Series([b"\x01" + GUID.bytes, b"\x00\x00\x00\x00\x07"])
    got = column(events(2)).avro.decode(SCHEMA, schemas=find, schema_id=ids)
    assert_series_equal(got, expected(events(2)))
    assert asked == [GUID, 7]


def test_confluent_writes_plain_bytes_without_a_length():
    # A header says which serializer wrote the datum, a number does not.
    rows = pl.Series([b"\x04hi"])
    for schema_id, value in (
        (pl.Series([b"\x00\x00\x00\x00\x07"]), b"\x04hi"),
        (pl.Series([(7).to_bytes(8, "big")]), b"hi"),
        (pl.Series([7]), b"hi"),
    ):
        assert rows.avro.decode(schemas={7: "bytes"}, schema_id=schema_id).to_list() == [value]


def test_a_registry_finds_guids_and_numbers():
    with serve() as server:
        server.has_guids = True
        server.add("events", OLD)
        server.add("events", READER)
        registry = SchemaRegistry(server.url, subject="events", backoff=0.001)
        old, new = registry.lookup("events", OLD), registry.latest()
        assert old.guid is not None
        assert new.guid is not None
        assert registry.schema(old.guid) == registry.schema(str(old.guid)) == registry.schema(old.id) == old.schema
        assert server.requests.count(f"GET /schemas/guids/{old.guid}") == 1
        frame = pl.DataFrame({
            "v": [*column(events(2)), *column(without_score(2), schema=OLD)],
            "header": [*[b"\x01" + new.guid.bytes] * 2, b"\x01" + old.guid.bytes, old.id.to_bytes(5, "big")],
        })  # fmt: skip
        got = frame.select(polars_avro.decode("v", schemas=registry, schema_id="header"))["v"]
        assert_series_equal(got, expected([*events(2), *({**v, "score": None} for v in without_score(2))]))
        missing = pl.Series([b"\x01" + GUID.bytes])
        with pytest.raises(polars_avro.AvroDataError, match=f"schema id {GUID} is not known"):
            column(events(1)).avro.decode(schemas=registry, schema_id=missing)
        with pytest.raises(polars_avro.AvroSchemaNotFoundError, match=f"schema GUID {GUID}"):
            registry.schema(GUID)
        with pytest.raises(ValueError, match="UUID"):
            registry.schema("orders")
        server.has_guids = False
        server.faults = [(200, b'{"id": 1, "version": 1, "schema": "\\"int\\"", "guid": "x"}', {})]
        with pytest.raises(polars_avro.AvroError, match="has 'x' as 'guid'"):
            registry.latest()


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="`schema_id` needs `schemas`"):
        polars_avro.decode("v", SCHEMA, schema_id="id")
    with pytest.raises(TypeError, match="`schema_id` must be an expression, the name of a column, or a Series"):
        polars_avro.decode("v", schemas={7: SCHEMA}, schema_id=7)
    with pytest.raises(TypeError, match="`schema_id` must be a Series to decode a Series"):
        column(events(1)).avro.decode(schemas={7: SCHEMA}, schema_id="id")
    with pytest.raises(
        pl.exceptions.SchemaError, match="`schema_id` must be a column of integers or Binary, got String"
    ):
        column(events(1)).avro.decode(schemas={7: SCHEMA}, schema_id=pl.Series(["7"]))
    with pytest.raises(ValueError, match="`schema_id` has 2 rows, the column has 3"):
        column(events(3)).avro.decode(schemas={7: SCHEMA}, schema_id=pl.Series([7, 7]))
    with pytest.raises(ValueError, match="must be ids, UUIDs, or fingerprints"):
        polars_avro.decode("v", schemas={"x": SCHEMA}, schema_id="id")
