"""Files of Polars' own writer, which have an unnamed root record and a single block."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pl.DataFrame(
    {
        "id": range(1000),
        "text": [None if i % 7 == 0 else "é" * (i % 40) for i in range(1000)],
        "flag": [i % 3 == 0 for i in range(1000)],
        "half": [i / 2 for i in range(1000)],
        "record": [{"x": i, "inner": {"y": str(i)}} for i in range(1000)],
        "list": [[i] * (i % 4) for i in range(1000)],
    }
)


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "deflate"])
def test_what_polars_writes_is_read_back(compression: str) -> None:
    file = BytesIO()
    FRAME.write_avro(file, compression=compression)
    assert_frame_equal(polars_avro.read_avro(file.getvalue()), FRAME)


@pytest.mark.parametrize("compression", ["uncompressed", "snappy"])
def test_one_large_block_is_read_in_order(tmp_path: Path, compression: str) -> None:
    # Polars writes one block per chunk.
    large = pl.concat([FRAME] * 100).with_columns(id=pl.int_range(100_000, dtype=pl.Int64)).rechunk()
    large.write_avro(tmp_path / "one.avro", compression=compression)
    for engine in ("in-memory", "streaming"):
        assert_frame_equal(polars_avro.scan_avro(tmp_path / "one.avro").collect(engine=engine), large)
    lf = polars_avro.scan_avro(tmp_path / "one.avro")
    assert_frame_equal(lf.slice(60_000, 30_000).collect(), large.slice(60_000, 30_000))
    assert_frame_equal(lf.tail(7).collect(), large.tail(7))


def test_columns_and_records_without_a_name_are_read() -> None:
    file = BytesIO()
    pl.DataFrame({"": [1, 2], "b": ["x", None]}).write_avro(file, name="")
    assert polars_avro.read_avro(file.getvalue()).to_dict(as_series=False) == {"": [1, 2], "b": ["x", None]}
