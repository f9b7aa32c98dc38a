"""Unusual headers and ends of files of other programs, and error messages for them."""

import io
import json
import math
import struct

import fastavro
import polars as pl
import pytest
from containers import block, container, header, long, text

import polars_avro
from polars_avro import AvroDataError, AvroSchemaError, AvroWarning, read_avro, scan_avro


def record(*fields, name="R"):
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("default", [math.nan, math.inf, -math.inf])
def test_defaults_that_json_has_no_word_for(kind, default):
    union = [kind, "null"]
    fields = [
        {"name": "a", "type": "long"},
        {"name": "x", "type": kind, "default": default},
        {"name": "u", "type": union, "default": default},
        {"name": "l", "type": {"type": "array", "items": kind}, "default": [default, 1.5]},
        {"name": "NaN", "type": "string", "default": 'NaN, "Infinity": -Infinity'},
    ]
    schema = {"type": "record", "name": "R", "fields": fields}
    out = io.BytesIO()
    fastavro.writer(out, schema, [{"a": 1, "x": 2.0, "u": None, "l": [], "NaN": "s"}])
    new = out.getvalue()
    assert json.dumps(default).encode() in new
    assert read_avro(new).rows() == [(1, 2.0, None, [], "s")]
    old = container(record(("a", "long")), (1, long(7)))
    for df in (
        read_avro([new, old])[1:],
        read_avro(old, reader_schema=schema),
        read_avro(old, reader_schema=json.dumps(schema)),
    ):
        row = df.row(0)
        same = math.isnan if math.isnan(default) else default.__eq__
        assert row[0] == 7
        assert same(row[1])
        assert same(row[2])
        assert same(row[3][0])
        assert row[3][1] == 1.5
        assert row[4] == 'NaN, "Infinity": -Infinity'
    assert read_avro([old, new], schema_mode="union").height == 2


def test_other_words_are_no_json():
    for word in ("nan", "NaNs", "infinity", "+Infinity", "--Infinity", "-NaN"):
        file = header(record(("a", "long"))).replace(b'"long"', f'"long", "default": {word}'.encode())
        with pytest.raises(AvroDataError):
            read_avro(file)
    with pytest.raises(AvroSchemaError, match="JSON"):
        read_avro(container(record(("a", "long"))), reader_schema='{"type": "record", "default": nan}')


EMPTY = {
    "items": (record(("a", {"type": "array", "items": []})), long(0), [[]]),
    "values": (record(("a", {"type": "map", "values": []})), long(0), None),
    "items of items": (
        record(("a", {"type": "array", "items": {"type": "array", "items": []}})),
        long(2) + long(0) + long(0) + long(0),
        [[[], []]],
    ),
    "a record in a list": (
        record(("a", {"type": "array", "items": record(("x", []), ("y", "int"), name="S")})),
        long(0),
        [[]],
    ),
    "a null": (record(("a", ["null", record(("x", []), name="S")])), long(0), [None]),
    "beside others": (record(("b", "int"), ("a", {"type": "array", "items": []}), ("c", "int")), None, [[]]),
}


@pytest.mark.parametrize("name", EMPTY)
def test_unions_of_no_type_where_no_value_of_them_is(name):
    schema, row, values = EMPTY[name]
    if row is None:
        row = long(1) + long(0) + long(2)
    file = container(schema, (1, row))
    for df in (
        read_avro(file),
        scan_avro(file).collect(),
        read_avro([file, file])[:1],
        read_avro([file, file], schema_mode="union")[1:],
        read_avro(file, reader_schema=schema),
    ):
        assert df.height == 1
        if values is not None:
            assert df["a"].to_list() == values
    assert scan_avro(file).select(pl.len()).collect().item() == 1
    assert len(polars_avro.read_avro_schema(file)) == len(schema["fields"])


def test_a_value_of_a_union_of_no_type_is_an_error():
    file = container(record(("a", {"type": "array", "items": []})), (1, long(1) + long(0) + long(0)))
    with pytest.raises(AvroDataError, match="union"):
        read_avro(file)
    assert read_avro(container(record(("a", [])))).height == 0
    with pytest.raises(AvroDataError, match="union"):
        read_avro(container(record(("a", [])), (1, long(0))))


