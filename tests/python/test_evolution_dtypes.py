"""Columns whose dtypes differ between files: values are read exactly or refused."""

import datetime as dt
import io
from decimal import Decimal
from functools import lru_cache

import polars as pl
import pytest
from grids import grid

import polars_avro

# A dtype, and values that reveal a wrong interpretation.
DTYPES = {
    "Int8": (pl.Int8, [-128, 127]),
    "Int16": (pl.Int16, [-(2**15), 2**15 - 1]),
    "Int32": (pl.Int32, [-(2**31), 2**31 - 1]),
    "Int64": (pl.Int64, [-(2**63), 2**63 - 1]),
    "Int128": (pl.Int128, [-(2**100), 2**100]),
    "UInt8": (pl.UInt8, [0, 255]),
    "UInt16": (pl.UInt16, [0, 2**16 - 1]),
    "UInt32": (pl.UInt32, [0, 2**32 - 1]),
    "UInt64": (pl.UInt64, [0, 2**64 - 1]),
    "UInt128": (pl.UInt128, [0, 2**120]),
    "Float16": (pl.Float16, [0.5, -2.0]),
    "Float32": (pl.Float32, [0.25, 2.0**100]),
    "Float64": (pl.Float64, [0.125, 2.0**200]),
    "Decimal": (pl.Decimal(20, 0), [Decimal(7), Decimal(-(10**19))]),
    "Decimal 2": (pl.Decimal(10, 2), [Decimal("1.25"), Decimal("-99999999.99")]),
    "String": (pl.String, ["a b", "a_b"]),
    "Binary": (pl.Binary, [b"a b", b"\x00"]),
    "Categorical": (pl.Categorical(), ["a b", "a-b"]),
    "Enum": (pl.Enum(["a b", "a-b"]), ["a b", "a-b"]),
    "Enum, reverse": (pl.Enum(["a-b", "a b"]), ["a b", "a-b"]),
    "Enum, one": (pl.Enum(["a-b"]), ["a-b"]),
    "Enum of symbols": (pl.Enum(["a_b", "c"]), ["c", "a_b"]),
    "Date": (pl.Date, [dt.date(2024, 1, 2), dt.date(1969, 1, 1)]),
    "Time": (pl.Time, [dt.time(1, 2, 3, 4), dt.time(0, 0, 0, 1)]),
    "Datetime ms": (pl.Datetime("ms"), [dt.datetime(2024, 1, 2, 3, 4, 5, 6000)]),
    "Datetime us": (pl.Datetime("us"), [dt.datetime(2024, 1, 2, 3, 4, 5, 7)]),
    "Datetime ns": (pl.Datetime("ns"), [dt.datetime(2024, 1, 2, 3, 4, 5, 8)]),
    "Duration ms": (pl.Duration("ms"), [dt.timedelta(seconds=1), dt.timedelta(milliseconds=-1)]),
    "Duration us": (pl.Duration("us"), [dt.timedelta(seconds=1), dt.timedelta(microseconds=1)]),
    "Duration ns": (pl.Duration("ns"), [dt.timedelta(seconds=1), dt.timedelta(microseconds=1)]),
    "Boolean": (pl.Boolean, [True, False]),
    "Array": (pl.Array(pl.Int64, 2), [[1, 2], [3, 4]]),
    "Array of 3": (pl.Array(pl.Int64, 3), [[1, 2, 3]]),
    "List": (pl.List(pl.Int64), [[1], []]),
}
#: A time with nanoseconds, which Python cannot represent.
NANOSECONDS = pl.Series([1_001], dtype=pl.Int64).cast(pl.Time)

HOLDERS = {
    "plain": lambda column: column,
    "nullable": lambda column: column.extend_constant(None, 1),
    "in a struct": lambda column: pl.DataFrame({"s": column}).to_struct("v"),
    "in a list": lambda column: column.implode(),
}
OPTIONS = {
    "as the first": {},
    "union": {"schema_mode": "union"},
    "casts": {
        "cast_options": pl.ScanCastOptions(
            integer_cast="allow-float",
            datetime_cast=["nanosecond-downcast", "microsecond-downcast"],
            categorical_to_string="allow",
        )
    },
}


def values(column):
    """The values of a column, independent of its dtype, with times in nanoseconds."""
    if column.dtype == pl.Time:
        return column.cast(pl.Int64).to_list()
    if isinstance(column.dtype, pl.Struct):
        return [value and value["s"] for value in column.to_list()]
    return column.to_list()


