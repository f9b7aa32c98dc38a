"""Schemas from the registry of AWS Glue."""

import json
import pickle
import uuid

import polars as pl
import pytest
from framed import SCHEMA, column, datum, events, expected
from glue_service import ClientError, GlueService
from polars.testing import assert_frame_equal, assert_series_equal

import polars_avro
from polars_avro import GlueSchemaRegistry

VALUES = [*events(30), None]
OLD = SCHEMA | {"fields": [field for field in SCHEMA["fields"] if field["name"] != "score"]}
READER = SCHEMA | {"fields": [f | ({"default": None} if f["name"] == "score" else {}) for f in SCHEMA["fields"]]}


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setattr("polars_avro._glue_versions._POLL", 0.001)
    return GlueService()


def registry_of(service, **options):
    return GlueSchemaRegistry(service, **{"schema_name": "events", **options})


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_datums_are_written_and_read_back(service, engine):
    registry = registry_of(service)
    lf = pl.LazyFrame({"v": expected(VALUES)})
    expr = polars_avro.encode("v", SCHEMA, framing="glue", registry=registry)
    assert service.calls == []
    rows = lf.select(expr).collect(engine=engine)
    number = uuid.UUID(service.names["default-registry", "events"][0])
    front = b"\x03\x00" + number.bytes
    assert rows["v"].to_list() == [None if value is None else front + datum(value) for value in VALUES]
    assert service.calls == ["get_schema_by_definition", "register_schema_version", "create_schema"]
    service.calls.clear()
    lf.select(expr).collect(engine=engine)
    assert service.calls == []
    decoded = rows.lazy().select(polars_avro.decode("v", framing="glue", schemas=registry)).collect(engine=engine)
    assert_frame_equal(decoded, expected(VALUES).to_frame())
    assert service.calls == ["get_schema_version", "get_schema_version"]
    # Without `schema` the latest version is written.
    latest = polars_avro.encode("v", framing="glue", registry=registry, compression="zlib")
    compressed = lf.select(latest).collect(engine=engine)
    assert compressed["v"][0][:18] == b"\x03\x05" + number.bytes
    assert_series_equal(compressed["v"].avro.decode(framing="glue", schemas=registry), expected(VALUES))


def test_rows_of_several_versions_are_read_as_the_latest(service):
    registry = registry_of(service)
    old, new = registry.register("events", OLD), registry.register("events", READER)
    values = [{k: v for k, v in event.items() if k != "score"} for event in events(5)]
    rows = pl.Series(
        "v",
        [
            *(b"\x03\x00" + old.bytes + datum(value, OLD) for value in values),
            *(b"\x03\x00" + new.bytes + datum(value, READER) for value in events(5)),
        ],
    )
    wanted = expected([*({**value, "score": None} for value in values), *events(5)])
    assert_series_equal(rows.avro.decode(framing="glue", schemas=registry), wanted)
    assert_series_equal(rows.avro.decode(framing="auto", schemas=registry), wanted)
    assert registry.latest() == polars_avro.GlueSchemaVersion(new, json.dumps(READER), "events", 2)
    # Ids may be in another column.
    bare, ids = pl.Series("v", [row[18:] for row in rows]), pl.Series([row[2:18] for row in rows])
    assert_series_equal(bare.avro.decode(schemas=registry, schema_id=ids), wanted)


def test_a_schema_is_looked_up_without_registering_it(service):
    registry = registry_of(service)
    frame = pl.DataFrame({"v": expected(VALUES)})
    expr = polars_avro.encode("v", SCHEMA, framing="glue", registry=registry, auto_register=False)
    for _ in range(2):
        with pytest.raises(
            polars_avro.AvroSchemaNotFoundError, match="no version of schema 'events' with this definition"
        ):
            frame.select(expr)
        registry_of(service).register("events", OLD)
    number = registry_of(service).register("events", SCHEMA)
    assert registry.lookup("events", SCHEMA) == polars_avro.GlueSchemaVersion(number, json.dumps(SCHEMA), "events", 2)
    assert frame.select(expr)["v"][0][2:18] == number.bytes
    registry.lookup("events", SCHEMA)
    assert service.calls[-2:] == ["get_schema_by_definition", "get_schema_version"]


def test_an_id_that_the_registry_does_not_have_is_a_bad_row(service):
    registry = registry_of(service)
    missing = uuid.uuid4()
    rows = pl.Series("v", [b"\x03\x00" + missing.bytes + datum(VALUES[0])])
    with pytest.raises(polars_avro.AvroDataError, match=f"row 0: schema id {missing} is not known"):
        rows.avro.decode(SCHEMA, framing="glue", schemas=registry)
    for _ in range(2):
        with pytest.raises(polars_avro.AvroSchemaNotFoundError, match=f"has no schema version {missing}"):
            registry.schema(missing)
    assert service.calls == ["get_schema_version"]
    with pytest.raises(LookupError, match="has no schema 'events'"):
        registry.latest()
    with pytest.raises(ValueError, match="`name` is missing"):
        GlueSchemaRegistry(service).latest()


