"""Schemas from a registry on loopback, and failures of a registry."""

import json
import pickle
import shutil
import ssl
import subprocess
import threading

import polars as pl
import pytest
from framed import SCHEMA, column, datum, events, expected, header
from polars.testing import assert_frame_equal, assert_series_equal
from registry_server import basic, serve

import polars_avro
from polars_avro import SchemaRegistry

VALUES = [*events(30), None]
WITHOUT_SCORE = SCHEMA | {"fields": [f for f in SCHEMA["fields"] if f["name"] != "score"]}
READER = SCHEMA | {"fields": [f | ({"default": None} if f["name"] == "score" else {}) for f in SCHEMA["fields"]]}


@pytest.fixture
def server():
    with serve() as registry:
        yield registry


def client(server, **options):
    return SchemaRegistry(server.url, **{"backoff": 0.001, "timeout": 10, **options})


def test_rows_of_several_schemas_are_read_as_the_latest(server):
    old = server.add("events", WITHOUT_SCORE)
    new = server.add("events", READER)
    values = [{k: v for k, v in event.items() if k != "score"} for event in events(5)]
    rows = pl.concat(
        [column(VALUES, "confluent", schema_id=new), column(values, "confluent", WITHOUT_SCORE, schema_id=old)]
    )
    got = rows.avro.decode(framing="confluent", schemas=client(server, subject="events"))
    assert_series_equal(got, expected([*VALUES, *({**v, "score": None} for v in values)]))
    assert sorted(server.requests) == sorted(
        ["GET /subjects/events/versions/latest", f"GET /schemas/ids/{old}", f"GET /schemas/ids/{new}"]
    )
    got = rows.avro.decode(READER, framing="confluent", schemas=client(server))
    assert got.len() == rows.len()


def test_an_id_is_fetched_once_for_all_threads(server):
    number = server.add("events", SCHEMA)
    server.delay = 0.05
    registry, failures = client(server), []
    frame = pl.DataFrame({"v": pl.concat([column(VALUES, "confluent", schema_id=number)] * 50)})

    def run():
        try:
            expr = polars_avro.decode("v", SCHEMA, framing="confluent", schemas=registry)
            assert frame.lazy().select(expr).collect(engine="streaming").height == frame.height
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert server.requests == [f"GET /schemas/ids/{number}"]


def test_an_id_that_the_registry_does_not_have_is_named(server):
    number = server.add("events", SCHEMA)
    rows = pl.concat([column(VALUES, "confluent", schema_id=number), column(VALUES[:1], "confluent", schema_id=77)])
    options = {"framing": "confluent", "schemas": client(server), "reader_schema": SCHEMA}
    with pytest.raises(polars_avro.AvroDataError, match="row 31: schema id 77 is not known"):
        rows.avro.decode(**options)
    for _ in range(2):
        with pytest.warns(polars_avro.AvroWarning, match="1 bad datum"):
            assert_series_equal(rows.avro.decode(**options, ignore_errors=True), expected([*VALUES, None]))
    # It is not requested again for every batch.
    assert server.requests.count("GET /schemas/ids/77") == 1
    with pytest.raises(polars_avro.AvroSchemaNotFoundError, match="schema id 78"):
        options["schemas"].schema(78)
    with pytest.raises(LookupError, match="subject 'none'"):
        options["schemas"].latest("none")


def test_auto_looks_ids_up(server):
    number = server.add("events", SCHEMA)
    values = VALUES[:8]
    rows = [column([value], framing, schema_id=number) for value in values for framing in ("datum", "confluent")]
    got = pl.concat(rows).avro.decode(SCHEMA, framing="auto", schemas=client(server))
    assert_series_equal(got, expected([value for value in values for _ in "ab"]))


def test_references_are_put_in_their_place(server):
    money = {"type": "record", "name": "Money", "namespace": "shop", "fields": [
        {"name": "amount", "type": "long"},
        {"name": "currency", "type": {"type": "enum", "name": "Currency", "symbols": ["EUR", "USD"]}},
    ]}  # fmt: skip
    # It has no namespace, and uses a type that another schema defines.
    line = {"type": "record", "name": "Line", "fields": [
        {"name": "price", "type": "shop.Money"}, {"name": "next", "type": ["null", "Line"]},
    ]}  # fmt: skip
    order = {"type": "record", "name": "Order", "namespace": "app", "fields": [
        {"name": "currency", "type": "shop.Currency"},
        {"name": "total", "type": "shop.Money"},
        {"name": "lines", "type": {"type": "array", "items": "Line2"}},
        {"name": "again", "type": ["null", "shop.Money"]},
    ]}  # fmt: skip
    line["name"], line["namespace"] = "Line2", "app"
    line["fields"][1]["type"][1] = "Line2"
    server.add("money", money)
    server.add("line", line, references=[{"name": "shop.Money", "subject": "money", "version": 1}])
    references = [
        {"name": "shop.Money", "subject": "money", "version": 1},
        {"name": "app.Line2", "subject": "line", "version": 1},
    ]
    number = server.add("order/value", order, references=references)
    text = client(server).schema(number)
    one = {"amount": 5, "currency": "USD"}
    value = {"currency": "EUR", "total": one, "lines": [{"price": one, "next": None}] * 2, "again": one}
    rows = pl.Series([header("confluent", schema_id=number) + datum(value, json.loads(text))])
    registry = client(server, subject="order/value")
    got = rows.avro.decode(framing="confluent", schemas=registry)
    lines = [{"price": one, "next": None}] * 2
    assert got.to_list() == [{"currency": "EUR", "total": one, "lines": lines, "again": one}]
    assert got.dtype.to_schema()["currency"] == pl.Enum(["EUR", "USD"])
    assert "GET /subjects/order%2Fvalue/versions/latest" in server.requests


