"""Pushdown of filters, limits and counting, verified by the reader's counters."""

import logging
import os
import subprocess
import sys
import threading
import time

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rows import make_rows, write

import polars_avro

HEIGHT = 60_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return write(tmp_path_factory.mktemp("large") / "large.avro", make_rows(HEIGHT), sync_interval=16_000, codec="null")


@pytest.fixture(scope="module")
def large_frame(large):
    return polars_avro.read_avro(large)


@pytest.fixture
def reads(caplog):
    """Return the counters of finished reads, after checking their number."""
    caplog.set_level(logging.DEBUG, logger="polars_avro")

    def wait(n=1):
        # A read that was stopped early finishes when Polars' thread drops it.
        stop = time.monotonic() + 30
        while len(caplog.records) < n and time.monotonic() < stop:
            time.sleep(0.01)
        assert len(caplog.records) == n
        found = [vars(record) for record in caplog.records]
        caplog.clear()
        return found

    return wait


FILTERS = {
    "a number": pl.col("id") == 31_234,
    "text": pl.col("name").str.ends_with("1234"),
    "two terms": (pl.col("id") % 1000 == 3) & pl.col("score").is_null(),
    "or": (pl.col("id") < 3) | (pl.col("name") == "name 500"),
    "a list": pl.col("tags").list.contains("tag") & (pl.col("id") < 100),
    "among": pl.col("id").is_in([5, 6, 59_999]),
    "null in the mask": (pl.col("score") > 14_990) & (pl.col("id") > 0),
    "a function": pl.col("id").map_batches(lambda ids: ids == 77, return_dtype=pl.Boolean, is_elementwise=True),
    "nothing passes": pl.col("id") < 0,
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_what_a_filter_drops_is_not_decoded(large, large_frame, engine, reads, name, n_threads):
    lf = polars_avro.scan_avro(large, n_threads=n_threads).filter(FILTERS[name])
    expected = large_frame.filter(FILTERS[name])
    assert_frame_equal(lf.collect(engine=engine), expected)
    (read,) = reads()
    assert (read["rows_evaluated"], read["rows_decoded"]) == (HEIGHT, expected.height)
    assert read["rows_filtered_out"] == HEIGHT - expected.height
    assert_frame_equal(lf.select("tags", "score").collect(engine=engine), expected.select("tags", "score"))


def test_a_filter_on_the_row_index(large, large_frame, engine, reads):
    lf = polars_avro.scan_avro(large, row_index_name="row", row_index_offset=5)
    for filtered in ((pl.col("row") % 1000 == 3), (pl.col("row") == 70) | (pl.col("id") == 70)):
        expected = large_frame.with_row_index("row", 5).filter(filtered)
        assert_frame_equal(lf.filter(filtered).collect(engine=engine), expected)
        assert reads()[0]["rows_decoded"] == expected.height
    sliced = lf.slice(1000, 50_000).filter(pl.col("row") % 1000 == 3)
    expected = large_frame.with_row_index("row", 5).slice(1000, 50_000).filter(pl.col("row") % 1000 == 3)
    assert_frame_equal(sliced.collect(engine=engine), expected)
    assert reads()[0]["rows_evaluated"] == 50_000


def test_a_filter_that_nearly_all_rows_pass_is_given_up(large, large_frame, engine, reads):
    lf = polars_avro.scan_avro(large, batch_size=500, n_threads=1).filter(pl.col("id") != 7)
    assert_frame_equal(lf.collect(engine=engine), large_frame.filter(pl.col("id") != 7))
    assert 0 < reads()[0]["rows_evaluated"] < HEIGHT / 8


def test_a_filter_of_all_wanted_columns_is_left_to_polars(large, large_frame, engine, reads):
    found = polars_avro.scan_avro(large).select("id").filter(pl.col("id") == 3).collect(engine=engine)
    assert found.to_dict(as_series=False) == {"id": [3]}
    assert reads()[0]["rows_evaluated"] == 0


def test_filters_that_cannot_be_evaluated_on_the_file_alone(directory, frame, engine):
    lf = polars_avro.scan_avro(directory, include_file_paths="file")
    expected = frame.with_columns(file=pl.Series(_files(directory)))
    for condition in (
        pl.col("file").str.ends_with("d.avro"),
        pl.col("file").str.ends_with("d.avro") | (pl.col("id") < 10),
        pl.col("file").str.ends_with("d.avro") & (pl.col("id") % 100 == 0),
        pl.col("id") > pl.col("id").mean(),
        pl.lit(value=True),
        pl.lit(value=False),
        pl.lit(None, dtype=pl.Boolean),
    ):
        assert_frame_equal(lf.filter(condition).collect(engine=engine), expected.filter(condition))


def _files(directory):
    return [str(directory / f"{name}.avro") for name, n in (("a", 300), ("d", 500), ("e", 200)) for _ in range(n)]


def test_the_largest_rows(large, large_frame, engine):
    lf = polars_avro.scan_avro(large)
    for descending in (True, False):
        found = lf.sort("id", descending=descending).head(5).collect(engine=engine)
        assert_frame_equal(found, large_frame.sort("id", descending=descending).head(5))
        found = lf.filter(pl.col("id") % 2 == 0).sort("id", descending=descending).head(5).collect(engine=engine)
        expected = large_frame.filter(pl.col("id") % 2 == 0).sort("id", descending=descending).head(5)
        assert_frame_equal(found, expected)


class RefusedError(Exception):
    pass


@pytest.mark.parametrize("n_threads", [1, 3])
def test_what_a_filter_raises_comes_out_as_it_is(large, engine, n_threads):
    def refuse(_):
        raise RefusedError("not today")

    condition = pl.col("id").map_batches(refuse, return_dtype=pl.Boolean, is_elementwise=True)
    lf = polars_avro.scan_avro(large, n_threads=n_threads).filter(condition)
    with pytest.raises(RefusedError, match="not today"):
        lf.collect(engine=engine)
    with pytest.raises(pl.exceptions.InvalidOperationError):
        polars_avro.scan_avro(large).filter(pl.col("name").cast(pl.Int8) > 3).collect(engine=engine)


def test_a_filter_that_is_no_filter_is_refused(large, engine):
    for broken in (lambda s: s.head(3) > 0, lambda s: s + 1):
        condition = pl.col("id").map_batches(broken, return_dtype=pl.Boolean, is_elementwise=True)
        with pytest.raises((pl.exceptions.PolarsError, TypeError)):
            polars_avro.scan_avro(large).filter(condition).collect(engine=engine)


def test_the_first_rows_take_one_block(large, large_frame, engine, reads):
    lf = polars_avro.scan_avro(large)
    for query in (lf.head(10), polars_avro.scan_avro(large, n_rows=10)):
        assert_frame_equal(query.collect(engine=engine), large_frame.head(10))
        (read,) = reads()
        assert (read["blocks_read"], read["rows_decoded"]) == (1, 10)
        header = polars_avro.read_avro_metadata(large).header_size
        assert read["bytes_read"] <= header + (64 << 10)


def test_a_slice_takes_its_blocks(large, large_frame, engine, reads):
    lf = polars_avro.scan_avro(large)
    for offset in (30_000, -30_000):
        assert_frame_equal(lf.slice(offset, 10).collect(engine=engine), large_frame.slice(offset, 10))
        (read,) = reads()
        assert read["blocks_read"] <= 2
        assert read["rows_decoded"] == 10


def test_a_limit_before_a_filter_bounds_what_is_tested(large, large_frame, engine, reads):
    condition = pl.col("id") % 2 == 1
    lf = polars_avro.scan_avro(large).head(20).filter(condition)
    assert_frame_equal(lf.collect(engine=engine), large_frame.head(20).filter(condition))
    (read,) = reads()
    assert (read["rows_evaluated"], read["rows_decoded"]) == (20, 10)


def test_a_self_join_reads_once(large, large_frame, engine, reads):
    lf = polars_avro.scan_avro(large).select("id", "name")
    joined = lf.join(lf, on="id", maintain_order="left")
    frame = large_frame.select("id", "name")
    assert_frame_equal(joined.collect(engine=engine), frame.join(frame, on="id", maintain_order="left"))
    assert reads(1)[0]["rows_decoded"] == HEIGHT
    assert pl.concat([lf, lf]).collect(engine=engine).height == 2 * HEIGHT
    assert reads(1)[0]["rows_decoded"] == HEIGHT


def test_joins(large, large_frame, engine):
    few = pl.LazyFrame({"id": [5, 50_000, 70_000]})
    for how in ("semi", "anti", "left", "inner"):
        found = polars_avro.scan_avro(large).join(few, on="id", how=how, maintain_order="left").collect(engine=engine)
        assert_frame_equal(found, large_frame.join(few.collect(), on="id", how=how, maintain_order="left"))


def test_a_query_that_stops_early_stops_the_reader(large, tmp_path, reads):
    """After ten rows are found many are left, and no thread of this package keeps decoding."""
    data = large.read_bytes()
    header = polars_avro.read_avro_metadata(large).header_size
    path = tmp_path / "many.avro"
    path.write_bytes(data[:header] + data[header:] * 40)
    lf = polars_avro.scan_avro(path, n_threads=2)
    assert lf.filter(pl.col("id") >= 0).head(10).collect(engine="streaming").height == 10
    (read,) = reads()
    assert read["rows_decoded"] < 30 * HEIGHT
    batches = lf.collect_batches(engine="streaming")
    next(iter(batches))
    del batches
    assert reads()[0]["rows_decoded"] < 30 * HEIGHT


PROGRAM = """
import sys
import polars as pl, polars_avro

def inner(ids):
    frame = pl.DataFrame({"id": ids})
    frame.filter(pl.col("id") > 3)
    frame.lazy().group_by(pl.col("id") % 10).len().collect(engine="streaming")
    return ids % 100 == 1

lf = polars_avro.scan_avro([sys.argv[1]] * 6, batch_size=5000)
condition = pl.col("id").map_batches(inner, return_dtype=pl.Boolean, is_elementwise=True)
found = lf.filter(condition).group_by("name").len().join(lf.head(7), on="name", how="anti")
for engine in ("streaming", "in-memory"):
    assert found.collect(engine=engine).height == 599, found.collect(engine=engine)
    assert [df.height for df in pl.collect_all([found, found], engine=engine)] == [599, 599]
"""


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_a_filter_may_run_queries_of_its_own(large, threads):
    """No combination of thread counts of Polars and the reader deadlocks."""
    if threads == 1 and pl.__version__.startswith("2.0."):
        pytest.skip("Polars 2.0 waits for ever on one thread, with Parquet files too")
    environment = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
    program = [sys.executable, "-c", PROGRAM, large]
    subprocess.run(program, check=True, timeout=120, env=environment, cwd=large.parent)


def test_threads_do_not_pile_up(large, engine):
    for _ in range(3):
        polars_avro.scan_avro(large).filter(pl.col("id") % 100 == 0).collect(engine=engine)
    before = threading.active_count()
    for _ in range(10):
        polars_avro.scan_avro(large).filter(pl.col("id") % 100 == 0).collect(engine=engine)
    assert threading.active_count() <= before + 4
