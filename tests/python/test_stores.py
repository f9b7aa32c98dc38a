"""S3, Google Cloud Storage, Azure and HTTP, in one suite on real servers on this machine."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import fastavro
import polars as pl
import pytest
from places import KEYS, Place, alone, cloud_place, s3_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from rows import COLUMNS, SCHEMA, make_rows
from servers import serving

import polars_avro
from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro


@pytest.fixture(params=["s3", "gs", "az", "http", "nginx", "nginx-whole"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    kind = request.param
    if kind == "http":
        with serving() as server:
            yield Place(f"{server.url}/", lambda name, content: server.put(f"/{name}", content), lists=False)
        return
    if kind.startswith("nginx"):
        url, root = request.getfixturevalue("nginx")
        folder = f"{time.time_ns()}"

        def put(name: str, content: bytes) -> None:
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (root / folder / name).write_bytes(content)

        yield Place(f"{url}/{'whole/' if kind == 'nginx-whole' else ''}{folder}/", put, lists=False)
        return
    yield cloud_place(request, kind)


def encode(rows: int, first: int = 0, **options: Any) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, make_rows(rows, first), **{"codec": "deflate", "sync_interval": 4000, **options})
    return out.getvalue()


def frame(rows: int, first: int = 0) -> pl.DataFrame:
    return pl.DataFrame(make_rows(rows, first), schema=COLUMNS)


def test_one_file(place: Place) -> None:
    url, options = place.fill("one.avro", encode(5000)), place.options
    whole = frame(5000)
    assert_frame_equal(read_avro(url, storage_options=options), whole)
    lf = scan_avro(url, storage_options=options, row_index_name="i")
    assert_frame_equal(lf.collect(), whole.with_row_index("i"))
    assert_frame_equal(lf.filter(pl.col("id") > 4990).select("name").collect(), whole[4991:].select("name"))
    assert_frame_equal(lf.slice(2500, 7).collect(engine="streaming"), whole.with_row_index("i")[2500:2507])
    assert_frame_equal(lf.tail(3).drop("i").collect(), whole.tail(3))
    assert lf.select(pl.len()).collect().item() == 5000
    assert read_avro_schema(url, storage_options=options) == pl.Schema(COLUMNS)
    assert read_avro_metadata(url, storage_options=options).n_rows == 5000
    with AvroReader(url, storage_options=options) as reader:
        assert_frame_equal(pl.concat(reader), whole)


def test_several_files(place: Place) -> None:
    urls = [place.fill(f"{i}.avro", encode(100, i * 100)) for i in range(10)]
    lf = scan_avro(urls, storage_options=place.options, include_file_paths="path")
    got = lf.collect()
    assert_frame_equal(got.drop("path"), frame(1000))
    assert got["path"].unique(maintain_order=True).to_list() == urls
    assert lf.select(pl.len()).collect().item() == 1000
    assert lf.slice(450, 100).select("id").collect()["id"].to_list() == list(range(450, 550))


def test_options_of_reading(place: Place) -> None:
    content = encode(3000)
    url, options = place.fill("one.avro", content), place.options
    schema = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "double"}]}
    assert read_avro(url, reader_schema=schema, storage_options=options)["id"].dtype == pl.Float64
    middle = len(content) // 2
    parts = [read_avro(url, byte_range=each, storage_options=options) for each in ((0, middle), (middle, None))]
    assert_frame_equal(pl.concat(parts), frame(3000))
    other = io.BytesIO()
    fields = [{"name": "id", "type": "long"}, {"name": "extra", "type": "string"}]
    fastavro.writer(other, {"type": "record", "name": "Row", "fields": fields}, [{"id": -1, "extra": "e"}])
    union = scan_avro(
        [url, place.fill("other.avro", other.getvalue())], schema_mode="union", storage_options=options
    ).collect()
    assert union.height == 3001
    assert union["extra"].drop_nulls().to_list() == ["e"]


def test_damaged_blocks(place: Place) -> None:
    damaged = bytearray(encode(3000))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 50] = b"\xff" * 50
    url = place.fill("damaged.avro", bytes(damaged))
    with pytest.raises(polars_avro.AvroDataError, match="damaged"):
        read_avro(url, storage_options=place.options)
    with pytest.warns(polars_avro.AvroWarning):
        got = read_avro(url, ignore_errors=True, storage_options=place.options)
    assert 2500 < got.height < 3000


def test_patterns_and_directories(place: Place) -> None:
    if not place.lists:
        pytest.skip("a web server lists nothing")
    for day in (1, 2, 3):
        for part in range(2):
            place.put(f"d/day={day}/{part}.avro", encode(10, day * 100 + part * 10))
    place.put("d/day=1/empty.avro", b"")
    options = place.options
    assert scan_avro(f"{place.prefix}d/day=*/*.avro", storage_options=options).collect().height == 60
    assert scan_avro(f"{place.prefix}d/**/0.avro", storage_options=options).collect().height == 30
    lf = scan_avro(f"{place.prefix}d/", storage_options=options, include_file_paths="path")
    got = lf.filter(pl.col("day") == 2).collect()
    assert got["id"].to_list() == list(range(200, 220))
    assert got["path"].unique(maintain_order=True).to_list() == [f"{place.prefix}d/day=2/{i}.avro" for i in range(2)]
    assert read_avro(f"{place.prefix}d/day=*/1.avro", storage_options=options, hive_partitioning=True)[
        "day"
    ].unique().to_list() == [1, 2, 3]
    with pytest.raises(FileNotFoundError):
        scan_avro(f"{place.prefix}none/*.avro", storage_options=options).collect()


def test_missing(place: Place) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.avro"):
        read_avro(f"{place.prefix}none.avro", storage_options=place.options)
    with pytest.raises(FileNotFoundError, match=r"none\.avro"):
        scan_avro(f"{place.prefix}none.avro", storage_options=place.options).collect()


def test_empty(place: Place) -> None:
    with pytest.raises(polars_avro.AvroDataError, match=r"empty\.avro: at byte 0: empty file"):
        read_avro(place.fill("empty.avro", b""), storage_options=place.options)


def test_gcs_is_gs(moto: str, s3: Place) -> None:
    s3.put("x.avro", encode(10))
    options = {"google_base_url": moto, "google_bearer_token": "x"}
    base = s3.prefix.replace("s3://", "gcs://")
    assert scan_avro(f"{base}x.avro", storage_options=options).collect().height == 10
    assert scan_avro(f"{base}*.avro", storage_options=options).collect().height == 10


def test_s3a_and_capital_options(s3: Place) -> None:
    url = s3.fill("x.avro", encode(10)).replace("s3://", "s3a://")
    options = {name.upper(): value for name, value in s3.options.items()}
    assert read_avro(url, storage_options=options).height == 10


def test_keys_of_any_spelling(s3: Place) -> None:
    url = s3.fill("k=a b/c&d/ü %41+.avro", encode(10))
    assert read_avro(url, storage_options=s3.options).height == 10
    got = scan_avro(f"{s3.prefix}k=*/*/*.avro", storage_options=s3.options, hive_partitioning=True).collect()
    assert got["k"].unique().to_list() == ["a b"]
