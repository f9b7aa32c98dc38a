"""Validation of arguments: errors with their names, and accepted types of ints, bytes and paths."""

import gzip
import inspect
import io
import os
import pickle
import re
import threading

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import COLUMNS, SCHEMA, make_rows, write

import polars_avro

FUNCTIONS = {
    "scan_avro": polars_avro.scan_avro,
    "read_avro": polars_avro.read_avro,
    "AvroReader": polars_avro.AvroReader,
}


def takes(function, name):
    return name in inspect.signature(FUNCTIONS[function]).parameters


WRONG_TYPES = [
    ("limits", [5, 0, "", False]),
    ("cast_options", [5, 0, "", False, "upcast"]),
    ("on_bad_block", [5, 0, "", False]),
    ("glob", [None, 0, 1, "yes"]),
    ("ignore_errors", [None, 0, "no"]),
    ("cache", [None, 1]),
    ("rechunk", [None, 0]),
    ("low_memory", [None, 3]),
    ("try_parse_hive_dates", [None, 1]),
    ("hive_partitioning", [0, "yes", []]),
    ("hive_schema", [5, 0, [], "a"]),
    ("schema", [5, 0, [], [("id", pl.Int64)], "a"]),
    ("reader_schema", [5, 0, False, b"x", 3.5]),
    ("schema_mode", [None, 0, b"first"]),
    ("missing_columns", [None, 5, False]),
    ("extra_columns", [None, 5, False]),
    ("hidden_file_prefix", [3, 0, b".", [3], [None], False]),
    ("include_file_paths", [3, 0, False, b"x"]),
    ("row_index_name", [3, 0, False, b"x"]),
    ("row_index_offset", [None, "3", 3.5, []]),
    ("n_rows", ["3", 3.5, []]),
    ("batch_size", ["3", 3.5, []]),
    ("n_threads", ["3", 3.5, []]),
    ("columns", [3.5, b"x", b"", [b"x"], [None], False, [True], {"id": 1.5}.values()]),
    ("byte_range", [0, 5, (), (1,), [0, 5], ("a", None), (0, 1.5)]),
]


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [(f, name, value) for f in FUNCTIONS for name, values in WRONG_TYPES if takes(f, name) for value in values],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(path, function, name, value):
    with pytest.raises(TypeError, match=f"`{name}`"):
        FUNCTIONS[function](path, **{name: value})


@pytest.mark.parametrize("name", ["limits", "cast_options", "glob", "hidden_file_prefix", "schema_mode"])
def test_a_list_of_files_has_its_arguments_checked_as_well(path, name):
    for function in (polars_avro.scan_avro, polars_avro.read_avro):
        with pytest.raises(TypeError, match=f"`{name}`"):
            function([path, path], **{name: 5})


@pytest.mark.parametrize("function", [polars_avro.read_avro_metadata, polars_avro.read_avro_schema])
def test_limits_of_headers_are_checked(path, function):
    with pytest.raises(TypeError, match="`limits`"):
        function(path, limits=0)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", ["n_rows", "row_index_offset", "batch_size", "n_threads"])
