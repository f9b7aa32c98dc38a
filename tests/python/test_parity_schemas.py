"""Parity with `scan_parquet`: files whose schemas differ, and the option `schema`."""

import itertools

import polars as pl
import pytest
from grids import ENGINES, grid
from parity import DTYPES, LOCATIONS, QUERIES, check
from polars.testing import assert_frame_equal

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


def identify(value):
    """A name of a parameter: the addresses of objects differ between processes."""
    return ", ".join(value) or "none" if isinstance(value, dict) else str(value)


EVOLUTION = [
    {},
    {"missing_columns": "insert"},
    {"extra_columns": "ignore"},
    {"missing_columns": "insert", "extra_columns": "ignore"},
    {"cast_options": pl.ScanCastOptions(missing_struct_fields="insert")},
]


@pytest.mark.parametrize(
    ("location", "folder", "options", "query", "engine"),
    grid(LOCATIONS, ["more", "fewer", "other", "order"], EVOLUTION, ["all", "slice", "filter"], ENGINES),
    indirect=["location"],
    ids=identify,
)
def test_files_that_differ(location, folder, options, query, engine):
    check(location, f"{folder}/*.EXT", options, QUERIES[query], engine)


SCHEMAS = [
    DTYPES,
    dict(reversed(DTYPES.items())),
    {**DTYPES, "new": pl.List(pl.Int128)},
    {name: DTYPES[name] for name in ("s", "l", "i")},
    {**DTYPES, "i": pl.Int64},
    {**DTYPES, "s": pl.Binary},
    {**DTYPES, "x": pl.Float32},
    {},
]


@pytest.mark.parametrize(
    ("location", "schema", "options", "source", "engine"),
    grid(LOCATIONS, SCHEMAS, EVOLUTION[:4], [["flat/a"], "flat", "more", "fewer"], ENGINES),
    indirect=["location"],
    ids=identify,
)
def test_a_schema_of_dtypes(location, schema, options, source, engine):
    check(location, source, {"schema": schema, **options}, QUERIES["all"], engine)


OTHER_DTYPES = {
    "i": [pl.Int64, pl.Int16, pl.Float64, pl.String],
    "f": [pl.Float64, pl.Int64],
    "d": [pl.Float32],
    "t": [pl.Datetime("ns"), pl.Datetime("ms")],
    "s": [pl.Struct(dict.fromkeys(names, pl.Int64)) for names in ("a", "abc", "ba")]
    + [pl.Struct({"a": pl.Float64, "b": pl.Int64})],
    "l": [pl.List(pl.Int64), pl.List(pl.Float64)],
}
CASTS = [
    {"integer_cast": "upcast"},
    {"integer_cast": ["upcast", "allow-float"]},
    {"float_cast": ["upcast"]},
    {"float_cast": ["upcast", "downcast"]},
    {"datetime_cast": ["downcast", "upcast"]},
    {"extra_struct_fields": "ignore"},
    {"missing_struct_fields": "insert"},
]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """Columns with and without nulls, in two files of which the second has more columns."""
    folder = tmp_path_factory.mktemp("narrow")
    dtypes = {"i": pl.Int32, "f": pl.Float32, "d": pl.Float64, "t": pl.Datetime("us"), "l": pl.List(pl.Int32)}
    frame = pl.DataFrame(
        {"i": [1, None], "f": [1.5, 2.5], "d": [1.5, None], "t": [1, 2], "l": [[1], None]}, schema=dtypes
    ).with_columns(s=pl.struct(a=pl.lit(1, pl.Int64), b=pl.lit(2, pl.Int64)))
    for name, df in (("a", frame), ("b", frame.with_columns(pl.col("i").cast(pl.Int64)))):
        df.write_parquet(folder / f"{name}.parquet")
        polars_avro.write_avro(df, folder / f"{name}.avro")
    return folder, frame.schema


