"""Datums of the serializers of Confluent, AWS Glue and Apicurio in both directions, if their packages are installed."""

import json

import polars as pl
import pytest
from framed import SCHEMA, column, events, expected
from glue_service import GlueService
from polars.testing import assert_series_equal
from registry_server import serve

import polars_avro
from polars_avro import GlueSchemaRegistry, SchemaRegistry

VALUES = events(20)
TEXT = json.dumps(SCHEMA)
TOPIC = "events"
SUBJECT = f"{TOPIC}-value"

# The packages of vendors warn about their own dependencies.
pytestmark = pytest.mark.filterwarnings("ignore")


class Confluent:
    """The package `confluent-kafka[avro,schemaregistry]` with a registry on loopback."""

    def __init__(self, server):
        self.avro = pytest.importorskip("confluent_kafka.schema_registry.avro")
        self.registry = pytest.importorskip("confluent_kafka.schema_registry")
        self.client = self.registry.SchemaRegistryClient({"url": server.url})
        self.server = server

    def context(self, headers=None):
        from confluent_kafka.serialization import MessageField, SerializationContext

        return SerializationContext(TOPIC, MessageField.VALUE, headers)

    def serialize(self, value, headers=None, schema=TEXT, **options):
        options = {"auto.register.schemas": True, **options}
        if headers is not None:
            options["schema.id.serializer"] = self.registry.header_schema_id_serializer
        return self.avro.AvroSerializer(self.client, schema, conf=options)(value, self.context(headers))

    def deserialize(self, row, headers=None):
        options = {"schema.id.deserializer": self.registry.dual_schema_id_deserializer}
        return self.avro.AvroDeserializer(self.client, conf=options)(row, self.context(headers))


@pytest.fixture
def confluent():
    with serve() as server:
        server.has_guids = True
        yield Confluent(server)


def test_confluent_serializer(confluent):
    registry = SchemaRegistry(confluent.server.url, subject=SUBJECT)
    rows = pl.Series("v", [confluent.serialize(value) for value in VALUES])
    assert_series_equal(rows.avro.decode(framing="confluent", schemas=registry), expected(VALUES))
    got = expected(VALUES).avro.encode(SCHEMA, framing="confluent", registry=registry)
    assert_series_equal(got, rows)
    assert [confluent.deserialize(row) for row in got] == VALUES
    # Both look up the same id without registering.
    strict = expected(VALUES).avro.encode(SCHEMA, framing="confluent", registry=registry, auto_register=False)
    assert strict[0] == confluent.serialize(VALUES[0], **{"auto.register.schemas": False})


def test_confluent_header_serializer(confluent):
    registry = SchemaRegistry(confluent.server.url, subject=SUBJECT)
    headers = [[] for _ in VALUES]
    rows = [confluent.serialize(value, header) for value, header in zip(VALUES, headers, strict=True)]
    ids = [dict(header)["__value_schema_id"] for header in headers]
    frame = pl.DataFrame({"v": [*rows, confluent.serialize(VALUES[0])], "id": [*ids, None]})
    expr = polars_avro.decode("v", framing="confluent", schemas=registry, schema_id="id")
    assert_series_equal(frame.select(expr)["v"], expected([*VALUES, VALUES[0]]))
    guid = registry.lookup(SUBJECT, SCHEMA).guid
    assert ids == [b"\x01" + guid.bytes] * len(VALUES)
    bare = expected(VALUES).avro.encode(SCHEMA)
    assert [confluent.deserialize(row, [("__value_schema_id", ids[0])]) for row in bare] == VALUES
    number = registry.latest().id.to_bytes(5, "big")
    assert confluent.deserialize(bare[0], [("__value_schema_id", number)]) == VALUES[0]


def test_confluent_plain_bytes(confluent):
    registry = SchemaRegistry(confluent.server.url, subject=SUBJECT)
    headers = []
    framed, bare = confluent.serialize(b"abc", schema='"bytes"'), confluent.serialize(b"abc", headers, schema='"bytes"')
    assert pl.Series([framed]).avro.decode(framing="confluent", schemas=registry).to_list() == [b"abc"]
    ids = pl.Series([dict(headers)["__value_schema_id"]])
    assert pl.Series([bare]).avro.decode(schemas=registry, schema_id=ids).to_list() == [b"abc"]


