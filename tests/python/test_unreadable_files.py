"""Files that cannot be opened, in a scan of many."""

from __future__ import annotations

import warnings
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from servers import Server

import polars_avro as pa


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame({"a": [1, 2, 3]})


@pytest.fixture
def directory(tmp_path: Path, frame: pl.DataFrame) -> Path:
    pa.write_avro(frame, tmp_path / "b.avro")
    pa.write_avro(frame, tmp_path / "d.avro")
    whole = (tmp_path / "b.avro").read_bytes()
    (tmp_path / "a.avro").write_bytes(b"")
    (tmp_path / "c.avro").write_bytes(whole[:40])
    (tmp_path / "e.avro").write_bytes(b"PAR1" + whole)
    (tmp_path / "f.avro").write_bytes(whole.replace(b'"long"', b'"lonk"'))
    return tmp_path


@pytest.mark.parametrize("read", [pa.read_avro, lambda *args, **options: pa.scan_avro(*args, **options).collect()])
def test_files_that_cannot_be_opened_are_left_out_and_reported(read, directory: Path, frame: pl.DataFrame) -> None:
    reports: list[pa.BadBlock] = []
    paths = sorted(directory.iterdir())
    with pytest.warns(pa.AvroWarning, match=r"4 files were left out of 6; the first: .*a\.avro"):
        df = read(paths, skip_unreadable_files=True, on_bad_block=reports.append, include_file_paths="path")
    assert_frame_equal(df.drop("path"), pl.concat([frame, frame]))
    assert df["path"].unique(maintain_order=True).to_list() == [str(directory / f"{name}.avro") for name in "bd"]
    assert [Path(report.file).name for report in reports] == ["a.avro", "c.avro", "e.avro", "f.avro"]
    assert {(report.kind, report.rows_lost) for report in reports} == {("file", None)}


def test_without_the_option_the_first_is_an_error(directory: Path) -> None:
    with pytest.raises(pa.AvroDataError, match=r"a\.avro"):
        pa.read_avro(sorted(directory.iterdir()))


@pytest.mark.parametrize("mode", ["first", "union"])
def test_sound_files_are_read_without_a_warning(directory: Path, frame: pl.DataFrame, mode) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lf = pa.scan_avro([directory / "b.avro", directory / "d.avro"], skip_unreadable_files=True, schema_mode=mode)
        assert_frame_equal(lf.collect(), pl.concat([frame, frame]))


def test_one_readable_file_is_needed(directory: Path) -> None:
    with pytest.raises(pa.AvroDataError, match=r"a\.avro"):
        pa.scan_avro([directory / "a.avro", directory / "c.avro"], skip_unreadable_files=True)
    with pytest.raises(pa.AvroDataError, match="Avro"):
        pa.read_avro(b"nothing", skip_unreadable_files=True)


def test_files_that_do_not_exist_are_errors(directory: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pa.scan_avro([directory / "b.avro", directory / "x.avro"], skip_unreadable_files=True)


def test_damaged_blocks_are_no_matter_of_the_option(directory: Path) -> None:
    whole = (directory / "b.avro").read_bytes()
    (directory / "cut.avro").write_bytes(whole[:-3])
    with pytest.raises(pa.AvroDataError, match=r"cut\.avro"):
        pa.read_avro([directory / "cut.avro", directory / "b.avro"], skip_unreadable_files=True)


def test_files_of_a_server(server: Server, directory: Path, frame: pl.DataFrame) -> None:
    urls = [server.put(f"/{name}.avro", (directory / f"{name}.avro").read_bytes()) for name in "abcd"]
    with pytest.warns(pa.AvroWarning, match="2 files were left out of 4"):
        df = pa.scan_avro(urls, skip_unreadable_files=True).collect()
    assert_frame_equal(df, pl.concat([frame, frame]))
    with pytest.raises(FileNotFoundError):
        pa.scan_avro([*urls, urls[0] + "x"], skip_unreadable_files=True)
