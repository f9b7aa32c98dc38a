"""Datums in a column: framings, schemas by id, bad rows, fields."""

import warnings

import fastavro
import polars as pl
import pytest
from framed import DTYPE, FRAMINGS, GLUE_ID, ID, SCHEMA, column, datum, events, expected, fingerprint, header
from polars.testing import assert_frame_equal, assert_series_equal

import polars_avro

VALUES = [*events(20), None, *events(3, 20)]
#: The same events with an additional field, a missing one, and another order.
NEWER = {
    "type": "record",
    "name": "Event",
    "namespace": "shop",
    "fields": [
        {"name": "extra", "type": "string"},
        {"name": "name", "type": "string"},
        {"name": "id", "type": "int"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
READER = SCHEMA | {"fields": [f | ({"default": None} if f["name"] == "score" else {}) for f in SCHEMA["fields"]]}


def newer(i):
    return {"extra": "x" * i, "name": f"n{i}", "id": i, "tags": ["a"]}


def as_read(i):
    return {"id": i, "name": f"n{i}", "score": None, "tags": ["a"]}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_framing_is_decoded(framing):
    got = column(VALUES, framing).avro.decode(SCHEMA, framing=framing)
    assert got.dtype == DTYPE
    assert_series_equal(got, expected(VALUES))


@pytest.mark.parametrize("framing", FRAMINGS)
def test_auto_tells_every_framing(framing):
    assert_series_equal(column(VALUES, framing).avro.decode(SCHEMA, framing="auto"), expected(VALUES))


def test_auto_tells_framings_row_by_row():
    rows = [column([value], FRAMINGS[i % len(FRAMINGS)]) for i, value in enumerate(VALUES)]
    assert_series_equal(pl.concat(rows).avro.decode(SCHEMA, framing="auto"), expected(VALUES))
    # If ids are looked up, only known ids count as ids.
    got = pl.concat(rows).avro.decode(SCHEMA, framing="auto", schemas={ID: SCHEMA, GLUE_ID: SCHEMA})
    assert_series_equal(got, expected(VALUES))


def test_auto_refuses_rows_that_are_datums_in_two_framings():
    longs = [{"name": name, "type": "long", "default": 0} for name in "abcdefgh"]
    eight, five, none = ({"type": "record", "name": "R", "fields": longs[:n]} for n in (8, 5, 0))
    # Only 3 bytes follow a possible id, so the row is bare.
    row = b"\x00\x00\x00\x00\x02" + b"\x02" * 3
    assert list(pl.Series([row]).avro.decode(eight, framing="auto")[0].values()) == [0] * 3 + [0, 1, 1, 1, 1]
    # As a bare datum the row is five numbers. After an id it is a record without fields.
    with pytest.raises(polars_avro.AvroDataError, match='"confluent" and "datum"') as caught:
        pl.Series([None, row[:5]]).avro.decode(five, framing="auto", schemas={2: none})
    assert caught.value.row == 1


@pytest.mark.parametrize("key", [ID, "bytes"])
def test_a_mapping_gives_the_schemas_of_ids(key):
    if key == "bytes":
        for key in (fingerprint(), fingerprint().hex(), int.from_bytes(fingerprint(), "little")):
            rows = column(VALUES, "single_object")
            got = rows.avro.decode(framing="single_object", schemas={key: SCHEMA}, reader_schema=READER)
            assert_series_equal(got, expected(VALUES))
    else:
        for framing in ("confluent", "apicurio"):
            got = column(VALUES, framing).avro.decode(framing=framing, schemas={key: SCHEMA})
            assert_series_equal(got, expected(VALUES))


def test_a_callable_gives_each_schema_once():
    asked = []

    def find(number):
        asked.append(number)
        return SCHEMA

    rows = pl.concat([column(VALUES, "confluent", schema_id=number) for number in (7, 8, 7)])
    got = rows.avro.decode(SCHEMA, framing="confluent", schemas=find)
    assert_series_equal(got, expected(VALUES * 3))
    assert asked == [7, 8]


@pytest.mark.parametrize("pattern", ["runs", "alternating", "nulls"])
def test_rows_of_several_schemas_are_read_as_one(pattern):
    old, new = list(range(50)), list(range(50, 100))
    rows = [(header("confluent", schema_id=1) + datum(v), v) for v in events(50)]
    rows += [(header("confluent", schema_id=2) + datum(newer(i), NEWER), as_read(i)) for i in new]
    if pattern != "runs":
        rows = [row for pair in zip(rows[:50], rows[50:], strict=True) for row in pair]
    if pattern == "nulls":
        rows = [row for one in rows for row in ((None, None), one)]
    got = pl.Series("v", [row for row, _ in rows]).avro.decode(
        framing="confluent", schemas={1: SCHEMA, 2: NEWER}, reader_schema=READER
    )
    assert_series_equal(got, expected([value for _, value in rows]))
    assert len(old) == 50


def test_single_objects_of_several_schemas():
    rows = [header("single_object") + datum(events(1)[0]), header("single_object", NEWER) + datum(newer(1), NEWER)]
    schemas = {fingerprint(NEWER): NEWER, fingerprint(): SCHEMA}
    got = pl.Series("v", rows).avro.decode(framing="single_object", schemas=schemas, reader_schema=READER)
    assert_series_equal(got, expected([events(1)[0], as_read(1)]))


def test_the_type_of_many_schemas_must_be_given():
    for schemas in ({1: SCHEMA, 2: NEWER}, lambda _: SCHEMA, {}, polars_avro.SchemaRegistry("http://localhost")):
        with pytest.raises(ValueError, match="`reader_schema`"):
            polars_avro.decode("v", framing="confluent", schemas=schemas)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`schema`"),
        ({"framing": "avro"}, "`framing` must be one of"),
        ({"framing": "confluent"}, "`schemas`"),
        ({"schemas": {1: "int"}}, "`schemas` needs ids"),
        ({"framing": "confluent", "schema": "int", "reader_schema": "int", "schemas": {1: "int"}}, "one of them"),
        ({"framing": "confluent", "schemas": {"one": "int"}}, "keys of `schemas`"),
        ({"schema": "int", "fields": ["a"]}, "`fields` needs a schema of a record"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        polars_avro.decode("v", **arguments)


def test_arguments_of_wrong_types_are_refused():
    with pytest.raises(TypeError, match="`schema` must be"):
        polars_avro.decode("v", 7)
    with pytest.raises(TypeError, match="`schemas` must be"):
        polars_avro.decode("v", framing="confluent", schemas=7)
    with pytest.raises(TypeError, match="`expr` must be"):
        polars_avro.decode(7, "int")
    with pytest.raises(polars_avro.AvroSchemaError, match="Foo"):
        polars_avro.decode("v", '{"type": "Foo"}')
    with pytest.raises(pl.exceptions.SchemaError, match="got String for 'a'"):
        pl.Series("a", ["x"]).avro.decode("int")
    with pytest.raises(pl.exceptions.SchemaError, match="got String for 'a'"):
        pl.select(pl.lit("x").alias("a").avro.decode("int"))


def test_schemas_come_as_text_objects_and_files(tmp_path):
    path = tmp_path / "event.avsc"
    path.write_text('{"type": "record", "name": "E", "fields": [{"name": "id", "type": "long"}]}')
    for schema in (path, str(path), path.read_text(), {"type": "record", "name": "E", "fields": SCHEMA["fields"][:1]}):
        assert pl.Series([b"\x02"]).avro.decode(schema).to_list() == [{"id": 1}]


@pytest.mark.parametrize(
    ("schema", "row", "value", "dtype"),
    [
        ("long", b"\x03", -2, pl.Int64()),
        ("string", b"\x04hi", "hi", pl.String()),
        ("bytes", b"\x04hi", b"hi", pl.Binary()),
        (["null", "string"], b"\x02\x04hi", "hi", pl.String()),
        (["null", "string"], b"\x00", None, pl.String()),
        ("null", b"", None, pl.Null()),
        ({"type": "array", "items": "int"}, b"\x04\x02\x04\x00", [1, 2], pl.List(pl.Int32)),
        ({"type": "map", "values": "int"}, b"\x02\x02a\x02\x00", {"a": 1}, pl.Map(pl.String, pl.Int32)),
        ({"type": "enum", "name": "E", "symbols": ["a", "b"]}, b"\x02", "b", pl.Enum(["a", "b"])),
        (
            ["int", "string"],
            b"\x02\x04hi",
            {"int": None, "string": "hi"},
            pl.Struct({"int": pl.Int32, "string": pl.String}),
        ),
        ({"type": "fixed", "name": "F", "size": 2}, b"ab", b"ab", pl.Binary()),
        ({"type": "int", "logicalType": "date"}, b"\x02", __import__("datetime").date(1970, 1, 2), pl.Date()),
        ({"type": "record", "name": "R", "fields": []}, b"", {}, pl.Struct([])),
    ],
)
def test_any_type_may_be_the_root(schema, row, value, dtype):
    got = pl.Series("v", [row, None, row]).avro.decode(schema)
    assert got.dtype == dtype
    assert got.len() == 3
    assert got[1] is None
    if dtype.is_nested() and not isinstance(dtype, pl.Struct):
        assert got.to_list() == pl.Series([value, None, value], dtype=dtype).to_list()
    elif schema != {"type": "record", "name": "R", "fields": []}:
        assert got.to_list() == [value, None, value]


def test_confluent_writes_plain_bytes_without_a_length():
    rows = [header("confluent") + data for data in (b"", b"abc", b"x" * 300)]
    assert pl.Series(rows).avro.decode("bytes", framing="confluent").to_list() == [b"", b"abc", b"x" * 300]
    rows = [header("apicurio") + b"\x06abc"]
    assert pl.Series(rows).avro.decode("bytes", framing="apicurio").to_list() == [b"abc"]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_null_and_empty_columns(n):
    for series in (pl.Series("v", [None] * n, dtype=pl.Binary), pl.Series("v", [None] * n, dtype=pl.Null)):
        got = series.avro.decode(SCHEMA)
        assert (got.dtype, got.name, got.len(), got.null_count()) == (DTYPE, "v", n, n)


def test_slices_and_chunks():
    values = events(300)
    rows = column(values)
    assert_series_equal(rows[17:203].avro.decode(SCHEMA), expected(values[17:203]))
    pieces = [rows[:5], rows[:0], rows[5:6], rows[6:100], rows[100:]]
    chunked = pl.concat(pieces, rechunk=False)
    assert chunked.n_chunks() > 3
    assert_series_equal(chunked.avro.decode(SCHEMA), expected(values))
    assert_series_equal(chunked[3:150].avro.decode(SCHEMA), expected(values[3:150]))
    assert_series_equal(rows.gather([5, 3, 3, 250]).avro.decode(SCHEMA), expected([values[i] for i in (5, 3, 3, 250)]))


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        (datum(events(1)[0])[:-1], "tags", "the datum ends"),
        (b"", "id", "the datum ends"),
        (b"\x02", "name", "the datum ends"),
        (b"\x02\x0cab\x00\x00", "name", "length 6 is more than the 4 bytes left"),
        (b"\x02\x02\xff\x00\x00", "name", "not valid UTF-8"),
        (b"\x02\x02a\x04\x00", "score", "union index 2"),
        (b"\x02\x02a\x00\x02\x08a\x00", "tags[]", "length 4 is more than the 2 bytes left"),
        (datum(events(1)[0]) + b"x", None, "1 byte is left"),
        (header("single_object") + datum(events(1)[0]), "name", '"single_object"'),
        (header("confluent") + datum(events(4)[3]), "tags", '"confluent" or "apicurio"'),
    ],
)
@pytest.mark.parametrize("behind", [0, 3])
def test_a_bad_datum_names_its_row_and_field(row, field, message, behind):
    good = column(VALUES)
    rows = pl.concat([good, pl.Series("v", [row]), good[:behind]])
    with pytest.raises(polars_avro.AvroDataError) as caught:
        rows.avro.decode(SCHEMA)
    assert (caught.value.row, caught.value.field) == (len(VALUES), field)
    assert f"row {len(VALUES)}" in str(caught.value)
    assert message in str(caught.value)
    with pytest.warns(polars_avro.AvroWarning, match=rf"1 bad datum is null; the first: row {len(VALUES)}"):
        got = rows.avro.decode(SCHEMA, ignore_errors=True)
    assert_series_equal(got, expected([*VALUES, None, *VALUES[:behind]]))


@pytest.mark.parametrize(
    ("framing", "row", "message"),
    [
        ("confluent", b"\x01\x00\x00\x00\x07\x02", 'no header of framing "confluent", it begins with [01 00'),
        ("confluent", b"\x00\x00\x07", "no header of framing"),
        ("single_object", b"\xc3\x02", "no header of framing"),
        ("apicurio", b"\x00\x00\x00\x00\x07\x02", "no header of framing"),
        ("confluent", header("confluent", schema_id=99) + b"\x02", "schema id 99 is not known"),
        ("single_object", header("single_object", "int") + b"\x02", f"fingerprint {fingerprint('int').hex()}"),
        ("auto", header("confluent", schema_id=99) + b"\x02", "schema id 99 is not known"),
    ],
)
def test_a_bad_header_names_its_row(framing, row, message):
    schemas = {ID: SCHEMA, fingerprint(): SCHEMA}
    rows = pl.concat([column(VALUES, "confluent" if framing == "auto" else framing), pl.Series("v", [row, row])])
    options = {"framing": framing, "schemas": schemas, "reader_schema": SCHEMA}
    with pytest.raises(polars_avro.AvroDataError) as caught:
        rows.avro.decode(**options)
    assert caught.value.row == len(VALUES)
    assert message in str(caught.value)
    with pytest.warns(polars_avro.AvroWarning, match="2 bad datums are null; the first: row 24"):
        got = rows.avro.decode(**options, ignore_errors=True)
    assert_series_equal(got, expected([*VALUES, None, None]))


def test_many_bad_rows_among_good_ones():
    rows, values = [], []
    for i, value in enumerate(events(5000)):
        bad = i % 3 == 0
        rows.append(datum(value)[: -1 if bad else None])
        values.append(None if bad else value)
    with pytest.warns(polars_avro.AvroWarning, match="1667 bad datums are null; the first: row 0, field"):
        got = pl.Series("v", rows).avro.decode(SCHEMA, ignore_errors=True)
    assert_series_equal(got, expected(values))


def test_good_rows_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        column(VALUES).avro.decode(SCHEMA, ignore_errors=True)


def test_only_some_fields_are_decoded():
    got = column(VALUES).avro.decode(SCHEMA, fields=["score", "id"])
    assert got.dtype == pl.Struct({"score": pl.Float64, "id": pl.Int64})
    assert_frame_equal(got.struct.unnest(), expected(VALUES).struct.unnest().select("score", "id"))
    # Skipping checks only framing.
    bad = b"\x02\x02\xff\x00\x00"
    assert pl.Series([bad]).avro.decode(SCHEMA, fields=["id"]).to_list() == [{"id": 1}]
    with pytest.raises(polars_avro.AvroDataError):
        pl.Series([bad + b"x"]).avro.decode(SCHEMA, fields=["id"])
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="nome"):
        polars_avro.decode("v", SCHEMA, fields=["nome"])


def test_fields_of_nested_and_nullable_records():
    inner = {"type": "record", "name": "In", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string"}]}
    outer = {"type": "record", "name": "Out", "fields": [{"name": "a", "type": "int"}, {"name": "in", "type": inner}]}
    row = datum({"a": 1, "in": {"x": 2, "y": "three"}}, outer)
    assert pl.Series([row]).avro.decode(outer, fields=["in.y"]).to_list() == [{"in": {"y": "three"}}]
    rows = pl.Series([b"\x02" + row, b"\x00", None])
    assert rows.avro.decode([*["null"], outer], fields=["a"]).to_list() == [{"a": 1}, None, None]


def test_limits_are_those_of_files():
    nested = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
    deep = b"\x02" * 50 + b"\x00"
    assert pl.Series([deep]).avro.decode(nested).len() == 1
    with pytest.raises(polars_avro.AvroLimitError, match="data_depth") as caught:
        pl.Series([None, deep]).avro.decode(nested, limits=polars_avro.Limits(data_depth=10))
    assert caught.value.row == 1
    with pytest.raises(polars_avro.AvroLimitError, match="columns"):
        polars_avro.decode("v", SCHEMA, limits=polars_avro.Limits(columns=2))


def test_a_limit_over_a_batch_does_not_refuse_good_rows():
    nulls = {"type": "array", "items": "null"}
    rows = pl.Series([b"\x14\x00"] * 100)
    limits = polars_avro.Limits(zero_byte_items=25)
    assert rows.avro.decode(nulls, limits=limits).to_list() == [[None] * 10] * 100
    hostile = b"\xfe\xff\xff\xff\xff\xff\xff\x01\x00"
    for some in (limits, None):
        with pytest.raises(polars_avro.AvroLimitError, match="zero_byte_items"):
            pl.concat([rows, pl.Series([hostile])]).avro.decode(nulls, limits=some)
        with pytest.warns(polars_avro.AvroWarning, match="1 bad datum is null; the first: row 100"):
            got = pl.concat([rows, pl.Series([hostile])]).avro.decode(nulls, limits=some, ignore_errors=True)
        assert got.to_list() == [*[[None] * 10] * 100, None]


def test_a_schema_that_cannot_be_read_names_its_id():
    rows = column([1], "confluent", "int", schema_id=5)
    with pytest.raises(polars_avro.AvroSchemaError, match="id 5"):
        rows.avro.decode(framing="confluent", schemas={5: "int"}, reader_schema="boolean")
    with pytest.raises(polars_avro.AvroSchemaError, match="int"):
        rows.avro.decode("int", framing="confluent", reader_schema="boolean")


def test_what_a_callable_raises_is_raised():
    class OwnError(Exception):
        pass

    def find(number):
        raise OwnError(number)

    with pytest.raises(OwnError):
        column(VALUES, "confluent").avro.decode(SCHEMA, framing="confluent", schemas=find)
    for missing in (lambda _: None, {7: SCHEMA}.__getitem__):
        with pytest.raises(polars_avro.AvroDataError, match="schema id 258 is not known"):
            column(VALUES, "confluent").avro.decode(SCHEMA, framing="confluent", schemas=missing)
    # A fault of the callable is no unknown id.
    for fault in (lambda _: {}["url"], lambda _: [][0]):
        with pytest.raises(LookupError) as caught:
            column(VALUES, "confluent").avro.decode(SCHEMA, framing="confluent", schemas=fault, ignore_errors=True)
        assert not isinstance(caught.value, polars_avro.AvroError)


@pytest.mark.parametrize(
    ("schemas", "error", "said"),
    [
        ({"1": "int"}, ValueError, "got '1': pass the number 1"),
        ({"type": "int"}, TypeError, "got a schema: pass it as `schema`"),
    ],
)
def test_mappings_that_are_none_of_ids(schemas, error, said):
    with pytest.raises(error, match=said):
        column(VALUES, "confluent").avro.decode(SCHEMA, framing="confluent", schemas=schemas)


def test_a_column_that_is_not_framed_does_not_ask_for_ever():
    asked = []
    rows = pl.Series([b"\x00" + i.to_bytes(4, "big") for i in range(5000)])
    with pytest.raises(polars_avro.AvroLimitError, match="schema ids are unknown"):
        rows.avro.decode("int", framing="confluent", schemas=asked.append, ignore_errors=True)
    assert len(asked) < 2000


@pytest.mark.parametrize("framing", ["confluent", "auto"])
def test_a_mapping_is_asked_nothing_however_many_ids_it_lacks(framing):
    good = column(VALUES[:1], "confluent")
    rows = [b"\x00" + i.to_bytes(4, "big") + datum(VALUES[0]) + bytes([i % 256]) for i in range(1000, 20_000)]
    series = pl.concat([good, pl.Series(rows, dtype=pl.Binary), good])
    options = {"framing": framing, "schemas": {258: SCHEMA}, "reader_schema": SCHEMA}
    with pytest.warns(polars_avro.AvroWarning, match="19000 bad datums are null; the first: row 1: schema id 1000"):
        got = series.avro.decode(**options, ignore_errors=True)
    assert got.null_count() == 19_000
    assert got.drop_nulls().to_list() == VALUES[:1] * 2
    with pytest.raises(polars_avro.AvroDataError, match="row 1: schema id 1000 is not known"):
        series.avro.decode(**options)


def test_a_null_branch_in_fastavro_and_here_is_the_same():
    union = ["null", "long", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "long"}]}]
    rows = pl.Series([datum(value, union) for value in (None, 3, ("P", {"x": 4}))])
    values = [None, {"long": 3, "P": None}, {"long": None, "P": {"x": 4}}]
    assert rows.avro.decode(union).to_list() == values
    assert fastavro.schemaless_reader(__import__("io").BytesIO(rows[1]), union) == 3


@pytest.mark.parametrize("options", [{}, {"reader_schema": SCHEMA}])
def test_an_unknown_fingerprint_is_a_bad_row_without_schemas_to_look_it_up_in(options):
    rows = [b"\xc3\x01" + i.to_bytes(8, "little") + datum(VALUES[0]) for i in range(1, 1500)]
    good = column(VALUES[:1], "single_object")
    series = pl.concat([good, pl.Series(rows, dtype=pl.Binary)])
    with pytest.raises(polars_avro.AvroDataError, match=r"row 1: fingerprint 0100000000000000.* is not known"):
        series.avro.decode(SCHEMA, framing="single_object", **options)
    with pytest.warns(polars_avro.AvroWarning, match="1499 bad datums are null; the first: row 1"):
        got = series.avro.decode(SCHEMA, framing="single_object", ignore_errors=True, **options)
    assert_series_equal(got, expected([VALUES[0], *[None] * 1499]))
