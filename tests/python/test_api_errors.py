"""Errors: their types and positions."""

import io
import pickle

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import SCHEMA, make_rows, write

import polars_avro


@pytest.fixture
def damaged(path, tmp_path):
    """The last block's sync marker is wrong."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    target = tmp_path / "damaged.avro"
    target.write_bytes(data)
    return target


def test_avro_errors_are_compute_errors():
    for name in ("AvroDataError", "AvroSchemaError", "AvroLimitError", "AvroUnsupportedError"):
        assert issubclass(getattr(polars_avro, name), polars_avro.AvroError)
    assert issubclass(polars_avro.AvroError, pl.exceptions.ComputeError)


def test_damage_says_where(path, damaged):
    with pytest.raises(polars_avro.AvroDataError) as caught:
        polars_avro.read_avro(damaged)
    error = caught.value
    last = list(fastavro.block_reader(io.BytesIO(path.read_bytes())))
    assert error.file == str(damaged)
    assert error.block_index == len(last) - 1
    assert error.offset == last[-1].offset
    assert f"{damaged}: block {error.block_index} at byte {error.offset}: " in str(error)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_query_raises_what_the_reader_raised(damaged, engine):
    lf = polars_avro.scan_avro(damaged)
    with pytest.raises(polars_avro.AvroDataError) as caught:
        lf.collect(engine=engine)
    assert caught.value.file == str(damaged)


def test_damage_behind_what_is_read_does_not_matter(damaged, frame):
    assert_frame_equal(polars_avro.read_avro(damaged, n_rows=10), frame[:10])
    assert_frame_equal(polars_avro.scan_avro(damaged).head(10).collect(), frame[:10])


def test_the_reader_hands_out_what_is_before_the_damage(damaged, frame):
    batches = []
    with polars_avro.AvroReader(damaged, batch_size=50) as reader, pytest.raises(polars_avro.AvroDataError):
        batches.extend(reader)
    read = pl.concat(batches)
    assert 0 < read.height < 1000
    assert_frame_equal(read, frame[: read.height])


def test_a_damaged_value_names_its_field(tmp_path):
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {
                "name": "items",
                "type": {
                    "type": "array",
                    "items": {"type": "record", "name": "I", "fields": [{"name": "price", "type": "string"}]},
                },
            }
        ],
    }
    path = write(tmp_path / "x.avro", [{"items": [{"price": "abc"}]}] * 2, schema, codec="null", sync_interval=16000)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"abc")] + b"\xff\xfe\xfd" + data[data.rindex(b"abc") + 3 :])
    with pytest.raises(polars_avro.AvroDataError) as caught:
        polars_avro.read_avro(path)
    assert (caught.value.block_index, caught.value.field) == (0, "items[].price")


def test_not_avro_is_the_files_fault():
    with pytest.raises(polars_avro.AvroDataError, match="<bytes>"):
        polars_avro.read_avro(b"PAR1, not Avro at all")


def test_an_unknown_codec_is_unsupported(path):
    data = path.read_bytes().replace(b"avro.codec\x0edeflate", b"avro.codec\x0edefault")
    with pytest.raises(polars_avro.AvroUnsupportedError, match="default"):
        polars_avro.read_avro(data)


def test_an_invalid_schema_is_a_schema_error(path):
    data = path.read_bytes().replace(b'"double"', b'"dooble"')
    with pytest.raises(polars_avro.AvroSchemaError, match="dooble"):
        polars_avro.read_avro_schema(data)


def test_errors_pickle_with_their_attributes(damaged):
    with pytest.raises(polars_avro.AvroDataError) as caught:
        polars_avro.read_avro(damaged)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is polars_avro.AvroDataError
    assert (str(copy), copy.file, copy.block_index) == (str(caught.value), caught.value.file, caught.value.block_index)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([{"name": "id", "type": "double"}], r"`id`: the writer's double cannot be read as the reader's long"),
        ([], r"`id`: the writer did not write this field"),
        ([{"name": "id", "type": "long"}, {"name": "more", "type": "null"}], r"`more`: the writer wrote this field"),
    ],
)
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_files_that_differ_are_refused_by_name(path, tmp_path, fields, message, engine):
    schema = {**SCHEMA, "fields": [*fields, *SCHEMA["fields"][1:]]}
    rows = [{**row, "more": None} for row in make_rows(3)]
    other = write(tmp_path / "other.avro", rows, schema)
    with pytest.raises(polars_avro.AvroSchemaError, match=message) as caught:
        polars_avro.scan_avro([path, other]).collect(engine=engine)
    assert caught.value.file == str(other)


def test_files_that_differ_in_order_or_words_are_read(path, tmp_path, frame):
    schema = {**SCHEMA, "doc": "another", "fields": [{**field, "doc": "x"} for field in SCHEMA["fields"][::-1]]}
    other = write(tmp_path / "other.avro", make_rows(5), schema)
    df = polars_avro.scan_avro([path, other]).collect()
    assert_frame_equal(df, pl.concat([frame, frame[:5]]))


def test_a_file_replaced_before_the_query_runs_is_read_as_it_is_then(tmp_path, frame):
    path = write(tmp_path / "x.avro", make_rows(5))
    lf = polars_avro.scan_avro(path)
    write(path, make_rows(7))
    assert_frame_equal(lf.collect(), frame[:7])
    write(path, [{"id": 1}], {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]})
    with pytest.raises(polars_avro.AvroSchemaError, match="`name`: the writer did not write this field"):
        polars_avro.scan_avro(path).join(lf, on="id").collect()


NUMBERS = [("n_rows", -1), ("row_index_offset", -1), ("batch_size", 0), ("n_threads", 0)]


@pytest.mark.parametrize(("name", "value"), NUMBERS)
@pytest.mark.parametrize("function", [polars_avro.read_avro, polars_avro.scan_avro, polars_avro.AvroReader])
def test_numbers_out_of_range_are_refused_by_name(path, function, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be at least"):
        function(path, **{name: value})
    with pytest.raises(TypeError, match=f"`{name}` must be an int"):
        function(path, **{name: "3"})


@pytest.mark.parametrize("function", [polars_avro.read_avro, polars_avro.AvroReader])
@pytest.mark.parametrize(
    ("columns", "error"),
    [
        (["nope"], pl.exceptions.ColumnNotFoundError),
        ([4], pl.exceptions.ColumnNotFoundError),
        ([-5], pl.exceptions.ColumnNotFoundError),
        (["id", "id"], ValueError),
        ([3, "tags"], ValueError),
        ([1.5], TypeError),
    ],
)
def test_columns_that_cannot_be_are_refused(path, function, columns, error):
    with pytest.raises(error):
        function(path, columns=columns)
    if function is polars_avro.read_avro:
        with pytest.raises(error):
            function([path, path], columns=columns)
