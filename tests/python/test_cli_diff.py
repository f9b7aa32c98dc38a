"""``polars-avro diff``: the rules of schema resolution in both directions."""

import io
import json

import fastavro
import pytest
from rows import SCHEMA

import polars_avro

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
INNER = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}


def record(*fields, name="R", **more):
    fields = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": fields, **more}


def found(writer, reader):
    return [str(problem) for problem in polars_avro.check_compatibility(reader, writer)]


READABLE = {
    "the same": (record(("a", "int"), ("e", ENUM)), record(("a", "int"), ("e", ENUM))),
    "another order": (record(("a", "int"), ("b", "string")), record(("b", "string"), ("a", "int"))),
    "wider": (record(("a", "int")), record(("a", "double"))),
    "less": (record(("a", "int"), ("b", "string")), record(("a", "int"))),
    "a default": (record(("a", "int")), record(("a", "int"), {"name": "b", "type": "int", "default": 3})),
    "an alias": (record(("old", "int")), record({"name": "a", "type": "int", "aliases": ["old"]})),
    "nullable now": (record(("a", "int")), record(("a", ["null", "int"]))),
    "more symbols": (record(("e", ENUM)), record(("e", {**ENUM, "symbols": ["A", "B", "C"]}))),
    "a symbol for others": (record(("e", ENUM)), record(("e", {**ENUM, "symbols": ["A"], "default": "A"}))),
    "namespaces": (
        record(("i", INNER), ("j", "n.I"), namespace="n"),
        record(("i", INNER), ("j", ["null", "n.I"]), namespace="n"),
    ),
    "a type inside itself": (
        record(("v", "int"), ("next", ["null", "R"])),
        record(("v", "long"), ("next", ["null", "R"])),
    ),
    "a name used twice, first in a branch": (
        record(("a", ["null", INNER]), ("b", {"type": "array", "items": "I"})),
        record(("a", ["null", INNER]), ("b", {"type": "array", "items": "I"})),
    ),
    "decimals": (
        record(("d", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})),
        record(("d", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})),
    ),
    "roots": ("int", "long"),
}


@pytest.mark.parametrize("case", READABLE)
def test_readable(case):
    writer, reader = READABLE[case]
    assert found(writer, reader) == []


