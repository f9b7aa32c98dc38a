"""``polars-avro tojson`` and ``fromjson``: Avro's JSON encoding."""

import io
import json
import math
import os
import struct

import fastavro
import polars as pl
import pytest
import strategies
from containers import header, raw_rows, written
from expected import Node
from hypothesis import Phase, assume, given
from random_cases import cases
from rows import make_rows, write

import polars_avro
from polars_avro._cli import avro_types, json_decoding, json_encoding, json_values, plain_rows

EVERY_TYPE = {
    "type": "record",
    "name": "shop.Row",
    "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "flag", "type": "boolean"},
        {"name": "i", "type": "int"},
        {"name": "l", "type": "long"},
        {"name": "f", "type": "float"},
        {"name": "d", "type": "double"},
        {"name": "b", "type": "bytes"},
        {"name": "s", "type": "string"},
        {"name": "fix", "type": {"type": "fixed", "name": "Fix", "size": 3}},
        {"name": "color", "type": {"type": "enum", "name": "other.Color", "symbols": ["RED", "BLUE"]}},
        {"name": "empty", "type": {"type": "record", "name": "Empty", "fields": []}},
        {"name": "list", "type": {"type": "array", "items": ["null", "Fix"]}},
        {"name": "map", "type": {"type": "map", "values": ["int", "string", "null", "bytes", "other.Color"]}},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 2}]},
        {
            "name": "nested",
            "type": ["null", {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": ["float", "null"]}]}],
        },
    ],
}
ROWS = [
    {
        "nothing": None,
        "flag": True,
        "i": -(2**31),
        "l": 2**63 - 1,
        "f": 0.5,
        "d": 0.1,
        "b": b'\x00\xff"',
        "s": 'a"é😀',
        "fix": b"\x80ab",
        "color": "BLUE",
        "empty": {},
        "list": [None, b"abc"],
        "map": {"a": 1, "b": "1", "c": None, "d": b"\xe9", "e": ("other.Color", "RED")},
        "time": -(2**62),
        "price": b"\x01\x00",
        "nested": {"x": 1.5},
    },
    {
        "nothing": None,
        "flag": False,
        "i": 0,
        "l": -(2**63),
        "f": math.inf,
        "d": -math.inf,
        "b": b"",
        "s": "",
        "fix": b"\n\r\t",
        "color": "RED",
        "empty": {},
        "list": [],
        "map": {},
        "time": 0,
        "price": None,
        "nested": None,
    },
]


