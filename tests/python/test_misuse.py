"""Misuse of the functions has errors that say what to do."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from containers import container, long, text

import polars_avro
from polars_avro import AvroReader, AvroWriter, read_avro, scan_avro, sink_avro, write_avro

DF = pl.DataFrame({"station": ["Bergen"], "celsius": [21.9], "place": [{"latitude": 60.4, "longitude": 5.3}]})


def avro(df):
    file = io.BytesIO()
    write_avro(df, file)
    return file.getvalue()


@pytest.mark.parametrize("url", ["s3://bucket/a.avro", "gs://bucket/a.avro", "abfss://a@b/c.avro", "https://a/b.avro"])
def test_the_path_of_a_url_lacks_a_slash(url):
    path = Path(url)
    for call in (
        lambda: scan_avro(path),
        lambda: read_avro(path),
        lambda: AvroReader(path),
        lambda: read_avro([path]),
        lambda: write_avro(DF, path, mkdir=True),
        lambda: sink_avro(DF.lazy(), path),
        lambda: write_avro(DF, pl.PartitionBy(path, key="station")),
    ):
        with pytest.raises(FileNotFoundError, match="pass URLs as str, because a Path removes one of the slashes"):
            call()


def test_a_directory_may_have_the_name_of_a_scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    write_avro(DF, Path("s3://bucket/a.avro"), mkdir=True)
    assert read_avro(Path("s3://bucket/a.avro")).height == 1


def test_a_missing_directory_names_mkdir(tmp_path):
    path = tmp_path / "a" / "b.avro"
    for write in (
        lambda **options: write_avro(DF, path, **options),
        lambda **options: sink_avro(DF.lazy(), path, **options),
        lambda **options: sink_avro(DF.lazy(), path, lazy=True, **options).collect(),
    ):
        with pytest.raises(FileNotFoundError, match="pass `mkdir=True` to make missing directories") as caught:
            write()
        assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(path))
        write(mkdir=True)
        assert read_avro(path).height == 1
        shutil.rmtree(path.parent)


@pytest.mark.skipif(os.name == "nt", reason="descriptors of Unix")
def test_a_descriptor_that_is_not_open_does_not_name_mkdir():
    with pytest.raises(FileNotFoundError, match="No such file or directory: '/dev/fd/"):
        write_avro(DF, "/dev/fd/4077")


@pytest.mark.parametrize(
    ("logical", "value"),
    [
        ({"type": "string", "logicalType": "uuid"}, text("none")),
        ({"type": "int", "logicalType": "time-millis"}, long(-1)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2}, long(2) + b"\x7f\xff"),
        ({"type": "int", "polars.dtype": "Int8"}, long(1000)),
    ],
)
def test_an_invalid_value_names_the_option(cli, tmp_path, logical, value):
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": logical}]}
    path = tmp_path / "a.avro"
    path.write_bytes(container(schema, (1, value)))
    for read in (read_avro, lambda source: scan_avro(source).collect()):
        with pytest.raises(polars_avro.AvroDataError, match="; pass invalid_values='null' or 'text'"):
            read(path)
    with pytest.warns(polars_avro.AvroWarning):
        assert read_avro(path, invalid_values="null")["a"].to_list() == [None]
    assert "--invalid-values null or text (for UUIDs, times and decimals) reads it all the same" in cli("cat", path).err
    datums = pl.DataFrame({"a": [value]})
    with pytest.raises(polars_avro.AvroDataError) as caught:
        datums.select(polars_avro.decode(pl.col("a"), logical))
    assert "invalid_values" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anon": True}, 'unknown storage option "anon"; it is called "aws_skip_signature" here'),
        ({"client_kwargs": {}}, 'unknown storage option "client_kwargs"; '),
        ({"config": None}, 'unknown storage option "config"; '),
        ({"aws_region": None}, 'storage option "aws_region" must be a str, a number or a bool'),
        ({"max_retries": True}, "invalid value for 'max_retries': 'true' (expected int)"),
        ({"aws_profile": "nobody"}, 'storage option "aws_profile": no profile "nobody" in the files of AWS'),
    ],
)
def test_options_of_stores_say_what_is_wrong(options, message, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises((TypeError, ValueError)) as caught:
        read_avro("s3://bucket/a.avro", storage_options=options)
    assert message in str(caught.value)


def test_names_that_differ_in_case_are_matched_by_an_option(cli, tmp_path):
    files = [avro(pl.DataFrame({"Name": ["x"]})), avro(pl.DataFrame({"name": ["y"]}))]
    schema = {"type": "record", "name": "Row", "fields": [{"name": "Name", "type": "string"}]}
    for read in (
        lambda **options: read_avro(files, **options),
        lambda **options: scan_avro(files, **options).collect(),
        lambda **options: read_avro(files[1:], reader_schema=schema, **options),
    ):
        with pytest.raises(polars_avro.AvroSchemaError, match="field_matching='case_insensitive' matches such names"):
            read()
        assert read(field_matching="case_insensitive")["Name"][-1] == "y"
    for name, data in zip("ab", files, strict=True):
        (tmp_path / f"{name}.avro").write_bytes(data)
    assert "--field-matching case_insensitive matches such names" in cli("cat", tmp_path).err
    assert len(cli.good("cat", "--field-matching", "case_insensitive", tmp_path)) == 2


def test_a_text_file_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    with (tmp_path / "a.avro").open() as file, pytest.raises(TypeError, match="open the file in binary mode"):
        read_avro(file)
    with pytest.raises(TypeError, match="open the file in binary mode"):
        scan_avro(io.StringIO("text"))


def test_an_avro_file_is_a_schema(tmp_path):
    data = avro(DF)
    for name in ("a.avro", "a.bin"):
        (tmp_path / name).write_bytes(data)
        for path in (tmp_path / name, str(tmp_path / name)):
            assert read_avro(data, reader_schema=path).equals(DF)
            assert polars_avro.check_compatibility(path, path) == []
    schema = {"type": "record", "name": "Row", "fields": [{"name": "station", "type": "string"}]}
    (tmp_path / "a.json").write_text(json.dumps(schema))
    assert read_avro(data, reader_schema=str(tmp_path / "a.json")).columns == ["station"]
    (tmp_path / "b.avsc").write_bytes(b"\xff\xfe")
    with pytest.raises(polars_avro.AvroSchemaError, match=r"b\.avsc is neither JSON nor an Avro file"):
        read_avro(data, reader_schema=tmp_path / "b.avsc")
    with pytest.raises(polars_avro.AvroSchemaError, match="neither JSON nor the path of a file"):
        read_avro(data, reader_schema="missing.json")


def test_a_column_of_the_schema_that_is_misspelt_is_not_inserted():
    with pytest.raises(polars_avro.AvroColumnNotFoundError, match="no column 'Station'; did you mean 'station'"):
        read_avro(avro(DF), schema={"Station": pl.String}, extra_columns="ignore")
    with pytest.raises(polars_avro.AvroColumnNotFoundError, match="no column 'wind'; pass missing_columns='insert'"):
        read_avro(avro(DF), schema={"wind": pl.String}, extra_columns="ignore")


def test_a_bytesio_at_its_end_is_rewound_by_the_caller():
    file = io.BytesIO()
    write_avro(DF, file)
    with pytest.raises(polars_avro.AvroDataError, match=r"the BytesIO is at its end: call `seek\(0\)`"):
        read_avro(file)
    file.seek(0)
    assert read_avro(file).equals(DF)
    with pytest.raises(polars_avro.AvroDataError, match="empty file"):
        read_avro(io.BytesIO())


RECORD: dict[str, Any] = {"type": "record", "name": "Row", "fields": []}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: write_avro(DF["station"], io.BytesIO()), TypeError, r"make a frame with `to_frame\(\)`, and pass it"),
        (lambda: scan_avro(pl.Series(["a.avro"])), TypeError, "pass a list of the sources"),
        (lambda: scan_avro({"a.avro"}), TypeError, "pass a list of the sources"),
        (lambda: AvroWriter(io.BytesIO(), "zstd"), TypeError, "the codec is `compression`"),
        (lambda: polars_avro.SchemaRegistry({"url": "http://a"}), TypeError, "`url` must be a str or a list of str"),
        (
            lambda: read_avro(avro(DF), columns={"station": "a"}),
            TypeError,
            "must be a name, an index or a list",
        ),
        (lambda: polars_avro.decode(DF["station"], "int"), TypeError, r"use `series.avro.decode\(...\)`"),
        (lambda: polars_avro.encode(DF["station"]), TypeError, r"use `series.avro.encode\(...\)`"),
        (lambda: read_avro(avro(DF), byte_range=(10, 5)), ValueError, r"must not end before it begins, got \(10, 5\)"),
        (lambda: write_avro(DF, "rows.avro.gz"), ValueError, "`compression` compresses their blocks"),
        (lambda: read_avro(b"name,age\nx,2\n"), polars_avro.AvroDataError, 'it begins with the text "name,age"'),
        (lambda: read_avro(b"PK\x03\x04...."), polars_avro.AvroDataError, "it looks like a zip archive"),
        (
            lambda: AvroWriter(io.BytesIO()).write(DF["station"]),
            TypeError,
            r"got a Series: make a frame with `to_frame",
        ),
        (
            lambda: scan_avro(avro(DF), reader_schema=RECORD, schema_mode="union"),
            ValueError,
            "`reader_schema` and schema_mode='union' exclude one another",
        ),
        (lambda: scan_avro(avro(DF), schema=RECORD), TypeError, "Avro schemas are passed as `reader_schema`"),
        (lambda: AvroWriter(io.BytesIO(), RECORD), TypeError, "or `avro_schema`"),
        (
            lambda: read_avro(avro(DF), reader_schema={"a": pl.Int64}),
            TypeError,
            "got dtypes of Polars; `scan_avro` and `read_avro` take dtypes as `schema`",
        ),
        (
            lambda: write_avro(DF, io.BytesIO(), avro_schema=DF.schema),
            TypeError,
            "cast the frame to its dtypes instead",
        ),
        (lambda: read_avro(avro(DF), reader_schema=["a.avsc"]), TypeError, "must be one schema, got a list of files"),
        (
            lambda: polars_avro.check_compatibility("int", ["a.avro", "b.avro"]),
            TypeError,
            "'a.avro' and the like one by one",
        ),
        (
            lambda: write_avro(
                DF, io.BytesIO(), avro_schema={**RECORD, "fields": [{"name": "Station", "type": "string"}]}
            ),
            polars_avro.AvroSchemaError,
            "no column and no default; the column `station` differs in case",
        ),
        (
            lambda: read_avro(avro(DF), reader_schema={**RECORD, "name": "Other"}),
            polars_avro.AvroSchemaError,
            'the reader\'s alias "Row" would match',
        ),
    ],
)
def test_misuse_says_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_file_that_is_open_for_reading_is_no_target(tmp_path):
    (tmp_path / "a.avro").write_bytes(b"")
    with (tmp_path / "a.avro").open("rb") as file, pytest.raises(ValueError, match="open it with mode 'wb'"):
        write_avro(DF, file)


def test_the_schema_of_a_file_stays_when_rows_are_appended(tmp_path):
    write_avro(DF, tmp_path / "a.avro")
    wider = DF.with_columns(c=1)
    advice = r"drop the column or add it to the Avro schema \(appending keeps the schema of the file: .*new file\)"
    with pytest.raises(polars_avro.AvroSchemaError, match=advice):
        write_avro(wider, tmp_path / "a.avro", append=True)
    writer = AvroWriter(io.BytesIO())
    writer.write(DF)
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        writer.write(wider)
    assert "avro_schema" not in str(caught.value)


def test_frames_of_a_writer_that_differ_in_order_name_the_order():
    writer = AvroWriter(io.BytesIO())
    writer.write(DF)
    with pytest.raises(polars_avro.AvroSchemaError, match=r"in this order, got .*; with `avro_schema`"):
        writer.write(DF.select(reversed(DF.columns)))


def test_a_directory_of_other_files_names_a_pattern(tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    (tmp_path / "b.csv").write_text("a")
    with pytest.raises(pl.exceptions.InvalidOperationError, match=r"/\*\*/\*\.avro' reads its Avro files"):
        scan_avro(tmp_path)
    assert read_avro(f"{tmp_path}/**/*.avro").equals(DF)


def test_an_unclosed_writer_warns_at_exit(tmp_path):
    program = """