def test_types_without_a_namespace_keep_none_inside_others(server):
    server.add("inner", {"type": "record", "name": "In", "fields": [
        {"name": "f", "type": {"type": "fixed", "name": "F", "size": 1}}, {"name": "g", "type": "F"},
    ]})  # fmt: skip
    # Inside a namespace `In` cannot be referenced, so the reference is in a record without one.
    outer = {"type": "record", "name": "Out", "fields": [{"name": "in", "type": "In"}]}
    number = server.add("outer", outer, references=[{"name": "In", "subject": "inner", "version": 1}])
    rows = pl.Series([header("confluent", schema_id=number) + b"ab"])
    got = rows.avro.decode(framing="confluent", schemas=client(server, subject="outer"))
    assert got.to_list() == [{"in": {"f": b"a", "g": b"b"}}]


def test_a_bare_name_is_a_schema_too(server):
    number = server.add("numbers", '"long"')
    rows = pl.Series([header("confluent", schema_id=number) + b"\x06"])
    assert rows.avro.decode(framing="confluent", schemas=client(server, subject="numbers")).to_list() == [3]


@pytest.mark.parametrize(
    "fault", [(503, b"busy", {}), (429, b"", {"Retry-After": "0"}), (500, b"{}", {}), (0, b"", {})]
)
def test_failures_that_pass_are_tried_again(server, fault):
    number = server.add("events", SCHEMA)
    server.faults = [fault] * 2
    assert json.loads(client(server).schema(number)) == SCHEMA
    assert len(server.requests) == 3


def test_failures_that_do_not_pass_are_errors(server):
    number = server.add("events", SCHEMA)
    server.faults = [(503, b"", {})] * 3
    registry = client(server, retries=2)
    rows = column(VALUES, "confluent", schema_id=number)
    # A registry that does not respond is not a bad row.
    with pytest.raises(
        ConnectionError, match=f"GET {server.url}/schemas/ids/{number} failed after 3 tries: status 503"
    ):
        rows.avro.decode(SCHEMA, framing="confluent", schemas=registry, ignore_errors=True)
    assert_series_equal(rows.avro.decode(SCHEMA, framing="confluent", schemas=registry), expected(VALUES))
    with pytest.raises(ConnectionError, match="1 try"):
        SchemaRegistry("http://127.0.0.1:9", retries=0).schema(1)
    server.delay = 0.3
    with pytest.raises(ConnectionError, match="timed out"):
        client(server, timeout=0.05, retries=0).schema(number)


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ((401, b"", {}), PermissionError, "access denied, status 401"),
        ((403, b"{}", {}), PermissionError, "access denied, status 403"),
        ((302, b"", {"Location": "http://elsewhere/"}), polars_avro.AvroError, "redirects to http://elsewhere/"),
        ((200, b"<html>", {}), polars_avro.AvroError, "not JSON"),
        ((200, b"[" * 100_000, {}), polars_avro.AvroError, "not JSON"),
        ((200, b"[]", {}), polars_avro.AvroError, "is it a schema registry"),
        ((200, b"{}", {}), polars_avro.AvroError, "is it a schema registry"),
        ((200, b'{"schema": 7}', {}), polars_avro.AvroError, "is it a schema registry"),
        ((200, b'{"schema": "{}", "schemaType": "PROTOBUF"}', {}), polars_avro.AvroUnsupportedError, "PROTOBUF"),
        ((200, b'{"schema": "{\\"type\\": \\"nonsense\\"}"}', {}), polars_avro.AvroSchemaError, "nonsense"),
        ((400, b'{"message": "no such thing"}', {}), polars_avro.AvroError, "status 400, no such thing"),
    ],
)
def test_answers_that_make_no_sense_are_errors(server, fault, kind, message):
    server.add("events", SCHEMA)
    server.faults = [fault]
    with pytest.raises(kind, match=message) as caught:
        column(VALUES, "confluent", schema_id=1).avro.decode(SCHEMA, framing="confluent", schemas=client(server))
    assert type(caught.value) is kind
    assert len(server.requests) == 1


