"""Random files, read in every way and compared with fastavro and the type table."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import expected
import fastavro
import polars as pl
import pytest
import strategies
from containers import container, expected_frame
from hypothesis import assume, given
from hypothesis import strategies as st
from random_cases import cases
from strategies import File

import polars_avro

ENGINES = st.sampled_from(("in-memory", "streaming"))
TUNING = st.fixed_dictionaries(
    {"batch_size": st.sampled_from((None, 1, 3, 64)), "n_threads": st.sampled_from((None, 1, 2, 4))}
)
Columns = dict[str, list[Any]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path that each file of this module is written to."""
    return tmp_path_factory.mktemp("differential") / "file.avro"


def only(columns: Columns, names: list[str]) -> Columns:
    """Some of the columns, in the order of `names`."""
    return {name: columns[name] for name in names}


def rows(columns: Columns, wanted: slice) -> Columns:
    """Some of the rows."""
    return {name: values[wanted] for name, values in columns.items()}


def enlarged(file: File, blocks: int, repeated: int) -> bytes:
    """Uncompressed blocks, each with all rows of the file several times."""
    found = list(fastavro.block_reader(io.BytesIO(file.data)))
    payload = b"".join(block.bytes_.getvalue() for block in found)
    return container(file.schema, *[(file.rows * repeated, payload * repeated)] * blocks)


def as_source(kind: str, data: bytes, path: Path) -> Any:
    """The file as one kind of source."""
    path.write_bytes(data)
    return {"bytes": data, "BytesIO": io.BytesIO(data), "str": str(path), "Path": path}[kind]


@cases(0.2)
@given(strategies.files(), st.sampled_from(("bytes", "BytesIO", "str", "Path")), TUNING)
def test_read_avro_gives_every_value(path: Path, file: File, kind: str, tuning: Any) -> None:
    frame = polars_avro.read_avro(as_source(kind, file.data, path), **tuning)
    expected.assert_frame(frame, *expected_frame(file.data))


@cases(0.1)
@given(strategies.files(), TUNING)
def test_the_batches_of_a_reader_are_the_file(file: File, tuning: Any) -> None:
    schema, columns, height = expected_frame(file.data)
    with polars_avro.AvroReader(file.data, **tuning) as reader:
        assert list(reader.schema.items()) == list(schema.items())
        first = 0
        for batch in reader:
            assert batch.height > 0
            expected.assert_frame(batch, schema, rows(columns, slice(first, first + batch.height)), batch.height)
            first += batch.height
        assert first == height


@cases(0.15)
@given(strategies.files(), ENGINES, st.sampled_from(("bytes", "str")), TUNING)
def test_scan_avro_gives_every_value(path: Path, file: File, engine: Any, kind: str, tuning: Any) -> None:
    lazy = polars_avro.scan_avro(as_source(kind, file.data, path), **tuning)
    schema, columns, height = expected_frame(file.data)
    assert list(lazy.collect_schema().items()) == list(schema.items())
    expected.assert_frame(lazy.collect(engine=engine), schema, columns, height)


@cases(0.15)
@given(strategies.files(), ENGINES, st.data())
def test_a_projection_gives_its_columns_in_its_order(file: File, engine: Any, data: st.DataObject) -> None:
    schema, columns, height = expected_frame(file.data)
    assume(columns)
    names = data.draw(st.lists(st.sampled_from(list(columns)), min_size=1, unique=True))
    wanted = pl.Schema({name: schema[name] for name in names}), only(columns, names), height
    expected.assert_frame(polars_avro.read_avro(file.data, columns=names), *wanted)
    expected.assert_frame(polars_avro.scan_avro(file.data).select(names).collect(engine=engine), *wanted)


@cases(0.15)
@given(strategies.files(), ENGINES, st.integers(-250, 250), st.integers(0, 250))
def test_a_slice_gives_its_rows(file: File, engine: Any, offset: int, length: int) -> None:
    schema, columns, height = expected_frame(file.data)
    start = max(0, height + offset) if offset < 0 else offset
    # A slice that begins before the first row is shortened, as in Polars.
    stop = max(0, height + offset + length) if offset < 0 else offset + length
    lazy = polars_avro.scan_avro(file.data)
    queries = {
        "slice": (lazy.slice(offset, length), slice(start, stop)),
        "head": (lazy.head(length), slice(0, length)),
        "tail": (lazy.tail(length), slice(max(0, height - length), height)),
        "n_rows": (polars_avro.scan_avro(file.data, n_rows=length), slice(0, length)),
    }
    for query, kept in queries.values():
        frame = query.collect(engine=engine)
        expected.assert_frame(frame, schema, rows(columns, kept), len(range(height)[kept]))
    frame = polars_avro.read_avro(file.data, n_rows=length)
    expected.assert_frame(frame, schema, rows(columns, slice(0, length)), min(length, height))


