"""Several addresses of one registry: the next one is used if one fails."""

import base64
import pickle
import socket
import time

import pytest
from framed import SCHEMA, column, events, expected
from polars.testing import assert_series_equal
from registry_server import serve

import polars_avro
from polars_avro import SchemaRegistry


@pytest.fixture
def nodes():
    with serve() as first, serve() as second:
        for node in (first, second):
            node.add("events", SCHEMA)
        yield first, second


@pytest.fixture
def closed():
    """The URL of a port that nothing listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def client(*urls, **options):
    return SchemaRegistry(list(urls), **{"backoff": 0.001, "timeout": 10, **options})


def test_a_node_that_is_down_is_skipped(nodes, closed):
    registry = client(closed, nodes[0].url, subject="events", backoff=30)
    rows = column(events(5), "confluent", schema_id=1)
    start = time.monotonic()
    assert_series_equal(rows.avro.decode(framing="confluent", schemas=registry), expected(events(5)))
    # There is no wait before the next address.
    assert time.monotonic() - start < 10
    assert nodes[0].requests == ["GET /subjects/events/versions/latest", "GET /schemas/ids/1"]


@pytest.mark.parametrize(
    "fault", [(500, b"{}", {}), (503, b"busy", {"Retry-After": "9"}), (429, b"", {}), (0, b"", {})]
)
def test_a_node_that_fails_is_followed_by_the_next_one(nodes, fault):
    first, second = nodes
    first.faults = [fault]
    registry = client(first.url, second.url)
    assert registry.schema(1)
    assert (len(first.requests), len(second.requests)) == (1, 1)
    # The node that responded last is the first one that is tried.
    assert registry.latest("events").id == 1
    assert (len(first.requests), len(second.requests)) == (1, 2)
    second.faults = [fault]
    assert registry.latest("events").id == 1
    assert (len(first.requests), len(second.requests)) == (2, 3)


def test_a_node_that_does_not_respond_in_time_is_followed_by_the_next_one(nodes):
    nodes[0].delay = 1
    assert client(nodes[0].url, nodes[1].url, timeout=0.1).schema(1)
    assert len(nodes[1].requests) == 1


def test_all_nodes_are_retried(nodes):
    for node in nodes:
        node.faults = [(503, b"", {}), (429, b"", {"Retry-After": "0"})]
    assert client(*(node.url for node in nodes), retries=2).schema(1)
    assert (len(nodes[0].requests), len(nodes[1].requests)) == (3, 2)


def test_an_error_names_the_failure_of_each_node(nodes, closed):
    nodes[0].faults = [(503, b"", {})] * 2
    with pytest.raises(ConnectionError) as caught:
        client(nodes[0].url, closed, retries=1).schema(1)
    message = str(caught.value)
    assert f"GET {nodes[0].url}/schemas/ids/1 failed after 2 tries: status 503" in message
    assert f"{closed}/schemas/ids/1 failed after 2 tries: " in message


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ((401, b"", {}), PermissionError),
        ((404, b'{"error_code": 40403}', {}), polars_avro.AvroSchemaNotFoundError),
        ((404, b"<html>", {}), polars_avro.AvroError),
        ((302, b"", {"Location": "http://elsewhere/"}), polars_avro.AvroError),
    ],
)
def test_other_responses_are_final(nodes, fault, error):
    nodes[0].faults = [fault]
    with pytest.raises(error):
        client(nodes[0].url, nodes[1].url).schema(1)
    assert not nodes[1].requests


def test_credentials_in_a_url_are_for_that_url(nodes):
    first, second = nodes
    first.faults = [(503, b"", {})]
    url = first.url.replace("http://", "http://me:secret@")
    registry = client(url, second.url)
    registry.schema(1)
    assert first.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()
    assert "Authorization" not in second.headers[0]
    assert repr(registry) == f"SchemaRegistry([{first.url!r}, {second.url!r}])"
    registry = pickle.loads(pickle.dumps(client(first.url, second.url, auth=("me", "secret"))))
    first.faults = [(503, b"", {})]
    registry.schema(1)
    assert "Authorization" in second.headers[-1]
    assert "secret" not in repr(registry._service)


def test_urls_are_checked():
    assert repr(SchemaRegistry(["http://a"])) == repr(SchemaRegistry("http://a")) == "SchemaRegistry('http://a')"
    with pytest.raises(ValueError, match="`url` must be a URL or a list of URLs, got an empty list"):
        SchemaRegistry([])
    with pytest.raises(ValueError, match="`url` must begin with http"):
        SchemaRegistry(["http://a", "b"])
    with pytest.raises(TypeError, match="`url` must be a str or a list of str, got 'int'"):
        SchemaRegistry(["http://a", 8081])
