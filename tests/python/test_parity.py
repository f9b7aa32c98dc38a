"""
Parity with `scan_parquet`: the same options and queries over both formats give the same rows or the same error.

Files and objects of a store are compared, each with the other format in the same place.
"""

import polars as pl
import pytest
from grids import ENGINES, grid
from parity import DTYPES, LOCATIONS, QUERIES, check, make, write_both
from polars.testing import assert_frame_equal

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")

SOURCES = [
    "flat",
    "flat/*.EXT",
    "flat/[ab].EXT",
    ["flat/c", "flat/a"],
    ["flat/a"],
    "flat/?.EXT",
    "hive",
    "hive/**/*.EXT",
]
OPTIONS = [
    {},
    {"n_rows": 0},
    {"n_rows": 130},
    {"row_index_name": "row"},
    {"row_index_name": "row", "row_index_offset": 7, "n_rows": 125},
    {"include_file_paths": "file"},
    {"include_file_paths": "file", "row_index_name": "row", "n_rows": 121},
    {"hidden_file_prefix": "_"},
    {"hidden_file_prefix": [".", "_"]},
    {"hidden_file_prefix": []},
    {"hive_partitioning": True},
    {"hive_partitioning": False},
    {"hive_schema": {"k": pl.Int8}},
    {"hive_schema": {"k": pl.String}, "try_parse_hive_dates": False},
    {"low_memory": True},
    {"cache": False},
    {"glob": True},
    {"missing_columns": "insert", "extra_columns": "ignore"},
    {"row_index_name": "l"},
    {"include_file_paths": "l"},
    {"row_index_name": "file", "include_file_paths": "file"},
]


@pytest.mark.parametrize(
    ("location", "source", "options", "engine"),
    grid(LOCATIONS, SOURCES, OPTIONS, ENGINES),
    indirect=["location"],
    ids=str,
)
def test_options(location, source, options, engine):
    if source == "flat/?.EXT" and location[1]:
        pytest.skip("Polars takes no question marks in stores")
    check(location, source, options, QUERIES["all"], engine)


@pytest.mark.parametrize(
    ("location", "source", "options", "query", "engine"),
    grid(
        LOCATIONS,
        ["flat", ["flat/c", "flat/a"], "hive"],
        [OPTIONS[0], OPTIONS[4], OPTIONS[6], OPTIONS[9]],
        QUERIES,
        ENGINES,
    ),
    indirect=["location"],
    ids=str,
)
def test_queries(location, source, options, query, engine):
    check(location, source, options, QUERIES[query], engine)


PRUNING = [
    lambda lf: lf.filter(pl.col("k") == 2),
    lambda lf: lf.filter(pl.col("k") != 2),
    lambda lf: lf.filter(pl.col("k") > 9),
    lambda lf: lf.filter(pl.col("k") == 2, pl.col("i") > 0),
    lambda lf: lf.filter(pl.col("k") == 2, pl.col("row") % 2 == 0),
    lambda lf: lf.filter((pl.col("k") == 1) | (pl.col("row") > 190)),
    lambda lf: lf.slice(100, 50).filter(pl.col("k") == 2),
    lambda lf: lf.slice(100, 50).filter(pl.col("k") == 1),
    lambda lf: lf.slice(-70, 65).filter(pl.col("k") != 3),
    lambda lf: lf.slice(-70, 65).filter(pl.col("k") == 3),
    lambda lf: lf.tail(10).filter(pl.col("k") == 3, pl.col("i") > -50),
    lambda lf: lf.tail(10_000).filter(pl.col("k") == 2),
    lambda lf: lf.head(130).filter(pl.col("k") == 2, pl.col("n").is_not_null()),
    lambda lf: lf.head(100).filter(pl.col("k") == 2),
    lambda lf: lf.filter(pl.col("k") == 2).select("k"),
    lambda lf: lf.slice(115, 20).filter(pl.col("k") == 2).select("k"),
    lambda lf: lf.slice(115, 20).filter(pl.col("k") == 2).select("k", "row"),
    lambda lf: lf.slice(115, 20).filter(pl.col("k") == 2).select(pl.len()),
    lambda lf: lf.filter(pl.col("k") == 2).head(7),
    lambda lf: lf.filter(pl.col("k") == 2).tail(7),
]


