"""
Parity with `scan_parquet`: the same options and queries over both formats give the same rows or the same error.

Files and objects of a store are compared, each with the other format in the same place.
"""

import datetime as dt
import random

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import serving

import polars_avro

pytestmark = pytest.mark.filterwarnings("ignore:.*considered unstable")

FIELDS = {
    "i": ("int", pl.Int32),
    "l": ("long", pl.Int64),
    "f": ("double", pl.Float64),
    "s": ("string", pl.String),
    "b": ("boolean", pl.Boolean),
    "d": ({"type": "int", "logicalType": "date"}, pl.Date),
    "t": (["null", {"type": "long", "logicalType": "timestamp-micros"}], pl.Datetime("us", "UTC")),
    "n": (["null", "long"], pl.Int64),
    "a": ({"type": "array", "items": "int"}, pl.List(pl.Int32)),
}
EXTRA = {"x": ("float", pl.Float32)}


@pytest.fixture(params=["in-memory", "streaming"])
def engine(request):
    return request.param


def make(seed, height, first=0, fields=FIELDS):
    """Random rows, as Python objects that both Avro and Polars accept."""
    rng = random.Random(seed)
    day = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
    values = {
        "i": lambda at: rng.randrange(-100, 100),
        "l": lambda at: first + at,
        "f": lambda at: rng.random(),
        "s": lambda at: rng.choice(["", "a", "ab", "ä€", "long enough to leave its view"]),
        "b": lambda at: rng.random() < 0.5,
        "d": lambda at: (day + dt.timedelta(rng.randrange(1000))).date(),
        "t": lambda at: rng.choice([None, day + dt.timedelta(seconds=rng.randrange(10**6))]),
        "n": lambda at: rng.choice([None, rng.randrange(5)]),
        "a": lambda at: [rng.randrange(9) for _ in range(rng.randrange(3))],
        "x": lambda at: float(rng.randrange(9)),
    }
    return [{name: values[name](at) for name in fields} for at in range(height)]


def write_both(root, path, rows, fields=FIELDS):
    """Write the rows below `avro` and below `parquet` of a folder."""
    schema = {"type": "record", "name": "R", "fields": [{"name": n, "type": t} for n, (t, _) in fields.items()]}
    dtypes = {name: dtype for name, (_, dtype) in fields.items()}
    for kind in ("avro", "parquet"):
        target = root / kind / f"{path}.{kind}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "parquet":
            pl.DataFrame(rows, schema=dtypes).write_parquet(target, row_group_size=50)
        else:
            with target.open("wb") as file:
                fastavro.writer(file, schema, rows, codec="deflate", sync_interval=1000)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity")
    first = 0
    for name, height in (("k=1/a", 120), ("k=1/b", 0), ("k=2/c", 75), ("k=2/_d", 10), ("k=3/.e", 3)):
        write_both(folder, f"flat/{name.split('/')[1]}", make(name, height, first))
        write_both(folder, f"hive/{name}", make(name, height, first))
        first += height
    write_both(folder, "more/a", make("a", 20))
    write_both(folder, "more/b", make("b", 20, fields=FIELDS | EXTRA), FIELDS | EXTRA)
    write_both(folder, "fewer/a", make("a", 20, fields=FIELDS | EXTRA), FIELDS | EXTRA)
    write_both(folder, "fewer/b", make("b", 20))
    write_both(folder, "other/a", make("a", 20))
    wrong = {**FIELDS, "b": ("string", pl.String)}
    rows = [{**row, "b": "text"} for row in make("b", 20)]
    write_both(folder, "other/b", rows, wrong)
    shuffled = dict(reversed(FIELDS.items()))
    write_both(folder, "order/a", make("a", 20))
    write_both(folder, "order/b", make("b", 20, fields=shuffled), shuffled)
    return folder


@pytest.fixture(scope="module")
def bucket(root):
    """The same files in a store."""
    with serving(S3Server) as server:
        for path in root.rglob("*.*"):
            server.put(f"/parity/{path.relative_to(root)}", path.read_bytes())
        options = {"endpoint_url": server.url, "aws_region": "us-east-1", "aws_skip_signature": "true"}
        yield "s3://parity", {"storage_options": options}


@pytest.fixture(params=["files", "store"])
def place(request, root, bucket):
    """The location of the files, and the options to reach them."""
    return (root, {}) if request.param == "files" else bucket


def outcome(kind, root, source, options, query, engine):
    """The frame or the error, with paths and extensions replaced, so that both formats compare equal."""
    scan = pl.scan_parquet if kind == "parquet" else polars_avro.scan_avro
    base = f"{root}/{kind}"
    if isinstance(source, list):
        named = [f"{base}/{each}.{kind}" for each in source]
    else:
        named = f"{base}/{source.replace('EXT', kind)}"
        if str(root).startswith("s3:") and "." not in source:
            # In a store, a directory ends in a slash.
            named += "/"
    try:
        df = query(scan(named, **options)).collect(engine=engine)
    except Exception as error:
        return error
    if "file" in df.columns:
        df = df.with_columns(pl.col("file").str.replace(f"^{base}/", "").str.replace(rf"\.{kind}$", ""))
    return df