def test_a_new_version_is_waited_for(service):
    service.statuses = ["PENDING", "PENDING", "AVAILABLE"]
    registry = registry_of(service)
    number = registry.register("events", SCHEMA)
    assert service.calls[-1] == "get_schema_version"
    assert json.loads(registry.schema(number)) == SCHEMA
    service.statuses = ["PENDING", "FAILURE"]
    with pytest.raises(polars_avro.AvroSchemaError, match="incompatible with earlier versions"):
        registry.register("events", OLD)
    service.statuses = ["PENDING"]
    with pytest.raises(polars_avro.AvroError, match=r"not available after 0\.01 seconds"):
        registry_of(service, timeout=0.01).register("events", "int")
    number = service.names["default-registry", "events"][-1]
    with pytest.raises(polars_avro.AvroError, match="its status is PENDING"):
        registry.schema(number)


def test_a_schema_that_another_producer_creates_is_found(service):
    registry_of(service).register("events", OLD)
    service.errors = [ClientError("EntityNotFoundException", "Schema is not found.")] * 2
    assert registry_of(service).register("events", SCHEMA)
    calls = ["get_schema_by_definition", "register_schema_version", "create_schema", "register_schema_version"]
    assert service.calls[-4:] == calls


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            ClientError("AccessDeniedException", "no"),
            PermissionError,
            "get_schema_version of schema 'events' failed: .* no",
        ),
        (ClientError("ExpiredTokenException", "old"), PermissionError, "old"),
        (ClientError("InvalidInputException", "bad"), polars_avro.AvroSchemaError, "bad"),
        (ClientError("InternalServiceException", "oops"), polars_avro.AvroError, "oops"),
        (RuntimeError("own"), RuntimeError, "^own$"),
    ],
)
def test_errors_of_the_client_are_converted(service, error, kind, message):
    service.errors = [error]
    with pytest.raises(kind, match=message) as caught:
        registry_of(service).latest()
    assert type(caught.value) is kind


def test_other_formats_and_responses_are_errors(service):
    registry = registry_of(service)
    service.data_format = "JSON"
    number = registry.register("events", SCHEMA)
    with pytest.raises(polars_avro.AvroUnsupportedError, match="is of the format JSON"):
        registry.schema(number)
    service.get_schema_version = lambda **_: {"SchemaVersionId": "x", "SchemaDefinition": "{}"}
    with pytest.raises(polars_avro.AvroError, match="no 'SchemaVersionId'"):
        registry.latest()
    service.get_schema_version = lambda **_: {}
    with pytest.raises(polars_avro.AvroError, match="no 'SchemaDefinition'"):
        registry.latest()


def test_arguments_that_do_not_fit_are_refused(service):
    registry = registry_of(service)
    confluent = polars_avro.SchemaRegistry("http://localhost:9", subject="events")
    with pytest.raises(ValueError, match="`schemas` has ids of 'glue', and none of `framing='confluent'`"):
        polars_avro.decode("v", SCHEMA, framing="confluent", schemas=registry)
    with pytest.raises(
        ValueError, match="`schemas` has ids of 'confluent' and 'apicurio', and none of `framing='glue'`"
    ):
        polars_avro.decode("v", SCHEMA, framing="glue", schemas=confluent)
    with pytest.raises(ValueError, match="`registry` gives the ids of `framing` 'glue'"):
        polars_avro.encode("v", SCHEMA, framing="confluent", registry=registry)
    with pytest.raises(ValueError, match="must have a schema name"):
        polars_avro.encode("v", SCHEMA, framing="glue", registry=GlueSchemaRegistry(service))
    with pytest.raises(ValueError, match="UUID"):
        registry.schema("orders")


def test_a_registry_pickles_with_the_options_of_its_client():
    registry = GlueSchemaRegistry({"region_name": "eu-west-1"}, schema_name="events", registry_name="shop")
    copy = pickle.loads(pickle.dumps(registry))
    assert repr(copy) == repr(registry) == "GlueSchemaRegistry(registry_name='shop', schema_name='events')"
    lf = pl.LazyFrame({"v": column(VALUES, "glue")}).select(
        polars_avro.decode("v", SCHEMA, framing="glue", schemas=copy)
    )
    assert lf.serialize()


@pytest.fixture
def aws(monkeypatch):
    moto = pytest.importorskip("moto")
    pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with moto.mock_aws():
        yield {"region_name": "eu-west-1"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_boto3_is_used(aws):
    import boto3

    boto3.client("glue", **aws).create_registry(RegistryName="shop")
    registry = GlueSchemaRegistry(aws, schema_name="events", registry_name="shop")
    frame = pl.DataFrame({"v": expected(VALUES)})
    for name, codes in (("strict", False), ("free", True)):
        expr = polars_avro.encode("v", READER, framing="glue", registry=registry, auto_register=codes)
        if name == "strict":
            with pytest.raises(polars_avro.AvroSchemaNotFoundError):
                frame.select(expr)
        else:
            rows = frame.select(expr)["v"]
    registry = pickle.loads(pickle.dumps(registry))
    assert registry.register("events", READER) == uuid.UUID(bytes=rows[0][2:18])
    assert registry.latest().version == registry.lookup("events", READER).version == 1
    assert_series_equal(rows.avro.decode(framing="glue", schemas=registry), expected(VALUES))
    with pytest.raises(polars_avro.AvroSchemaNotFoundError):
        registry.schema(uuid.uuid4())
