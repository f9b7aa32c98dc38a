"""Splits have every row once, in order, for all files and sizes."""

import gzip
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from queries import QUERIES
from random_cases import cases
from rows import COLUMNS, SCHEMA, make_rows, write

import polars_avro
from polars_avro import FilePart, read_avro
from polars_avro._splitting import tiling

CODECS = ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"]


def read_all(splits, **options):
    return pl.concat([split.read(**options) for split in splits])


@cases()
@given(
    sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=40),
    target=st.integers(1, 4000),
)
def test_tiles_cover_every_byte_once_and_in_order(sizes, target):
    files = [(f"f{i}", size) for i, size in enumerate(sizes)]
    tiles = list(tiling.tile(files, target))
    assert tiling.merge(part for tile in tiles for part in tile) == tuple(
        FilePart(name, (0, None), size) for name, size in files
    )
    weights = [sum(part.n_bytes for part in tile) for tile in tiles]
    assert all(weight <= target for weight in weights)
    # No two consecutive splits would fit into one.
    assert all(one + two[0].n_bytes > target for one, two in zip(weights, tiles[1:], strict=False))
    assert all(part.n_bytes >= target // 2 for tile in tiles for part in tile if not part.is_whole)


def test_a_split_holds_a_thousand_files_at_most():
    tiles = list(tiling.tile(((f"f{i}", 1) for i in range(2500)), 1 << 27))
    assert [len(tile) for tile in tiles] == [1024, 1024, 452]


@st.composite
def datasets(draw):
    """The rows of each file, its options, and the position of damage."""
    files = draw(st.lists(st.integers(0, 300), min_size=1, max_size=6))
    return files, {"codec": draw(st.sampled_from(CODECS)), "sync_interval": draw(st.sampled_from([50, 400, 3000]))}


@cases(0.1)
@given(dataset=datasets(), target=st.integers(1, 6000), data=st.data())
def test_every_row_once_and_in_order(dataset, target, data):
    files, options = dataset
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, n in enumerate(files):
            paths.append(write(Path(folder) / f"{i}.avro", make_rows(n, 1000 * i), **options))
        whole = polars_avro.read_avro(paths)
        size = sum(path.stat().st_size for path in paths)
        splits = polars_avro.plan_splits(paths, target_bytes=max(target, size // 60))
        assert_frame_equal(read_all(splits), whole)
        assert_frame_equal(polars_avro.scan_splits(splits).collect(), whole)
        some = data.draw(st.lists(st.sampled_from(splits), min_size=1, max_size=5))
        expected = read_all(some)
        assert_frame_equal(polars_avro.scan_splits(some).collect(), expected)
        predicate = pl.col("id") % 3 == 1
        assert_frame_equal(
            read_all(splits, columns=["name"], predicate=predicate), whole.filter(predicate).select("name")
        )


@cases(0.1)
@given(dataset=datasets(), target=st.integers(200, 6000), data=st.data())
@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_every_sound_row_once_where_blocks_are_damaged(dataset, target, data):
    files, options = dataset
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, n in enumerate(files):
            path = write(Path(folder) / f"{i}.avro", make_rows(n, 1000 * i), **options)
            content = bytearray(path.read_bytes())
            header = polars_avro.read_avro_metadata(path).header_size
            for _ in range(data.draw(st.integers(0, 3)) if header < len(content) else 0):
                content[data.draw(st.integers(header, len(content) - 1))] ^= data.draw(st.integers(1, 255))
            path.write_bytes(content)
            paths.append(path)
        whole = polars_avro.read_avro(paths, ignore_errors=True)
        splits = polars_avro.plan_splits(paths, target_bytes=target, ignore_errors=True)
        assert_frame_equal(read_all(splits), whole)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Partitions of small files and a large one."""
    root = tmp_path_factory.mktemp("partitions")
    for day, (first, n) in {"2024-01-01": (0, 40), "2024-01-02": (40, 900), "2024-01-03": (940, 60)}.items():
        (root / f"day={day}" / "n=1").mkdir(parents=True)
        write(root / f"day={day}" / "n=1" / "rows.avro", make_rows(n, first), codec="null")
    return root


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_queries_over_ranges(folder, query, engine):
    options = {"include_file_paths": "file"}
    splits = polars_avro.plan_splits(folder, target_bytes=9000, **options)
    # The middle of the large file is missing, so its ranges cannot be joined.
    some = splits[:2] + splits[3:]
    frame = read_all(some)
    found = query(polars_avro.scan_splits(some)).collect(engine=engine)
    assert_frame_equal(found, query(frame.lazy()).collect())
    whole = polars_avro.scan_avro(folder, **options)
    assert_frame_equal(query(polars_avro.scan_splits(splits)).collect(engine=engine), query(whole).collect())


def test_partitions_have_the_dtypes_of_the_whole(tmp_path):
    for value in ("1", "x"):
        (tmp_path / f"k={value}").mkdir()
        write(tmp_path / f"k={value}" / "a.avro", make_rows(50))
    splits = polars_avro.plan_splits(tmp_path, target_bytes=300)
    assert len(splits) > 2
    assert_frame_equal(read_all(splits), polars_avro.read_avro(tmp_path))
    assert splits[0].read().schema["k"] == pl.String


def test_a_filter_on_partitions_leaves_other_files_closed(folder):
    splits = polars_avro.plan_splits(folder, target_bytes=9000)
    lf = polars_avro.scan_splits(splits[:2] + splits[3:]).filter(pl.col("day") == pl.date(2024, 1, 1))
    moved = folder / "day=2024-01-02" / "n=1"
    moved.rename(moved.with_name("gone"))
    try:
        assert lf.collect()["id"].to_list() == list(range(40))
    finally:
        moved.with_name("gone").rename(moved)


def test_files_of_several_schemas_are_read_as_the_plan_says(tmp_path):
    fields = SCHEMA["fields"]
    for i, chosen in enumerate([fields[:1], fields[:2], fields]):
        write(tmp_path / f"{i}.avro", make_rows(100, 100 * i), {**SCHEMA, "fields": chosen})
    union = polars_avro.plan_splits(tmp_path, target_bytes=1500, schema_mode="union")
    whole = polars_avro.read_avro(tmp_path, schema_mode="union")
    assert whole.width == 4
    assert_frame_equal(read_all(union), whole)
    schema = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "double"}]}
    assert_frame_equal(read_all(union, reader_schema=schema), polars_avro.read_avro(tmp_path, reader_schema=schema))
    with pytest.raises(polars_avro.AvroSchemaError, match="name"):
        read_all(polars_avro.plan_splits(tmp_path, target_bytes=1500))


def test_a_plan_reads_a_listing_and_one_header(tmp_path, monkeypatch):
    rows = make_rows(300)
    for i in range(50):
        write(tmp_path / f"{i:02}.avro", rows)
    first, *others = sorted(tmp_path.iterdir())
    header = polars_avro.read_avro_metadata(first).header_size
    # No damage is reported, so the damaged part was not read.
    for path in others:
        path.write_bytes(b"x" * path.stat().st_size)
    content = bytearray(first.read_bytes())
    content[header + 20 :] = b"x" * (len(content) - header - 20)
    first.write_bytes(content)
    splits = polars_avro.plan_splits(tmp_path)
    assert [len(split.parts) for split in splits] == [50]
    assert splits[0].estimated_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert 0.8 < splits[0].estimated_rows / (50 * 300) < 1.25


def test_a_split_is_small_and_the_same_every_time(path):
    splits = polars_avro.plan_splits(path, target_bytes=2000)
    assert len(splits) > 5
    assert polars_avro.plan_splits(path, target_bytes=2000) == splits
    assert max(len(pickle.dumps(split)) for split in splits) < 2000
    again = pickle.loads(pickle.dumps(splits))
    assert again == splits
    assert_frame_equal(read_all(again), polars_avro.read_avro(path))


def test_a_file_of_one_block_is_read_once(tmp_path):
    path = tmp_path / "one.avro"
    frame = pl.DataFrame({"a": range(5000)})
    frame.write_avro(path)
    splits = polars_avro.plan_splits(path, target_bytes=1000)
    heights = [split.read().height for split in splits]
    assert len(heights) > 3
    assert sorted(heights)[-2:] == [0, 5000]


def test_rows_of_compressed_files_are_not_estimated(tmp_path):
    path = write(tmp_path / "rows.avro", make_rows(300))
    (tmp_path / "rows.avro.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    (split,) = polars_avro.plan_splits(tmp_path)
    assert split.estimated_rows is None
    assert split.read().height == 300


def test_files_without_rows(tmp_path):
    splits = polars_avro.plan_splits(write(tmp_path / "none.avro", []), target_bytes=100)
    assert {split.estimated_rows for split in splits} == {None}
    frame = read_all(splits)
    assert frame.schema == COLUMNS
    assert frame.height == 0


def test_a_file_that_has_changed_is_refused(tmp_path):
    path = write(tmp_path / "a.avro", make_rows(500))
    first, *_ = polars_avro.plan_splits(path, target_bytes=2000)
    write(path, make_rows(501))
    with pytest.raises(polars_avro.AvroDataError, match="when its splits were planned") as raised:
        first.read()
    assert raised.value.file == str(path)


def test_damage_in_several_parts_is_one_warning(tmp_path):
    path = write(tmp_path / "a.avro", make_rows(600), codec="null")
    sound = polars_avro.plan_splits(path, target_bytes=2000, ignore_errors=True)
    content = bytearray(path.read_bytes())
    for at in (len(content) // 4, len(content) // 2):
        content[at : at + 40] = b"\xff" * 40
    path.write_bytes(content)
    reported = []
    with pytest.warns(polars_avro.AvroWarning) as warned:
        polars_avro.scan_splits(sound[1:], on_bad_block=reported.append).collect()
    assert len(warned) == 1
    assert len(reported) >= 2
    with pytest.raises(polars_avro.AvroDataError):
        read_all(polars_avro.plan_splits(path, target_bytes=2000))


def test_columns_of_a_split(path):
    split = polars_avro.plan_splits(path)[0]
    assert split.read(columns=[]).shape == (1000, 0)
    assert split.read(columns=[], predicate=pl.col("id") < 10).shape == (10, 0)
    assert split.read(columns=[1, 0]).columns == ["name", "id"]
    assert split.read(columns="id", n_threads=1).columns == ["id"]
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        split.read(columns="other")


def test_what_is_refused(path, directory):
    for target in (0, -1):
        with pytest.raises(ValueError, match="target_bytes"):
            polars_avro.plan_splits(path, target_bytes=target)
    for target in (1.5, "1", None):
        with pytest.raises(TypeError, match="target_bytes"):
            polars_avro.plan_splits(path, target_bytes=target)
    with pytest.raises(TypeError, match="paths"):
        polars_avro.plan_splits(path.read_bytes())
    with pytest.raises(FileNotFoundError):
        polars_avro.plan_splits(path.with_name("none.avro"))
    with pytest.raises(ValueError, match="at least one split"):
        polars_avro.scan_splits([])
    with pytest.raises(TypeError, match="'str'"):
        polars_avro.scan_splits(["x"])
    other = polars_avro.plan_splits(directory, include_file_paths="file")
    with pytest.raises(ValueError, match="different"):
        polars_avro.scan_splits(polars_avro.plan_splits(path) + other)
    with pytest.raises(pl.exceptions.DuplicateError):
        polars_avro.plan_splits(path, include_file_paths="id")


WORKER = """
import io, json, sys
import polars as pl
lf = pl.LazyFrame.deserialize(io.BytesIO(sys.stdin.buffer.read()))
frame = lf.collect(engine=sys.argv[1])
print(json.dumps([frame.height, frame["id"].sum(), frame.columns]))
"""


@pytest.mark.parametrize(
    ("kind", "engine"),
    [("scan", "streaming"), ("splits", "in-memory"), ("ranges", "streaming"), ("ranges", "in-memory")],
)
def test_a_plan_runs_in_a_fresh_process(folder, kind, engine):
    splits = polars_avro.plan_splits(folder, target_bytes=9000)
    lf = {
        "scan": lambda: polars_avro.scan_avro(folder),
        "splits": lambda: polars_avro.scan_splits(splits),
        "ranges": lambda: polars_avro.scan_splits(splits[1:]),
    }[kind]()
    lf = lf.filter(pl.col("day") > pl.date(2024, 1, 1)).select("id", "day")
    found = subprocess.run([sys.executable, "-c", WORKER, engine], input=lf.serialize(), capture_output=True)
    assert found.returncode == 0, found.stderr.decode()
    frame = lf.collect()
    assert json.loads(found.stdout) == [frame.height, frame["id"].sum(), ["id", "day"]]


def test_a_plan_explains_its_ranges(path):
    splits = polars_avro.plan_splits(path, target_bytes=2000)
    assert "rows.avro[" in polars_avro.scan_splits(splits[1:2]).explain()
    assert "rows.avro]" in polars_avro.scan_splits(splits).explain()


def test_ten_thousand_files_are_planned_at_once(tmp_path):
    content = write(tmp_path / "a.avro", make_rows(3)).read_bytes()
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(10_000):
        (folder / f"{i:05}.avro").write_bytes(content)
    splits = polars_avro.plan_splits(folder)
    assert sum(len(split.parts) for split in splits) == 10_000
    assert len(splits) == 10
    assert polars_avro.scan_splits(splits).select(pl.len()).collect().item() == 30_000


def test_fastavro_counts_the_same(tmp_path):
    path = write(tmp_path / "a.avro", make_rows(777))
    with path.open("rb") as file:
        rows = sum(1 for _ in fastavro.reader(file))
    assert sum(split.read().height for split in polars_avro.plan_splits(path, target_bytes=3000)) == rows


def test_fields_of_structs_are_selected_when_splits_are_planned(tmp_path):
    df = pl.DataFrame({"s": [{"a": i, "b": -i} for i in range(1000)], "x": range(1000)})
    for name in "ab":
        polars_avro.write_avro(df, tmp_path / f"{name}.avro")
    splits = polars_avro.plan_splits(tmp_path, columns=["x", "s.b"], target_bytes=2000)
    assert len(splits) > 2
    expected = pl.concat([df, df]).select("x", pl.struct(pl.col("s").struct.field("b")).alias("s"))
    assert_frame_equal(read_all(splits), expected)
    assert_frame_equal(polars_avro.scan_splits(splits).collect(), expected)
    assert_frame_equal(read_all(pickle.loads(pickle.dumps(splits)), columns=["s"]), expected.select("s"))
    filtered = read_all(splits, columns=["s"], predicate=pl.col("x") > 990)
    assert_frame_equal(filtered, expected.filter(pl.col("x") > 990).select("s"))
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        polars_avro.plan_splits(tmp_path, columns=["s.c"])


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_splits_convert_types_as_scans_do(tmp_path):
    schema = {
        "type": "record",
        "name": "Node",
        "fields": [
            {"name": "at", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}},
            {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "next", "type": ["null", "Node"]},
        ],
    }
    leaf = {"at": 2, "id": "none", "next": None}
    write(tmp_path / "a.avro", [{"at": i, "id": "none", "next": leaf} for i in range(1000)], schema)
    options = {"annotations": polars_avro.CDC_TYPES, "recursion_depth": 1, "invalid_values": "text"}
    splits = polars_avro.plan_splits(tmp_path, target_bytes=2000, **options)
    assert len(splits) > 1
    whole = polars_avro.read_avro(tmp_path / "a.avro", **options)
    assert whole.schema["at"] == pl.Datetime("us")
    assert_frame_equal(read_all(pickle.loads(pickle.dumps(splits))), whole)


@pytest.mark.parametrize("columns", [{"a": "boolean"}, {"b": "boolean"}])
def test_a_file_without_rows_fits_every_schema_in_any_place(tmp_path: Path, columns: dict[str, str]) -> None:
    def file(name: str, columns: dict[str, str], *rows: dict[str, Any]) -> Path:
        fields = [{"name": column, "type": kind} for column, kind in columns.items()]
        return write(tmp_path / name, list(rows), {"type": "record", "name": "R", "fields": fields})

    full, empty = file("a.avro", {"a": "int"}, {"a": 1}), file("b.avro", columns)
    splits = polars_avro.plan_splits([full, empty], target_bytes=100)
    assert len(splits) > 1
    assert pl.concat(split.read() for split in splits).to_dicts() == [{"a": 1}]
    for part in (splits, splits[1:]):
        assert polars_avro.scan_splits(part).collect().schema == {"a": pl.Int32}
    reader = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}
    for files in ([full, empty], [empty, full], [empty, full, empty]):
        assert read_avro(files, reader_schema=reader)["a"].to_list() == [1]
        assert read_avro(files, schema={"a": pl.Int32}, extra_columns="ignore")["a"].to_list() == [1]
    with pytest.raises(polars_avro.AvroSchemaError):
        read_avro(empty, reader_schema=reader)


def test_a_compressed_file_of_another_name_is_refused_with_a_reason(tmp_path):
    out = tmp_path / "plain.avro"
    polars_avro.write_avro(pl.DataFrame({"a": range(50_000)}), out, "uncompressed", block_size=1000)
    for name in ("whole.avro", "whole.avro.gz"):
        (tmp_path / name).write_bytes(gzip.compress(out.read_bytes()))
    splits = polars_avro.plan_splits(tmp_path / "whole.avro", target_bytes=20_000)
    assert len(splits) > 1
    with pytest.raises(polars_avro.AvroUnsupportedError, match=r"compressed as a whole.*end its name in \.gz"):
        splits[0].read()
    (split,) = polars_avro.plan_splits(tmp_path / "whole.avro.gz", target_bytes=20_000)
    assert split.read().height == 50_000
