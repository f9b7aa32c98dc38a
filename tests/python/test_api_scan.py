"""Queries on both engines: rows, columns, slices, row indices, and the work they skip."""

import pickle
import threading
import time

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import COLUMNS, make_rows, write

import polars_avro


@pytest.fixture(params=["in-memory", "streaming"])
def engine(request):
    return request.param


@pytest.fixture(params=["one file", "several files"])
def source(request, path, directory):
    return path if request.param == "one file" else directory


SLICES = [(0, 5), (0, 0), (10, 7), (299, 2), (300, 1), (555, 300), (998, 50), (1000, 5), (5000, 1), (-3, 3), (-3, 1)]
SLICES += [(-250, 100), (-1000, 10), (-1005, 10), (-2000, 10), (0, None), (700, None), (-4, None)]


@pytest.mark.parametrize(("offset", "length"), SLICES)
def test_slices(source, frame, engine, offset, length):
    lf = polars_avro.scan_avro(source)
    assert_frame_equal(lf.slice(offset, length).collect(engine=engine), frame.slice(offset, length))


@pytest.mark.parametrize("n", [0, 1, 299, 300, 301, 1000, 2000])
def test_n_rows(source, frame, engine, n):
    assert_frame_equal(polars_avro.scan_avro(source, n_rows=n).collect(engine=engine), frame[:n])
    assert polars_avro.scan_avro(source, n_rows=n).select(pl.len()).collect(engine=engine).item() == min(n, 1000)
    assert_frame_equal(polars_avro.read_avro(source, n_rows=n), frame[:n])


def test_the_smaller_of_n_rows_and_head_holds(source, frame, engine):
    assert_frame_equal(polars_avro.scan_avro(source, n_rows=5).head(10).collect(engine=engine), frame[:5])
    assert_frame_equal(polars_avro.scan_avro(source, n_rows=10).head(5).collect(engine=engine), frame[:5])


def test_rows_are_limited_before_they_are_filtered(source, frame, engine):
    even = pl.col("id") % 2 == 0
    lf = polars_avro.scan_avro(source)
    assert_frame_equal(lf.head(20).filter(even).collect(engine=engine), frame[:20].filter(even))
    assert_frame_equal(lf.filter(even).head(20).collect(engine=engine), frame.filter(even)[:20])
    assert_frame_equal(lf.slice(295, 20).filter(even).collect(engine=engine), frame[295:315].filter(even))


def test_row_index(source, frame, engine):
    lf = polars_avro.scan_avro(source, row_index_name="row", row_index_offset=7)
    expected = frame.with_row_index("row", 7)
    assert lf.collect_schema() == expected.schema
    assert_frame_equal(lf.collect(engine=engine), expected)
    assert_frame_equal(lf.slice(290, 20).collect(engine=engine), expected.slice(290, 20))
    assert_frame_equal(lf.tail(5).collect(engine=engine), expected.tail(5))
    late = pl.col("row") > 900
    assert_frame_equal(lf.filter(late).collect(engine=engine), expected.filter(late))
    assert_frame_equal(lf.filter(pl.col("id") > 900).collect(engine=engine), expected.filter(pl.col("id") > 900))
    assert expected.schema["row"] == pl.get_index_type()


def test_the_row_index_alone_has_every_row(source, engine):
    lf = polars_avro.scan_avro(source, row_index_name="row").select("row")
    assert lf.collect(engine=engine)["row"].to_list() == list(range(1000))
    assert lf.tail(2).collect(engine=engine)["row"].to_list() == [998, 999]


def test_the_row_index_is_added_by_polars_as_well(source, frame, engine):
    lf = polars_avro.scan_avro(source).with_row_index("row", 3)
    assert_frame_equal(lf.collect(engine=engine), frame.with_row_index("row", 3))


def test_length(source, engine):
    lf = polars_avro.scan_avro(source)
    assert lf.select(pl.len()).collect(engine=engine).item() == 1000
    assert lf.slice(290, 20).select(pl.len()).collect(engine=engine).item() == 20
    assert lf.tail(3).select(pl.len()).collect(engine=engine).item() == 3
    assert lf.slice(995, 20).select(pl.len()).collect(engine=engine).item() == 5


def test_length_decodes_nothing(path, tmp_path, engine):
    """Overwrite all data, but keep the block headers and sync markers."""
    damaged = tmp_path / "damaged.avro"
    damaged.write_bytes(_with_wrong_data(path))
    assert polars_avro.scan_avro(damaged).select(pl.len()).collect(engine=engine).item() == 1000
    with pytest.raises(polars_avro.AvroDataError):
        polars_avro.read_avro(damaged)


@pytest.mark.parametrize("columns", [["tags", "id"], ["score"], ["name", "tags", "score", "id"]])
def test_columns_come_in_the_order_asked_for(source, frame, engine, columns):
    assert_frame_equal(polars_avro.scan_avro(source).select(columns).collect(engine=engine), frame.select(columns))
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


def test_records_without_fields_keep_their_height(tmp_path, engine):
    path = write(tmp_path / "x.avro", [{}] * 9, {"type": "record", "name": "R", "fields": []})
    assert polars_avro.read_avro(path).shape == (9, 0)
    assert polars_avro.scan_avro(path).collect(engine=engine).shape == (9, 0)
    assert polars_avro.scan_avro(path).select(pl.len()).collect(engine=engine).item() == 9


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
def test_tuning_changes_no_rows(source, frame, engine, batch_size, n_threads):
    lf = polars_avro.scan_avro(source, batch_size=batch_size, n_threads=n_threads)
    assert_frame_equal(lf.collect(engine=engine), frame)
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


def test_a_self_join_reads_the_file_once(path, frame):
    lf = polars_avro.scan_avro(path).join(polars_avro.scan_avro(path), on="id", maintain_order="left")
    assert lf.explain().count("CACHE") == 2
    assert_frame_equal(lf.collect(), frame.join(frame, on="id", maintain_order="left"))


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
    assert min(stall for _, stall in attempts) < 0.02


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
