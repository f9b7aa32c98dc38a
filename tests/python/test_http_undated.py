"""Objects of servers that send neither ETag nor modification time."""

from __future__ import annotations

from http_objects import encode, frame
from polars.testing import assert_frame_equal
from servers import Request, Server

from polars_avro import read_avro, scan_avro


def test_an_object_that_cannot_be_identified_is_one_response(server: Server) -> None:
    server.etags = server.modified = False
    url = server.put("/x.avro", encode(20_000))
    replaced = False

    def replace_after_the_first(request: Request) -> None:
        nonlocal replaced
        if server.requests[0] is not request and not replaced:
            replaced = True
            server.put("/x.avro", encode(20_000, 1_000_000))

    server.before = replace_after_the_first
    df = read_avro(url)
    expected = [frame(20_000), frame(20_000, 1_000_000)]
    assert any(df.equals(each) for each in expected), "rows of two objects"
    server.before = None
    server.put("/x.avro", encode(20_000))
    assert_frame_equal(scan_avro(url).collect(), frame(20_000))
