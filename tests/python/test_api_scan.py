"""Queries on both engines: rows, columns, slices, row indices, and the work they skip."""

import pickle
import threading
import time

import polars as pl
import pytest
from grids import ENGINES, grid
from polars.testing import assert_frame_equal
from queries import INDEX_QUERIES, OPTIONS, QUERIES
from rows import COLUMNS, make_rows, write

import polars_avro

#: Scans of the same thousand rows.
SCANS = {
    "one file": lambda path, directory, **options: polars_avro.scan_avro(path, **options),
    "several files": lambda path, directory, **options: polars_avro.scan_avro(directory, **options),
    "bytes": lambda path, directory, **options: polars_avro.scan_avro(path.read_bytes(), **options),
    "small batches": lambda path, directory, **options: polars_avro.scan_avro(
        directory, batch_size=7, n_threads=2, **options
    ),
}


@pytest.fixture(params=["one file", "several files"])
def source(request, path, directory):
    return path if request.param == "one file" else directory


@pytest.mark.parametrize(("scan", "options", "query", "engine"), grid(SCANS, OPTIONS, QUERIES, ENGINES))
def test_queries(path, directory, frame, scan, options, query, engine):
    arguments, as_query = OPTIONS[options]
    lf = SCANS[scan](path, directory, **arguments)
    expected = QUERIES[query](as_query(frame.lazy()))
    found = QUERIES[query](lf)
    assert found.collect_schema() == expected.collect_schema()
    assert_frame_equal(found.collect(engine=engine), expected.collect(engine="in-memory"))


@pytest.mark.parametrize(("scan", "query", "engine"), grid(SCANS, INDEX_QUERIES, ENGINES))
def test_queries_on_the_row_index(path, directory, frame, scan, query, engine):
    lf = SCANS[scan](path, directory, row_index_name="row", row_index_offset=7)
    expected = INDEX_QUERIES[query](frame.with_row_index("row", 7).lazy())
    assert_frame_equal(INDEX_QUERIES[query](lf).collect(engine=engine), expected.collect(engine="in-memory"))
    assert lf.collect_schema()["row"] == pl.get_index_type()


@pytest.mark.parametrize("n", [0, 1, 299, 300, 301, 1000, 2000])
def test_n_rows(source, frame, n):
    lf = polars_avro.scan_avro(source, n_rows=n)
    assert_frame_equal(lf.collect(), frame[:n])
    assert lf.select(pl.len()).collect().item() == min(n, 1000)
    assert_frame_equal(lf.head(10).collect(), frame[: min(n, 10)])
    assert_frame_equal(polars_avro.read_avro(source, n_rows=n), frame[:n])


def test_length_decodes_nothing(path, tmp_path, engine):
    """Overwrite all data, but keep the block headers and sync markers."""
    damaged = tmp_path / "damaged.avro"
    damaged.write_bytes(_with_wrong_data(path))
    assert polars_avro.scan_avro(damaged).select(pl.len()).collect(engine=engine).item() == 1000
    with pytest.raises(polars_avro.AvroDataError):
        polars_avro.read_avro(damaged)


@pytest.mark.parametrize("columns", [["tags", "id"], ["score"], ["name", "tags", "score", "id"]])
def test_columns_come_in_the_order_asked_for(source, frame, columns):
    assert_frame_equal(polars_avro.read_avro(source, columns=columns), frame.select(columns))
    positions = [list(COLUMNS).index(column) for column in columns]
    assert_frame_equal(polars_avro.read_avro(source, columns=positions), frame.select(columns))


def test_columns_and_the_row_index(source, frame):
    df = polars_avro.read_avro(source, columns=["tags", "id"], row_index_name="row", row_index_offset=2, n_rows=400)
    assert_frame_equal(df, frame[:400].select("tags", "id").with_row_index("row", 2))
    assert_frame_equal(polars_avro.read_avro(source, columns="id"), frame.select("id"))
    assert_frame_equal(polars_avro.read_avro(source, columns=0), frame.select("id"))


def test_no_columns_keep_their_height(source):
    df = polars_avro.read_avro(source, columns=[])
    assert df.shape == (1000, 0)
    assert polars_avro.read_avro(source, columns=[], row_index_name="row").shape == (1000, 1)


def test_names_that_are_there_already_are_refused(source):
    for options in (
        {"row_index_name": "id"},
        {"include_file_paths": "id"},
        {"row_index_name": "x", "include_file_paths": "x"},
    ):
        with pytest.raises(pl.exceptions.DuplicateError):
            polars_avro.scan_avro(source, **options)
        with pytest.raises(pl.exceptions.DuplicateError):
            polars_avro.read_avro(source, **options)


