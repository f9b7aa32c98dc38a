"""``polars-avro schemata``: the schemas of a protocol, as Apache Avro for Python reads them."""

import json

import avro.protocol
import avro.schema
import fastavro
import pytest

PROTOCOL = {
    "protocol": "Orders",
    "namespace": "shop",
    "types": [
        {"type": "enum", "name": "State", "symbols": ["OPEN", "DONE"]},
        {"type": "fixed", "name": "other.Hash", "size": 16},
        {
            "type": "record",
            "name": "Line",
            "fields": [
                {"name": "hash", "type": "other.Hash"},
                {"name": "state", "type": "State", "default": "OPEN"},
                {
                    "name": "inner",
                    "type": {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": "int"}]},
                },
            ],
        },
        {
            "type": "record",
            "name": "Order",
            "aliases": ["Purchase"],
            "fields": [
                {"name": "lines", "type": {"type": "array", "items": "Line"}},
                {"name": "parent", "type": ["null", "Order"]},
                {"name": "state", "type": "State"},
                {"name": "by_name", "type": {"type": "map", "values": "shop.Inner"}},
            ],
        },
        {"type": "error", "name": "Refused", "fields": [{"name": "order", "type": ["null", "Order"]}]},
    ],
    "messages": {"place": {"request": [{"name": "order", "type": "Order"}], "response": "null", "errors": ["Refused"]}},
}


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "orders.avpr"
    path.write_text(json.dumps(PROTOCOL))
    return path


def test_every_type_has_a_file(cli, protocol, tmp_path):
    outcome = cli("schemata", protocol, tmp_path / "out")
    assert outcome.status == 0
    names = ["State", "Hash", "Line", "Order", "Refused"]
    assert outcome.lines == [str(tmp_path / "out" / f"{name}.avsc") for name in names]
    expected = {kind.name: kind for kind in avro.protocol.parse(json.dumps(PROTOCOL)).types}
    for name in names:
        text = (tmp_path / "out" / f"{name}.avsc").read_text()
        assert avro.schema.parse(text).canonical_form == expected[name].canonical_form
        assert fastavro.parse_schema(json.loads(text))["type"] in ("record", "enum", "fixed", "error")
    shown = cli("schema", tmp_path / "out" / "Line.avsc")
    assert shown.status == 0
    assert shown.lines[0].startswith("hash")


def test_a_type_without_a_namespace_stays_outside(cli, tmp_path):
    inner = {"type": "record", "name": "A", "namespace": "", "fields": []}
    outer = {"type": "record", "name": "B", "fields": [{"name": "a", "type": "A"}]}
    (tmp_path / "p.avpr").write_text(json.dumps({"protocol": "n.P", "types": [inner, outer]}))
    assert cli("schemata", tmp_path / "p.avpr", tmp_path).status == 0
    schema = json.loads((tmp_path / "B.avsc").read_text())
    assert (schema["namespace"], schema["fields"][0]["type"]["namespace"]) == ("n", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no protocol in JSON"),
        ("[]", "this is no protocol"),
        ('{"protocol": "P", "types": ["int"]}', "list of named types"),
        ('{"protocol": "P", "types": [{"type": "record", "name": "R"}]}', "no list of `fields`"),
        (
            '{"protocol": "P", "types": [{"type": "record", "name": "R", "fields": [{"name": "x", "type": "Q"}]}]}',
            "no type is named `Q`",
        ),
    ],
)
def test_what_is_no_protocol_is_an_error(cli, tmp_path, text, message):
    path = tmp_path / "p.avpr"
    path.write_text(text)
    outcome = cli("schemata", path, tmp_path / "out")
    assert outcome.status == 3
    assert str(path) in outcome.err
    assert message in outcome.err
    assert not (tmp_path / "out").exists()


def test_a_protocol_comes_from_standard_input(cli, protocol, tmp_path):
    outcome = cli("schemata", "-", tmp_path / "out", stdin=protocol.read_bytes())
    assert (outcome.status, len(outcome.lines)) == (0, 5)


def test_avro_idl_is_refused(cli, tmp_path):
    path = tmp_path / "p.avdl"
    path.write_text("protocol P {}")
    outcome = cli("schemata", path)
    assert outcome.status == 2
    assert "avro-tools idl" in outcome.err