@pytest.mark.parametrize("value", [2**64, 2**70, -(2**70)])
def test_integers_beyond_64_bits_are_refused_by_name(path, function, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be at (most|least)"):
        FUNCTIONS[function](path, **{name: value})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_largest_integers_are_taken(path, frame, function):
    result = FUNCTIONS[function](path, n_rows=2**64 - 1, batch_size=2**64 - 1, n_threads=2**40)
    assert_frame_equal(collected(result), frame)


def collected(result):
    if isinstance(result, pl.LazyFrame):
        return result.collect()
    return result if isinstance(result, pl.DataFrame) else pl.concat(result)


@pytest.mark.parametrize("value", [-1, 2**63, 2**70])
@pytest.mark.parametrize("name", ["block_bytes", "schema_depth"])
def test_limits_beyond_the_machine_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        polars_avro.Limits(**{name: value})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_integers_of_numpy_are_integers(path, frame, function):
    expected = frame[:300].with_row_index("row", 250)
    options = {"n_rows": np.int16(300), "row_index_name": "row", "row_index_offset": np.uint8(250)}
    result = FUNCTIONS[function](path, **options, batch_size=np.int32(100), n_threads=np.uint64(1))
    assert_frame_equal(collected(result), expected)
    limits = polars_avro.Limits(block_bytes=np.int64(1 << 30))
    assert type(limits.block_bytes) is int
    assert polars_avro.read_avro(path, columns=[np.int8(3), np.uint16(0)], limits=limits).columns == ["tags", "id"]


ROW_INDEX_QUERIES = [
    lambda lf: lf,
    lambda lf: lf.filter(pl.col("id") > 5),
    lambda lf: lf.filter(pl.col("row") > 5),
    lambda lf: lf.slice(3, 800).filter(pl.col("id") > 5),
]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("query", ROW_INDEX_QUERIES)
@pytest.mark.parametrize("many", [False, True])
def test_a_row_index_beyond_its_type_is_one_error(path, directory, engine, query, many):
    top = 2**32 - 1 if pl.get_index_type() == pl.UInt32 else 2**64 - 1
    source = directory if many else path
    with pytest.raises(ValueError, match="row index"):
        query(polars_avro.scan_avro(source, row_index_name="row", row_index_offset=top - 500)).collect(engine=engine)
    lf = query(polars_avro.scan_avro(source, row_index_name="row", row_index_offset=top - 1000))
    assert lf.collect(engine=engine)["row"].max() == top - 1000 + lf.select("id").collect()["id"].max()


@pytest.mark.parametrize("function", [polars_avro.read_avro, polars_avro.AvroReader])
def test_a_row_index_beyond_its_type_is_one_error_when_read_at_once(path, function):
    top = 2**32 - 1 if pl.get_index_type() == pl.UInt32 else 2**64 - 1
    with pytest.raises(ValueError, match="row index"):
        collected(function(path, row_index_name="row", row_index_offset=top - 500))
    for options in ({"row_index_name": "row"}, {}):
        with pytest.raises(ValueError, match="`row_index_offset` must be at most"):
            function(path, row_index_offset=top + 1, **options)


@pytest.mark.parametrize("index", [-1, -4, 4, 9, 2**70])
@pytest.mark.parametrize("function", [polars_avro.read_avro, polars_avro.AvroReader])
def test_indices_of_columns_count_from_0(path, function, index):
    message = re.escape(f"`columns`: index {index} is out of range")
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match=message):
        function(path, columns=[0, index])
    if function is polars_avro.read_avro:
        with pytest.raises(pl.exceptions.ColumnNotFoundError, match=message):
            function([path, path], columns=index)


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda data: memoryview(bytearray(data))])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_bytearray_and_memoryview_are_bytes(path, frame, function, kind):
    data = path.read_bytes()
    assert_frame_equal(collected(FUNCTIONS[function](kind(data))), frame)
    if function != "AvroReader":
        assert_frame_equal(collected(FUNCTIONS[function]([kind(data), io.BytesIO(data)])), pl.concat([frame, frame]))


class Stream:
    def __init__(self, data):
        self.data = data

    def read(self):
        return self.data


def test_anything_that_reads_bytes_is_a_source(path, frame, tmp_path):
    data = path.read_bytes()
    with gzip.open(tmp_path / "x.avro.gz", "wb") as file:
        file.write(data)
    with gzip.open(tmp_path / "x.avro.gz") as file:
        assert_frame_equal(polars_avro.read_avro(file), frame)
    assert_frame_equal(polars_avro.read_avro(Stream(bytearray(data))), frame)
    assert_frame_equal(polars_avro.read_avro([str(path), path]), pl.concat([frame, frame]))


