"""``polars-avro convert``: formats, codecs, and the target after a failure."""

import json
import os

import polars as pl
import pytest
from containers import block, header, long, text
from polars.testing import assert_frame_equal
from rows import make_rows, write

import polars_avro

FLAT = {"type": "record", "name": "F", "fields": [{"name": "a", "type": "long"}, {"name": "s", "type": "string"}]}
READ = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc, ".csv": pl.read_csv, ".ndjson": pl.read_ndjson}


@pytest.fixture
def flat(tmp_path):
    return write(tmp_path / "flat.avro", [{"a": i, "s": f"text {i}"} for i in range(500)], FLAT)


@pytest.mark.parametrize("ending", [".parquet", ".pq", ".arrow", ".ipc", ".feather", ".csv", ".ndjson", ".jsonl"])
def test_from_avro(cli, flat, tmp_path, ending):
    target = tmp_path / f"out{ending}"
    assert cli.good("convert", flat, target) == []
    same = {".pq": ".parquet", ".ipc": ".arrow", ".feather": ".arrow", ".jsonl": ".ndjson"}
    assert_frame_equal(READ[same.get(ending, ending)](target), polars_avro.read_avro(flat))
    assert sorted(os.listdir(tmp_path)) == sorted(["flat.avro", target.name])


def test_nested_columns_to_parquet(cli, path, frame, tmp_path):
    cli.good("convert", path, tmp_path / "a.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "a.parquet"), frame)


@pytest.mark.parametrize("form", ["parquet", "ipc", "csv", "ndjson"])
def test_standard_input_and_output(form, flat, tmp_path):
    from command_line import process

    done = process("convert", "-", "-", "--to", form, stdin=flat.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    read = {"parquet": pl.read_parquet, "ipc": pl.read_ipc, "csv": pl.read_csv, "ndjson": pl.read_ndjson}
    assert_frame_equal(read[form](done.stdout), polars_avro.read_avro(flat))


@pytest.mark.parametrize("compression", ["zstd", "SNAPPY", "uncompressed", "null", "gzip"])
def test_compressions_of_parquet(cli, flat, tmp_path, compression):
    cli.good("convert", "-C", compression, flat, tmp_path / "a.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "a.parquet"), polars_avro.read_avro(flat))


def test_an_ending_may_tell_the_compression(cli, flat, tmp_path):
    cli.good("convert", flat, tmp_path / "a.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert_frame_equal(pl.read_csv(tmp_path / "a.csv.gz"), polars_avro.read_avro(flat))


def test_several_files_and_columns(cli, directory, frame, tmp_path):
    cli.good("convert", "-c", "id,name", directory, tmp_path / "a.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "a.parquet"), frame.select("id", "name"))


def test_bytes_in_ndjson(cli, tmp_path):
    schema = {"type": "record", "name": "R", "fields": [{"name": "b", "type": "bytes"}]}
    path = write(tmp_path / "a.avro", [{"b": b"\x00\xff"}], schema)
    cli.good("convert", path, tmp_path / "a.ndjson")
    assert json.loads((tmp_path / "a.ndjson").read_text()) == {"b": "AP8="}


def test_a_failure_leaves_the_old_file_as_it_was(cli, path, tmp_path):
    target = tmp_path / "old.csv"
    target.write_text("old")
    assert "nested" in cli.refused("convert", path, target, status=3)
    assert target.read_text() == "old"
    damaged = tmp_path / "cut.avro"
    damaged.write_bytes(path.read_bytes()[:-20])
    target = tmp_path / "new.parquet"
    assert "block" in cli.refused("convert", damaged, target, status=3)
    assert sorted(os.listdir(tmp_path)) == ["cut.avro", "old.csv"]


@pytest.mark.skipif(os.name == "nt", reason="no modes there")
def test_a_file_that_is_replaced_keeps_its_mode_and_a_link_its_target(cli, flat, tmp_path):
    target = tmp_path / "a.parquet"
    target.touch(mode=0o640)
    target.chmod(0o640)
    (tmp_path / "link.parquet").symlink_to(target)
    cli.good("convert", flat, tmp_path / "link.parquet")
    assert (tmp_path / "link.parquet").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert pl.read_parquet(target).height == 500


def test_damaged_files_are_read_on_with_ignore_errors(cli, tmp_path):
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}
    path = tmp_path / "damaged.avro"
    blocks = [block(1, text("first")), block(1, long(5) + b"\xff\xff\xff\xff\xff"), block(1, text("last"))]
    path.write_bytes(header(schema) + b"".join(blocks))
    cli.refused("convert", path, tmp_path / "a.parquet", status=3)
    outcome = cli("convert", "--ignore-errors", path, tmp_path / "a.parquet")
    assert outcome.status == 0
    assert outcome.err.startswith("polars-avro: warning: 1 damaged block was")
    assert pl.read_parquet(tmp_path / "a.parquet")["a"].to_list() == ["first", "last"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["in.avro", "out.txt"], "endings"),
        (["in.txt", "out.avro"], "endings"),
        (["in.avro", "-"], "--to"),
        (["in.avro", "in.csv", "out.parquet"], "several formats"),
        (["in.csv", "out.parquet", "--ignore-errors"], "--ignore-errors"),
        (["in.parquet", "out.csv", "-C", "brotli"], "brotli"),
        (["in.avro"], "Missing argument"),
    ],
)
def test_wrong_command_lines(cli, arguments, said, flat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    polars_avro.read_avro(flat).write_csv("in.csv")
    polars_avro.read_avro(flat).write_parquet("in.parquet")
    (tmp_path / "in.avro").write_bytes(flat.read_bytes())
    assert said in cli.refused("convert", *arguments, status=2)


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".csv", ".ndjson"])
def test_to_avro(cli, flat, tmp_path, ending):
    cli.good("convert", flat, tmp_path / f"a{ending}")
    cli.good("convert", tmp_path / f"a{ending}", tmp_path / "back.avro")
    assert_frame_equal(polars_avro.read_avro(tmp_path / "back.avro"), polars_avro.read_avro(flat))


@pytest.mark.parametrize(
    ("compression", "codec"),
    [
        ("null", "null"),
        ("uncompressed", "null"),
        ("deflate", "deflate"),
        ("snappy", "snappy"),
        ("zstd", "zstandard"),
        ("zstandard", "zstandard"),
        ("bzip2", "bzip2"),
        ("xz", "xz"),
    ],
)
def test_between_codecs(cli, tmp_path, frame, compression, codec):
    path = write(tmp_path / "a.avro", make_rows(1000), metadata={"by": "me"})
    cli.good("convert", "--compression", compression, path, tmp_path / "b.avro")
    before, after = (polars_avro.read_avro_metadata(tmp_path / name) for name in ("a.avro", "b.avro"))
    assert (after.codec, after.metadata["by"]) == (codec, b"me")
    assert after.canonical_form == before.canonical_form
    assert_frame_equal(polars_avro.read_avro(tmp_path / "b.avro"), frame)


def test_a_damaged_file_is_repaired(cli, path, tmp_path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    damaged = tmp_path / "damaged.avro"
    damaged.write_bytes(data)
    assert cli("check", damaged).status == 1
    outcome = cli("convert", "--ignore-errors", damaged, tmp_path / "repaired.avro")
    assert outcome.status == 0
    assert "damaged block" in outcome.err
    (line,) = cli.good("check", tmp_path / "repaired.avro")
    with pytest.warns(polars_avro.AvroWarning):
        assert_frame_equal(
            polars_avro.read_avro(tmp_path / "repaired.avro"), polars_avro.read_avro(damaged, ignore_errors=True)
        )
    assert line.endswith("rows")


def test_a_file_may_be_converted_to_itself(cli, path, frame, tmp_path):
    same = tmp_path / "same.avro"
    same.write_bytes(path.read_bytes())
    cli.good("convert", "-C", "xz", same, same)
    assert_frame_equal(polars_avro.read_avro(same), frame)


def test_hints_about_inferred_dtypes_are_given_where_they_help(cli, tmp_path):
    (tmp_path / "ragged.csv").write_text("a,b\n1,x\n3,y,z\n")
    refused = cli.refused("convert", tmp_path / "ragged.csv", tmp_path / "x.avro", status=3)
    assert "found more fields" in refused
    assert "--infer-rows" not in refused
    (tmp_path / "late.csv").write_text("a\n" + "1\n" * 150 + "x\n")
    refused = cli.refused("convert", tmp_path / "late.csv", tmp_path / "x.avro", status=3)
    assert "name this one in --schema, or pass more rows by --infer-rows" in refused
    cli.good("convert", "--infer-rows", "all", tmp_path / "late.csv", tmp_path / "x.avro")
    (tmp_path / "a.ndjson").write_text('{"a":1}\n{"a":2,"b":3}\n')
    given = ["--schema", "a=Int64, b=Datetime('ms')"]
    refused = cli.refused("convert", *given, tmp_path / "a.ndjson", tmp_path / "x.avro", status=3)
    assert "--schema" not in refused
