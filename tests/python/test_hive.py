"""Partitions in paths: frames equal those of a Parquet tree, and files that cannot match are not opened."""

import os
import pickle

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro._engine import files

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")
NULL = "__HIVE_DEFAULT_PARTITION__"


def plant(folder, paths, columns=("a",)):
    """Write the same rows as Parquet below `p` and as Avro below `v`, and return both roots."""
    fields = [{"name": name, "type": "long"} for name in columns]
    schema = {"type": "record", "name": "R", "fields": fields}
    for number, path in enumerate(paths):
        rows = [dict.fromkeys(columns, 10 * number + i) for i in range(3)]
        for root in "pv":
            target = folder / root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if root == "p":
                pl.DataFrame(rows).write_parquet(target)
            else:
                with target.open("wb") as file:
                    fastavro.writer(file, schema, rows)
    return folder / "p", folder / "v"


def outcome(scan, root, engine, options, query):
    """The frame, or the kind of error, with paths relative to the root."""
    try:
        df = query(scan(f"{root}", **options)).collect(engine=engine)
    except Exception as error:
        return type(error)
    if "file" in df.columns:
        df = df.with_columns(pl.col("file").str.replace("^.*?/[pv]/", ""))
    return df


def check(roots, engine, query=lambda lf: lf, below="", **options):
    parquet, avro = (
        outcome(scan, os.path.join(root, below), engine, options, query)
        for scan, root in zip((pl.scan_parquet, polars_avro.scan_avro), roots, strict=True)
    )
    if isinstance(parquet, type):
        assert isinstance(avro, type), avro
        assert issubclass(avro, pl.exceptions.PolarsError)
        return
    assert isinstance(avro, pl.DataFrame), avro
    assert_frame_equal(avro, parquet)


PATHS = [f"year={year}/kind={kind}/{part}" for year in (2023, 2024) for kind in ("x", NULL, "a b%2Fc") for part in "12"]
OPTIONS = [
    {},
    {"hive_partitioning": True},
    {"hive_partitioning": False},
    {"include_file_paths": "file"},
    {"row_index_name": "row", "row_index_offset": 4},
    {"row_index_name": "row", "include_file_paths": "file", "n_rows": 10},
    {"hive_schema": {"year": pl.Int16, "kind": pl.String}},
    {"hive_schema": {"kind": pl.Categorical, "year": pl.String}},
    {"hive_schema": {"kind": pl.String, "year": pl.Decimal(6, 1), "more": pl.Int8}},
    {"hive_schema": {"year": pl.Int16}},
    {"hive_schema": {"year": pl.Date, "kind": pl.String}},
    {"hive_schema": {"year": pl.Int16, "kind": pl.String}, "hive_partitioning": False},
]
QUERIES = [
    lambda lf: lf,
    lambda lf: lf.select("a"),
    lambda lf: lf.select("year"),
    lambda lf: lf.select("kind", "year").tail(4),
    lambda lf: lf.select(pl.len()),
    lambda lf: lf.filter(pl.col("year") == 2024),
    lambda lf: lf.filter(pl.col("year") == 2024, pl.col("a") % 2 == 0, pl.col("kind") != "x"),
    lambda lf: lf.filter(pl.col("kind").is_null()).select("a"),
    lambda lf: lf.filter((pl.col("year") == 2023) | (pl.col("a") > 90)),
    lambda lf: lf.filter(pl.col("year") > 3000),
    lambda lf: lf.filter(pl.col("year") == 2024).head(5),
    lambda lf: lf.slice(10, 15).filter(pl.col("kind") == "x"),
    lambda lf: lf.slice(-20, 10).filter(pl.col("year") == 2024).select("a", "kind"),
    lambda lf: lf.group_by("kind", maintain_order=True).agg(pl.col("a").sum()),
    lambda lf: lf.sort("year", "a", descending=True).head(4),
    lambda lf: lf.top_k(3, by=["year", "a"]).sort("a"),
    lambda lf: lf.sort("kind", "a", nulls_last=True).head(5).select("a"),
    lambda lf: lf.filter(pl.col("year").map_batches(lambda year: year > 2023, return_dtype=pl.Boolean)),
    lambda lf: lf.filter(pl.col("year") > pl.col("year").mean()),
    lambda lf: lf.filter(pl.col("year").cast(pl.String).is_in(["2024"]), ~pl.col("kind").is_null()),
    lambda lf: lf.with_row_index("n").filter(pl.col("year") == 2024),
    lambda lf: lf.join(lf.filter(pl.col("a") < 5), on="kind", nulls_equal=True, maintain_order="left"),
]


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    return plant(tmp_path_factory.mktemp("x=9"), PATHS)


