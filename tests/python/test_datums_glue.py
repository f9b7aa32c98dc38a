"""Datums in the framing of AWS Glue: layout, compression, limits."""

import uuid
import zlib

import polars as pl
import pytest
from framed import GLUE_ID, SCHEMA, column, datum, events, expected, header
from polars.testing import assert_series_equal

import polars_avro

VALUES = [*events(300), None, *events(5)]
OTHER_ID = uuid.UUID(int=GLUE_ID.int ^ 1)
OLD = SCHEMA | {"fields": [field for field in SCHEMA["fields"] if field["name"] != "score"]}
READER = SCHEMA | {"fields": [f | ({"default": None} if f["name"] == "score" else {}) for f in SCHEMA["fields"]]}


def packed(value, schema=SCHEMA, schema_id=GLUE_ID):
    return b"\x03\x05" + schema_id.bytes + zlib.compress(datum(value, schema))


def test_compressed_datums_are_decoded():
    rows = pl.Series("v", [None if value is None else packed(value) for value in VALUES])
    for options in ({"schema": SCHEMA}, {"schemas": {GLUE_ID: SCHEMA}}, {"schemas": {str(GLUE_ID): SCHEMA}}):
        for framing in ("glue", "auto"):
            if framing == "auto" and "schema" not in options:
                options = options | {"schema": SCHEMA}
            assert_series_equal(rows.avro.decode(framing=framing, **options), expected(VALUES))


@pytest.mark.parametrize("pattern", ["runs", "alternating"])
def test_compressed_and_other_rows_of_several_schemas_are_mixed(pattern):
    old = [{k: v for k, v in event.items() if k != "score"} for event in events(60)]
    # The ids differ in the last byte only, which is not among the first 16 bytes of the row.
    rows = [(header("glue") + datum(value), value) for value in events(60)]
    rows += [(packed(value, OLD, OTHER_ID), {**value, "score": None}) for value in old]
    rows += [(b"\x03\x00" + OTHER_ID.bytes + datum(value, OLD), {**value, "score": None}) for value in old]
    if pattern == "alternating":
        rows = [rows[i + 60 * kind] for i in range(60) for kind in range(3)]
    schemas = {GLUE_ID: SCHEMA, OTHER_ID: OLD}
    got = pl.Series("v", [row for row, _ in rows]).avro.decode(READER, framing="glue", schemas=schemas)
    assert_series_equal(got, expected([value for _, value in rows]))


def test_any_type_is_compressed_and_decoded():
    values = pl.Series("v", [b"", b"a" * 3000, None, b"bc"])
    for compression in (None, "zlib"):
        rows = values.avro.encode("bytes", framing="glue", schema_id=GLUE_ID, compression=compression)
        assert_series_equal(rows.avro.decode("bytes", framing="glue"), values)


@pytest.mark.parametrize("schema_id", [GLUE_ID, str(GLUE_ID), str(GLUE_ID).upper()])
def test_compressed_rows_are_those_of_zlib(schema_id):
    got = expected(VALUES).avro.encode(SCHEMA, framing="glue", schema_id=schema_id, compression="zlib")
    for row, value in zip(got, VALUES, strict=True):
        if value is None:
            assert row is None
        else:
            assert row[:18] == b"\x03\x05" + GLUE_ID.bytes
            assert zlib.decompress(row[18:]) == datum(value)
    assert_series_equal(got.avro.decode(SCHEMA, framing="glue"), expected(VALUES))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (packed(events(1)[0])[:-1], "zlib: the datum is damaged or cut short"),
        (b"\x03\x05" + GLUE_ID.bytes, "zlib: the datum is damaged or cut short"),
        (b"\x03\x05" + GLUE_ID.bytes + zlib.compress(datum(events(1)[0]) + b"x"), "1 byte is left after the datum"),
        (b"\x03\x05" + GLUE_ID.bytes + zlib.compress(datum(events(1)[0])[:-1]), "field `tags`: the datum ends"),
        (
            b"\x03\x01" + GLUE_ID.bytes + datum(events(1)[0]),
            r"no header of framing \"glue\", it begins with \[03 01 00",
        ),
        (b"\x03\x00" + GLUE_ID.bytes[:-1], "no header of framing"),
        (b"\x03\x00" + OTHER_ID.bytes + datum(events(1)[0]), f"schema id {OTHER_ID} is not known"),
    ],
)
def test_a_bad_row_is_named(row, message):
    rows = pl.concat([column(VALUES, "glue"), pl.Series("v", [row]), column(VALUES[:3], "glue")])
    options = {"framing": "glue", "schemas": {GLUE_ID: SCHEMA}}
    with pytest.raises(polars_avro.AvroDataError, match=message) as caught:
        rows.avro.decode(**options)
    assert caught.value.row == len(VALUES)
    with pytest.warns(polars_avro.AvroWarning, match="1 bad datum is null"):
        got = rows.avro.decode(**options, ignore_errors=True)
    assert_series_equal(got, expected([*VALUES, None, *VALUES[:3]]))


def test_a_decompression_bomb_is_a_limit_error():
    bomb = b"\x03\x05" + GLUE_ID.bytes + zlib.compress(b"\x80\x80\x80\x08" + b"\x00" * (8 << 20), 9)
    rows = pl.Series("v", [b"\x03\x05" + GLUE_ID.bytes + zlib.compress(b"\x02a"), bomb])
    limits = polars_avro.Limits(block_bytes=1 << 20)
    with pytest.raises(
        polars_avro.AvroLimitError, match="row 1: zlib: the datum holds more than 1048576 bytes"
    ) as caught:
        rows.avro.decode("bytes", framing="glue", limits=limits)
    assert "block_bytes" in str(caught.value)
    with pytest.warns(polars_avro.AvroWarning, match="row 1: zlib"):
        got = rows.avro.decode("bytes", framing="glue", limits=limits, ignore_errors=True)
    assert got.to_list() == [b"a", None]
    assert rows.avro.decode("bytes", framing="glue")[1] == b"\x00" * (8 << 20)


def test_auto_asks_a_registry_for_ids_of_its_framings_only():
    class Registry(polars_avro.SchemaRegistry):
        def schema(self, schema_id):
            assert isinstance(schema_id, int)
            raise polars_avro.AvroSchemaNotFoundError(schema_id)

    # The rows begin like those of Glue with as many ids.
    longs = {
        "type": "record",
        "name": "R",
        "fields": [{"name": name, "type": "long"} for name in "abcdefghijklmnopqrst"],
    }
    rows = [b"\x03\x00" + i.to_bytes(16, "big").replace(b"\x80", b"\x7f") + b"\x02\x02" for i in range(100)]
    got = pl.Series(rows).avro.decode(longs, framing="auto", schemas=Registry("http://localhost:9"))
    assert got.struct.field("a").to_list() == [-2] * 100
