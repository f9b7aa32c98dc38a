"""Appending rows to a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from test_write_faces import DF, MARKER

import polars_avro
from polars_avro import AvroWriter, read_avro, sink_avro, write_avro


def test_two_writers_that_append(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(DF, path)
    first, second = (AvroWriter(path, append=True) for _ in range(2))
    first.write(DF)
    second.write(DF.reverse())
    first.close()
    with pytest.raises(OSError, match=r"a\.avro: another writer has changed the file"):
        second.close()
    assert_frame_equal(read_avro(path), pl.concat([DF, DF]))


def test_rows_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    for _ in range(3):
        write_avro(DF, path, append=True)
    assert_frame_equal(read_avro(path), pl.concat([DF] * 3))
    sink_avro(DF.lazy(), path, append=True)
    with AvroWriter(path, append=True) as writer:
        writer.write(DF)
    assert read_avro(path).height == 15
    before = path.read_bytes()
    for df, options, error, match in (
        (DF, {"compression": "deflate"}, ValueError, "codec"),
        (DF.drop("a"), {}, polars_avro.AvroSchemaError, None),
        (DF.with_columns(a=pl.lit("x")), {}, polars_avro.AvroSchemaError, None),
        (DF, {"metadata": {"k": "v"}}, ValueError, "metadata"),
        (DF, {"sync_marker": MARKER}, ValueError, "sync_marker"),
    ):
        with pytest.raises(error, match=match):
            write_avro(df, path, append=True, **options)
        assert path.read_bytes() == before
    path.write_bytes(before[:-5])
    with pytest.raises(polars_avro.AvroDataError):
        write_avro(DF, path, append=True)
    with pytest.raises(ValueError, match="append"):
        write_avro(DF, io.BytesIO(), append=True)


def test_a_failed_append_is_cut_back(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    df = pl.DataFrame({"i": range(400_000)})
    write_avro(df, path, compression="null")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), AvroWriter(path, append=True, compression="null") as writer:  # noqa: PT012
        for _ in range(10):
            writer.write(df)
        assert path.stat().st_size > len(before)
        1 / 0  # noqa: B018
    assert path.read_bytes() == before


@pytest.mark.parametrize("options", [{}, {"schema": {"a": pl.Int64}}])
def test_a_writer_without_frames_leaves_the_file(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "x.avro"
    polars_avro.write_avro(pl.DataFrame({"a": [1]}), path)
    whole = path.read_bytes()
    polars_avro.AvroWriter(path, append=True, **options).close()
    with polars_avro.AvroWriter(path, append=True, **options):
        pass
    assert path.read_bytes() == whole
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.avro"]