@pytest.mark.parametrize(("data", "kind", "hint"), [(None, "NoneType", "no data yet"), ("Obj", "str", "binary mode")])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_read_returned_is_named(function, data, kind, hint):
    with pytest.raises(TypeError, match=f"read.. of 'Stream' returned '{kind}' instead of 'bytes': .*{hint}"):
        FUNCTIONS[function](Stream(data))


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_names_that_are_not_utf8(path, frame, tmp_path, engine):
    name = os.fsencode(tmp_path) + b"/r\xff.avro"
    with open(name, "wb") as file:
        file.write(path.read_bytes())
    text = os.fsdecode(name)
    shown = name.decode("utf-8", "replace")
    assert_frame_equal(polars_avro.read_avro(text), frame)
    assert_frame_equal(pl.concat(polars_avro.AvroReader(text)), frame)
    for source in (text, [text], tmp_path):
        lf = polars_avro.scan_avro(source, include_file_paths="file")
        assert_frame_equal(lf.collect(engine=engine), frame.with_columns(file=pl.lit(shown)))
        assert_frame_equal(polars_avro.scan_avro(source).collect(engine=engine), frame)
        assert_frame_equal(pickle.loads(pickle.dumps(lf)).collect(), lf.collect())
    assert_frame_equal(polars_avro.read_avro([text, path]), pl.concat([frame, frame]))
    with pytest.raises(FileNotFoundError):
        polars_avro.read_avro(text + "x")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_name_with_brackets_is_read_if_it_exists(tmp_path, frame, function):
    path = write(tmp_path / "rows[1].avro", make_rows(1000))
    write(tmp_path / "rows1.avro", make_rows(3))
    assert_frame_equal(collected(FUNCTIONS[function](path)), frame)
    if function != "AvroReader":
        assert collected(FUNCTIONS[function](tmp_path / "rows[2-9,1].avro")).height == 3
        folder = tmp_path / "a[b]"
        folder.mkdir()
        path.rename(folder / "x.avro")
        assert_frame_equal(collected(FUNCTIONS[function](folder)), frame)
        with pytest.raises(FileNotFoundError, match="glob=False"):
            FUNCTIONS[function](tmp_path / "none[1].avro")


@pytest.mark.parametrize(
    "function", [polars_avro.AvroReader, polars_avro.read_avro_metadata, polars_avro.read_avro_schema]
)
def test_functions_of_one_file_point_to_scan_avro(path, function):
    name = function.__name__
    with pytest.raises(TypeError, match=f"{name} reads one file, scan_avro"):
        function([path])
    with pytest.raises(IsADirectoryError, match=f"{name} reads one file, scan_avro"):
        function(path.parent)
    with pytest.raises(FileNotFoundError, match=f"{name} reads one file, scan_avro"):
        function(path.parent / "*.avro")


def test_two_threads_share_a_reader(path, frame):
    reader = polars_avro.AvroReader(path, batch_size=20)
    batches, failures = [], []

    def take():
        try:
            batches.extend(reader)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert_frame_equal(pl.concat(batches).sort("id"), frame)
    assert reader.rows_read == 1000


def test_a_closed_reader_raises_as_files_do(path):
    with polars_avro.AvroReader(path, batch_size=100) as reader:
        next(reader)
    with pytest.raises(ValueError, match=r"rows\.avro is closed"):
        next(reader)
    with pytest.raises(ValueError, match="is closed"):
        list(reader)
    with pytest.raises(ValueError, match="is closed"):
        reader.seek(0)
    ended = polars_avro.AvroReader(path)
    list(ended)
    assert next(ended, None) is None


def test_a_reader_names_its_file(path):
    with polars_avro.AvroReader(path) as reader:
        assert repr(reader) == f"<AvroReader of {str(path)!r}, 0 rows read>"
    assert repr(reader) == f"<AvroReader of {str(path)!r}, closed>"
    assert "<bytes>" in repr(polars_avro.AvroReader(path.read_bytes()))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("several", [False, True])