@pytest.mark.parametrize("options", OPTIONS)
def test_options(roots, engine, options):
    check(roots, engine, **options)


@pytest.mark.parametrize("query", QUERIES)
def test_queries(roots, engine, query):
    check(roots, engine, query)
    check(roots, engine, query, hive_schema={"year": pl.Int16, "kind": pl.String})


@pytest.mark.parametrize("below", ["**/*", "year=*/*/*", "year=2024/*/*", "year=2024", "year=2023/kind=x/1", ""])
@pytest.mark.parametrize("partitioning", [None, True, False])
def test_sources(tmp_path, engine, below, partitioning):
    """For a directory, partitions begin below it. For patterns and files the whole path is used."""
    roots = plant(tmp_path, PATHS[::5])
    check(roots, engine, below=below, hive_partitioning=partitioning)


TREES = [
    ["k=1/f", "k=2/f", "k=10/f"],
    ["k=1/f", "f"],
    ["k=1/f", "k=2/j=3/f"],
    ["k=2/j=3/f", "k=3/f"],
    ["k=1/j=2/f", "j=5/k=7/f"],
    ["k=1/f=2"],
    ["k%20x=1/f"],
    ["k=1/k=2/f"],
    ["k=1=2/f"],
    ["k=1*2/f"],
    ["k=%FF/f"],
    ["k=1/sub/j=2/f"],
    ["k=/f", "k=1/f"],
    ["k=/f"],
    *(
        [f"k={value}/f" for value in values]
        for values in (
            ["1", "1.5"],
            ["true", "false"],
            ["TRUE", "x"],
            ["2020-01-01", "2021-02-03"],
            ["2020-01-01", "x"],
            ["2020-01-01T01:02:03"],
            ["2020-01-01 01%3A02%3A03.25"],
            ["2020-01-01T01:02:03Z"],
            ["2020-01-01", "2020-01-01T00:00:00"],
            ["99999999999999999999", "1"],
            ["-1", "+1"],
            ["01", "02"],
            ["1e5", ".5", "5.", "inf"],
            ["nan"],
            ["1", "true"],
            ["20200101"],
            [NULL],
            [NULL, "1"],
            ["a%0Ab", "1"],
            ['"1"', "#2"],
        )
    ),
]


@pytest.mark.parametrize("paths", TREES)
@pytest.mark.parametrize("dates", [True, False])
def test_values_become_what_polars_makes_of_them(tmp_path, paths, dates):
    check(plant(tmp_path, paths), "streaming", try_parse_hive_dates=dates)


HIDDEN = ["k=1/f", "k=1/_f", "k=1/.f", "k=2/f", "k=2/_temporary/f"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hidden_file_prefix": "_"},
        {"hidden_file_prefix": [".", "_"]},
        {"hidden_file_prefix": ".", "glob": False},
        {"cache": False, "n_rows": 4},
    ],
)
@pytest.mark.parametrize("below", ["", "k=1", "**/f", "k=[12]/*"])
def test_hidden_files_and_patterns(tmp_path, engine, options, below):
    roots = plant(tmp_path, HIDDEN)
    if options.get("glob", True) or "*" not in below:
        check(roots, engine, below=below, include_file_paths="file", **options)


def test_times_stay_text(tmp_path):
    """Polars cannot read these values as the dtype that it infers."""
    _, root = plant(tmp_path, ["k=01:02:03/f"])
    assert polars_avro.read_avro(root)["k"].to_list() == ["01:02:03"] * 3


