"""Objects that are replaced while scans are alive: each scan has rows of a single version."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator

import polars as pl
import pytest
from places import Place, alone, s3_place  # noqa: F401 (a fixture)
from polars.testing import assert_frame_equal
from servers import Server, serving

from polars_avro import scan_avro, write_avro


def frame(rows: int, first: int = 0) -> pl.DataFrame:
    """Rows of some 100 bytes."""
    ids = pl.int_range(first, first + rows, eager=True)
    return pl.DataFrame({"id": ids, "name": ids.hash().cast(pl.String)}).with_columns(
        pl.col("name").repeat_by(5).list.join("")
    )


def encode(df: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    write_avro(df, out, block_size=4000, compression="uncompressed")
    return out.getvalue()


@pytest.fixture(params=["s3", "http", "http without ETag"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "s3":
        yield s3_place(request.getfixturevalue("moto"))
        return
    with serving() as server:
        server.etags = request.param == "http"
        yield Place(f"{server.url}/", lambda name, content: server.put(f"/{name}", content), lists=False)


#: The request of the header does not fetch objects of more than 300,000 bytes completely.
SIZES = {"small": (50, 60), "of one size": (50, 50), "large": (8000, 8100), "shorter": (8000, 10)}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("first", ["nothing", "schema", "head", "all"])
def test_a_new_scan_has_new_rows(place: Place, sizes: tuple[int, int], first: str) -> None:
    before, after = (frame(sizes[0]), frame(sizes[1], 100_000))
    url = place.fill("x.avro", encode(before))
    old = scan_avro(url, storage_options=place.options)
    if first == "schema":
        old.collect_schema()
    if first == "head":
        assert_frame_equal(old.head(5).collect(), before.head(5))
    if first == "all":
        assert_frame_equal(old.collect(), before)
    place.put("x.avro", encode(after))
    new = scan_avro(url, storage_options=place.options)
    assert_frame_equal(new.collect(), after)
    try:
        got = old.collect()
    except OSError as error:
        assert "changed while it was read" in str(error)  # noqa: PT017
    else:
        # A later query reads the current object.
        assert got.equals(before) or (first in ("head", "all") and got.equals(after))
    assert_frame_equal(new.collect(), after)


def test_two_scans_in_one_query_do_not_share(place: Place) -> None:
    url = place.fill("x.avro", encode(frame(50)))
    old = scan_avro(url, storage_options=place.options)
    place.put("x.avro", encode(frame(60, 1000)))
    new = scan_avro(url, storage_options=place.options)
    assert_frame_equal(pl.concat([old, new]).collect(), pl.concat([frame(50), frame(60, 1000)]))


def test_one_of_several_files_is_replaced(place: Place) -> None:
    urls = [place.fill(f"{i}.avro", encode(frame(50, i * 50))) for i in range(3)]
    old = scan_avro(urls, storage_options=place.options)
    place.put("1.avro", encode(frame(70, 1000)))
    new = scan_avro(urls, storage_options=place.options)
    wanted = pl.concat([frame(50), frame(70, 1000), frame(50, 100)])
    assert_frame_equal(new.collect(), wanted)
    # The old scan has not fetched the second file yet.
    assert_frame_equal(old.collect(), wanted)


@pytest.mark.parametrize("engine", ["streaming", "in-memory"])
def test_a_scan_that_a_query_uses_twice_is_read_once(server: Server, engine: str) -> None:
    url = server.put("/x.avro", encode(frame(8000)))
    lf = scan_avro(url)
    for used in (lf, pickle.loads(pickle.dumps(lf))):
        server.reset()
        joined = used.join(used.select("id", again="name"), on="id", maintain_order="left")
        assert joined.collect(engine=engine).height == 8000
        assert_frame_equal(pl.concat([used, used]).collect(engine=engine), pl.concat([frame(8000)] * 2))
        assert server.sent <= 2 * len(server.objects["/x.avro"])
