"""Files of this package, read by other readers: all values of random frames."""

import io
import math
import os
import subprocess

import avro.datafile
import avro.io
import fastavro
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes
from random_cases import cases

import polars_avro

NUMBERS = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.Float32, pl.Float64]
FLAT = [pl.Boolean, *NUMBERS, pl.String, pl.Binary, pl.Date]


def written(df, **options):
    target = io.BytesIO()
    polars_avro.write_avro(df, target, **options)
    return target.getvalue()


def same(got, expected):
    """Return whether two Python values are equal, including NaN."""
    if isinstance(expected, dict):
        return (
            isinstance(got, dict) and list(got) == list(expected) and all(same(got[k], expected[k]) for k in expected)
        )
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    return type(got) is type(expected) and got == expected


def by_fastavro(data):
    return list(fastavro.reader(io.BytesIO(data)))


def by_apache(data):
    with avro.datafile.DataFileReader(io.BytesIO(data), avro.io.DatumReader()) as reader:
        return list(reader)


@pytest.mark.parametrize("read", [by_fastavro, by_apache])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@cases()
@given(df=dataframes(min_cols=1, max_cols=5, max_size=30, allowed_dtypes=[*FLAT, pl.List, pl.Struct]))
def test_rows_are_those_of_the_frame(read, df):
    rows = read(written(df, compression="deflate", block_size=200))
    expected = df.to_dicts()
    assert len(rows) == len(expected)
    for got, wanted in zip(rows, expected, strict=True):
        assert same(got, wanted), (got, wanted)


@cases()
@given(df=dataframes(min_cols=1, max_cols=5, min_size=1, max_size=30, allowed_dtypes=FLAT))
def test_polars_own_reader_gives_the_frame(df):
    back = pl.read_avro(io.BytesIO(written(df, compression="snappy", block_size=200)))
    assert back.columns == df.columns
    assert_frame_equal(back.cast(dict(df.schema)), df, check_exact=True)


RIVAL = os.environ.get("POLARS_AVRO_RIVAL")
PROGRAM = """
import sys
import polars_avro
for number in range(int(sys.argv[2])):
    frame = polars_avro.read_avro(f"{sys.argv[1]}/{number}.avro")
    frame.write_ipc(f"{sys.argv[1]}/{number}.arrow")
"""


@pytest.mark.skipif(RIVAL is None, reason="POLARS_AVRO_RIVAL is not the interpreter of an environment with polars-avro")
def test_polars_avro_gives_the_frame(tmp_path):
    frames = []

    @cases()
    @given(df=dataframes(min_cols=1, max_cols=5, min_size=1, max_size=30, allowed_dtypes=[*FLAT, pl.List]))
    def make(df):
        (tmp_path / f"{len(frames)}.avro").write_bytes(written(df, compression="snappy", block_size=200))
        frames.append(df)

    make()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(RIVAL), "-c", PROGRAM, str(tmp_path), str(len(frames))]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path, timeout=120)
    for number, df in enumerate(frames):
        back = pl.read_ipc(tmp_path / f"{number}.arrow")
        assert back.columns == df.columns
        assert_frame_equal(back.cast(dict(df.schema)), df, check_exact=True)