@pytest.mark.parametrize("batch_size", [1, 7, 300, 100_000])
@pytest.mark.parametrize("n_threads", [None, 1, 2])
def test_tuning_changes_no_rows(source, frame, batch_size, n_threads):
    assert_frame_equal(polars_avro.scan_avro(source, batch_size=batch_size, n_threads=n_threads).collect(), frame)
    assert_frame_equal(polars_avro.read_avro(source, batch_size=batch_size, n_threads=n_threads), frame)


def test_rechunk(path):
    assert polars_avro.read_avro(path, batch_size=100).n_chunks() > 1
    assert polars_avro.read_avro(path, batch_size=100, rechunk=True).n_chunks() == 1


def test_pl_scan_avro(path, frame):
    assert pl.scan_avro is polars_avro.scan_avro
    assert_frame_equal(pl.scan_avro(path).collect(), frame)


def test_a_lazyframe_pickles(source, frame):
    lf = polars_avro.scan_avro(source, row_index_name="row").select("row", "tags")
    assert_frame_equal(
        pickle.loads(pickle.dumps(lf)).collect(),
        frame.select(pl.int_range(pl.len(), dtype=pl.get_index_type()).alias("row"), "tags"),
    )


def test_explain_names_the_format_and_the_file(path):
    plan = polars_avro.scan_avro(path, n_threads=2).select("id").explain()
    for part in (str(path), "Avro", "n_threads: 2", "PROJECT 1/4 COLUMNS"):
        assert part in plan


def test_explain_names_the_codec(tmp_path):
    deflate = write(tmp_path / "a.avro", make_rows(3), codec="deflate")
    null = write(tmp_path / "b.avro", make_rows(3), codec="null")
    assert "codec: deflate\n" in polars_avro.scan_avro(deflate).explain()
    assert "codec: null (first file)\n" in polars_avro.scan_avro([null, deflate]).explain()
    kept = polars_avro.scan_avro(null)
    deflate.rename(null)
    assert "codec: deflate\n" in polars_avro.scan_avro(null).explain()
    assert_frame_equal(kept.collect(), polars_avro.scan_avro(null).collect())


def test_scans_of_the_same_file_share_a_read(path):
    lf = polars_avro.scan_avro(path).join(polars_avro.scan_avro(path), on="id")
    assert lf.explain().count("CACHE") == 2


def test_a_query_runs_twice(source, frame, engine):
    lf = polars_avro.scan_avro(source)
    assert_frame_equal(lf.collect(engine=engine), frame)
    assert_frame_equal(lf.collect(engine=engine), frame)


def test_sinks(source, frame, tmp_path):
    polars_avro.scan_avro(source).sink_parquet(tmp_path / "x.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "x.parquet"), frame)
    polars_avro.scan_avro(source).filter(pl.col("id") > 500).select("id").sink_ipc(tmp_path / "x.arrow")
    assert_frame_equal(pl.read_ipc(tmp_path / "x.arrow"), frame[501:].select("id"))


def test_collect_batches(source, frame):
    batches = list(polars_avro.scan_avro(source, batch_size=100).collect_batches())
    assert len(batches) > 1
    assert_frame_equal(pl.concat(batches), frame)


def test_many_queries_at_once(source, frame):
    lfs = [polars_avro.scan_avro(source).filter(pl.col("id") % 8 == i) for i in range(8)]
    for i, df in enumerate(pl.collect_all(lfs)):
        assert_frame_equal(df, frame.filter(pl.col("id") % 8 == i))


def test_other_threads_run_during_a_long_read(tmp_path):
    """
    The longest time that another thread stands still is far below the time that a read takes.

    The best of some attempts: a busy machine lets threads wait as well, but not every time.
    """
    path = write(tmp_path / "long.avro", make_rows(50_000), sync_interval=16_000)
    header = polars_avro.read_avro_metadata(path).header_size
    data = path.read_bytes()
    data = data[:header] + data[header:] * 20
    attempts = [_longest_stall(lambda: polars_avro.read_avro(data, n_threads=1)) for _ in range(5)]
    assert min(took for took, _ in attempts) > 0.04, "too short to show anything"
    # Relative, because a busy machine makes both longer.
    assert min(stall / took for took, stall in attempts) < 0.25


def _longest_stall(work):
    reading = threading.Event()
    stalls = []

    def tick():
        last = time.perf_counter()
        reading.set()
        while reading.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            stalls.append(now - last)
            last = now

    ticker = threading.Thread(target=tick)
    ticker.start()
    reading.wait()
    started = time.perf_counter()
    result = work()
    took = time.perf_counter() - started
    reading.clear()
    ticker.join()
    assert result.height == 1_000_000
    return took, max(stalls)


def _varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return (value >> 1) ^ -(value & 1), at


def _with_wrong_data(path):
    data = bytearray(path.read_bytes())
    at = polars_avro.read_avro_metadata(path).header_size
    while at < len(data):
        _, at = _varint(data, at)
        size, at = _varint(data, at)
        data[at : at + size] = b"\xff" * size
        at += size + 16
    return bytes(data)
