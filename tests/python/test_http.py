"""Files on HTTP servers: their requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from http_objects import encode, frame
from polars.testing import assert_frame_equal
from rows import COLUMNS
from servers import Server

from polars_avro import AvroReader, read_avro, read_avro_metadata, read_avro_schema, scan_avro


def test_a_small_file_is_one_request(server: Server, small: str) -> None:
    assert_frame_equal(read_avro(small), frame(1000))
    assert len(server.requests) == 1
    server.reset()
    assert_frame_equal(scan_avro(small).collect(), frame(1000))
    assert len(server.requests) == 1


def test_a_scan_reads_the_header_once(server: Server, small: str) -> None:
    lf = scan_avro(small)
    assert len(server.requests) == 1
    assert lf.collect_schema() == pl.Schema(COLUMNS)
    assert lf.filter(pl.col("id") > 990).select("name").collect().height == 9
    # One request fetched the schema and the first blocks.
    assert len(server.requests) == 1


def test_a_scan_of_several_files_reads_the_headers_that_the_schema_needs(server: Server) -> None:
    urls = [server.put(f"/{i}.avro", encode(10, i * 10)) for i in range(5)]
    lf = scan_avro(urls)
    assert [request.path for request in server.requests] == ["/0.avro"]
    assert_frame_equal(lf.collect(), frame(50))
    # The bytes of one file may be evicted before it is read, and are then requested again.
    assert 5 <= len(server.requests) <= 6
    server.reset()
    lf = scan_avro(urls, schema_mode="union")
    assert len(server.requests) == 5
    assert_frame_equal(lf.collect(), frame(50))
    assert 5 <= len(server.requests) <= 6


MAKING_COLUMNS = {
    "explode, select": lambda lf: lf.explode("tags").select("name"),
    "explode, group": lambda lf: lf.explode("tags").group_by("name", maintain_order=True).agg(pl.len()),
    "over, select": lambda lf: lf.with_columns(pl.col("id").sum().over("name")).select("name"),
    "row index, top": lambda lf: lf.with_row_index("ix").filter(pl.col("ix") >= 0).top_k(2, by="id").select("name"),
    "unpivot": lambda lf: lf.unpivot(["id"], index="name").select("value"),
    "count with others": lambda lf: lf.select(pl.len(), pl.col("id").max()),
    "renamed count": lambda lf: lf.select(rows=pl.len()),
}


@pytest.mark.parametrize("query", MAKING_COLUMNS.values(), ids=MAKING_COLUMNS)
def test_queries_that_make_columns(small: str, query: Callable[[pl.LazyFrame], pl.LazyFrame]) -> None:
    assert_frame_equal(query(scan_avro(small)).collect(), query(frame(1000).lazy()).collect())


def test_a_later_query_reads_the_object_of_its_time(server: Server, small: str) -> None:
    lf = scan_avro(small)
    assert lf.select("id").collect().height == 1000
    server.objects["/small.avro"] = encode(10)
    assert lf.select("id").collect().height == 10


def test_a_large_file_is_read_in_ranges(server: Server, large: str, large_bytes: bytes) -> None:
    got = read_avro(large, columns=["id", "score"])
    assert_frame_equal(got, frame(60_000).select("id", "score"))
    assert all(request.range for request in server.requests)
    assert server.sent == len(large_bytes), "every byte once"
    assert 2 <= server.most_at_once <= 10
    assert len(server.requests) < 10


def test_the_first_rows_cost_little(server: Server, large: str) -> None:
    assert_frame_equal(scan_avro(large).select("id").head(10).collect(), frame(10).select("id"))
    assert server.sent < 400_000
    assert len(server.requests) <= 2


@pytest.mark.parametrize("n", [1, 3000, 59_990])
def test_slices(server: Server, large: str, n: int) -> None:
    assert scan_avro(large).slice(n, 5).select("id").collect()["id"].to_list() == list(range(n, n + 5))
    assert server.sent < 16_000_000


def test_tail_and_count(server: Server, large: str, large_bytes: bytes) -> None:
    assert scan_avro(large).select(pl.len()).collect().item() == 60_000
    assert server.sent <= 1.2 * len(large_bytes)
    assert len(server.requests) < 30, "headers of small blocks are not fetched one by one"
    assert scan_avro(large).select("id").tail(3).collect()["id"].to_list() == [59_997, 59_998, 59_999]


def test_large_blocks_are_passed_over(server: Server) -> None:
    # Four blocks of some 10 MB.
    url = server.put("/blocks.avro", encode(8000, text=5000, sync_interval=10_000_000))
    assert scan_avro(url).select(pl.len()).collect().item() == 8000
    assert server.sent < 2_000_000
    assert read_avro_metadata(url).n_blocks == 5
    server.reset()
    assert scan_avro(url).select("id").tail(2).collect()["id"].to_list() == [7998, 7999]
    assert server.sent < 14_000_000


def test_many_small_files(server: Server) -> None:
    urls = [server.put(f"/{i}.avro", encode(10, i * 10)) for i in range(40)]
    assert_frame_equal(scan_avro(urls).collect(), frame(400))
    assert len(server.requests) == 40
    assert server.most_at_once > 1
    server.reset()
    assert scan_avro(urls).select(pl.len()).collect().item() == 400
    assert len(server.requests) == 40
    server.reset()
    assert scan_avro(urls).head(5).collect().height == 5
    assert len(server.requests) == 1


def test_nothing_is_requested_after_the_consumer_stops(server: Server, large: str) -> None:
    server.latency = 0.05
    server.objects["/large.avro"] *= 1
    reader = AvroReader(large, batch_size=100)
    next(iter(reader))
    reader.close()
    del reader
    time.sleep(0.2)
    before = len(server.requests)
    time.sleep(0.3)
    assert len(server.requests) == before


def test_a_slow_consumer_bounds_what_is_requested(server: Server) -> None:
    content = encode(400_000, text=250)
    assert len(content) > 100_000_000
    reader = AvroReader(server.put("/huge.avro", content), columns=["id"])
    rows = next(iter(reader)).height
    time.sleep(1.0)
    # 32 MB are cached or in flight. The rest is in tasks, in sockets, and in waiting batches.
    assert server.sent < 85_000_000
    assert rows + sum(batch.height for batch in reader) == 400_000
    assert server.sent == len(content)


def test_reader(server: Server, large: str) -> None:
    with AvroReader(large, columns=["id"]) as reader:
        got = pl.concat(reader)
    assert got["id"].to_list() == list(range(60_000))
    size = len(server.objects["/large.avro"])
    parts = [read_avro(large, columns=["id"], byte_range=(i * size // 3, (i + 1) * size // 3)) for i in range(3)]
    assert pl.concat(parts)["id"].to_list() == list(range(60_000))


def test_metadata_and_schema(server: Server, small: str) -> None:
    assert read_avro_schema(small) == pl.Schema(COLUMNS)
    assert read_avro_metadata(small).n_rows == 1000


def test_local_and_remote_files_in_one_list(server: Server, small: str, tmp_path: Path) -> None:
    local = tmp_path / "local.avro"
    local.write_bytes(encode(20, 1000))
    got = scan_avro([small, str(local), f"file://{local}", small], include_file_paths="path").collect()
    assert_frame_equal(got.drop("path"), pl.concat([frame(1000), frame(20, 1000), frame(20, 1000), frame(1000)]))
    assert got["path"].unique(maintain_order=True).to_list() == [small, str(local), f"file://{local}"]