def check(place, source, options, query, engine, *, rows=None):
    root, storage = place
    options = {**options, **storage}
    parquet = outcome("parquet", root, source, options, query, engine)
    avro = outcome("avro", root, source, options, query, engine)
    if isinstance(parquet, Exception):
        assert isinstance(avro, Exception), (parquet, avro)
        assert isinstance(avro, type(parquet)), (parquet, avro)
        assert not isinstance(avro, pl.exceptions.PanicException)
        return
    if isinstance(avro, Exception):
        raise avro
    assert_frame_equal(avro, parquet)
    if rows is not None:
        assert avro.height == rows


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
QUERIES = {
    "all": lambda lf: lf,
    "some columns": lambda lf: lf.select("s", "l"),
    "length": lambda lf: lf.select(pl.len()),
    "head": lambda lf: lf.head(122),
    "slice": lambda lf: lf.slice(100, 40),
    "tail": lambda lf: lf.tail(90),
    "negative slice": lambda lf: lf.slice(-100, 50),
    "filter": lambda lf: lf.filter(pl.col("i") > 0),
    "filter, then head": lambda lf: lf.filter(pl.col("b")).head(30),
    "head, then filter": lambda lf: lf.head(150).filter(pl.col("n").is_null()).select("l", "t"),
    "slice, then filter": lambda lf: lf.slice(110, 60).filter(pl.col("s") == "a"),
    "tail, then filter": lambda lf: lf.tail(100).filter(pl.col("l") % 3 == 0, pl.col("i") < 50),
    "no row": lambda lf: lf.filter(pl.col("l") < 0),
    "aggregates": lambda lf: lf.group_by("s").agg(pl.col("f").sum().round(9), pl.len()).sort("s"),
    "sort, then head": lambda lf: lf.sort("f").head(5),
    "nested": lambda lf: lf.select(pl.col("a").list.sum(), pl.col("d").dt.year()),
    "a column that is not there": lambda lf: lf.select("nope"),
    "row index on top": lambda lf: lf.with_row_index("top").filter(pl.col("l") > 118).head(5),
    "self-join": lambda lf: lf.join(lf.select("l", c="i"), on="l", maintain_order="left"),
    "with both ends": lambda lf: pl.concat([lf.head(3), lf.tail(3)]),
}


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_options(place, source, options, engine):
    if source == "flat/?.EXT" and place[1]:
        pytest.skip("Polars takes no question marks in stores")
    check(place, source, options, QUERIES["all"], engine)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[4], OPTIONS[6], OPTIONS[9]], ids=str)
@pytest.mark.parametrize("source", ["flat", ["flat/c", "flat/a"], "hive"], ids=str)
def test_queries(place, source, options, query, engine):
    check(place, source, options, QUERIES[query], engine)


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


@pytest.mark.parametrize("query", range(len(PRUNING)))
@pytest.mark.parametrize("offset", [None, 0, 11])
@pytest.mark.parametrize("extra", [{}, {"include_file_paths": "file"}, {"n_rows": 190}], ids=str)
def test_partitions_are_pruned_together_with_slices_and_row_indices(place, engine, query, offset, extra):
    options = {} if offset is None else {"row_index_name": "row", "row_index_offset": offset}
    check(place, "hive", {**options, **extra}, PRUNING[query], engine)


EVOLUTION = [
    {},
    {"missing_columns": "insert"},
    {"extra_columns": "ignore"},
    {"missing_columns": "insert", "extra_columns": "ignore"},
    {"cast_options": pl.ScanCastOptions(missing_struct_fields="insert")},
]


@pytest.mark.parametrize("options", EVOLUTION, ids=lambda options: ", ".join(options) or "none")
@pytest.mark.parametrize("folder", ["more", "fewer", "other", "order"])
@pytest.mark.parametrize("query", ["all", "slice", "filter"])
def test_files_that_differ(place, folder, options, query, engine):
    check(place, f"{folder}/*.EXT", options, QUERIES[query], engine)


DTYPES = {name: dtype for name, (_, dtype) in FIELDS.items()}
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


@pytest.mark.parametrize("options", EVOLUTION[:4], ids=str)
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: ",".join(schema))
@pytest.mark.parametrize("source", [["flat/a"], "flat", "more", "fewer"], ids=str)
def test_a_schema_of_dtypes(place, schema, options, source, engine):
    check(place, source, {"schema": schema, **options}, QUERIES["all"], engine)


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


@pytest.mark.parametrize("casts", CASTS, ids=str)
@pytest.mark.parametrize(("column", "dtype"), [(name, dtype) for name in OTHER_DTYPES for dtype in OTHER_DTYPES[name]])
@pytest.mark.parametrize("files", ["a", "ab"])
def test_a_schema_of_other_dtypes_is_cast_to(narrow, files, column, dtype, casts):
    folder, dtypes = narrow
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


def test_a_missing_column_of_a_schema_can_be_filtered(place, engine):
    options = {"schema": {**DTYPES, "new": pl.Int128}, "missing_columns": "insert"}
    for query in (
        lambda lf: lf.filter(pl.col("new").is_null(), pl.col("i") > 0).head(9),
        lambda lf: lf.filter(pl.col("new") == 1),
        lambda lf: lf.select("new").tail(3),
        lambda lf: lf.select(pl.col("new").null_count(), pl.len()),
    ):
        check(place, "flat", options, query, engine)


EMPTY = {"schema": DTYPES, "row_index_name": "row", "include_file_paths": "file"}


@pytest.mark.parametrize("source", [[], "flat/none*.EXT"], ids=str)
def test_no_files_with_a_schema(place, source, engine):
    check(place, source, EMPTY, QUERIES["all"], engine, rows=0)


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
def test_file_uris(root, uri, engine):
    options = {"include_file_paths": "file", "hive_partitioning": False}
    results = []
    for kind, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
        base = f"{root}/{kind}"
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
def test_wrong_types_are_type_errors_in_both(root, options):
    for kind, scan in (("parquet", pl.scan_parquet), ("avro", polars_avro.scan_avro)):
        with pytest.raises(TypeError):
            scan(f"{root}/{kind}/flat/a.{kind}", **options).collect()


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
