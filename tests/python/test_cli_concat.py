"""``polars-avro concat``, and the names of avro-tools."""

import io
import json
import os

import fastavro
import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader
from containers import block, header, long, text
from rows import SCHEMA, make_rows, write

import polars_avro

FIELD = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}


@pytest.fixture
def three(tmp_path):
    """Files of the same schema, each with a sync marker of its own."""
    parts = ((0, 300), (300, 0), (300, 120))
    return [write(tmp_path / f"{i}.avro", make_rows(n, first)) for i, (first, n) in enumerate(parts)]


def test_getschema_and_getmeta(cli, path):
    assert cli.good("getschema", path) == cli.good("schema", "--format", "avro", path)
    assert cli.good("getschema", "-f", "polars", path) == cli.good("schema", path)
    assert cli.good("getmeta", "--json", path) == cli.good("metadata", "--json", path)
    assert not any("get" in line for line in cli.good("--help"))


def test_other_readers_read_the_rows_of_all_files(cli, three, tmp_path):
    assert cli.good("concat", *three, tmp_path / "all.avro") == []
    with open(tmp_path / "all.avro", "rb") as file:
        assert list(fastavro.reader(file)) == make_rows(420)
    with open(tmp_path / "all.avro", "rb") as file:
        assert list(DataFileReader(file, DatumReader())) == make_rows(420)


def test_blocks_are_copied_and_markers_are_not(cli, three, tmp_path):
    cli.good("concat", *three, tmp_path / "all.avro")

    def blocks(path):
        with open(path, "rb") as file:
            return [(block.num_records, block.bytes_.getvalue()) for block in fastavro.block_reader(file)]

    assert blocks(tmp_path / "all.avro") == [block for path in three for block in blocks(path)]
    before = [polars_avro.read_avro_metadata(path).sync_marker for path in three]
    assert polars_avro.read_avro_metadata(tmp_path / "all.avro").sync_marker not in before


def test_header_is_that_of_the_first_file(cli, tmp_path):
    one = write(tmp_path / "one.avro", make_rows(3), metadata={"by": "me"})
    # The same JSON with other spaces.
    two = tmp_path / "two.avro"
    two.write_bytes(header(SCHEMA, "deflate", by=b"you"))
    cli.good("concat", one, two, tmp_path / "all.avro")
    before, after = (polars_avro.read_avro_metadata(tmp_path / name) for name in ("one.avro", "all.avro"))
    assert (after.metadata, after.avro_schema, after.n_rows) == (before.metadata, before.avro_schema, 3)


def test_recursive_types_are_joined(cli, tmp_path):
    schema = {"type": "record", "name": "T", "fields": [{"name": "next", "type": ["null", "T"]}]}
    rows = [{"next": {"next": None}}, {"next": None}]
    path = write(tmp_path / "a.avro", rows, schema)
    cli.good("concat", path, path, tmp_path / "all.avro")
    assert list(fastavro.reader(io.BytesIO((tmp_path / "all.avro").read_bytes()))) == rows * 2


def test_standard_input_and_output(three, tmp_path):
    from command_line import process

    done = process("concat", "-", "-", stdin=three[0].read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(fastavro.reader(io.BytesIO(done.stdout))) == make_rows(300)


def test_a_source_may_be_the_target(cli, three):
    cli.good("concat", "--overwrite", *three, three[0])
    assert polars_avro.read_avro(three[0]).height == 420
    assert polars_avro.read_avro(three[2]).height == 120


def test_directories_with_empty_files(cli, directory, tmp_path):
    cli.good("concat", directory, tmp_path / "all.avro")
    assert polars_avro.read_avro(tmp_path / "all.avro").height == 1000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["fields"][1].update(type="bytes"), 'the type of field `name` is "string" in F and "bytes" in O;'),
        (lambda s: s["fields"][1].update(default=""), "`default` of field `name` is missing in F;"),
        (lambda s: s["fields"][1].update(type=["null", "string"]), 'is "string" in F and ["null", "string"] in O;'),
        (lambda s: s["fields"].pop(), "field `tags` is missing in O;"),
        (lambda s: s["fields"].append({"name": "z", "type": "int"}), "field `z` is missing in F;"),
        (lambda s: s["fields"].reverse(), "the fields of the schema have another order;"),
        (lambda s: s.update(name="Other"), '`name` of the schema is "Row" in F and "Other" in O;'),
        (lambda s: s.update(doc="words " * 20), "`doc` of the schema is missing in F;"),
    ],
)
def test_other_schemas_are_refused(cli, three, tmp_path, change, said):
    schema = json.loads(json.dumps(SCHEMA))
    change(schema)
    other = tmp_path / "other.avro"
    other.write_bytes(header(schema, "deflate"))
    message = cli.refused("concat", *three, other, tmp_path / "all.avro", status=3)
    assert "other.avro: its schema differs from that of " in message
    assert said.replace("F", str(three[0])).replace("O;", f"{other};") in message
    assert message.endswith(f"`polars-avro diff {three[0]} {other}` compares them\n")
    assert not (tmp_path / "all.avro").exists()


def test_long_and_nested_differences_are_short(cli, tmp_path):
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "long", "doc": "words " * 50}]}
    schemas = [
        {"type": "record", "name": "R", "fields": [{"name": "i", "type": ["null", {"type": "array", "items": each}]}]}
        for each in (inner, {**inner, "fields": [{**inner["fields"][0], "doc": "other " * 50}]})
    ]
    for name, schema in zip(("a", "b"), schemas, strict=True):
        (tmp_path / f"{name}.avro").write_bytes(header(schema))
    message = cli.refused("concat", tmp_path / "a.avro", tmp_path / "b.avro", tmp_path / "c.avro", status=3)
    assert '`doc` of field `i.x` is "words words words words words words ... in ' in message


def test_other_codecs_are_refused(cli, three, tmp_path):
    other = write(tmp_path / "other.avro", make_rows(3), codec="null")
    message = cli.refused("concat", *three, other, tmp_path / "all.avro", status=3)
    assert "other.avro: its codec is null, that of" in message
    assert "is deflate" in message


def damaged_files():
    sound = block(1, text("first"))
    return {
        "truncated": (header(FIELD) + sound + sound[:-3], "block 1: the file ends here"),
        "marker": (header(FIELD) + sound + block(1, text("b"), sync=bytes(16)), "block 1: the sync marker after it"),
        "size": (header(FIELD) + long(1) + long(-4), "block 0: a row count of 1 and a size of -4"),
        "varint": (header(FIELD) + b"\xff" * 20, "block 0: a number of more than 10 bytes"),
        "header": (header(FIELD)[:-3], "header: the file ends here"),
        "magic": (b"no file", "not an Avro container file"),
        "empty": (b"", "header: the file ends here"),
    }


@pytest.mark.parametrize("kind", damaged_files())
def test_damage_is_an_error_that_keeps_the_target(cli, tmp_path, kind):
    data, said = damaged_files()[kind]
    (tmp_path / "bad.avro").write_bytes(data)
    target = tmp_path / "all.avro"
    target.write_text("old")
    message = cli.refused("concat", "--overwrite", tmp_path / "bad.avro", tmp_path / "bad.avro", target, status=3)
    assert "bad.avro" in message
    assert said in message
    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["all.avro", "bad.avro"]


def test_stores_are_left_to_convert(cli, three):
    assert "`convert`" in cli.refused("concat", three[0], "s3://bucket/all.avro", status=2)
    assert "`convert`" in cli.refused("concat", "s3://bucket/a.avro", three[0], status=2)