def without_logical_types(schema):
    """The schema as fastavro writes the raw values: its logical types have Python values of their own."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [without_logical_types(each) for each in schema] if isinstance(schema, list) else schema


@pytest.fixture
def every_type(tmp_path):
    path = tmp_path / "every.avro"
    path.write_bytes(written(without_logical_types(EVERY_TYPE), ROWS))
    return path


def rows_of(path):
    with open(path, "rb") as file:
        return list(fastavro.reader(file))


def test_every_type_is_as_in_fastavro(cli, every_type):
    out = io.StringIO()
    fastavro.json_writer(out, fastavro.parse_schema(without_logical_types(EVERY_TYPE)), ROWS)
    lines = cli.good("tojson", every_type)
    assert lines == [
        json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")) for line in out.getvalue().splitlines()
    ]
    read = fastavro.json_reader(io.StringIO("\n".join(lines)), without_logical_types(EVERY_TYPE))
    assert list(read) == rows_of(every_type)


def test_fromjson_writes_the_same_rows(cli, every_type, tmp_path):
    (tmp_path / "in.json").write_text("\n".join(cli.good("tojson", every_type)), encoding="utf-8")
    schema = tmp_path / "every.avsc"
    schema.write_text(json.dumps(EVERY_TYPE))
    assert cli.good("fromjson", "--schema-file", schema, tmp_path / "in.json", tmp_path / "out.avro") == []
    assert raw_rows((tmp_path / "out.avro").read_bytes())[1] == raw_rows(every_type.read_bytes())[1]
    metadata = polars_avro.read_avro_metadata(tmp_path / "out.avro")
    assert (json.loads(metadata.avro_schema), metadata.codec) == (EVERY_TYPE, "snappy")
    # Values that only the logical types restrict are read by their dtypes.
    assert polars_avro.read_avro(tmp_path / "out.avro")["price"].to_list() == ["2.56", None]


def test_fastavro_and_fromjson_agree(cli, tmp_path):
    out = io.StringIO()
    schema = without_logical_types(EVERY_TYPE)
    fastavro.json_writer(out, fastavro.parse_schema(schema), ROWS)
    cli.good(
        *("fromjson", "--schema", json.dumps(schema), "-C", "zstd", "--level", 3, "-", tmp_path / "a.avro"),
        stdin=out.getvalue().encode(),
    )
    assert polars_avro.read_avro_metadata(tmp_path / "a.avro").codec == "zstandard"
    assert rows_of(tmp_path / "a.avro") == rows_of(io_file(tmp_path, written(schema, ROWS)))


def io_file(folder, data):
    (folder / "expected.avro").write_bytes(data)
    return folder / "expected.avro"


def single(value):
    """The bytes of a float of 32 bits; JSON has one NaN."""
    return "NaN" if math.isnan(value) else struct.pack("<f", value)


def tagged(node: Node, raw):  # noqa: PLR0911  (one return a kind)
    """The JSON encoding of a raw value, by the specification."""
    if node.kind == "union":
        branch = node.inner[raw[0]]
        return None if branch.kind == "null" else {branch.branch_name: tagged(branch, raw[1])}
    if node.kind in ("bytes", "fixed"):
        return raw.decode("latin-1")
    if node.kind == "float":
        return single(raw)
    if node.kind == "array":
        return [tagged(node.inner[0], item) for item in raw]
    if node.kind == "map":
        return {key: tagged(node.inner[0], value) for key, value in raw.items()}
    if node.kind == "record":
        return {name: tagged(inner, value) for (name, inner), value in zip(node.fields, raw, strict=True)}
    return raw


def narrowed(node: Node, value):
    """Floats in a JSON value as the bytes of the nearest float."""
    if node.kind == "union" and value is not None:
        ((tag, inner),) = value.items()
        return {tag: narrowed(next(b for b in node.inner if b.branch_name == tag), inner)}
    if node.kind == "float":
        return single(value)
    if node.kind == "array":
        return [narrowed(node.inner[0], item) for item in value]
    if node.kind == "map":
        return {key: narrowed(node.inner[0], item) for key, item in value.items()}
    if node.kind == "record":
        return {name: narrowed(inner, value[name]) for name, inner in node.fields}
    return value


def is_same(one, other):
    """Equality in which NaN is equal to NaN, and 1 is not True."""
    return repr(one) == repr(other)


def is_recursive(node, above=()):
    inner = [*node.inner, *(inner for _, inner in node.fields)]
    return node in above or any(is_recursive(each, (*above, node)) for each in inner)


def to_lines(data):
    file = plain_rows.PlainFile.open(data, None)
    convert = json_encoding.to_json(file.schema.root, file.schema.dtype) or (lambda value: value)
    values = [convert(value) for df in file.frames() for value in file.schema.values(df)]
    return file.schema, [json.dumps(value) for value in values]


@given(strategies.files())
@cases(0.3, phases=[Phase.generate])
def test_random_schemas(file):
    node, rows = raw_rows(file.data)
    assume(not is_recursive(node))
    schema, lines = to_lines(file.data)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert is_same(narrowed(node, json.loads(line)), tagged(node, row))
    out = io.BytesIO()
    convert = json_decoding.from_json(schema.root, schema.dtype)
    with plain_rows.writer(out, schema, metadata={}) as writer:
        stream = io.BytesIO("\n".join(lines).encode())
        writer.write(schema.frame([convert(value) for _, value in json_values.values(stream, "in")]))
    assert is_same(raw_rows(out.getvalue())[1], rows)


def test_maps_of_earlier_polars():
    """Before Polars 2 a map is a list of entries."""
    entries = pl.List(pl.Struct({"key": pl.String, "value": pl.Binary}))
    root = avro_types.parse('{"type": "map", "values": "bytes"}')
    values = [{"key": "a", "value": b"\xff"}, {"key": "b", "value": b""}]
    assert json_encoding.to_json(root, entries)(values) == {"a": "\xff", "b": ""}
    assert json_decoding.from_json(root, entries)({"a": "\xff", "b": ""}) == values


def test_floats_have_the_fewest_digits(cli, tmp_path):
    values = [0.1, 1e38, 16777216.0, 1e-45, 3.4028234663852886e38, 1 / 3, math.nan, -0.0]
    path = tmp_path / "f.avro"
    path.write_bytes(written("float", values))
    lines = cli.good("tojson", path)
    assert lines == ["0.1", "1e+38", "16777216.0", "1e-45", "3.4028235e+38", "0.33333334", "NaN", "-0.0"]
    cli.good("fromjson", "--schema", '"float"', "-", tmp_path / "back.avro", stdin="\n".join(lines).encode())
    assert is_same(rows_of(tmp_path / "back.avro"), rows_of(path))


def test_rows_and_pretty(cli, path, directory):
    expected = [
        {**row, "score": row["score"] if row["score"] is None else {"double": row["score"]}} for row in make_rows(1000)
    ]
    assert [json.loads(line) for line in cli.good("tojson", path)] == expected
    assert [json.loads(line) for line in cli.good("tojson", "-n", 350, directory)] == expected[:350]
    lines = cli.good("tojson", "--pretty", "-n", 2, path)
    assert lines[:2] == ["{", '  "id": 0,']
    assert [value for _, value in json_values.values(io.BytesIO("\n".join(lines).encode()), "x")] == expected[:2]


def test_standard_input_and_output(path, tmp_path):
    from command_line import process

    printed = process("tojson", "-", stdin=path.read_bytes())
    assert (printed.returncode, printed.stderr) == (0, b"")
    schema = polars_avro.read_avro_metadata(path).avro_schema
    done = process("fromjson", "--schema", schema, "-", "-", stdin=printed.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(fastavro.reader(io.BytesIO(done.stdout))) == make_rows(1000)


@pytest.mark.parametrize(
    "text",
    ['{"a":\n{"int": 1}}\n\n {"a": null}', '{"a": {"int": 1}} {"a":null}', '\ufeff{"a":{"int":1}}\r\n{"a":null}\r\n'],
)
def test_values_need_no_lines(cli, tmp_path, text):
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": ["int", "null"]}]}
    cli.good("fromjson", "--schema", json.dumps(schema), "-", tmp_path / "a.avro", stdin=text.encode())
    assert rows_of(tmp_path / "a.avro") == [{"a": 1}, {"a": None}]


def test_names_of_branches_may_be_short(cli, tmp_path):
    inner = [{"type": "enum", "name": f"{space}.E", "symbols": ["A"]} for space in ("n", "m")]
    schema = [*inner, {"type": "fixed", "name": "n.F", "size": 1}, "string"]
    stdin = b'{"F": "x"} {"n.F": "y"} {"m.E": "A"} {"string": "F"}'
    cli.good("fromjson", "--schema", json.dumps(schema), "-", tmp_path / "a.avro", stdin=stdin)
    assert cli.good("tojson", tmp_path / "a.avro") == [
        '{"n.F":"x"}',
        '{"n.F":"y"}',
        '{"m.E":"A"}',
        '{"string":"F"}',
    ]
    message = cli.refused(
        "fromjson", "--schema", json.dumps(schema), "-", tmp_path / "b.avro", stdin=b'{"E":"A"}', status=3
    )
    assert '{"n.E": ...} or {"m.E": ...}' in message


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("int", "2147483648", "expected an int from -2147483648 to 2147483647, got 2147483648"),
        ("int", "1.0", "expected an int, got 1.0"),
        ("long", "true", "expected a long, got true"),
        ("long", "9223372036854775808", "expected a long"),
        ("float", "1e39", "expected a float"),
        ("double", '"1"', "expected a double"),
        ("double", "1" + "0" * 400, "expected a double"),
        ("boolean", "1", "expected true or false"),
        ("null", "0", "expected null"),
        ("string", "1", "expected a string"),
        ("string", '"\\ud800"', "unpaired surrogates"),
        ("bytes", '"\\u0100"', "expected text of code points up to 255"),
        ({"type": "fixed", "name": "F", "size": 2}, '"abc"', "expected text of 2 code points"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, '"B"', "expected a symbol of `E`"),
        (["null", "int"], "1", 'expected null or {"int": ...}, got 1'),
        (["int", "string"], "null", 'expected {"int": ...} or {"string": ...}, got null'),
        (["null", "int"], '{"int": 1, "string": ""}', "expected null or"),
        ({"type": "array", "items": "int"}, "[1, 2, null]", "field `a[2]`: expected an int"),
        ({"type": "map", "values": ["null", "int"]}, '{"k": {"int": ""}}', "field `a['k']`: expected an int"),
    ],
)
def test_wrong_values_name_line_and_field(cli, tmp_path, kind, value, said):
    schema = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind}]})
    target = tmp_path / "a.avro"
    stdin = f'\n\n{{"a": {value}}}'.encode()
    message = cli.refused("fromjson", "--schema", schema, "-", target, stdin=stdin, status=3)
    assert "<stdin>, line 3: field `a" in message
    assert said in message
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "line 1: field `a`: missing"),
        ('{"a": {"b": 1}, "c": 2}', "line 1: field `c`: not in the schema"),
        ('{"a": {}}', "line 1: field `a.b`: missing"),
        ('{"a": {"b": 1}}\n{"a" 1}', "line 2, column 6: Expecting ':' delimiter"),
        ('{"a": {"b": 1}}\n{"a":\n', "line 3, column 1: Expecting value"),
        ("[1]", "line 1: expected an object, got [1]"),
        ('{"a": {"b": 1}}\n"\xff"', "line 2: expected an object"),
    ],
)
def test_wrong_records(cli, tmp_path, text, said):
    inner = {"type": "record", "name": "I", "fields": [{"name": "b", "type": "int"}]}
    schema = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": inner}]})
    message = cli.refused("fromjson", "--schema", schema, "-", tmp_path / "a.avro", stdin=text.encode(), status=3)
    assert said in message


def test_text_that_is_not_utf_8(cli, tmp_path):
    message = cli.refused("fromjson", "--schema", '"string"', "-", tmp_path / "a.avro", stdin=b'"a"\n"\xff"', status=3)
    assert "<stdin>, line 2: not UTF-8" in message


def test_recursive_types_are_refused_by_field(cli, tmp_path):
    schema = {"type": "record", "name": "n.T", "fields": [{"name": "next", "type": ["null", "T"]}]}
    path = write(tmp_path / "t.avro", [{"next": None}], schema)
    assert "field `next`: `n.T` contains itself" in cli.refused("tojson", path, status=3)
    arguments = ("fromjson", "--schema", json.dumps(schema), path, tmp_path / "a.avro")
    assert "field `next`" in cli.refused(*arguments, status=3)


def test_a_name_without_namespace_inside_a_namespace(cli, tmp_path):
    inner = {"type": "enum", "name": "E", "namespace": "", "symbols": ["A"]}
    schema = {"type": "record", "name": "n.R", "fields": [{"name": "a", "type": ["null", inner]}]}
    path = tmp_path / "a.avro"
    path.write_bytes(header(schema) + b"\x02\x04\x02\x00" + bytes(range(16)))
    assert cli.good("tojson", path) == ['{"a":{"E":"A"}}']


def test_wrong_command_lines(cli, path, tmp_path):
    assert "--schema-file" in cli.refused("fromjson", path, tmp_path / "a.avro", status=2)
    assert "brotli" in cli.refused("fromjson", "-C", "brotli", "--schema", '"int"', path, tmp_path / "a", status=2)
    assert "no.json" in cli.refused("fromjson", "--schema", '"int"', tmp_path / "no.json", tmp_path / "a", status=3)
