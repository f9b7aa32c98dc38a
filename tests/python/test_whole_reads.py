"""Whole reads on several threads: rows, batches and reports of damage."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from polars_avro import AvroError, read_avro, scan_avro, write_avro

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYNC = bytes(range(100, 116))


def rows(n: int, seed: int, *, markers: bool) -> pl.DataFrame:
    chosen = random.Random(seed)
    texts = [None if chosen.random() < 0.1 else chosen.randbytes(chosen.randrange(40)).hex() for _ in range(n)]
    blobs = [chosen.randbytes(chosen.randrange(240)) + (SYNC if markers else b"") for _ in range(n)]
    lists = [[f"item {i}" for i in range(chosen.randrange(4))] or None for _ in range(n)]
    return pl.DataFrame(
        {
            "id": range(n),
            "text": texts,
            "blob": blobs,
            "list": lists,
            "nested": [{"a": i % 7, "b": [i % 3 == 0] * (i % 4)} for i in range(n)],
            "kind": pl.Series([f"kind {i % 5}" for i in range(n)], dtype=pl.Enum([f"kind {i}" for i in range(5)])),
            "map": pl.Series(
                [{f"key {i % 9}": float(i)} if i % 6 else None for i in range(n)],
                dtype=pl.Struct({f"key {i}": pl.Float64 for i in range(9)}),
            ),
        }
    )


@pytest.fixture(scope="module", params=["uncompressed", "snappy"])
def codec(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "markers"])
def files(request: pytest.FixtureRequest, codec: str, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("whole") / "rows.avro"
    df = rows(20_000, 1, markers=request.param)
    write_avro(df, path, compression=codec, block_size=9_000, sync_marker=SYNC)
    assert path.stat().st_size > 3 << 20
    return path, df


@pytest.mark.parametrize("n_threads", [None, 1, 2])
def test_all_rows_come_in_order(files, n_threads):
    path, df = files
    assert_frame_equal(read_avro(path, n_threads=n_threads), df)
    assert_frame_equal(scan_avro(path, n_threads=n_threads).collect(), df)
    assert_frame_equal(read_avro(path.read_bytes(), n_threads=n_threads), df)
    with path.open("rb") as file:
        assert_frame_equal(read_avro(file, n_threads=n_threads), df)


@pytest.mark.parametrize("batch_size", [50, 1_000, 15_000, 1_000_000])
def test_the_result_has_few_chunks(files, batch_size):
    path, df = files
    found = read_avro(path, batch_size=batch_size, n_threads=2)
    assert_frame_equal(found, df)
    heights = [len(chunk) for chunk in found["id"].get_chunks()]
    # A batch may be a quarter longer.
    assert max(heights) <= batch_size * 5 // 4
    if batch_size > 1_000:
        assert len(heights) < 30
    assert read_avro(path, rechunk=True).n_chunks() == 1


def test_other_arguments_hold(files):
    path, df = files
    assert_frame_equal(read_avro(path, columns=["kind", "id"]), df.select("kind", "id"))
    assert read_avro(path, columns=[]).shape == (len(df), 0)
    assert_frame_equal(read_avro(path, columns=["nested.b", "id"])[["id"]], df[["id"]])
    assert_frame_equal(read_avro(path, n_rows=15_001), df.head(15_001))
    assert_frame_equal(read_avro(path, row_index_name="row"), df.with_row_index("row"))
    assert_frame_equal(read_avro(path, ignore_errors=True), df)
    size = path.stat().st_size
    parts = [(0, size // 5), (size // 5, size // 2), (size // 2, None)]
    assert_frame_equal(pl.concat(read_avro(path, byte_range=part) for part in parts), df)


def outcome(read: Callable[[], pl.DataFrame]) -> pl.DataFrame | tuple[object, ...]:
    """The result, or the error."""
    try:
        return read()
    except AvroError as error:
        return type(error), str(error), error.block_index, error.offset


@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
@pytest.mark.parametrize("seed", range(8))
def test_damage_is_told_as_by_a_scan(files, tmp_path, seed):
    chosen = random.Random(seed)
    damaged = bytearray(files[0].read_bytes())
    for _ in range(chosen.randrange(1, 4)):
        match chosen.randrange(3):
            case 0:
                damaged[chosen.randrange(5_000, len(damaged))] ^= 1 << chosen.randrange(8)
            case 1:
                at = chosen.randrange(5_000, len(damaged))
                del damaged[at : at + chosen.randrange(1, 30_000)]
            case _:
                del damaged[-chosen.randrange(1, 50_000) :]
    (bad := tmp_path / "bad.avro").write_bytes(damaged)
    found, expected = outcome(lambda: read_avro(bad)), outcome(lambda: scan_avro(bad).collect())
    if isinstance(found, pl.DataFrame):
        # The damaged bit may yield another valid value.
        assert_frame_equal(found, expected)
    else:
        assert found == expected
    lost: list[str] = []
    found = read_avro(bad, ignore_errors=True, on_bad_block=lambda block: lost.append(block.message))
    also_lost: list[str] = []
    scanned = scan_avro(bad, ignore_errors=True, on_bad_block=lambda block: also_lost.append(block.message)).collect()
    assert_frame_equal(found, scanned)
    assert lost == also_lost


SELECTIONS: list[dict[str, Any]] = [
    {"columns": ["v"], "include_file_paths": "p"},
    {"columns": ["p"], "include_file_paths": "p"},
    {"columns": ["p", "v"], "include_file_paths": "p"},
    {"columns": [1], "include_file_paths": "p"},
    {"columns": [0, 3], "include_file_paths": "p"},
    {"columns": ["v"], "row_index_name": "i"},
    {"columns": ["k", "v"]},
    {"columns": ["v", "p", "k"], "include_file_paths": "p", "row_index_name": "i", "n_rows": 3},
]


@pytest.mark.parametrize("options", SELECTIONS, ids=str)
def test_columns_are_selected_as_by_read_parquet(options: dict[str, Any], tmp_path: Path) -> None:
    for k in (1, 2):
        df = pl.DataFrame({"v": [k, k + 1], "w": [3, 4]})
        for kind, write in (("avro", write_avro), ("parquet", pl.DataFrame.write_parquet)):
            (tmp_path / kind / f"k={k}").mkdir(parents=True)
            write(df, tmp_path / kind / f"k={k}" / f"a.{kind}")
    expected = pl.read_parquet(tmp_path / "parquet", **options)
    if "include_file_paths" in options and "p" not in expected.columns:
        # `read_parquet` leaves out the column that was asked for, and keeps the row index.
        paths = pl.read_parquet(tmp_path / "parquet", **{**options, "columns": [*options["columns"], "v", "p"][-2:]})
        expected = expected.with_columns(paths["p"])
    if "p" in expected.columns:
        expected = expected.with_columns(pl.col("p").str.replace_all("parquet", "avro"))
    for df in (read_avro(tmp_path / "avro", **options), scan_avro(tmp_path / "avro", **options).collect()):
        assert_frame_equal(df, expected)