def test_references_without_end_are_an_error(server):
    server.add("loop", '"Loop"', references=[{"name": "Loop", "subject": "loop", "version": 1}])
    assert json.loads(client(server).schema(1)) == "Loop"
    with pytest.raises(polars_avro.AvroSchemaError, match="Loop"):
        column(VALUES, "confluent", schema_id=1).avro.decode(SCHEMA, framing="confluent", schemas=client(server))


def test_basic_authentication(server):
    server.add("events", SCHEMA)
    server.authorization = basic("me", "p:ss word")
    with pytest.raises(PermissionError):
        client(server).schema(1)
    assert client(server, auth=("me", "p:ss word")).schema(1)
    url = server.url.replace("http://", "http://me:p%3Ass%20word@")
    registry = SchemaRegistry(url)
    assert registry.schema(1)
    assert "word" not in repr(registry) + repr(registry._service)
    with pytest.raises(PermissionError) as caught:
        SchemaRegistry(url.replace("word", "wrong")).schema(1)
    assert "wrong" not in str(caught.value)


def test_bearer_tokens_and_headers(server):
    server.add("events", SCHEMA)
    server.authorization = "Bearer abc"
    registry = client(server, token="abc", headers={"X-Tenant": "one"})
    assert registry.schema(1)
    assert server.headers[0]["X-Tenant"] == "one"
    assert "abc" not in repr(registry) + repr(registry._service)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("localhost:8081", {}),
        ("ftp://localhost", {}),
        ("http://", {}),
        ("http://x", {"auth": ("a", "b"), "token": "c"}),
        ("http://x", {"retries": -1}),
    ],
)
def test_arguments_are_checked(url, options):
    with pytest.raises(ValueError, match="`"):
        SchemaRegistry(url, **options)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
def test_tls_trusts_the_certificates_that_it_is_told(tmp_path):
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    request += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(request, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with serve(context) as server:
        server.add("events", SCHEMA)
        with pytest.raises(ConnectionError, match=r"(?i)certificate"):
            client(server).schema(1)
        assert client(server, ca_file=str(pem)).schema(1)
        # The client certificate is presented if the server requests it.
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pem)
        assert client(server, ca_file=str(pem), cert_file=str(pem), key_file=str(key)).schema(1)
        with pytest.raises(ConnectionError):
            client(server, ca_file=str(pem), retries=0).schema(1)


def test_a_registry_pickles_with_a_plan(server):
    number = server.add("events", SCHEMA)
    registry = client(server, subject="events")
    frame = pl.DataFrame({"v": column(VALUES, "confluent", schema_id=number)})
    lf = frame.lazy().select(polars_avro.decode("v", framing="confluent", schemas=registry))
    registry.schema(number)
    copy = pickle.loads(pickle.dumps(registry))
    assert repr(copy) == repr(registry) == f"SchemaRegistry('{server.url}', subject='events')"
    assert copy.schema(number) == registry.schema(number)
    before = len(server.requests)
    got = pl.LazyFrame.deserialize(__import__("io").BytesIO(lf.serialize())).collect()
    assert_frame_equal(got, expected(VALUES).to_frame())
    # The dtype is in the plan, so only the id is requested.
    assert server.requests[before:] == [f"GET /schemas/ids/{number}"]


def test_registering_gives_an_id(server):
    registry = client(server)
    number = registry.register("events", SCHEMA)
    assert registry.register("events", SCHEMA) == number == 1
    assert server.requests == ["POST /subjects/events/versions"]
    assert registry.latest("events") == polars_avro.RegisteredSchema(1, json.dumps(SCHEMA), "events", 1)
    with pytest.raises(polars_avro.AvroSchemaError, match="status 422, Invalid schema"):
        registry.register("events", {"type": "record", "name": "bad", "fields": []})
    with pytest.raises(ValueError, match="`subject`"):
        registry.latest()


def test_lookup_finds_a_version_and_registers_nothing(server):
    registry = client(server)
    for subject in ("events", "others"):
        with pytest.raises(polars_avro.AvroSchemaNotFoundError, match=f"no schema as '{subject}'"):
            registry.lookup(subject, SCHEMA)
        server.add("others", WITHOUT_SCORE)
    server.add("events", WITHOUT_SCORE)
    number = server.add("events", SCHEMA)
    # The schema was missing a moment ago.
    found = registry.lookup("events", json.dumps(SCHEMA))
    assert found == polars_avro.RegisteredSchema(number, json.dumps(SCHEMA), "events", 2)
    requests = len(server.requests)
    assert registry.lookup("events", SCHEMA) == found
    assert len(server.requests) == requests
    assert {request.split()[0] for request in server.requests} == {"POST"}
    assert "POST /subjects/events" in server.requests
    with pytest.raises(polars_avro.AvroSchemaError, match="Foo"):
        registry.lookup("events", {"type": "Foo"})
    server.faults = [(404, b"<html>", {})]
    with pytest.raises(polars_avro.AvroError, match=r"did not look up schema as 'more'.* is `url` that of") as caught:
        registry.lookup("more", SCHEMA)
    assert type(caught.value) is polars_avro.AvroError