def test_lists_that_were_empty_are_read_beside_others():
    empty = container(record(("a", {"type": "array", "items": []})), (1, long(0)))
    full = container(record(("a", {"type": "array", "items": "long"})), (1, long(1) + long(5) + long(0)))
    assert read_avro([full, empty])["a"].to_list() == [[5], []]
    assert read_avro([empty, full], schema_mode="union")["a"].to_list() == [[], [5]]
    assert read_avro(empty, schema={"a": pl.List(pl.Int64)}).schema == {"a": pl.List(pl.Int64)}


def test_files_that_follow_each_other_are_named():
    file = container(record(("a", "long")), (1, long(1)))
    for read in (
        read_avro,
        lambda data: scan_avro(data).collect(),
        lambda data: scan_avro(data).select(pl.len()).collect(),
    ):
        with pytest.raises(AvroDataError, match=rf"block 1 at byte {len(file)}: another Avro file begins here"):
            read(file + file)


@pytest.mark.parametrize("added", [b"\n", b"\0\0\0", b"\x02", b"end"])
def test_bytes_at_the_end_that_are_no_block(added):
    file = container(record(("a", "long")), (1, long(1)))
    with pytest.raises(AvroDataError, match=f"the file ends with {len(added)} bytes? that (is|are) no block"):
        read_avro(file + added)
    with pytest.warns(AvroWarning, match="no block"):
        assert read_avro(file + added, ignore_errors=True).rows() == [(1,)]


def test_errors_of_unions_say_the_field_once():
    one = container(record(("u", "long")), (1, long(1)))
    other = container(record(("u", "string")), (1, text("x")))
    with pytest.raises(AvroSchemaError) as caught:
        read_avro([one, other], schema_mode="union")
    assert str(caught.value).count("`u`") == 1
    assert "long in one file and string in another" in str(caught.value)
    inner = container(record(("u", ["null", record(("v", "long"), name="S")])), (1, long(0)))
    outer = container(record(("u", ["null", record(("v", "string"), name="S")])), (1, long(0)))
    with pytest.raises(AvroSchemaError) as caught:
        read_avro([inner, outer], schema_mode="union")
    assert str(caught.value).count("u.v") == 1
    with pytest.raises(AvroSchemaError) as caught:
        read_avro([inner, outer])
    assert str(caught.value).count("u.v") == 1


@pytest.mark.parametrize("word", ["record", "enum", "fixed", "array", "map"])
def test_a_type_that_is_not_nested_gets_a_hint(word):
    field = {"name": "f", "type": word, "fields": [{"name": "x", "type": "int"}]}
    schema = {"type": "record", "name": "R", "fields": [field]}
    with pytest.raises(AvroSchemaError, match=rf'field f: `{word}` alone is no type.*"type": {{"type": "{word}"'):
        read_avro(container(record(("a", "long"))), reader_schema=schema)


def test_a_callback_that_cannot_be_hashed():
    class Log(list):
        def __call__(self, bad):
            self.append(bad)

    data = b"".join(struct.pack("<d", number) for number in (1.0, 2.0))
    file = header(record(("a", "double"))) + block(2, data + b"!") + block(2, data)
    for read in (read_avro, lambda source, **options: scan_avro(source, **options).collect()):
        log = Log()
        with pytest.warns(AvroWarning):
            assert read(file, on_bad_block=log)["a"].to_list() == [1.0, 2.0] * 2
        assert len(log) == 1
    log = Log()
    with pytest.warns(AvroWarning):
        pl.concat([scan_avro(file, on_bad_block=log), scan_avro(file, on_bad_block=log)]).collect()


@pytest.mark.parametrize("bad", ["no file", "another schema", "missing"])
def test_files_after_the_last_row_are_not_needed(bad, tmp_path):
    good = tmp_path / "0.avro"
    good.write_bytes(container(record(("a", "long")), (2, long(1) + long(2))))
    other = tmp_path / "1.avro"
    if bad == "no file":
        other.write_bytes(b"no Avro at all")
    elif bad == "another schema":
        other.write_bytes(container(record(("a", "string")), (1, text("x"))))
    for ignore_errors in (False, True):
        lf = scan_avro([good, other], ignore_errors=ignore_errors)
        assert lf.head(1).collect().rows() == [(1,)]
        assert lf.head(2).collect().rows() == [(1,), (2,)]
        assert read_avro([good, other], n_rows=2, ignore_errors=ignore_errors).height == 2
        with pytest.raises((polars_avro.AvroError, FileNotFoundError)):
            lf.collect()