def test_a_file_replaced_since_the_scan_says_so(path, tmp_path, engine, several):
    target = write(tmp_path / "x.avro", make_rows(5))
    lf = polars_avro.scan_avro([target, path] if several else target)
    write(target, [{"a": 1}], {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]})
    with pytest.raises(polars_avro.AvroSchemaError, match=r"x\.avro: .*the file has changed since it was scanned"):
        lf.collect(engine=engine)
    target.write_bytes(b"no Avro any more")
    with pytest.raises(polars_avro.AvroDataError, match="the file has changed since it was scanned"):
        lf.collect(engine=engine)


def test_a_file_that_has_not_changed_does_not_say_so(path, tmp_path):
    target = tmp_path / "x.avro"
    target.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(polars_avro.AvroDataError) as caught:
        polars_avro.scan_avro(target).collect()
    assert "changed" not in str(caught.value)


EXCEPTIONS = [
    "AvroError",
    "AvroDataError",
    "AvroSchemaError",
    "AvroColumnNotFoundError",
    "AvroLimitError",
    "AvroUnsupportedError",
    "AvroWarning",
]


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_live_in_the_package(name):
    kind = getattr(polars_avro, name)
    assert kind.__module__ == "polars_avro"
    assert pickle.loads(pickle.dumps(kind("x"))).args == ("x",)


def test_schema_errors_are_those_of_polars():
    assert issubclass(polars_avro.AvroSchemaError, pl.exceptions.SchemaError)
    assert issubclass(polars_avro.AvroColumnNotFoundError, pl.exceptions.ColumnNotFoundError)
    assert issubclass(polars_avro.AvroColumnNotFoundError, polars_avro.AvroSchemaError)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_files_that_differ_name_the_option_that_reads_them(path, tmp_path, engine):
    fewer = write(tmp_path / "fewer.avro", [{}], {**SCHEMA, "fields": []})
    more = write(
        tmp_path / "more.avro",
        [{**row, "x": 1} for row in make_rows(3)],
        {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "x", "type": "int"}]},
    )
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="missing_columns='insert'"):
        polars_avro.scan_avro([path, fewer]).collect(engine=engine)
    with pytest.raises(pl.exceptions.SchemaError, match="extra_columns='ignore'"):
        polars_avro.scan_avro([path, more]).collect(engine=engine)


def test_a_hive_schema_that_does_not_fit_says_so(tmp_path):
    (tmp_path / "k=north").mkdir()
    write(tmp_path / "k=north" / "x.avro", make_rows(3))
    with pytest.raises(
        pl.exceptions.ComputeError, match="`hive_schema`: column 'k' is Int64, but the paths have 'north'"
    ):
        polars_avro.scan_avro(tmp_path, hive_schema={"k": pl.Int64}).collect()


@pytest.mark.parametrize("schema", [{"a": object()}, {1: 2}])
def test_a_reader_schema_that_is_no_json_is_refused(path, schema):
    with pytest.raises((TypeError, polars_avro.AvroSchemaError)):
        polars_avro.read_avro(path, reader_schema=schema)


def test_a_reader_schema_that_holds_itself_is_refused(path):
    schema = {"type": "array"}
    schema["items"] = schema
    with pytest.raises(polars_avro.AvroSchemaError, match="`reader_schema`"):
        polars_avro.read_avro(path, reader_schema=schema)


@pytest.mark.parametrize("options", [{"schema": COLUMNS}, {"reader_schema": SCHEMA}])
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_no_files_with_a_schema_are_an_empty_frame(tmp_path, options, engine):
    for source in ([], tmp_path, tmp_path / "*.avro"):
        lf = polars_avro.scan_avro(source, row_index_name="row", include_file_paths="file", **options)
        expected = pl.Schema({"row": pl.get_index_type(), **COLUMNS, "file": pl.String})
        assert lf.collect_schema() == expected
        assert_frame_equal(lf.collect(engine=engine), pl.DataFrame(schema=expected))
        assert_frame_equal(polars_avro.read_avro(source, **options), pl.DataFrame(schema=COLUMNS))
