"""``polars-avro repair``: the sound blocks of a damaged file."""

import io
import json
import os

import fastavro
import pytest
from containers import block, header, long, text
from rows import make_rows, write

import polars_avro

INTS = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]}
GOOD = block(10, b"".join(long(i) + text(f"row {i}") for i in range(10)))
NO_TEXT = block(1, long(7) + long(1) + b"\xff")
NO_SIZE = GOOD.replace(long(10), long(10) + long(-7), 1)


def rows_of(path):
    with open(path, "rb") as file:
        return list(fastavro.reader(file))


@pytest.fixture
def damaged(tmp_path):
    """Four sound blocks; between them one that is not text, and one of no possible size."""
    path = tmp_path / "damaged.avro"
    path.write_bytes(header(INTS, by=b"me") + GOOD + NO_TEXT + GOOD + NO_SIZE + GOOD + GOOD)
    return path


def test_sound_blocks_are_kept(cli, damaged, tmp_path):
    outcome = cli("repair", damaged, tmp_path / "good.avro")
    assert (outcome.status, outcome.err) == (1, "")
    *blocks, summary = outcome.lines
    *checked, checked_summary = cli("check", damaged).lines
    assert blocks == checked
    assert summary == checked_summary.replace("can be read", "written")
    assert rows_of(tmp_path / "good.avro") == [{"a": i, "b": f"row {i}"} for i in range(10)] * 4
    before, after = (
        polars_avro.read_avro_metadata(header(INTS, by=b"me")),
        polars_avro.read_avro_metadata(tmp_path / "good.avro"),
    )
    assert (after.avro_schema, after.metadata, after.codec) == (before.avro_schema, {"by": b"me"}, "null")
    assert cli("check", tmp_path / "good.avro").status == 0


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_codecs_and_truncated_files(cli, tmp_path, codec):
    path = write(tmp_path / "a.avro", make_rows(1000), codec=codec)
    path.write_bytes(path.read_bytes()[:-40])
    assert cli("repair", path, path).status == 1
    rows = rows_of(path)
    assert 0 < len(rows) < 1000
    assert rows == make_rows(len(rows))
    assert polars_avro.read_avro_metadata(path).codec == codec


def test_a_sound_file(cli, path, tmp_path):
    assert cli.good("repair", path, tmp_path / "b.avro") == [f"{path}: ok, 1,000 rows"]
    assert rows_of(tmp_path / "b.avro") == make_rows(1000)
    assert cli.good("repair", "-q", path, tmp_path / "b.avro") == []


def test_values_that_only_break_a_logical_type_are_kept(cli, tmp_path):
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "u", "type": {"type": "string", "logicalType": "uuid"}}],
    }
    path = tmp_path / "a.avro"
    path.write_bytes(header(schema) + block(1, text("no uuid")))
    assert cli("check", path).status == 1
    assert cli("repair", path, tmp_path / "b.avro").status == 0
    assert json.loads(cli.good("tojson", tmp_path / "b.avro")[0]) == {"u": "no uuid"}


def test_a_report_beside_standard_output(damaged):
    from command_line import process

    done = process("repair", "-", "-", stdin=damaged.read_bytes())
    assert done.returncode == 1
    assert len(list(fastavro.reader(io.BytesIO(done.stdout)))) == 40
    assert b"<stdin>: 2 damaged blocks" in done.stderr


def test_a_damaged_header_is_an_error(cli, damaged, tmp_path):
    damaged.write_bytes(damaged.read_bytes()[:30])
    target = tmp_path / "good.avro"
    target.write_text("old")
    cli.refused("repair", damaged, target, status=3)
    assert "no.avro" in cli.refused("repair", tmp_path / "no.avro", target, status=3)
    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["damaged.avro", "good.avro"]
