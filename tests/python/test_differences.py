"""Files with different schemas: which are read or refused, and when, compared with `scan_parquet`."""

import itertools
from typing import Any

import polars as pl
import pytest
from grids import grid
from polars.testing import assert_frame_equal
from written import AROUND, avro, enum, logical, polars_written, record

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")


def test_structs_that_polars_wrote_in_another_order_are_scanned_together():
    """Polars names records by their position."""
    one = pl.DataFrame({"s": [{"x": 1}, None], "t": [{"y": "a"}, {"y": None}], "l": [[{"z": 1.5}], None]})
    other = one.select("l", "t", "s")
    wider = one.select(pl.struct(q=1).alias("r"), "s", "t", "l")
    files = [polars_written(frame) for frame in (one, other)]
    assert_frame_equal(polars_avro.read_avro(files), pl.concat([one, one]))
    files = [polars_written(frame) for frame in (one, wider)]
    df = polars_avro.read_avro(files, extra_columns="ignore")
    assert_frame_equal(df, pl.concat([one, one]))
    df = polars_avro.read_avro(files, schema_mode="union")
    assert_frame_equal(df, pl.concat([one, wider], how="diagonal_relaxed"))


@pytest.mark.parametrize("mode", ["first", "union"])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("kind", ["record", "enum", "fixed"])
def test_names_do_not_matter(around, kind, mode):
    schemas = {
        "record": lambda name: record(name, x="long"),
        "enum": lambda name: enum(name, "A", "B"),
        "fixed": lambda name: {"type": "fixed", "name": name, "size": 2},
    }
    value = {"record": {"x": 1}, "enum": "B", "fixed": b"ab"}[kind]
    schema, make = AROUND[around]
    files = [avro([{"v": make(value)}], v=schema(schemas[kind](name))) for name in ("One", "Two")]
    df = polars_avro.scan_avro(files, schema_mode=mode).collect()
    assert_frame_equal(df, pl.concat([polars_avro.read_avro(file) for file in files]))
    metadata = polars_avro.read_avro_metadata(files[0])
    with pytest.raises(polars_avro.AvroError):
        polars_avro.read_avro([files[1]], reader_schema=metadata.avro_schema)


MISMATCHES = {
    "missing field": (record("S", x="int", y="int"), record("S", x="int"), {"x": 1, "y": 2}, {"x": 3}),
    "extra field": (record("S", x="int"), record("S", x="int", y="int"), {"x": 1}, {"x": 1, "y": 2}),
    "unit": (logical("long", "timestamp-micros"), logical("long", "timestamp-millis"), 1, 1),
    "narrower": ("int", "long", 1, 1 << 40),
    "digits": ("double", "long", 1.5, (1 << 60) + 1),
    "float": ("float", "double", 1.5, 0.1),
    "symbol": (enum("E", "A"), enum("E", "A", "B"), "A", "B"),
    "type": ("long", "string", 1, "x"),
    "text": ("string", "bytes", "x", b"\xff"),
    "logical": ("long", logical("long", "timestamp-millis"), 1, 1),
}


@pytest.mark.parametrize("ignore_errors", [False, True])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("difference", MISMATCHES)
def test_differences_of_schemas_are_errors_of_schemas(difference, around, ignore_errors):
    """Differences are errors even if all values of the second file are null, because only schemas are compared."""
    one, other, value, another = MISMATCHES[difference]
    schema, make = AROUND[around]
    first = avro([{"a": 1, "v": make(value)}], a="int", v=schema(one))
    rows = [{"a": 2, "v": make(another)}]
    if around != "plain":
        rows.append({"a": 3, "v": {"array": [], "map": {}, "nested": {"i": None}, "nullable": None}[around]})
    for sound in (rows, rows[1:]):
        if not sound:
            continue
        files = [first, avro(sound, a="int", v=schema(other)), first]
        lf = polars_avro.scan_avro(files, ignore_errors=ignore_errors)
        with pytest.raises(polars_avro.AvroSchemaError, match="field `v"):
            lf.collect()
        with pytest.raises(polars_avro.AvroSchemaError, match="field `v"):
            lf.filter(pl.col("v").is_null()).select("a").collect()
        # No query reads the column.
        assert lf.select("a").collect()["a"].to_list() == [1, *[row["a"] for row in sound], 1]
        assert lf.select(pl.len()).collect().item() == 2 + len(sound)
        assert lf.with_row_index().select("index").collect().height == 2 + len(sound)
    # There are no rows either.
    empty = avro([], a="int", v=schema(other))
    df = polars_avro.scan_avro([first, empty, first], ignore_errors=ignore_errors).collect()
    assert df["a"].to_list() == [1, 1]