def test_confluent_references(confluent):
    money = {"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "amount", "type": "long"}]}
    order = {"type": "record", "name": "Order", "fields": [{"name": "total", "type": "shop.Money"}]}
    registry = SchemaRegistry(confluent.server.url, subject=SUBJECT)
    registry.register("money", money)
    reference = {"name": "shop.Money", "subject": "money", "version": 1}
    number = registry.register(SUBJECT, order, references=[reference])
    schema = confluent.registry.Schema(
        json.dumps(order), "AVRO", [confluent.registry.SchemaReference("shop.Money", "money", 1)]
    )
    assert confluent.client.register_schema(SUBJECT, schema) == number
    value = {"total": {"amount": 5}}
    row = pl.Series([value]).avro.encode(framing="confluent", registry=registry)[0]
    assert confluent.serialize(value, schema=schema) == row
    assert confluent.deserialize(row) == value


def test_glue_serializer():
    package = pytest.importorskip("aws_schema_registry")
    from aws_schema_registry.avro import AvroSchema
    from aws_schema_registry.codec import encode

    service = GlueService()
    client = package.SchemaRegistryClient(service, registry_name="shop")
    from aws_schema_registry.serde import DataAndSchema, KafkaDeserializer, KafkaSerializer

    serializer, deserializer = KafkaSerializer(client), KafkaDeserializer(client)
    schema = AvroSchema(SCHEMA)
    rows = pl.Series("v", [serializer.serialize(TOPIC, DataAndSchema(value, schema)) for value in VALUES])
    name = next(iter(service.names))[1]
    registry = GlueSchemaRegistry(service, schema_name=name, registry_name="shop")
    assert_series_equal(rows.avro.decode(framing="glue", schemas=registry), expected(VALUES))
    got = expected(VALUES).avro.encode(str(schema), framing="glue", registry=registry)
    assert_series_equal(got, rows)
    number = registry.latest().id
    packed = [encode(schema.write(value), number, compression=True) for value in VALUES]
    assert_series_equal(pl.Series("v", packed).avro.decode(framing="glue", schemas=registry), expected(VALUES))
    ours = expected(VALUES).avro.encode(framing="glue", registry=registry, compression="zlib")
    assert [deserializer.deserialize(TOPIC, row).data for row in ours] == VALUES


@pytest.mark.parametrize("use_id", ["globalId", "contentId"])
def test_apicurio_serializer(use_id):
    package = pytest.importorskip("apicurio_serdes")
    httpx = pytest.importorskip("httpx")
    from apicurio_serdes.avro import AvroDeserializer, AvroSerializer
    from apicurio_serdes.serialization import MessageField, SerializationContext, WireFormat

    headers = {"X-Registry-GlobalId": "5000000007", "X-Registry-ContentId": "9"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=TEXT, headers=headers))
    client = package.ApicurioRegistryClient(
        "http://apicurio", "shop", http_client=httpx.Client(transport=transport, base_url="http://apicurio")
    )
    context = SerializationContext(topic=TOPIC, field=MessageField.VALUE)
    number = {"globalId": 5000000007, "contentId": 9}[use_id]
    serializer = AvroSerializer(client, TOPIC, use_id=use_id, wire_format=WireFormat.KAFKA_HEADERS)
    messages = [serializer.serialize(value, context) for value in VALUES]
    rows = pl.Series("v", [message.payload for message in messages])
    ids = pl.Series([message.headers[f"apicurio.value.{use_id}"] for message in messages])
    got = rows.avro.decode(schemas={number: SCHEMA}, schema_id=ids)
    assert_series_equal(got, expected(VALUES))
    if use_id == "contentId":
        framed = AvroSerializer(client, TOPIC, use_id=use_id)
        rows = pl.Series("v", [framed(value, context) for value in VALUES])
        assert_series_equal(rows, column(VALUES, "confluent", schema_id=number))
        assert_series_equal(rows.avro.decode(framing="confluent", schemas={number: SCHEMA}), expected(VALUES))
        ours = expected(VALUES).avro.encode(SCHEMA, framing="confluent", schema_id=number)
        deserializer = AvroDeserializer(client, use_id=use_id)
        assert [deserializer(row, context) for row in ours] == VALUES
