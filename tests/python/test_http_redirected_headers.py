"""Headers that follow a redirect to another host."""

from __future__ import annotations

from http_objects import encode, frame
from polars.testing import assert_frame_equal
from servers import Fault, Request, Server, serving

from polars_avro import read_avro


def test_a_redirect_to_another_host_drops_the_authorization(server: Server) -> None:
    headers = {"Authorization": "Bearer topsecret", "Cookie": "topsecret", "X-Team": "data"}
    with serving() as other:
        target = other.put("/x.avro", encode(1000))
        url = server.put("/x.avro", b"")

        def redirect(_: Request) -> Fault:
            return Fault(status=302, headers={"Location": target})

        server.before = redirect
        assert_frame_equal(read_avro(url, storage_options={"headers": headers}), frame(1000))
        (request,) = server.requests
        assert request.headers["authorization"] == "Bearer topsecret"
        assert other.requests
        for followed in other.requests:
            assert "authorization" not in followed.headers
            assert "cookie" not in followed.headers
            assert followed.headers["x-team"] == "data"