def test_a_branch_that_only_a_later_file_has():
    one = avro([{"u": 1}], u=["int", "string"])
    other = avro([{"u": True}, {"u": "x"}], u=["int", "string", "boolean"])
    for ignore_errors in (False, True):
        with pytest.raises(polars_avro.AvroSchemaError, match="`u`"):
            polars_avro.read_avro([one, other], ignore_errors=ignore_errors)
    df = polars_avro.read_avro([one, other], cast_options=pl.ScanCastOptions(extra_struct_fields="ignore"))
    assert df["u"].to_list() == [
        {"int": 1, "string": None},
        {"int": None, "string": None},
        {"int": None, "string": "x"},
    ]


def test_a_symbol_that_only_a_later_file_has_is_the_default_if_there_is_one():
    schema = {**enum("E", "A", "B"), "default": "B"}
    files = [avro([{"e": "A"}], e=schema), avro([{"e": "C"}], e=enum("E", "C"))]
    assert polars_avro.read_avro(files)["e"].to_list() == ["A", "B"]


@pytest.mark.parametrize("ignore_errors", [False, True])
def test_values_that_a_reader_schema_has_no_place_for_are_not_left_out(ignore_errors):
    file = avro([{"v": 1}, {"v": None}], v=["null", "long"])
    reader = record("Row", v="long")
    with pytest.raises(polars_avro.AvroDataError, match="null cannot be read as the reader's long"):
        polars_avro.read_avro(file, reader_schema=reader, ignore_errors=ignore_errors)


TABLES = {
    "ab": pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    "a": pl.DataFrame({"a": [3]}),
    "ba": pl.DataFrame({"b": ["z"], "a": [4]}),
    "abc": pl.DataFrame({"a": [5], "b": ["w"], "c": [0.5]}),
    "ab0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.String}),
    "a0": pl.DataFrame(schema={"a": pl.Int64}),
    "abc0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.String, "c": pl.Float64}),
    "atext": pl.DataFrame({"a": [6], "b": [0.5]}),
    "atext0": pl.DataFrame(schema={"a": pl.Int64, "b": pl.Float64}),
}
QUERIES = {
    "all": lambda lf: lf,
    "a": lambda lf: lf.select("a"),
    "b": lambda lf: lf.select("b"),
    "ba": lambda lf: lf.select("b", "a"),
    "len": lambda lf: lf.select(pl.len()),
    "filter a": lambda lf: lf.filter(pl.col("a") > 1).select("a"),
    "filter b": lambda lf: lf.filter(pl.col("b") == "x").select("a"),
    "head 1": lambda lf: lf.head(1),
    "head 2": lambda lf: lf.head(2),
    "head 3": lambda lf: lf.head(3),
    "slice": lambda lf: lf.slice(2, 1),
    "slice behind": lambda lf: lf.slice(100, 1),
    "tail": lambda lf: lf.tail(1),
    "index": lambda lf: lf.with_row_index().select("index"),
    "index a": lambda lf: lf.with_row_index().select("index", "a"),
    "head len": lambda lf: lf.head(1).select(pl.len()),
    "literal": lambda lf: lf.select(pl.lit(1)),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"missing_columns": "insert"},
    {"extra_columns": "ignore"},
    {"missing_columns": "insert", "extra_columns": "ignore"},
]
SETS = [
    *itertools.permutations(["ab", "a", "abc"], 2),
    *[("ab", other) for other in ("ab", "ba", "a0", "abc0", "atext", "atext0")],
    *[("ab0", other) for other in ("a", "abc", "atext")],
    ("ab", "abc0", "ba"),
    ("ab", "ab0", "a"),
    ("ab", "a0", "atext0", "ba"),
    ("ba", "ab", "atext"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Write every table in both formats."""
    folder = tmp_path_factory.mktemp("tables")
    for name, df in TABLES.items():
        df.write_avro(folder / f"{name}.avro")
        df.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize(
    ("names", "query", "ignore_errors"),
    grid(SETS, QUERIES, [False, True]),
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_files_that_differ_are_read_and_refused_as_by_scan_parquet(tables, names, query, ignore_errors):
    for options in OPTIONS:
        made = QUERIES[query](pl.scan_parquet([tables / f"{name}.parquet" for name in names], **options))
        paths = [tables / f"{name}.avro" for name in names]
        ours = QUERIES[query](polars_avro.scan_avro(paths, ignore_errors=ignore_errors, **options))
        try:
            expected = made.collect()
        except pl.exceptions.PolarsError:
            with pytest.raises((polars_avro.AvroSchemaError, pl.exceptions.ColumnNotFoundError)):
                ours.collect()
        else:
            try:
                found = ours.collect()
            except polars_avro.AvroSchemaError:
                # The rows of a slice are known only after every file before its end is decoded.
                assert ignore_errors
                assert query.startswith(("head", "slice"))
                continue
            assert_frame_equal(found, expected)