@pytest.mark.parametrize(
    ("location", "engine", "query", "offset", "extra"),
    grid(
        LOCATIONS,
        ENGINES,
        range(len(PRUNING)),
        [None, 0, 11],
        [{}, {"include_file_paths": "file"}, {"n_rows": 190}],
    ),
    indirect=["location"],
    ids=str,
)
def test_partitions_are_pruned_together_with_slices_and_row_indices(location, engine, query, offset, extra):
    options = {} if offset is None else {"row_index_name": "row", "row_index_offset": offset}
    check(location, "hive", {**options, **extra}, PRUNING[query], engine)


EMPTY = {"schema": DTYPES, "row_index_name": "row", "include_file_paths": "file"}


@pytest.mark.parametrize("source", [[], "flat/none*.EXT"], ids=str)
def test_no_files_with_a_schema(location, source, engine):
    check(location, source, EMPTY, QUERIES["all"], engine, rows=0)


@pytest.mark.parametrize(
    "uri",
    [
        "file://{}/flat/a.EXT",
        "file:{}/flat/a.EXT",
        "file://{}/flat/[ac].EXT",
        "file:{}/flat/[ac].EXT",
        "file://{}/hive/k%3D1/a.EXT",
        "file://{}/flat/",
        "file://host{}/flat/a.EXT",
        "file://localhost{}/flat/a.EXT",
        "file://{}/none.EXT",
    ],
)
def test_file_uris(tree, uri, engine):
    options = {"include_file_paths": "file", "hive_partitioning": False}
    results = []
    for kind, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
        base = f"{tree}/{kind}"
        try:
            df = scan(uri.format(base).replace("EXT", kind), **options).collect(engine=engine)
        except Exception as error:
            results.append(error)
        else:
            results.append(df.with_columns(pl.col("file").str.replace_all(kind, "EXT")))
    parquet, avro = results
    if isinstance(parquet, Exception):
        assert isinstance(avro, type(parquet)), avro
    else:
        assert_frame_equal(avro, parquet)


WRONG = [
    {"glob": None},
    {"hidden_file_prefix": 3},
    {"cast_options": 5},
    {"hive_partitioning": 5},
    {"hive_schema": 5},
    {"include_file_paths": 5},
    {"cache": None},
    {"low_memory": 5},
    {"schema": 5},
    {"row_index_name": 3},
    {"n_rows": "3"},
    {"n_rows": 3.5},
    {"extra_columns": 5},
]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_wrong_types_are_type_errors_in_both(tree, options):
    for kind, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
        with pytest.raises(TypeError):
            scan(f"{tree}/{kind}/flat/a.{kind}", **options).collect()


@pytest.mark.parametrize("query", [PRUNING[0], PRUNING[4], PRUNING[6], PRUNING[12]])
@pytest.mark.parametrize("options", [{"row_index_name": "row"}, {"row_index_name": "row", "n_rows": 190}], ids=str)
def test_pruned_files_are_counted_and_not_decoded(tmp_path, engine, query, options):
    for part, height in ((1, 120), (2, 75), (3, 13)):
        write_both(tmp_path, f"k={part}/a", make(part, height))
    whole = query(polars_avro.scan_avro(tmp_path / "avro", **options)).collect(engine=engine)
    pruned = tmp_path / "avro/k=1/a.avro"
    data = bytearray(pruned.read_bytes())
    at = polars_avro.read_avro_metadata(pruned).header_size + 8
    data[at : at + 20] = bytes(255 for _ in range(20))
    pruned.write_bytes(data)
    with pytest.raises(polars_avro.AvroDataError):
        polars_avro.read_avro(pruned)
    assert_frame_equal(query(polars_avro.scan_avro(tmp_path / "avro", **options)).collect(engine=engine), whole)
    assert whole.height > 0