@cases(0.1)
@given(strategies.files(), ENGINES, st.integers(0, 2**31), st.integers(0, 250), st.data())
def test_the_row_index_counts_every_row(file: File, engine: Any, first: int, length: int, data: st.DataObject) -> None:
    schema, columns, height = expected_frame(file.data)
    options = {"row_index_name": "index", "row_index_offset": first}
    schema = pl.Schema({"index": pl.get_index_type(), **schema})
    columns = {"index": list(range(first, first + height)), **columns}
    expected.assert_frame(polars_avro.read_avro(file.data, **options), schema, columns, height)
    names = data.draw(st.lists(st.sampled_from(list(columns)), min_size=1, unique=True))
    lazy = polars_avro.scan_avro(file.data, **options).select(names).slice(length // 2, length)
    kept = slice(length // 2, length // 2 + length)
    wanted = pl.Schema({name: schema[name] for name in names}), rows(only(columns, names), kept)
    expected.assert_frame(lazy.collect(engine=engine), *wanted, len(range(height)[kept]))


@cases(0.15)
@given(strategies.files(record_root=True), ENGINES, st.integers(0, 250), st.data())
def test_a_filter_keeps_the_rows_that_pass(file: File, engine: Any, length: int, data: st.DataObject) -> None:
    schema, columns, height = expected_frame(file.data)
    assume(columns)
    name = data.draw(st.sampled_from(list(columns)))
    names = data.draw(st.lists(st.sampled_from(list(columns)), min_size=1, unique=True))
    if schema[name].is_integer():
        predicate, passes = pl.col(name) > 0, [value is not None and value > 0 for value in columns[name]]
    else:
        predicate, passes = pl.col(name).is_not_null(), [value is not None for value in columns[name]]
    narrow = pl.Schema({name: schema[name] for name in names})

    def check(query: pl.LazyFrame, kept: list[int]) -> None:
        wanted = {name: [columns[name][i] for i in kept] for name in names}
        expected.assert_frame(query.select(names).collect(engine=engine), narrow, wanted, len(kept))

    passing = [i for i in range(height) if passes[i]]
    check(polars_avro.scan_avro(file.data).filter(predicate), passing)
    check(polars_avro.scan_avro(file.data).filter(predicate).head(length), passing[:length])
    check(polars_avro.scan_avro(file.data).head(length).filter(predicate), [i for i in passing if i < length])
    check(polars_avro.scan_avro(file.data, n_rows=length).filter(predicate), [i for i in passing if i < length])


@cases(0.05)
@given(strategies.files(), st.sampled_from((1, 3, 40)), ENGINES, TUNING)
def test_a_file_of_megabytes_keeps_its_order(file: File, blocks: int, engine: Any, tuning: Any) -> None:
    """Files below a megabyte are decoded by one thread, and blocks of few rows are not split."""
    size = len(enlarged(file, 1, 1)) - len(enlarged(file, 0, 1))
    assume(file.rows > 5 and size > 200)
    small = polars_avro.read_avro(file.data)
    expected.assert_frame(small, *expected_frame(file.data))
    repeated = 1_500_000 // size // blocks + 1
    data = enlarged(file, blocks, repeated)
    large = pl.concat([small] * (repeated * blocks))
    options = tuning | {"batch_size": tuning["batch_size"] and tuning["batch_size"] * 100}
    frame = polars_avro.read_avro(data, **options)
    assert frame.schema == large.schema
    assert frame.equals(large)
    lazy = polars_avro.scan_avro(data, **options)
    assert lazy.select(pl.len()).collect(engine=engine).item() == large.height
    start = large.height // 2
    assert lazy.slice(start, 1_000).collect(engine=engine).equals(large.slice(start, 1_000))
    assert lazy.tail(start).collect(engine=engine).equals(large.tail(start))
