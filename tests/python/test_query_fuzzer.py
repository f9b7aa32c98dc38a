"""
Random queries over random files, and over the same files in stores. A scan must return the result of the same query
over the eagerly read frame.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from s3_server import S3Server
from servers import Server, serving

import polars_avro
from polars_avro import _scan
from polars_avro._engine import io_source

#: Parts of the queries. Each part has its own seed, so they are the same ones each time.
PARTS = [0, 1, *(pytest.param(part, marks=pytest.mark.slow) for part in range(2, 40))]
#: The queries of each part.
QUERIES = 50

Query = Callable[[pl.LazyFrame], pl.LazyFrame]

POINT = {
    "type": "record",
    "name": "Point",
    "fields": [{"name": "x", "type": "int"}, {"name": "label", "type": ["null", "string"]}],
}
#: Optional columns: their types, and functions that make values.
TYPES: dict[str, tuple[Any, Callable[[random.Random], Any]]] = {
    "key": ("int", lambda r: r.randrange(5)),
    "opt": (["null", "long"], lambda r: r.choice([None, r.randrange(-50, 50)])),
    "ratio": ("double", lambda r: r.choice([0.0, -1.5, 1e300, r.random()])),
    "text": ("string", lambda r: "x" * r.randrange(20) + str(r.randrange(30))),
    "word": (["string", "null"], lambda r: r.choice([None, "", "a", "ab", "a longer word than a view holds"])),
    "flag": (["null", "boolean"], lambda r: r.choice([None, True, False])),
    "raw": ("bytes", lambda r: r.randbytes(r.randrange(4))),
    "day": ({"type": "int", "logicalType": "date"}, lambda r: r.randrange(20_000)),
    "kind": ({"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}, lambda r: r.choice("ABC")),
    "point": (POINT, lambda r: {"x": r.randrange(9), "label": r.choice([None, "p", "q"])}),
    "tags": ({"type": "array", "items": "int"}, lambda r: [r.randrange(3) for _ in range(r.randrange(4))]),
    "either": (["null", "int", "string"], lambda r: r.choice([None, r.randrange(9), "nine"])),
    "props": ({"type": "map", "values": "int"}, lambda r: {k: r.randrange(9) for k in "abc" if r.random() < 0.5}),
    "nothing": ("null", lambda r: None),
}


@dataclass
class Case:
    """Files of one schema, and all of their rows."""

    paths: list[Path]
    frame: pl.DataFrame
    described: str


def make_case(r: random.Random, folder: Path, number: int) -> Case:
    """One file or several: no rows, one block, many blocks, different codecs; wide or narrow."""
    names = r.sample(sorted(TYPES), r.randrange(len(TYPES) + 1))
    fields = [{"name": "id", "type": "long"}, *({"name": name, "type": TYPES[name][0]} for name in names)]
    r.shuffle(fields)
    schema = fastavro.parse_schema({"type": "record", "name": "Row", "fields": fields})
    paths, first = [], 0
    options: dict[str, Any] = {}
    for part in range(r.choice([1, 1, 1, 2, 5])):
        n = r.choice([0, 1, 10, 300, 3000])
        rows = [{"id": i, **{name: TYPES[name][1](r) for name in names}} for i in range(first, first + n)]
        options = {
            "codec": r.choice(["null", "deflate", "snappy", "zstandard"]),
            "sync_interval": r.choice([1, 100, 2000, 16_000, 10**9]) if n < 3000 else r.choice([2000, 10**9]),
        }
        paths.append(folder / f"{number}-{part}.avro")
        with paths[-1].open("wb") as file:
            fastavro.writer(file, schema, rows, **options)
        first += n
    frame = pl.concat([polars_avro.read_avro(path) for path in paths])
    assert frame["id"].to_list() == list(range(first))
    return Case(paths, frame, f"{[field['name'] for field in fields]}, {len(paths)} files, {first} rows, {options}")


def predicate(r: random.Random, columns: set[str], height: int) -> pl.Expr:
    """A condition on some of these columns that few, about half, or nearly all rows satisfy."""
    some = r.randrange(height + 1)
    terms = {
        "id": [
            pl.col("id") == some,
            pl.col("id") % 7 == 3,
            pl.col("id") >= 0,
            pl.col("id") < some,
            pl.col("id").is_between(some, some + 20),
            pl.col("id").is_in([some, 1, 2]),
        ],
        "row": [pl.col("row") % 5 == 1, pl.col("row") < some],
        "key": [pl.col("key") == 2, pl.col("key") + pl.col("id") > some],
        "opt": [pl.col("opt").is_null(), pl.col("opt") > 40, ~(pl.col("opt") > 40)],
        "ratio": [pl.col("ratio") > 0.9],
        "text": [pl.col("text").str.ends_with("7"), pl.col("text").str.len_bytes() < 4],
        "word": [pl.col("word") == "ab", pl.col("word").is_not_null()],
        "flag": [pl.col("flag"), pl.col("flag").not_(), pl.col("flag") & pl.lit(None, dtype=pl.Boolean)],
        "raw": [pl.col("raw") == b""],
        "day": [pl.col("day") > pl.date(2020, 1, 1), pl.col("day").dt.day() == 3],
        "kind": [pl.col("kind") == "B"],
        "point": [pl.col("point").struct.field("x") == 4, pl.col("point").struct.field("label").is_null()],
        "tags": [pl.col("tags").list.len() == 0, pl.col("tags").list.contains(2)],
        "either": [pl.col("either").struct.field("int") > 4],
        "nothing": [pl.col("nothing").is_null()],
    }
    known = [term for name, of_name in terms.items() if name in columns for term in of_name]
    if not known:
        return pl.lit(value=r.random() < 0.5)
    first = r.choice(known)
    how = r.randrange(6)
    if how == 0:
        return first & r.choice(known)
    if how == 1:
        return first | r.choice(known)
    if how == 2 and "id" in columns:
        # Not elementwise, so Polars must not push it down.
        return first & (pl.col("id") >= pl.col("id").mean())
    return first


def step(r: random.Random, columns: list[str], height: int) -> tuple[str, Query, list[str]]:  # noqa: PLR0911
    """One operation, its name, and the remaining columns."""
    kind = r.randrange(9)
    offset, length = r.randrange(-height - 3, height + 3), r.choice([None, 0, 1, 5, 290, height])
    if kind == 0:
        kept = r.sample(columns, r.randrange(1, len(columns) + 1))
        return f"select({kept})", lambda lf: lf.select(kept), kept
    if kind in (1, 2, 3):
        condition = predicate(r, set(columns), height)
        return f"filter({condition})", lambda lf: lf.filter(condition), columns
    if kind == 4:
        return f"slice({offset}, {length})", lambda lf: lf.slice(offset, length), columns
    if kind == 5:
        n = r.choice([0, 1, 7, 300, height])
        return f"head({n})", lambda lf: lf.head(n), columns
    if kind == 6:
        n = r.choice([0, 1, 7, 300, height])
        return f"tail({n})", lambda lf: lf.tail(n), columns
    if kind == 7 and "row" not in columns:
        return f"with_row_index({length})", lambda lf: lf.with_row_index("row", length or 0), ["row", *columns]
    if kind == 8 and "id" in columns:
        down = r.random() < 0.5
        n = r.choice([1, 5, 300])
        return f"sort({down}).head({n})", lambda lf: lf.sort("id", descending=down).head(n), columns
    return "all", lambda lf: lf, columns


def explode_tags(lf: pl.LazyFrame) -> pl.LazyFrame:
    """Explode the lists alike in Polars 1 and 2, whose defaults differ."""
    return lf.explode("tags", empty_as_null=True)


def last_step(r: random.Random, columns: list[str]) -> tuple[str, Query]:
    """A final operation, which changes rows or columns."""
    keys = [name for name in ("key", "word", "flag", "kind", "row") if name in columns]
    ends: list[tuple[str, Query]] = [("all", lambda lf: lf)] * 6
    ends.append(("len", lambda lf: lf.select(pl.len())))
    ends.append(("concat", lambda lf: pl.concat([lf, lf])))
    if keys:
        key = r.choice(keys)
        ends.append((f"group_by({key})", lambda lf: lf.group_by(key, maintain_order=True).len()))
        ends.append((f"unique({key})", lambda lf: lf.unique(key, keep="first", maintain_order=True)))
        ends.append((f"value_counts({key})", lambda lf: lf.select(pl.col(key).n_unique())))
    if "id" in columns:
        few = pl.LazyFrame({"id": r.sample(range(5000), 20)})
        ends.append(("semi join", lambda lf: lf.join(few, on="id", how="semi", maintain_order="left")))
        ends.append(("self-join", lambda lf: lf.join(lf, on="id", maintain_order="left").select("id")))
        ends.append(("sum", lambda lf: lf.select(pl.col("id").sum(), pl.len().alias("n"))))
    # These create columns before others are selected.
    kept = r.choice(columns)
    if "tags" in columns and kept != "tags":
        ends.append((f"explode.select({kept})", lambda lf: explode_tags(lf).select(kept)))
        ends.append(("explode.group_by", lambda lf: explode_tags(lf).group_by("tags", maintain_order=True).len()))
    if "id" in columns and keys and keys[0] != "row":
        total = pl.col("id").sum().over(keys[0]).alias("total")
        ends.append((f"over({keys[0]})", lambda lf: lf.with_columns(total).select("total", kept)))
    if "id" in columns:
        some = pl.col("ix") >= r.choice([0, 3])
        name = f"with_row_index.filter.top_k.select({kept})"
        ends.append((name, lambda lf: lf.with_row_index("ix").filter(some).top_k(2, by="id").sort("id").select(kept)))
    return r.choice(ends)


@dataclass
class Store:
    """A store on this machine, and the URLs of its objects."""

    server: Server
    base: str
    options: dict[str, str]

    def put(self, path: Path) -> str:
        """Store a file, and return its URL."""
        self.server.put(f"/bucket/{path.name}", path.read_bytes())
        return f"{self.base}/{path.name}"


@contextmanager
def stores() -> Iterator[list[Store]]:
    """Serve objects over HTTP and the S3 protocol."""
    with serving() as web, serving(S3Server) as s3:
        options = {"endpoint_url": s3.url, "aws_region": "us-east-1", "aws_skip_signature": "true"}
        yield [Store(web, f"{web.url}/bucket", {}), Store(s3, "s3://bucket", options)]


def chain(r: random.Random, columns: list[str], height: int) -> tuple[str, Query]:
    """A sequence of operations."""
    steps, names = [], []
    for _ in range(r.randrange(1, 5)):
        name, query, columns = step(r, columns, height)
        steps.append(query)
        names.append(name)
    name, query = last_step(r, columns)
    steps.append(query)

    def run(lf: pl.LazyFrame) -> pl.LazyFrame:
        for query in steps:
            lf = query(lf)
        return lf

    return ".".join([*names, name]), run


@pytest.mark.parametrize("part", PARTS)
def test_a_scan_gives_what_the_frame_gives(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stores() as places:
        compare(random.Random(part), f"part {part}", tmp_path, places, monkeypatch)


def compare(r: random.Random, part: str, folder: Path, places: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run random queries over files and stores, by each engine."""
    ways = [("streaming", _scan.engine, False), ("in-memory", _scan.engine, False), ("streaming", io_source, False)]
    ways += [("streaming", _scan.engine, True), ("in-memory", _scan.engine, True)]
    case = make_case(r, folder, 0)
    compared = [0] * len(ways)
    for number in range(QUERIES):
        if number % 5 == 4:
            case = make_case(r, folder, number)
        store = places[number % len(places)]
        columns, height = case.frame.columns, case.frame.height
        options: dict[str, Any] = {
            "batch_size": r.choice([None, None, 1 if height < 500 else 50, 700]),
            "n_threads": r.choice([None, 1, 2, 3]),
            "n_rows": r.choice([None, None, None, 0, 1, 295, height]),
        }
        frame = case.frame if options["n_rows"] is None else case.frame.head(options["n_rows"])
        if r.random() < 0.25:
            options |= {"row_index_name": "row", "row_index_offset": r.choice([0, 3])}
            frame = frame.with_row_index("row", options["row_index_offset"])
            columns = ["row", *columns]
        name, query = chain(r, columns, height)
        try:
            wanted = query(frame.lazy()).collect(engine="in-memory")
        except pl.exceptions.ColumnNotFoundError:
            # Polars' optimizer can drop a column that a filter needs, so the expected result does not exist.
            continue
        urls = [store.put(path) for path in case.paths]
        for way, (engine, module, remote) in enumerate(ways):
            monkeypatch.setattr(_scan, "engine", module)
            where = store.base if remote else "files"
            what = f"{part}, query {number}: {name}\n{engine}, {module.__name__}, {where}, {options}\n{case.described}"
            try:
                if remote:
                    lf = polars_avro.scan_avro(urls, storage_options=store.options, **options)
                else:
                    lf = polars_avro.scan_avro(list(case.paths), **options)
                assert_frame_equal(query(lf).collect(engine=engine), wanted)
                compared[way] += 1
            except pl.exceptions.PanicException:
                # The streaming engine may panic in its own plan around an IO source.
                if module is not io_source:
                    raise
            except Exception as error:
                raise AssertionError(what) from error
    # Skipped queries must stay rare, so that faults of Polars do not hide those of this package.
    assert all(n >= 0.95 * (QUERIES) for n in compared), compared