import sys, polars as pl, polars_avro
for how in sys.argv[2:]:
    writer = polars_avro.AvroWriter(f"{sys.argv[1]}/{how}.avro")
    if how != "empty":
        writer.write(pl.DataFrame({"a": [1]}))
    if how in ("close", "abort"):
        getattr(writer, how)()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path, "open", "close", "abort", "empty", "kept"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(polars_avro.__file__).parents[1],
    )
    told = [line for line in ended.stderr.splitlines() if "AvroWarning: " in line]
    assert [Path(line.partition("AvroWriter of ")[2].partition(" was")[0]).stem for line in told] == ["open", "kept"]
    assert [path.name for path in tmp_path.iterdir()] == ["close.avro"]


def test_an_invalid_pattern_is_named(tmp_path):
    with pytest.raises(pl.exceptions.ComputeError, match=r"\[a.avro: invalid glob pattern.*; pass glob=False"):
        scan_avro(f"{tmp_path}/[a.avro")


def test_a_record_is_written_from_a_struct():
    schema = {"type": "record", "name": "R", "fields": [{"name": "station", "type": "string"}]}
    with pytest.raises(polars_avro.AvroSchemaError, match=r"pass a struct of its fields, such as `pl.struct\(...\)`"):
        DF.select(polars_avro.encode("station", schema))


