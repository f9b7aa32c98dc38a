"""The scan for a Polars without external readers."""

import os
import pickle
import threading

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from queries import QUERIES
from rows import make_rows, write

import polars_avro
from polars_avro import _options, _scan
from polars_avro._engine import io_source
from polars_avro._engine.files import Files
from polars_avro._schemas import ReadSchema
from polars_avro._sources import listing


@pytest.fixture(autouse=True)
def without_external_readers(monkeypatch):
    monkeypatch.setattr(_scan, "engine", io_source)


@pytest.fixture
def scan(directory):
    return lambda **options: polars_avro.scan_avro([directory / f"{name}.avro" for name in "abde"], **options)


@pytest.mark.parametrize("query", QUERIES)
def test_queries(scan, frame, query, engine):
    assert_frame_equal(QUERIES[query](scan()).collect(engine=engine), QUERIES[query](frame.lazy()).collect())


def test_options(scan, frame, engine):
    lf = scan(n_rows=350, row_index_name="row", row_index_offset=5, batch_size=100, n_threads=1)
    assert_frame_equal(lf.collect(engine=engine), frame[:350].with_row_index("row", 5))


def test_columns_that_are_not_in_the_files(directory, frame, engine):
    paths = [str(directory / f"{name}.avro") for name in "abde"]
    names = pl.Series("file", [paths[0]] * 300 + [paths[2]] * 500 + [paths[3]] * 200)
    lf = polars_avro.scan_avro(paths, include_file_paths="file")
    expected = frame.with_columns(names)
    on_paths = (lambda lf: lf.select("file"), lambda lf: lf.filter(pl.col("file").str.ends_with("d.avro")))
    for query in (*QUERIES.values(), *on_paths):
        assert_frame_equal(query(lf).collect(engine=engine), query(expected.lazy()).collect())


def test_columns_of_paths_alone_of_files_with_damage(tmp_path, engine):
    """Counting decodes rows without requesting any column."""
    paths = [write(tmp_path / f"{name}.avro", make_rows(50)) for name in "ab"]
    lf = polars_avro.scan_avro(paths, include_file_paths="file", ignore_errors=True)
    expected = pl.DataFrame({"file": [str(paths[0])] * 50 + [str(paths[1])] * 50})
    assert_frame_equal(lf.select("file").collect(engine=engine), expected)


def test_partitions_and_schemas(tmp_path, engine):
    paths = []
    for year in (2023, 2024):
        path = tmp_path / f"year={year}" / "a.avro"
        path.parent.mkdir()
        paths.append(write(path, make_rows(3, year)))
    lf = polars_avro.scan_avro(paths, hive_partitioning=True)
    (tmp_path / "year=2023" / "a.avro").write_bytes(b"no Avro")
    reader = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "double"}]}
    expected = pl.DataFrame({"id": [2024.0, 2025.0, 2026.0], "year": [2024] * 3})
    # The first file cannot match, so it is not opened.
    df = lf.filter(pl.col("year") > 2023).select("id", "year").collect(engine=engine)
    assert_frame_equal(df, expected.cast({"id": pl.Int64}))
    df = polars_avro.scan_avro(paths[1:], hive_partitioning=True, reader_schema=reader).collect(engine=engine)
    assert_frame_equal(df, expected)


def test_the_smaller_of_n_rows_and_head_holds(scan, frame, engine):
    for index in (None, "row"):
        lf = scan(n_rows=295, row_index_name=index)
        assert lf.head(310).select("id").collect(engine=engine).height == 295
        assert lf.head(310).select(pl.len()).collect(engine=engine).item() == 295
        assert_frame_equal(lf.select("id").head(7).collect(engine=engine), frame.select("id").head(7))


def test_what_polars_calls_pickles(scan, path, frame):
    read_schema = ReadSchema(polars_avro.read_avro_metadata(path).avro_schema)
    source = io_source.FramesOf(Files((str(path),), read_schema), frame.schema, _options.ReaderOptions())
    assert_frame_equal(pl.concat(pickle.loads(pickle.dumps(source))(None, None, None, None)), frame)


def test_rows_dropped_on_the_main_thread_are_finished_by_the_next_query(path):
    """A generator that is freed there could take a `KeyboardInterrupt` and lose it."""
    ended = []

    def frames():
        try:
            yield pl.DataFrame({"a": [1]})
            yield pl.DataFrame({"a": [2]})
        finally:
            ended.append(threading.current_thread())

    def take_one():
        running = io_source.RunningScan(frames())
        assert next(running).item() == 1

    take_one()
    assert ended == []
    polars_avro.scan_avro(path).collect()
    assert len(ended) == 1
    other = threading.Thread(target=take_one)
    other.start()
    other.join()
    assert ended[1:] == [other]


@pytest.mark.parametrize("pattern", ["", "*", "[a-d]*.avro", "?.avro"])
def test_directories_and_patterns(directory, frame, pattern, engine):
    expected = frame[:800] if "d" in pattern else frame
    assert_frame_equal(polars_avro.scan_avro(directory / pattern).collect(engine=engine), expected)


PATTERNS = ["", "*", "*.avro", "**/*.avro", "**", "**/x.avro", "*/*.avro", "[ab]*", "[!ab]*.avro", "s?b/*", "s?b/**/*"]
PATTERNS += ["sub", "sub/", "*/", "a*", "A*", "nothing*", "nothing/*", "we[i]rd", "we[i]rd/*", "we[[]i]rd/*", "a**/*"]
PATTERNS += ["su[b", "./*.avro", "sub/../*.avro", "mixed", "mixed/*", "*.av?o", "[]]*", "*/deep/**/q.*"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("prefix", [None, [".", "_"]])
def test_files_are_listed_as_polars_lists_them(tmp_path, monkeypatch, pattern, prefix):
    external = pytest.importorskip("polars_avro._engine.external", exc_type=ImportError)
    names = ["b.avro", "a/x.avro", "a.avro", "A.avro", ".h.avro", "_u.avro", "sub/.hid/x.avro", "sub/z.avro"]
    names += ["sub/deep/q.avro", "we[i]rd/f.avro", "a-b.avro", "ab.avro"]
    if "mixed" in pattern:
        names += ["mixed/a.avro", "mixed/b.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("empty.avro", "sub/e.avro"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    for path in (pattern, os.path.join(tmp_path, pattern)):
        expected = _outcome(external.expand, path, prefix)
        assert _outcome(listing.expand, path, prefix) == expected


def _outcome(expand, path, prefix):
    try:
        return expand([path or "."], glob=True, hidden_file_prefix=prefix)
    except (pl.exceptions.PolarsError, OSError) as error:
        return type(error)


def test_files_that_differ_are_refused_by_name(path, tmp_path, engine):
    other = write(
        tmp_path / "other.avro",
        [{"id": 1}],
        {"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]},
    )
    with pytest.raises(pl.exceptions.ComputeError, match=r"other\.avro"):
        polars_avro.scan_avro([path, other]).collect(engine=engine)
