"""Responses of a registry: contexts, soft-deleted subjects, and 404s of other servers."""

import json
import re

import polars as pl
import pytest
from framed import SCHEMA, column, events, expected
from polars.testing import assert_series_equal
from registry_server import serve

import polars_avro
from polars_avro import SchemaRegistry

VALUES = events(5)
#: Decodes the same bytes under other names.
SWAPPED = {
    "type": "record",
    "name": "T",
    "fields": [{"name": "amount", "type": "long"}, {"name": "price", "type": "long"}],
}
STAGED = SWAPPED | {"fields": SWAPPED["fields"][::-1]}
HTML = b"<html>\n<body>Not Found</body>\n</html>"


@pytest.fixture
def server():
    with serve() as registry:
        yield registry


def client(server, **options):
    return SchemaRegistry(server.url, **{"backoff": 0.001, "timeout": 10, **options})


def test_ids_are_looked_up_in_the_context_of_the_subject(server):
    number = server.add("t-value", SWAPPED)
    server.add(":.staging:t-value", STAGED)
    server.contexts[".staging"] = {number: {"schema": json.dumps(STAGED)}}
    rows = column([{"price": 7, "amount": 2}], "confluent", STAGED, schema_id=number)
    registry = client(server, subject=":.staging:t-value")
    got = rows.avro.decode(framing="confluent", schemas=registry)
    assert got.to_list() == [{"price": 7, "amount": 2}]
    assert f"GET /schemas/ids/{number}?subject=%3A.staging%3At-value" in server.requests
    # Each context has separate ids, also if the subject of a registry object changes.
    registry.subject = "t-value"
    assert json.loads(registry.schema(number)) == SWAPPED
    with pytest.raises(polars_avro.AvroSchemaNotFoundError, match=r"id 99 in the context :\.staging:"):
        client(server, subject=":.staging:t-value").schema(99)


def test_the_default_context_and_subjects_with_colons(server):
    number = server.add("a:b", SWAPPED)
    for subject in ("a:b", ":odd", None):
        assert json.loads(client(server, subject=subject).schema(number)) == SWAPPED
    assert server.requests == [f"GET /schemas/ids/{number}"] * 3
    server.contexts["."] = {number: {"schema": json.dumps(SWAPPED)}}
    assert json.loads(client(server, subject=":.:t").schema(number)) == SWAPPED


def test_references_are_in_the_context_of_the_schema_that_refers(server):
    server.add(":.staging:inner", {"type": "enum", "name": "E", "symbols": ["A"]})
    server.add(":.other:fixed", {"type": "fixed", "name": "F", "size": 2})
    outer = {"type": "record", "name": "R", "fields": [{"name": "e", "type": "E"}, {"name": "f", "type": "F"}]}
    references = [
        {"name": "E", "subject": "inner", "version": 1},
        {"name": "F", "subject": ":.other:fixed", "version": 1},
    ]
    server.contexts[".staging"] = {5: {"schema": json.dumps(outer), "references": references}}
    text = client(server, subject=":.staging:outer").schema(5)
    assert [field["type"]["type"] for field in json.loads(text)["fields"]] == ["enum", "fixed"]


def test_references_to_soft_deleted_subjects_are_found(server):
    server.add("inner", {"type": "enum", "name": "E", "symbols": ["A"]})
    outer = {"type": "record", "name": "R", "fields": [{"name": "e", "type": "E"}]}
    number = server.add("outer", outer, references=[{"name": "E", "subject": "inner", "version": 1}])
    server.deleted = {"inner"}
    assert "enum" in client(server).schema(number)
    assert server.requests[-1] == "GET /subjects/inner/versions/1?deleted=true"
    # A soft-deleted subject is not found by its name.
    with pytest.raises(polars_avro.AvroSchemaNotFoundError):
        client(server).latest("inner")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "fault",
    [
        (404, HTML, {"Content-Type": "text/html"}),
        (404, b"", {}),
        (404, b'{"message": "no Route matched with those values"}', {}),
        (404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}', {}),
        (404, b'{"error_code": "NOT_FOUND"}', {}),
        (404, b'{"error_code": 40400, "message": "no route"}', {}),
        (404, b'{"error_code": 40500, "message": "not found"}', {}),
        (404, b"[40403]", {}),
        (410, b'{"error_code": 40403, "message": "gone"}', {}),
    ],
)
def test_an_answer_that_is_no_registrys_says_nothing_about_ids(server, fault):
    number = server.add("events", SCHEMA)
    server.faults = [fault]
    rows = column(VALUES, "confluent", schema_id=number)
    registry = client(server)
    with pytest.raises(polars_avro.AvroError, match="status 4") as caught:
        rows.avro.decode(SCHEMA, framing="confluent", schemas=registry, ignore_errors=True)
    assert type(caught.value) is polars_avro.AvroError
    assert "\n" not in str(caught.value)
    # The failure is not cached as a missing id.
    assert_series_equal(rows.avro.decode(SCHEMA, framing="confluent", schemas=registry), expected(VALUES))


@pytest.mark.parametrize("code", [40401, 40402, 40403, 40406])
def test_a_registry_that_says_so_lacks_the_id(server, code):
    server.faults = [(404, json.dumps({"error_code": code, "message": "not found"}).encode(), {})]
    with pytest.raises(polars_avro.AvroSchemaNotFoundError):
        client(server).schema(1)


