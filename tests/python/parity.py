"""Files in two formats, and the comparison of a query over Avro with the same query over Parquet."""

import datetime as dt
import random

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import serving

import polars_avro

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
DTYPES = {name: dtype for name, (_, dtype) in FIELDS.items()}
LOCATIONS = ["files", "store"]
EXTRA = {"x": ("float", pl.Float32)}


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


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """Folders of files in both formats: flat, in partitions, and with other columns."""
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


@pytest.fixture(scope="session")
def stored_tree(tree):
    """The same files in a store."""
    with serving(S3Server) as server:
        for path in tree.rglob("*.*"):
            server.put(f"/parity/{path.relative_to(tree)}", path.read_bytes())
        options = {"endpoint_url": server.url, "aws_region": "us-east-1", "aws_skip_signature": "true"}
        yield "s3://parity", {"storage_options": options}


@pytest.fixture(params=LOCATIONS)
def location(request, tree, stored_tree):
    """The location of the files, and the options to reach them."""
    return (tree, {}) if request.param == "files" else stored_tree


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


def check(location, source, options, query, engine, *, rows=None):
    root, storage = location
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