@pytest.mark.parametrize(
    ("files", "column", "casts"),
    grid(["a", "ab"], [(name, dtype) for name in OTHER_DTYPES for dtype in OTHER_DTYPES[name]], CASTS),
    ids=str,
)
def test_a_schema_of_other_dtypes_is_cast_to(narrow, files, column, casts):
    folder, dtypes = narrow
    column, dtype = column
    results = []
    for kind, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
        paths = [folder / f"{name}.{kind}" for name in files]
        try:
            lf = scan(paths, schema={**dtypes, column: dtype}, cast_options=pl.ScanCastOptions(**casts))
            results.append(lf.collect())
        except pl.exceptions.SchemaError:
            results.append("refused")
    expected, got = results
    assert isinstance(expected, str) == isinstance(got, str), (expected, got)
    if not isinstance(expected, str):
        assert_frame_equal(got, expected)


def test_a_missing_column_of_a_schema_can_be_filtered(location, engine):
    options = {"schema": {**DTYPES, "new": pl.Int128}, "missing_columns": "insert"}
    for query in (
        lambda lf: lf.filter(pl.col("new").is_null(), pl.col("i") > 0).head(9),
        lambda lf: lf.filter(pl.col("new") == 1),
        lambda lf: lf.select("new").tail(3),
        lambda lf: lf.select(pl.col("new").null_count(), pl.len()),
    ):
        check(location, "flat", options, query, engine)


#: Frames of one column, by the kinds of dtypes that might be read as one another.
KINDS = {
    "numbers": [(dtype, [1]) for dtype in (pl.Int8, pl.UInt8, pl.Int16, pl.Int32, pl.Int64, pl.Float32, pl.Float64)],
    "decimals": [(pl.Decimal(*digits), [1]) for digits in ((8, 2), (10, 2), (8, 3))] + [(pl.Int64, [1])],
    "texts": [(pl.Enum(list(texts)), ["a"]) for texts in ("ab", "abc", "ba")]
    + [(pl.Categorical, ["a"]), (pl.String, ["a"])],
    "zones": [(pl.Datetime("us", zone), [0]) for zone in ("UTC", "America/New_York")] + [(pl.Date, [0])],
    "lists": [(pl.List(pl.Int64), [[1, 2]]), (pl.List(pl.Int32), [[1, 2]]), (pl.Array(pl.Int64, 2), [[1, 2]])],
    "structs": [
        (pl.Struct({"a": pl.Int64}), [{"a": 1}]),
        (pl.Struct({"a": pl.Int32}), [{"a": 1}]),
        (pl.Struct({"a": pl.Int64, "b": pl.Int64}), [{"a": 1, "b": 2}]),
        (pl.Struct({"b": pl.Int64, "a": pl.Int64}), [{"a": 1, "b": 2}]),
    ],
}


@pytest.mark.parametrize("casts", [None, *CASTS[:3], CASTS[-1]], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_decides_in_every_order(kind, casts, tmp_path):
    frames = [pl.DataFrame({"x": values}, schema={"x": dtype}, strict=False) for dtype, values in KINDS[kind]]
    for at, df in enumerate(frames):
        df.write_parquet(tmp_path / f"{at}.parquet")
        polars_avro.write_avro(df, tmp_path / f"{at}.avro")
    options = {} if casts is None else {"cast_options": pl.ScanCastOptions(**casts)}
    for first, second in itertools.permutations(range(len(frames)), 2):
        for wanted in (first, second):
            results = []
            for extension, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
                paths = [tmp_path / f"{at}.{extension}" for at in (first, second)]
                try:
                    results.append(scan(paths, schema=frames[wanted].schema, **options).collect())
                except pl.exceptions.SchemaError:
                    results.append(None)
            expected, got = results
            where = (frames[first].schema, frames[second].schema, frames[wanted].schema)
            assert (expected is None) == (got is None), where
            if expected is not None:
                assert_frame_equal(got, expected)