def test_a_wrong_base_path_is_told_from_a_schema_that_is_refused(server):
    server.faults = [(404, HTML, {})]
    with pytest.raises(polars_avro.AvroError, match="is `url` that of a schema registry") as caught:
        client(server).register("events", SCHEMA)
    assert type(caught.value) is polars_avro.AvroError
    server.faults = [(409, b'{"error_code": 409, "message": "incompatible"}', {})]
    with pytest.raises(polars_avro.AvroSchemaError, match="incompatible"):
        client(server).register("events", SCHEMA)


READ_AS = {"type": "record", "name": "O", "fields": [{"name": "id", "type": "long"}]}
ROW = pl.Series("v", [b"\0\0\0\0\1\2"])


def test_the_text_of_an_answer_names_no_local_file(server, tmp_path):
    (tmp_path / "local.avsc").write_text(json.dumps(READ_AS))
    polars_avro.write_avro(pl.DataFrame({"id": [1]}), tmp_path / "local.avro")
    for name in ("local.avsc", "local.avro", "missing.avsc"):
        server.schemas = [{"schema": str(tmp_path / name)}]
        with pytest.raises(polars_avro.AvroSchemaError, match="the schema of id 1: the schema is not valid JSON"):
            ROW.avro.decode(framing="confluent", schemas=client(server), reader_schema=READ_AS)


@pytest.mark.parametrize("ignore_errors", [False, True])
def test_an_id_whose_reference_is_missing_is_known(server, ignore_errors):
    reference = {"name": "B", "subject": "gone", "version": 1}
    server.add("a", {"type": "record", "name": "A", "fields": [{"name": "b", "type": "B"}]}, references=[reference])
    registry = client(server)
    for decode in (
        lambda: ROW.avro.decode(READ_AS, framing="confluent", schemas=registry, ignore_errors=ignore_errors),
        lambda: registry.schema(1),
    ):
        # The second call may use what the first has cached.
        for _ in range(2):
            with pytest.raises(
                polars_avro.AvroSchemaError, match="no version 1 of subject 'gone', which a schema refers"
            ):
                decode()


def test_answers_may_have_a_type_of_null(server):
    server.schemas = [{"schema": json.dumps(READ_AS), "schemaType": None, "references": None}]
    assert ROW.avro.decode(framing="confluent", schemas=client(server), reader_schema=READ_AS).to_list() == [{"id": 1}]


def test_an_invalid_schema_names_its_id(server):
    server.schemas = [{"schema": '{"type": "foo"}'}]
    for schemas in (client(server), lambda _: '{"type": "foo"}'):
        with pytest.raises(polars_avro.AvroSchemaError, match=r"the schema of id 1: .*no type is named `?'?foo"):
            ROW.avro.decode(framing="confluent", schemas=schemas, reader_schema=READ_AS)


@pytest.mark.parametrize(("status", "error"), [(401, PermissionError), (403, PermissionError), (500, ConnectionError)])
def test_the_message_of_a_refusal_is_shown(server, status, error):
    body = json.dumps({"error_code": status * 100, "message": "Token expired\nat 12:00"}).encode()
    server.faults = [(status, body, {})]
    with pytest.raises(error, match=f"status {status}, Token expired at 12:00"):
        client(server, retries=0).schema(1)


def test_a_redirect_names_the_whole_address(server):
    server.faults = [(302, b"", {"Location": "/other"})]
    with pytest.raises(polars_avro.AvroError, match=f"redirects to {server.url}/other"):
        client(server).schema(1)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://u:topsecret@other/login?token=topsecret", "http://other/login"),
        ("http://[bad", "an address that is not valid"),
        (None, "no address"),
    ],
)
def test_the_address_of_a_redirect_has_no_secrets(server, location, shown):
    server.faults = [(302, b"", {} if location is None else {"Location": location})]
    with pytest.raises(polars_avro.AvroError, match=f"redirects to {re.escape(shown)}") as caught:
        client(server).schema(1)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "options", "error", "name"),
    [
        ("http://x/?a=1", {}, ValueError, "url"),
        ("http://u:topsecret@x/#a", {}, ValueError, "url"),
        ("htp://u:topsecret@x", {}, ValueError, "url"),
        (5, {}, TypeError, "url"),
        ("http://x", {"auth": "user:topsecret"}, TypeError, "auth"),
        ("http://x", {"token": b"t"}, TypeError, "token"),
        ("http://x", {"headers": "x"}, TypeError, "headers"),
        ("http://x", {"headers": {"a": 1}}, TypeError, "headers"),
        ("http://x", {"timeout": "5"}, TypeError, "timeout"),
        ("http://x", {"timeout": 0}, ValueError, "timeout"),
        ("http://x", {"timeout": float("nan")}, ValueError, "timeout"),
        ("http://x", {"backoff": -1}, ValueError, "backoff"),
        ("http://x", {"retries": "x"}, TypeError, "retries"),
        ("http://x", {"subject": 5}, TypeError, "subject"),
    ],
)
def test_arguments_are_refused_by_name(url, options, error, name):
    with pytest.raises(error, match=f"`{name}`") as caught:
        SchemaRegistry(url, **options)
    assert "topsecret" not in str(caught.value)