def test_a_file_at_its_end_is_not_called_empty(tmp_path):
    path = tmp_path / "a.avro"
    path.write_bytes(avro(DF))
    with path.open("rb") as file:
        file.read()
        for read in (read_avro, scan_avro, AvroReader, polars_avro.read_avro_metadata):
            with pytest.raises(polars_avro.AvroDataError, match=r"the file is at its end: call `seek\(0\)`"):
                read(file)
        file.seek(0)
        assert read_avro(file).equals(DF)
    with path.open("ab") as file, pytest.raises(ValueError, match="the file is not open for reading"):
        read_avro(file)


def test_a_field_of_another_case_is_told_before_other_extra_fields():
    files = [avro(pl.DataFrame({"a": [1]})), avro(pl.DataFrame({"c": [9], "A": [3]}))]
    with pytest.raises(polars_avro.AvroSchemaError, match=r"field `A`: the names .* differ in case"):
        read_avro(files)


def test_hints_for_frames_that_must_be_lazy():
    with pytest.raises(TypeError, match=r"make a frame with `to_frame\(\)`, and pass `.lazy\(\)` of it"):
        sink_avro(DF["station"], io.BytesIO())
    sink_avro(DF["station"].to_frame().lazy(), io.BytesIO())


def test_the_hint_for_times_truncates_them():
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "a", "type": {"type": "long", "logicalType": "time-micros"}}],
    }
    df = pl.DataFrame({"a": pl.Series([1_234_567], dtype=pl.Int64).cast(pl.Time)})
    with pytest.raises(polars_avro.AvroDataError, match="truncate the column with `"):
        write_avro(df, io.BytesIO(), avro_schema=schema)
    truncated = df.with_columns((pl.col("a").cast(pl.Int64) // 1000 * 1000).cast(pl.Time))
    write_avro(truncated, io.BytesIO(), avro_schema=schema)


def test_the_command_line_takes_schemas_of_json_files(cli, tmp_path):
    (tmp_path / "a.json").write_text('{"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}')
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert cli.good("schema", tmp_path / "a.json") == ["a  Int64"]
    cli.good("convert", "--schema", tmp_path / "a.json", tmp_path / "a.csv", tmp_path / "a.avro")
    assert "Decimal(10, 2)" in cli.refused(
        "convert", "--schema", "a=Decimal", tmp_path / "a.csv", tmp_path / "b.avro", status=2
    )
