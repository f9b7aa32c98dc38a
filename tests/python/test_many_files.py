"""Scans of many files: opened files, memory and results."""

import json
import pickle
import statistics
import time

import polars as pl
import pytest
from grids import ENGINES, grid
from polars.testing import assert_frame_equal
from rows import COLUMNS, SCHEMA, make_rows, write

import polars_avro
from polars_avro import _options
from polars_avro._core import FileOpener, FileSet

OTHER = {**SCHEMA, "fields": SCHEMA["fields"][::-1]}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Ten thousand files of ten rows; every hundredth has its columns in another order."""
    folder = tmp_path_factory.mktemp("many")
    names = ("one", "other")
    headers = {}
    for name, schema in zip(names, (SCHEMA, OTHER), strict=True):
        path = write(folder / name, make_rows(10), schema, sync_interval=16_000, codec="null")
        headers[name] = path.read_bytes()
        path.unlink()
    paths = []
    for number in range(10_000):
        path = folder / f"{number:05}.avro"
        path.write_bytes(headers["other" if number % 100 == 99 else "one"])
        paths.append(str(path))
    return paths


@pytest.fixture(scope="module")
def many_rows(many):
    """The rows of all files, with their numbers and files."""
    rows = pl.concat([pl.DataFrame(make_rows(10), schema=COLUMNS)] * 10_000).with_row_index("row")
    return rows.with_columns(file=pl.Series(many).gather(rows["row"] // 10))


def test_ten_thousand_files_take_few_batches_plans_and_open_files(many):
    files = FileSet(many, FileOpener(json.dumps(SCHEMA)))
    columns = ["id", "score"]
    reader = files.batches(_options.core_options(columns=columns, reader=_options.ReaderOptions(n_threads=4)))
    batches = list(reader)
    assert sum(batch.height for batch in batches) == 100_000
    # A batch ends where the order of the columns changes, which is twice per hundred files, and at the end of a
    # section.
    assert len(batches) <= 200 + 40
    stats = reader.stats
    assert stats["files_opened"] == 10_000
    assert stats["plans_compiled"] == 2
    del batches
    # Small files are closed as soon as they are read, but their bytes stay in memory until the section is decoded.
    assert stats["max_open_files"] <= (4 + 2) * 256


def test_large_files_are_open_one_after_the_other(tmp_path):
    rows = [{"id": i, "name": "x" * 200, "score": None, "tags": []} for i in range(2_000)]
    paths = [str(write(tmp_path / f"{i}.avro", rows, codec="null", sync_interval=16_000)) for i in range(40)]
    files = FileSet(paths, FileOpener(json.dumps(SCHEMA)))
    reader = files.batches(_options.core_options(columns=None, reader=_options.ReaderOptions(n_threads=2)))
    assert sum(batch.height for batch in reader) == 80_000
    assert reader.stats["files_opened"] == 40
    assert reader.stats["max_open_files"] <= 2 + 2 + 2


def test_ten_thousand_files_are_one_source_for_polars(many, engine):
    lf = polars_avro.scan_avro(many)
    assert lf.select(pl.len()).collect(engine=engine).item() == 100_000
    df = lf.select("score", "id").collect(engine=engine)
    assert_frame_equal(df, pl.concat([pl.DataFrame(make_rows(10), schema=COLUMNS).select("score", "id")] * 10_000))
    assert "00000.avro, ... 9999 other files]" in lf.explain()


def test_the_first_rows_open_the_first_files(many):
    files = FileSet(many, FileOpener(json.dumps(SCHEMA)))
    reader = files.batches(_options.core_options(columns=["id"], length=25, reader=_options.ReaderOptions()))
    assert sum(batch.height for batch in reader) == 25
    assert reader.stats["files_opened"] == 3
    assert reader.stats["rows_decoded"] == 25


def test_a_slice_opens_the_files_it_touches(many):
    files = FileSet(many, FileOpener(json.dumps(SCHEMA)))
    options = _options.core_options(columns=["id"], offset=50_005, length=10, reader=_options.ReaderOptions())
    reader = files.batches(options)
    assert sum(batch.height for batch in reader) == 10
    assert reader.stats["files_opened"] == 2
    assert files.count_rows_from_end(25) == (3, 30)


SLICES = [(0, 7), (95, 10), (50_005, 30), (-25, 10), (-25, None), (99_999, 5)]


@pytest.mark.parametrize(("offset", "length", "engine"), [(*SLICES[i], ENGINES[i % 2]) for i in range(6)])
def test_slices_of_ten_thousand_files(many, many_rows, engine, offset, length):
    lf = polars_avro.scan_avro(many, row_index_name="row", include_file_paths="file")
    df = lf.slice(offset, length).collect(engine=engine)
    expected = many_rows.slice(offset, length)
    assert_frame_equal(df, expected)
    plain = polars_avro.scan_avro(many).slice(offset, length).collect(engine=engine)
    assert_frame_equal(plain, expected.drop("row", "file"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Files of all sizes in one list: empty, small, with many blocks, larger than a section."""
    folder = tmp_path_factory.mktemp("mixed")
    sizes = [0, 3, 1, 30_000, 0, 0, 2, 5_000, 40_000, 1, 0]
    paths, first = [], 0
    for number, rows in enumerate(sizes):
        options = {"codec": "null", "sync_interval": 16_000} if rows > 1_000 else {}
        paths.append(str(write(folder / f"{number}.avro", make_rows(rows, first), **options)))
        first += rows
    frame = pl.DataFrame(make_rows(first), schema=COLUMNS)
    numbers = [number for number, rows in enumerate(sizes) for _ in range(rows)]
    return paths, frame, pl.Series("file", [paths[number] for number in numbers])