UNREADABLE = {
    "narrower": (record(("a", "long")), record(("a", "int")), ["field `a`: the writer's long"]),
    "no default": (record(("a", "int")), record(("b", "int")), ["field `b`: the writer did not write this field"]),
    "no longer nullable": (
        record(("a", ["null", "int"])),
        record(("a", "int")),
        ["field `a`: the writer's null cannot be read as the reader's int, where the value is null"],
    ),
    "a branch that is gone": (
        record(("a", ["null", "int", "string"])),
        record(("a", ["null", "int"])),
        ["field `a`: the writer's string cannot be read as the reader's union [null, int], where the value is string"],
    ),
    "a symbol that is gone": (
        record(("e", ENUM)),
        record(("e", {**ENUM, "symbols": ["B"]})),
        ["field `e`: the reader's enum lacks the symbol, and has no default for it, where the value is 'A'"],
    ),
    "deep": (
        record(("l", {"type": "array", "items": {"type": "map", "values": INNER}})),
        record(("l", {"type": "array", "items": {"type": "map", "values": record(("x", "string"), name="I")}})),
        ["field `l[]{}.x`: the writer's int"],
    ),
    "several": (
        record(("a", "long"), ("b", "string")),
        record(("a", "int"), ("b", "int"), ("c", "int")),
        ["field `a`: ", "field `b`: ", "field `c`: "],
    ),
    "another name": (record(name="Q"), record(), ["the writer's record Q"]),
    "roots": ("string", "int", ["the writer's string"]),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable(case):
    writer, reader, expected = UNREADABLE[case]
    lines = found(writer, reader)
    assert len(lines) == len(expected)
    assert all(line.startswith(start) for line, start in zip(lines, expected, strict=True))


@pytest.mark.parametrize(
    ("writer", "reader", "good", "bad"),
    [
        (["null", "int"], "int", 1, None),
        (["null", "int", "string"], ["null", "int"], 1, "x"),
        (ENUM, {**ENUM, "symbols": ["B"]}, "B", "A"),
    ],
)
def test_what_is_said_of_values_is_what_the_reader_does(writer, reader, good, bad):
    writer, reader = record(("a", writer)), record(("a", reader))
    (problem,) = polars_avro.check_compatibility(reader, writer)
    assert problem.values is not None
    for value, fails in ((good, False), (bad, True)):
        file = io.BytesIO()
        fastavro.writer(file, writer, [{"a": value}])
        file.seek(0)
        if fails:
            with pytest.raises(polars_avro.AvroError):
                polars_avro.read_avro(file, reader_schema=reader)
        else:
            assert polars_avro.read_avro(file, reader_schema=reader).height == 1


def test_diff_of_files_and_schemas(cli, path, tmp_path):
    schema = tmp_path / "new.avsc"
    fields = [*SCHEMA["fields"], {"name": "more", "type": ["null", "int"], "default": None}]
    schema.write_text(json.dumps({**SCHEMA, "fields": fields}))
    assert cli.good("diff", path, schema) == ["+ more: Int32", "NEW reads OLD: yes", "OLD reads NEW: yes"]
    assert cli.good("diff", path, "-", stdin=path.read_bytes()) == ["NEW reads OLD: yes", "OLD reads NEW: yes"]
    assert cli.good("diff", path, json.dumps(SCHEMA)) == ["NEW reads OLD: yes", "OLD reads NEW: yes"]


def test_the_status_says_what_was_asked_for(cli):
    old = json.dumps(record(("a", "int"), ("b", "string")))
    new = json.dumps(record(("a", "long")))
    outcome = cli("diff", old, new)
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.lines == [
        "~ a: Int32 -> Int64",
        "- b: String",
        "NEW reads OLD: yes",
        "OLD reads NEW: no",
        "  field `a`: the writer's long cannot be read as the reader's int",
        "  field `b`: the writer did not write this field and the reader has no default for it",
    ]
    for compatibility, status in (("backward", 0), ("forward", 1), ("full", 1), ("none", 0)):
        assert cli("diff", "--compatibility", compatibility, old, new).status == status


def test_values_that_may_fail(cli):
    outcome = cli("diff", json.dumps(record(("a", ["null", "int"]))), json.dumps(record(("a", "int"))))
    assert outcome.status == 1
    assert outcome.lines[0] == "NEW reads OLD: not all values"


def test_schemas_that_are_none(cli, tmp_path):
    cli.refused("diff", "{", "{}", status=3)
    cli.refused("diff", '{"type": "record"}', '"int"', status=3)
    cli.refused("diff", tmp_path / "absent.avsc", '"int"', status=3)
    cli.refused("diff", tmp_path, '"int"', status=2)


def test_modes_choose_the_directions_and_the_versions():
    first, second = record(("a", "int")), record(("a", "long"), {"name": "b", "type": "int", "default": 0})
    third = record(("a", "double"), ("c", "string"))

    def directions(mode):
        found = polars_avro.check_compatibility(third, first, second, mode=mode)
        return [(problem.direction, problem.version, problem.path) for problem in found]

    backward = [("backward", version, "c") for version in (0, 1)]
    forward = [("forward", version, "a") for version in (0, 1)]
    assert directions("BACKWARD") == backward[1:]
    assert directions("BACKWARD_TRANSITIVE") == backward
    assert directions("FORWARD") == forward[1:]
    assert directions("FORWARD_TRANSITIVE") == forward
    assert directions("FULL") == backward[1:] + forward[1:]
    assert directions("FULL_TRANSITIVE") == backward + forward
    assert directions("NONE") == []
    assert polars_avro.check_compatibility(third, mode="FULL_TRANSITIVE") == []


@pytest.mark.parametrize("mode", ["backward", "NONE_TRANSITIVE", "", None, 1])
def test_modes_that_do_not_exist_are_refused(mode):
    with pytest.raises(ValueError, match=r"`mode` must be one of 'BACKWARD', 'BACKWARD_TRANSITIVE', .* 'NONE', got"):
        polars_avro.check_compatibility("int", "int", mode=mode)


def test_a_schema_that_is_not_valid_is_named():
    with pytest.raises(polars_avro.AvroSchemaError, match="the writer's schema"):
        polars_avro.check_compatibility("int", {"type": "record", "name": "r"})
    with pytest.raises(polars_avro.AvroSchemaError, match="the reader's schema"):
        polars_avro.check_compatibility({"type": "enum", "name": "e"}, "int")


def test_every_field_of_a_nested_record_is_listed():
    inner = record(("x", "string"), ("y", "int"), ("z", "int"), name="I")
    writer = record(("i", record(("x", "int"), name="I")), ("l", {"type": "array", "items": "I"}))
    found = polars_avro.check_compatibility(record(("i", inner), ("l", {"type": "array", "items": "I"})), writer)
    assert [problem.path for problem in found] == ["i.x", "i.y", "i.z"]


def test_roots_and_names_match_as_in_reading():
    for writer, reader in [(record(("a", "int")), "int"), (["null", record(("a", "int"))], record(("a", "long")))]:
        found = polars_avro.check_compatibility(reader, writer)
        file = io.BytesIO()
        value = {"a": 1}
        fastavro.schemaless_writer(file, fastavro.parse_schema(writer), value)
        assert [problem.values for problem in found] in ([None], ["null"])


def test_a_type_that_fails_in_a_branch_and_beside_it_fails_for_all_values():
    writer = record(("a", ["null", INNER]), ("b", "I"))
    other = record(("x", "int"), ("y", "int"), name="I")
    problems = polars_avro.check_compatibility(record(("a", ["null", other]), ("b", "I")), writer)
    assert [(problem.path, problem.values) for problem in problems] == [("a.y", "record I"), ("b.y", None)]
