"""Registering schemas that refer to types of other subjects."""

import json

import polars as pl
import pytest
from registry_server import serve

import polars_avro
from polars_avro import SchemaRegistry

MONEY = {
    "type": "record",
    "name": "Money",
    "namespace": "shop",
    "fields": [{"name": "amount", "type": "long"}, {"name": "currency", "type": "string"}],
}
ORDER = {"type": "record", "name": "Order", "fields": [{"name": "total", "type": "shop.Money"}]}
REFERENCE = {"name": "shop.Money", "subject": "money", "version": 1}


@pytest.fixture
def server():
    with serve() as registry:
        yield registry


def client(server, **options):
    return SchemaRegistry(server.url, **{"backoff": 0.001, "timeout": 10, **options})


def test_a_schema_is_registered_with_its_references(server):
    registry = client(server, subject="orders")
    registry.register("money", MONEY)
    number = registry.register("orders", ORDER, references=[REFERENCE])
    assert server.schemas[number - 1] == {"schema": json.dumps(ORDER), "references": [REFERENCE]}
    assert registry.register("orders", ORDER, references=(REFERENCE,)) == number
    assert server.requests.count("POST /subjects/orders/versions") == 1
    # The types are inlined, so the latest version encodes and decodes without further arguments.
    orders = pl.Series("v", [{"total": {"amount": 5, "currency": "EUR"}}, None])
    rows = orders.avro.encode(framing="confluent", registry=registry)
    assert rows.to_list() == [b"\x00\x00\x00\x00\x02\x0a\x06EUR", None]
    assert rows.avro.decode(framing="confluent", schemas=registry).to_list() == orders.to_list()


def test_a_schema_is_looked_up_with_its_references(server):
    registry = client(server)
    registry.register("money", MONEY)
    with pytest.raises(polars_avro.AvroSchemaNotFoundError, match="no schema as 'orders'"):
        registry.lookup("orders", ORDER, references=[REFERENCE])
    number = registry.register("orders", ORDER, references=[REFERENCE])
    found = registry.lookup("orders", ORDER, references=[REFERENCE])
    assert (found.id, found.subject, found.version) == (number, "orders", 1)
    assert json.loads(found.schema)["fields"][0]["type"]["name"] == "Money"


def test_a_schema_is_checked_with_the_types_that_it_refers_to(server):
    registry = client(server)
    with pytest.raises(polars_avro.AvroSchemaNotFoundError, match="version 1 of subject 'money'"):
        registry.register("orders", ORDER, references=[REFERENCE])
    registry.register("money", MONEY)
    with pytest.raises(polars_avro.AvroSchemaError, match=r"shop\.Money"):
        registry.register("orders", ORDER)
    with pytest.raises(polars_avro.AvroSchemaError, match=r"shop\.Price"):
        registry.register("orders", {"type": "array", "items": "shop.Price"}, references=[REFERENCE])
    assert "POST /subjects/orders/versions" not in server.requests


def test_references_are_in_the_context_of_the_subject(server):
    registry = client(server)
    registry.register(":.staging:money", MONEY)
    registry.register(":.staging:orders", ORDER, references=[REFERENCE])
    assert "GET /subjects/%3A.staging%3Amoney/versions/1" in server.requests


@pytest.mark.parametrize(
    ("references", "error", "message"),
    [
        (REFERENCE, TypeError, "`references` must be a list of mappings, got 'dict'"),
        ("shop.Money", TypeError, "`references` must be a list of mappings, got 'str'"),
        ([REFERENCE, "shop.Money"], TypeError, r"`references\[1\]` must be a mapping"),
        ([{"name": "shop.Money", "subject": "money"}], ValueError, r"`references\[0\]` must have the keys .*'version'"),
        ([REFERENCE | {"id": 1}], ValueError, r"`references\[0\]` must have the keys"),
        ([REFERENCE | {"version": "1"}], TypeError, r"`references\[0\]\['version'\]` must be int, got '1'"),
        ([REFERENCE | {"version": True}], TypeError, r"`references\[0\]\['version'\]` must be int"),
    ],
)
def test_references_are_checked(references, error, message):
    registry = SchemaRegistry("http://localhost:9")
    for method in (registry.register, registry.lookup):
        with pytest.raises(error, match=message):
            method("orders", ORDER, references=references)