@pytest.mark.parametrize(("n_threads", "batch_size", "engine"), grid([1, 2, 4], [None, 1_000], ENGINES))
def test_files_of_every_size_keep_their_order(mixed, engine, n_threads, batch_size):
    paths, frame, names = mixed
    tuning = {"n_threads": n_threads, "batch_size": batch_size}
    assert_frame_equal(polars_avro.scan_avro(paths, **tuning).collect(engine=engine), frame)
    lf = polars_avro.scan_avro(paths, row_index_name="row", include_file_paths="file", **tuning)
    expected = frame.with_row_index("row").with_columns(names)
    assert_frame_equal(lf.collect(engine=engine), expected)
    for offset, length in ((0, 5), (3, 30_005), (29_990, 60), (35_000, 10), (-7, 5), (-40_010, 20), (-1, None)):
        assert_frame_equal(lf.slice(offset, length).collect(engine=engine), expected.slice(offset, length))
        alone = lf.slice(offset, length).select("file").collect(engine=engine)
        assert_frame_equal(alone, expected.slice(offset, length).select("file"))
    assert_frame_equal(
        lf.filter(pl.col("id") % 7_777 == 1).collect(engine=engine), expected.filter(pl.col("id") % 7_777 == 1)
    )


def test_paths_alone_decode_nothing(mixed, engine):
    paths, _, names = mixed
    lf = polars_avro.scan_avro(paths, include_file_paths="file").select("file")
    assert_frame_equal(lf.collect(engine=engine), names.to_frame())
    counted = lf.group_by("file", maintain_order=True).len().collect(engine=engine)
    assert counted["len"].to_list() == [3, 1, 30_000, 2, 5_000, 40_000, 1]


def test_bytes_in_memory_are_many_files_too(mixed, engine):
    paths, frame, _ = mixed
    contents = []
    for path in paths:
        with open(path, "rb") as file:
            contents.append(file.read())
    lf = polars_avro.scan_avro(contents, include_file_paths="file")
    expected = frame.with_columns(file=pl.lit("in-mem"))
    assert_frame_equal(lf.collect(engine=engine), expected)
    assert_frame_equal(pickle.loads(pickle.dumps(lf)).tail(3).collect(engine=engine), expected.tail(3))


def test_errors_name_the_file_and_the_place(mixed, tmp_path, engine):
    paths, *_ = mixed
    with open(paths[7], "rb") as file:
        damaged = bytearray(file.read())
    damaged[-1] ^= 1
    (tmp_path / "damaged.avro").write_bytes(damaged)
    for order in ([*paths, tmp_path / "damaged.avro"], [paths[0], tmp_path / "damaged.avro", paths[1]]):
        with pytest.raises(
            polars_avro.AvroDataError, match=r"damaged\.avro: block \d+ at byte \d+: the sync marker"
        ) as caught:
            polars_avro.scan_avro(order).collect(engine=engine)
        assert caught.value.file == str(tmp_path / "damaged.avro")
        assert caught.value.block_index is not None


def test_a_file_that_is_gone_is_named_when_the_query_runs(mixed, tmp_path, engine):
    paths, frame, _ = mixed
    gone = write(tmp_path / "gone.avro", make_rows(5))
    lf = polars_avro.scan_avro([*paths, gone])
    gone.unlink()
    assert_frame_equal(lf.head(5).collect(engine=engine), frame.head(5))
    for query in (lf, lf.select(pl.len()), lf.tail(1)):
        with pytest.raises(FileNotFoundError) as caught:
            query.collect(engine=engine)
        assert caught.value.filename == str(gone)


def test_files_that_are_not_needed_may_be_wrong(mixed, tmp_path, engine):
    paths, frame, _ = mixed
    wrong = tmp_path / "wrong.avro"
    wrong.write_bytes(b"no Avro")
    lf = polars_avro.scan_avro([paths[1], wrong])
    assert_frame_equal(lf.head(3).collect(engine=engine), frame.head(3))
    with pytest.raises(polars_avro.AvroDataError, match=r"wrong\.avro"):
        lf.collect(engine=engine)


def test_counting_many_files_takes_no_longer_than_reading_a_column(many):
    def seconds(query):
        start = time.perf_counter()
        query(polars_avro.scan_avro(many)).collect()
        return time.perf_counter() - start

    # Interleaved, so that other load on the machine affects both.
    ratios = [seconds(lambda lf: lf.select(pl.len())) / seconds(lambda lf: lf.select("id")) for _ in range(7)]
    assert statistics.median(ratios) <= 1.25, ratios