def is_as_written(found, written, options):
    if isinstance(found, list) and isinstance(written, list) and len(found) == len(written):
        return all(is_as_written(*pair, options) for pair in zip(found, written, strict=True))
    if isinstance(written, str) and isinstance(found, bytes):
        written = written.encode()
    # Floats and coarser units are rounded, if an option or the union allows them.
    if options != "as the first" and isinstance(found, float) and isinstance(written, int):
        return found == pytest.approx(float(written), rel=1e-6)
    if options == "casts" and isinstance(written, dt.datetime):
        return found in (written, written.replace(microsecond=written.microsecond // 1000 * 1000))
    if options == "casts" and isinstance(written, dt.timedelta):
        millisecond = dt.timedelta(milliseconds=1)
        return found in (written, written // millisecond * millisecond)
    return found == written


@lru_cache
def written(holder, key):
    """A file with a column of this dtype, and its values."""
    dtype, rows = DTYPES[key]
    column = HOLDERS[holder](pl.Series("v", rows, dtype=dtype))
    file = io.BytesIO()
    polars_avro.write_avro(pl.DataFrame({"v": column}), file)
    return file.getvalue(), values(column)


@pytest.mark.parametrize(("first", "holder", "options"), grid(DTYPES, HOLDERS, OPTIONS))
def test_no_value_becomes_another(first, holder, options):
    one, mine = written(holder, first)
    n_read = 0
    for second in DTYPES:
        other, theirs = written(holder, second)
        try:
            found = values(polars_avro.read_avro([one, other], **OPTIONS[options])["v"])
        except (polars_avro.AvroSchemaError, polars_avro.AvroDataError):
            continue
        assert is_as_written(found, [*mine, *theirs], options), (first, second, found)
        n_read += 1
    assert n_read >= 1


def both(tmp_path, one, other, **options):
    polars_avro.write_avro(one, tmp_path / "1.avro")
    polars_avro.write_avro(other, tmp_path / "2.avro")
    return polars_avro.scan_avro([tmp_path / "1.avro", tmp_path / "2.avro"], **options)


def test_columns_are_found_by_names_that_avro_does_not_allow(tmp_path):
    one, other = {"名前": ["Aiko"], "住所": ["Kyoto"]}, {"住所": ["Osaka"], "名前": ["Ken"]}
    expected = [("Aiko", "Kyoto"), ("Ken", "Osaka")]
    for options in ({}, {"schema_mode": "union"}):
        lf = both(tmp_path, pl.DataFrame(one), pl.DataFrame(other), **options)
        assert lf.collect().rows() == expected
        assert lf.collect_schema().names() == ["名前", "住所"]
        assert lf.filter(pl.col("名前") == "Ken").collect().rows() == expected[1:]
        nested = [pl.DataFrame({"s": [{key: value[0] for key, value in frame.items()}]}) for frame in (one, other)]
        rows = both(tmp_path, *nested, **options).collect().unnest("s").rows()
        assert rows == expected


def test_names_that_are_written_alike_are_not_the_same_column(tmp_path):
    one, other = pl.DataFrame({"a b": [1]}), pl.DataFrame({"a_b": [2]})
    with pytest.raises(polars_avro.AvroSchemaError, match="`a_b`"):
        both(tmp_path, one, other).collect()
    # Files of this package have null as the default.
    assert both(tmp_path, one, other, extra_columns="ignore").collect().rows() == [(1,), (None,)]
    united = both(tmp_path, one, other, schema_mode="union").collect()
    assert united.to_dict(as_series=False) == {"a b": [1, None], "a_b": [None, 2]}
    two = pl.DataFrame({"a b": [1], "a-b": [2]})
    rows = both(tmp_path, two, pl.DataFrame({"a-b": [3]}), missing_columns="insert").collect().rows()
    assert rows == [(1, 2), (None, 3)]


def test_a_reader_schema_finds_columns_and_categories_as_they_were_named(tmp_path):
    dtype, other = pl.Enum(["é", "ü"]), pl.Enum(["ü", "é"])
    df = pl.DataFrame({"名前": ["Ken"], "住所": ["Osaka"], "e": pl.Series(["ü"], dtype=dtype)})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    schema = df.select(pl.col("e").cast(other), "住所", "名前").avro.schema()
    assert polars_avro.read_avro(tmp_path / "a.avro", reader_schema=schema).rows() == [("ü", "Osaka", "Ken")]


def test_durations_of_other_units_are_an_error_or_scaled(tmp_path):
    def duration(unit):
        return pl.DataFrame({"d": pl.Series([1000], dtype=pl.Int64).cast(pl.Duration(unit))})

    with pytest.raises(polars_avro.AvroSchemaError, match=r"Duration\('ns'\).*Duration\('ms'\)"):
        both(tmp_path, duration("ms"), duration("ns")).collect()
    united = both(tmp_path, duration("ms"), duration("ns"), schema_mode="union").collect()["d"]
    assert united.dtype == pl.Duration("ns")
    assert united.to_list() == [dt.timedelta(seconds=1), dt.timedelta(microseconds=1)]
    with pytest.raises(polars_avro.AvroError, match="Duration"):
        polars_avro.read_avro(tmp_path / "1.avro", reader_schema=duration("us").avro.schema())


def test_times_of_day_of_any_precision_are_one_column(tmp_path):
    fine, coarse = pl.DataFrame({"t": NANOSECONDS}), pl.DataFrame({"t": [dt.time(1, 2, 3)]})
    for one, other in ((fine, coarse), (coarse, fine)):
        for options in ({}, {"schema_mode": "union"}, {"reader_schema": one.avro.schema()}):
            found = both(tmp_path, one, other, **options).collect()
            assert found.equals(pl.concat([one, other]))
            assert found.schema == one.schema


@pytest.mark.parametrize("one", [name for name in DTYPES if "nt" in name.split()[0] and name[0] in "IU"])
def test_whole_numbers_unite_as_in_polars(tmp_path, one):
    wide = {pl.UInt64, pl.UInt128, pl.Int128}
    for other in (name for name in DTYPES if name.startswith(("Int", "UInt"))):
        dtypes = DTYPES[one][0], DTYPES[other][0]
        frames = [pl.DataFrame({"v": [1]}, schema={"v": dtype}) for dtype in dtypes]
        n_wide = len([dtype for dtype in dtypes if dtype in wide])
        if n_wide == 1 or set(dtypes) == {pl.UInt128, pl.Int128}:
            with pytest.raises(polars_avro.AvroSchemaError, match="no type holds both"):
                both(tmp_path, *frames, schema_mode="union")
        else:
            lf = both(tmp_path, *frames, schema_mode="union")
            expected = pl.concat(frames, how="diagonal_relaxed")
            assert lf.collect().equals(expected)
            assert lf.collect_schema() == expected.schema
