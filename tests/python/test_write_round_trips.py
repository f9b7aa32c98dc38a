"""Round trips of frames of all dtypes."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal

import fastavro
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import column, dataframes, dtypes
from random_cases import cases

import polars_avro
from polars_avro._engine.frames import MANY_BATCHES

CODECS = ["uncompressed", "snappy", "deflate", "zstd", "bzip2", "xz"]


def written(df: pl.DataFrame, **options: object) -> bytes:
    """Write to memory."""
    target = io.BytesIO()
    polars_avro.write_avro(df, target, **options)
    return target.getvalue()


def check(df: pl.DataFrame, **options: object) -> bytes:
    """Write, read back, and compare values and dtypes. fastavro must read as many rows."""
    data = written(df, **options)
    # Frames of many small batches take another code path.
    for batch_size in (None, max(1, df.height // 10)):
        back = polars_avro.read_avro(data, batch_size=batch_size)
        assert back.schema == df.schema
        assert_frame_equal(back, df, check_exact=True)
        assert back.height == df.height
    return data


def _has_zero_width(dtype: object) -> bool:
    if isinstance(dtype, pl.Array) and dtype.size == 0:
        return True
    if isinstance(dtype, pl.Struct):
        return any(_has_zero_width(field.dtype) for field in dtype.fields)
    inner = getattr(dtype, "inner", None)
    return inner is not None and _has_zero_width(inner)


@cases(2)
@given(
    df=dataframes(min_cols=0, max_cols=6, max_size=12, excluded_dtypes=[pl.Object]),
    codec=st.sampled_from(CODECS),
    block_size=st.sampled_from([1, 40, 65_536]),
    n_threads=st.sampled_from([1, 2]),
)
def test_frames_of_every_dtype_come_back(df: pl.DataFrame, codec: str, block_size: int, n_threads: int) -> None:
    assume(not any(_has_zero_width(dtype) for dtype in df.dtypes))
    check(df, compression=codec, block_size=block_size, n_threads=n_threads)


@cases()
@given(
    df=st.lists(dtypes(excluded_dtypes=[pl.Object, pl.Categorical, pl.Enum], nesting_level=3), min_size=1, max_size=3)
    .filter(lambda drawn: not any(_has_zero_width(dtype) for dtype in drawn))
    .flatmap(lambda drawn: dataframes([column(f"c{i}", dtype=dtype) for i, dtype in enumerate(drawn)], max_size=8))
)
def test_deeply_nested_frames_come_back_and_others_read_them(df: pl.DataFrame) -> None:
    data = check(df)
    assert sum(1 for _ in fastavro.block_reader(io.BytesIO(data))) <= 1
    assert polars_avro.read_avro_metadata(data).n_rows == df.height


EVERY_DTYPE = {
    "null": pl.Series([None, None, None], dtype=pl.Null),
    "boolean": pl.Series([True, None, False]),
    "int8": pl.Series([-128, None, 127], dtype=pl.Int8),
    "int16": pl.Series([-(2**15), None, 2**15 - 1], dtype=pl.Int16),
    "int32": pl.Series([-(2**31), None, 2**31 - 1], dtype=pl.Int32),
    "int64": pl.Series([-(2**63), None, 2**63 - 1], dtype=pl.Int64),
    "int128": pl.Series([-(2**127), None, 2**127 - 1], dtype=pl.Int128),
    "uint8": pl.Series([0, None, 255], dtype=pl.UInt8),
    "uint16": pl.Series([0, None, 2**16 - 1], dtype=pl.UInt16),
    "uint32": pl.Series([0, None, 2**32 - 1], dtype=pl.UInt32),
    "uint64": pl.Series([0, None, 2**64 - 1], dtype=pl.UInt64),
    "uint128": pl.Series([0, None, 2**128 - 1], dtype=pl.UInt128),
    "float16": pl.Series([0.5, None, float("-inf")], dtype=pl.Float16),
    "float32": pl.Series([0.1, None, float("nan")], dtype=pl.Float32),
    "float64": pl.Series([0.1, None, -0.0], dtype=pl.Float64),
    "string": pl.Series(["", None, "0123456789ab é and more than thirty-two bytes"]),
    "binary": pl.Series([b"", None, bytes(range(256))]),
    "date": pl.Series([dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]),
    "time": pl.Series([dt.time(0), None, dt.time(23, 59, 59, 999_999)]),
    "fine_time": pl.Series([1, None, 86_399_999_999_999], dtype=pl.Int64).cast(pl.Time),
    "datetime_ms": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Datetime("ms")),
    "datetime_us": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Datetime("us")),
    "datetime_ns": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Datetime("ns")),
    "datetime_utc": pl.Series([0, None, 1], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
    "datetime_zone": pl.Series([0, None, 1], dtype=pl.Int64).cast(pl.Datetime("ms", "Asia/Kathmandu")),
    "duration_ms": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Duration("ms")),
    "duration_us": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Duration("us")),
    "duration_ns": pl.Series([-(2**62), None, 2**62], dtype=pl.Int64).cast(pl.Duration("ns")),
    "decimal": pl.Series([Decimal("-1.25"), None, Decimal("99999999.99")], dtype=pl.Decimal(10, 2)),
    "wide_decimal": pl.Series([Decimal(-(10**37)), None, Decimal(10**38 - 1)], dtype=pl.Decimal(38, 0)),
    "categorical": pl.Series(["a", None, "a"], dtype=pl.Categorical),
    "own_categories": pl.Series(["x", None, "y"], dtype=pl.Categorical(pl.Categories("own", "ns", pl.UInt8))),
    "enum": pl.Series(["a", None, "b"], dtype=pl.Enum(["b", "a", "never"])),
    "enum_of_no_symbols": pl.Series(["a b", None, "1"], dtype=pl.Enum(["", "1", "a b", "a_b"])),
    "list": pl.Series([[1, None], None, []], dtype=pl.List(pl.UInt16)),
    "array": pl.Series([[1, None], None, [3, 4]], dtype=pl.Array(pl.Int8, 2)),
    "matrix": pl.Series([[[1], [2]], None, [[3], None]], dtype=pl.Array(pl.Array(pl.Int64, 1), 2)),
    "struct": pl.Series([{"a": 1, "b c": "x"}, None, {"a": None, "b c": None}]),
    "empty_struct": pl.Series([{}, None, {}], dtype=pl.Struct([])),
    "map": pl.Series([{"a": 1}, None, {}], dtype=pl.Map(pl.String, pl.Int8)),
    "map_of_numbers": pl.Series([{1: ["a"]}, None, {}], dtype=pl.Map(pl.Int32, pl.List(pl.String))),
    "list_of_structs": pl.Series([[{"x": {"y": 1}}, None], None, []]),
    "no avro name": pl.Series([1, 2, 3]),
    "no_avro_name": pl.Series([4, 5, 6]),
    "": pl.Series([7, 8, 9]),
    "int": pl.Series([{"string": {"long": 1}}, None, None]),
}


@pytest.mark.parametrize("codec", CODECS)
def test_every_dtype_comes_back(codec: str) -> None:
    df = pl.DataFrame(EVERY_DTYPE)
    check(df, compression=codec)
    # The range of Python's datetimes is smaller than that of Polars.
    data = written(df.drop(name for name in EVERY_DTYPE if name.startswith("datetime_")), compression=codec)
    records = list(fastavro.reader(io.BytesIO(data), return_record_name=False))
    assert [record["int64"] for record in records] == df["int64"].to_list()
    assert [record["decimal"] for record in records] == df["decimal"].to_list()
    assert [record["uint128"] for record in records] == df["uint128"].to_list()
    assert [record["no_avro_name_2"] for record in records] == [1, 2, 3]
    for name in ("string", "binary", "float64", "boolean", "categorical", "enum", "time", "date", "list", "map"):
        assert [record[name] for record in records] == df[name].to_list(), name


@pytest.mark.parametrize("name", EVERY_DTYPE)
def test_every_dtype_comes_back_from_slices_chunks_and_nothing(name: str) -> None:
    df = pl.DataFrame({"a": EVERY_DTYPE[name]})
    many = pl.concat([df] * 50, rechunk=False)
    for frame in (df.slice(1), df.slice(1, 1), df.head(0), many, many.slice(70, 51), df.filter(pl.lit(value=False))):
        check(frame)
        check(frame.select(pl.struct("a").alias("s"), pl.concat_list(pl.struct("a")).alias("l")))


def test_every_dtype_comes_back_in_many_batches() -> None:
    df = pl.concat([pl.DataFrame(EVERY_DTYPE)] * 50)
    back = polars_avro.read_avro(check(df, block_size=1), batch_size=1)
    assert min(back.drop("null").n_chunks("all")) >= MANY_BATCHES
    assert back.schema == df.schema
    assert_frame_equal(back, df, check_exact=True)


NESTS: dict[str, Callable[[pl.DataType], pl.DataType]] = {
    "lists": pl.List,
    "structs": lambda inner: pl.Struct({"x": inner}),
}


@pytest.mark.parametrize("nest", NESTS)
def test_a_dtype_that_nests_too_deep_is_refused_by_the_name_of_its_column(nest: str) -> None:
    def nested(times: int) -> pl.DataFrame:
        dtype: pl.DataType = pl.Int64()
        for _ in range(times):
            dtype = NESTS[nest](dtype)
        return pl.DataFrame({"flat": [1], "deep": pl.Series([None], dtype=dtype)})

    df, target = nested(62), io.BytesIO()
    assert polars_avro.read_avro(written(df)).equals(df)
    with pytest.raises(polars_avro.AvroUnsupportedError, match=r"field `deep.*nests too deep.*128 levels"):
        polars_avro.write_avro(nested(63), target)
    assert not target.getvalue()


def test_rows_without_columns_are_counted() -> None:
    for height in (0, 1, 3_000_000):
        data = check(pl.DataFrame(height=height))
        assert polars_avro.read_avro_metadata(data).n_rows == height


def test_blocks_are_as_large_as_they_should_be() -> None:
    df = pl.DataFrame({"i": range(200_000), "s": [f"value {i}" for i in range(200_000)]})
    for block_size in (1_000, 16_384, 65_536, 1 << 20):
        data = check(df, compression="null", block_size=block_size)
        blocks = [block.bytes_.getbuffer().nbytes for block in fastavro.block_reader(io.BytesIO(data))]
        assert max(blocks) <= block_size
        assert sum(blocks) / len(blocks) >= 0.75 * block_size


def test_blocks_do_not_depend_on_chunks_or_threads() -> None:
    df = pl.DataFrame({"i": range(300_000), "s": [f"value {i % 977}" for i in range(300_000)]})
    chunked = pl.concat([df.slice(start, 7_919) for start in range(0, df.height, 7_919)], rechunk=False)
    marker = b"0123456789abcdef"
    files = {
        written(frame, sync_marker=marker, n_threads=threads) for frame in (df, chunked) for threads in (1, 2, None)
    }
    assert len(files) == 1
    assert polars_avro.read_avro_metadata(files.pop()).sync_marker == marker


@pytest.mark.skipif(not hasattr(pl, "Extension"), reason="this Polars has no extension types")
@pytest.mark.parametrize("storage", [pl.String, pl.Null, pl.Categorical, pl.Enum(["a", "b", "c"])], ids=str)
@pytest.mark.filterwarnings("ignore:Extension type")
def test_extension_types(storage: pl.DataType) -> None:
    values = [None] * 3 if storage == pl.Null else ["a", "c", None]
    stored = pl.Series("x", values, dtype=storage)
    extension = stored.ext.to(pl.Extension("test.type", storage, None))
    # Polars imports extensions of categories from no Arrow stream, its own included: they come back as their storage.
    back = stored if storage in (pl.Categorical, pl.Enum) else extension
    nested = (pl.col("x"), pl.struct("x").alias("struct"))
    df, expected = extension.to_frame().select(nested), back.to_frame().select(nested)
    for data in (written(df), sunk(df.lazy())):
        read = polars_avro.read_avro(data)
        assert read.schema == expected.schema
        assert read.to_dict(as_series=False) == expected.to_dict(as_series=False)
    datums = df.select(polars_avro.encode(column) for column in df.columns)
    assert_frame_equal(datums, expected.select(polars_avro.encode(column) for column in df.columns))
    given = {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["null", "string"], "default": None}]}
    nullable = df.select(polars_avro.encode("struct", given))
    assert_frame_equal(nullable, expected.select(polars_avro.encode("struct", given)))


def sunk(lf: pl.LazyFrame) -> bytes:
    """Sink to memory."""
    target = io.BytesIO()
    polars_avro.sink_avro(lf, target)
    return target.getvalue()