@pytest.mark.parametrize("options", [{}, {"hive_schema": {"k": pl.String}}, {"row_index_name": "row"}])
@pytest.mark.parametrize("query", [lambda lf: lf, lambda lf: lf.filter(pl.col("k") == pl.col("k").max())])
def test_a_partition_takes_the_place_of_a_column(tmp_path, engine, options, query):
    check(plant(tmp_path, ["k=1/f", "k=2/f"], ("b", "k", "a")), engine, query, **options)


def test_several_directories(tmp_path, engine):
    parquet, avro = plant(tmp_path, PATHS)
    for options in ({}, {"hive_partitioning": True}):
        frames = [
            scan([root / "year=2023", root / "year=2024"], **options).collect(engine=engine)
            for scan, root in ((pl.scan_parquet, parquet), (polars_avro.scan_avro, avro))
        ]
        assert_frame_equal(*frames)
    with pytest.raises(pl.exceptions.InvalidOperationError, match="different directory levels"):
        polars_avro.scan_avro([avro / "year=2023", avro / PATHS[0]], hive_partitioning=True)


def opened(root, engine, query, monkeypatch):
    """Return the number of files that a query opens."""
    readers = []
    original = files.frames

    def spy(reader, damage):
        readers.append(reader)
        return original(reader, damage)

    monkeypatch.setattr(files, "frames", spy)
    df = query(polars_avro.scan_avro(root, include_file_paths="file")).collect(engine=engine)
    return df, sum(reader.stats["files_opened"] for reader in readers)


PRUNED = [
    (lambda lf: lf, 12),
    (lambda lf: lf.filter(pl.col("year") == 2024), 6),
    (lambda lf: lf.filter(pl.col("year") == 2024, pl.col("kind") == "x"), 2),
    (lambda lf: lf.filter(pl.col("year") == 2024, pl.col("a") % 2 == 0), 6),
    (lambda lf: lf.filter(pl.col("kind").is_null(), pl.col("file").str.ends_with("1")), 2),
    (lambda lf: lf.filter(pl.col("year").is_in([1999, 2023]), pl.col("kind").str.starts_with("a")), 2),
    (lambda lf: lf.filter(pl.col("year") > 3000), 0),
    (lambda lf: lf.filter((pl.col("year") == 2024) | (pl.col("a") > 5)), 12),
    (lambda lf: lf.select("kind", "year"), 0),
]


@pytest.mark.parametrize(("query", "files"), PRUNED)
def test_files_that_cannot_match_are_not_opened(roots, engine, query, files, monkeypatch):
    df, count = opened(roots[1], engine, query, monkeypatch)
    assert count == files
    full = polars_avro.scan_avro(roots[1], include_file_paths="file").collect()
    assert_frame_equal(df, query(full.lazy()).collect())


def test_files_that_cannot_match_may_be_wrong(tmp_path, engine):
    _, root = plant(tmp_path, ["k=1/f", "k=2/f"])
    (root / "k=2" / "f").write_bytes(b"no Avro")
    lf = polars_avro.scan_avro(root)
    assert lf.filter(pl.col("k") == 1).collect(engine=engine).height == 3
    with pytest.raises(polars_avro.AvroDataError):
        lf.filter(pl.col("k") == 2).collect(engine=engine)


def test_a_scan_of_partitions_pickles(roots, engine):
    lf = polars_avro.scan_avro(roots[1], hive_schema={"year": pl.Int16, "kind": pl.String}, include_file_paths="file")
    copy = pickle.loads(pickle.dumps(lf.filter(pl.col("year") == 2024)))
    assert_frame_equal(copy.collect(engine=engine), lf.collect().filter(pl.col("year") == 2024))


def test_the_options_of_a_scan_tell_it_from_others(roots):
    """Scans with the same reader are read once. Scans of other columns must not share it."""
    one, two = (polars_avro.scan_avro(roots[1], hive_partitioning=hive) for hive in (True, False))
    assert one.collect().width == two.collect().width + 2
    joined = one.join(polars_avro.scan_avro(roots[1], hive_partitioning=True), on="a")
    assert joined.explain().count("CACHE") == 2
