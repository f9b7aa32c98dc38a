"""Formats, dtypes and compressions of targets on the command line."""

import datetime as dt
import decimal

import polars as pl
import pytest
from rows import make_rows, write

import polars_avro
from polars_avro._cli import dtypes, formats


@pytest.fixture
def two(tmp_path):
    return [write(tmp_path / f"k{i}.avro", make_rows(3)) for i in (1, 2)]


def test_fields_of_late_rows_are_not_dropped(cli, tmp_path):
    source, target = tmp_path / "late.ndjson", tmp_path / "a.avro"
    source.write_text('{"a":1}\n' * 150 + '{"a":1,"b":2}\n')
    cli.good("convert", source, target)
    assert polars_avro.read_avro(target)["b"].sum() == 2
    cli.good("convert", "--schema", "a=Int8,b=Int64", source, target)
    assert polars_avro.read_avro(target).schema == {"a": pl.Int8, "b": pl.Int64}
    cli.good("convert", "--infer-rows", 100, source, target)
    assert polars_avro.read_avro(target).columns == ["a"]


@pytest.mark.parametrize(
    ("arguments", "target", "said"),
    [
        (["-C", "zstd"], "a.csv.gz", "the name of the target says gzip, and --compression says zstd"),
        (["-C", "none"], "a.csv.gz", "the name of the target says gzip, and --compression says none"),
        (["-C", ""], "a.avro", "avro has no compression ''"),
        (["--level", 99], "a.csv", "--level: uncompressed has no levels; it is the default of csv: add --compression"),
        (["--level", -1], "a.csv.gz", "--level: gzip has the levels 0 to 9, got -1"),
        (["--level", 10], "a.csv.gz", "--level: gzip has the levels 0 to 9, got 10"),
        (["--level", 0], "a.parquet", "--level: zstd has the levels 1 to 22, got 0"),
        (["--level", 9], "a.avro", "--level: snappy has no levels; it is the default of avro: add --compression"),
        (["-C", "deflate", "--level", 13], "a.avro", "--level: deflate has the levels 0 to 12, got 13"),
    ],
)
def test_wrong_compressions(cli, two, tmp_path, arguments, target, said):
    error = cli.refused("convert", "-c", "id", *arguments, two[0], tmp_path / target, status=2)
    assert said in error
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize("codec", ["deflate", "zstandard", "bzip2", "xz"])
def test_the_levels_of_the_command_line_are_those_of_the_package(cli, two, tmp_path, codec):
    first, last = formats._LEVELS[codec]
    for level in (first, last):
        polars_avro.write_avro(pl.DataFrame({"a": [1]}), tmp_path / "a.avro", codec, compression_level=level)
    for level in (first - 1, last + 1):
        with pytest.raises(ValueError, match="level"):
            polars_avro.write_avro(pl.DataFrame({"a": [1]}), tmp_path / "a.avro", codec, compression_level=level)
        assert f"got {level}" in cli.refused("recodec", "-C", codec, "--level", level, *two, status=2)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        *((f"{sign}Int{bits}", [1, 100, None]) for sign in ("", "U") for bits in (8, 16, 32, 64)),
        ("Float32", [1.5, None]),
        ("Decimal(6, 2)", [decimal.Decimal("12.25"), None]),
        ("Time", [dt.time(12, 30), dt.time(1, 2, 3, 450_000), None]),
        ("Binary", [b"\xff\x00", None]),
        ("Date", [dt.date(2024, 1, 1), None]),
        ("List(UInt8)", [[1, 2], None]),
        ("Struct({'x': Int16})", [{"x": 3}, None]),
        ("List(Time)", [[dt.time(1, 2, 3, 450_000), None], [], None]),
        ("Array(Binary, 2)", [[b"\xff", b""], [b"x", None], None]),
        ("List(Struct({'b': Binary, 't': Time}))", [[{"b": b"x", "t": dt.time(12)}], [None], []]),
    ],
)
def test_dtypes_of_ndjson(cli, tmp_path, dtype, values):
    column = pl.Series("a", values, dtype=dtypes.parse(f"a={dtype}")["a"])
    polars_avro.write_avro(column.to_frame(), tmp_path / "a.avro")
    cli.good("convert", tmp_path / "a.avro", tmp_path / "a.ndjson")
    cli.good("convert", "--schema", f"a={dtype}", tmp_path / "a.ndjson", tmp_path / "b.avro")
    assert polars_avro.read_avro(tmp_path / "b.avro")["a"].equals(column)


@pytest.mark.parametrize("dtype", ["Duration", "List(Duration)"])
def test_dtypes_that_ndjson_lacks(cli, tmp_path, dtype):
    (tmp_path / "a.ndjson").write_text('{"a": null}\n')
    error = cli.refused("convert", "--schema", f"a={dtype}", tmp_path / "a.ndjson", tmp_path / "b.avro", status=2)
    assert "cannot be read from NDJSON" in error


@pytest.mark.parametrize("name", ["a.parquet", "a.PQ", "a.arrow", "a.csv", "a.ndjson"])
@pytest.mark.parametrize("command", ["concat", "recodec", "repair", "random", "fromjson"])
def test_commands_that_write_avro_refuse_targets_of_other_formats(cli, two, tmp_path, command, name):
    schema = tmp_path / "s.avsc"
    schema.write_text('"int"')
    rows = tmp_path / "rows.json"
    rows.write_text("1")
    arguments = {
        "random": ["--schema", schema, "-n", "2"],
        "fromjson": ["--schema", schema, rows],
        "recodec": ["--codec", "null", two[0]],
    }
    error = cli.refused(command, *arguments.get(command, two[:1]), tmp_path / name, status=2)
    assert f"{command} writes Avro, got" in error
    assert "`convert` writes" in error
    assert not (tmp_path / name).exists()
