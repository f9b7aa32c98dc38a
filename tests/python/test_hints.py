"""Errors say what to use instead."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from containers import container, long, text

import polars_avro
from polars_avro import AvroReader, AvroUnsupportedError, AvroWriter, read_avro, scan_avro, sink_avro, write_avro

DF = pl.DataFrame({"station": ["Bergen"], "celsius": [21.9], "place": [{"latitude": 60.4, "longitude": 5.3}]})


def avro(df):
    file = io.BytesIO()
    write_avro(df, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("celsus", "; did you mean 'celsius'?"),
        ("Celsius", "; did you mean 'celsius'?"),
        ("place.latitud", "; did you mean 'place.latitude' or 'place.longitude'?"),
        ("place.height", "; the columns are place.latitude, place.longitude"),
        ("plase.latitude", "; the columns are station, celsius, place"),
        ("wind", "; the columns are station, celsius, place"),
    ],
)
def test_a_misspelt_column_has_the_nearest_names(column, hint):
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(avro(DF), columns=[column])
    assert str(caught.value) == f"`columns`: {column!r} is none of the file's columns, nor a field of one{hint}"


def test_a_message_lists_few_of_many_columns():
    data = avro(pl.DataFrame({f"column_{i}": [i] for i in range(2000)}))
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(data, columns=["colum_7"])
    assert str(caught.value).endswith("did you mean 'column_7' or 'column_97' or 'column_87'?")
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as caught:
        read_avro(data, columns=["wind"])
    assert str(caught.value).endswith("column_18, column_19, and 1,980 more")


@pytest.mark.parametrize(
    ("codec", "hint"),
    [
        ("gzip", ": use 'deflate'"),
        ("ZLIB", ": use 'deflate'"),
        ("bz2", ": use 'bzip2'"),
        ("zstandart", "; did you mean 'zstandard'?"),
        ("brotli", ""),
    ],
)
def test_codecs_of_other_names_have_a_hint(codec, hint):
    with pytest.raises(ValueError, match="`compression` must be None or one of") as caught:
        write_avro(DF, io.BytesIO(), compression=codec)
    assert str(caught.value).endswith(f"got {codec!r}{hint}")


def test_the_command_line_has_a_hint_for_gzip(cli, tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    ended = cli("convert", tmp_path / "a.avro", tmp_path / "b.avro", "--compression", "gzip")
    assert ended.status == 2
    assert "use deflate" in ended.err


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("hf://datasets/a/b.avro", "; open the file with fsspec and pass the file object"),
        ("hdfs://name/b.avro", "; open the file with fsspec and pass the file object"),
        ("s3n://bucket/b.avro", "; use s3:// for this store"),
        ("htps://example.org/b.avro", "; did you mean https://?"),
        ("dbfs:/mnt/b.avro", "use the path below /dbfs/ on a Databricks cluster, or open the file with fsspec and"),
    ],
)
@pytest.mark.parametrize("function", [scan_avro, read_avro, polars_avro.AvroReader, polars_avro.read_avro_schema])
def test_an_unknown_scheme_says_how_to_open_the_file(url, hint, function):
    with pytest.raises(AvroUnsupportedError, match="is unknown") as caught:
        function(url)
    assert hint in str(caught.value)


def test_targets_have_the_same_hint():
    with pytest.raises(AvroUnsupportedError, match="open the file with fsspec"):
        write_avro(DF, "hf://datasets/a/b.avro")


@pytest.mark.skipif(os.name == "nt", reason="names have no colons there")
def test_a_directory_may_be_called_like_a_scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dbfs:").mkdir()
    (tmp_path / "dbfs:" / "a.avro").write_bytes(avro(DF))
    assert read_avro("dbfs:/a.avro").equals(DF)


def test_the_other_kind_of_frame_names_the_other_function():
    with pytest.raises(TypeError, match="got 'LazyFrame': use `sink_avro`"):
        write_avro(DF.lazy(), io.BytesIO())
    with pytest.raises(TypeError, match="got 'DataFrame': use `write_avro`"):
        sink_avro(DF, io.BytesIO())
    with pytest.raises(TypeError, match=r"got 'Series': pass the frame that `to_frame\(\)` returns"):
        write_avro(DF["place"], io.BytesIO())


@pytest.mark.parametrize("ending", ["", "/"])
@pytest.mark.parametrize("append", [False, True])
def test_a_directory_as_target_says_what_to_pass(tmp_path, ending, append):
    target = f"{tmp_path}{ending}"
    for write in (
        lambda: write_avro(DF, target, append=append),
        lambda: sink_avro(DF.lazy(), target, append=append),
        lambda: AvroWriter(target, append=append),
    ):
        with pytest.raises(IsADirectoryError, match=r"name a file in it, or pass a `pl.PartitionBy`"):
            write()
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        write_avro(DF, f"{tmp_path}/new/", mkdir=True)


@pytest.fixture
def spark(tmp_path):
    """What Spark writes: a part with its checksum in a partition, and a marker."""
    part = tmp_path / "spark" / "day=1" / "part-0.avro"
    part.parent.mkdir(parents=True)
    part.write_bytes(avro(DF))
    (part.parent / ".part-0.avro.crc").write_bytes(b"crc\x00" + bytes(8))
    (tmp_path / "spark" / "_SUCCESS").touch()
    return tmp_path / "spark"


@pytest.mark.parametrize("read", [read_avro, scan_avro, polars_avro.plan_splits])
def test_a_directory_with_checksums_names_the_option_that_skips_them(spark, read):
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        read(spark)
    assert str(caught.value).endswith("; hidden_file_prefix=['_', '.'] skips '.part-0.avro.crc' and the like")
    assert read(spark, hidden_file_prefix=["_", "."]) is not None


@pytest.mark.parametrize("read", [read_avro, scan_avro, polars_avro.plan_splits])
def test_a_hidden_file_that_fails_to_open_names_the_option_that_skips_it(spark, read):
    with pytest.raises(polars_avro.AvroDataError) as caught:
        read(spark / "*" / "*")
    assert str(caught.value).endswith("; hidden_file_prefix=['_', '.'] skips such files of directories and patterns")
    assert caught.value.file == str(spark / "day=1" / ".part-0.avro.crc")
    assert read(spark / "*" / "*", hidden_file_prefix=["_", "."]) is not None


def test_other_files_and_other_damage_have_no_such_hint(tmp_path):
    (tmp_path / "_rows.avro").write_bytes(avro(DF)[:-1])
    (tmp_path / "a.avro").write_bytes(b"text")
    for name in ("_rows.avro", "a.avro"):
        with pytest.raises(polars_avro.AvroDataError) as caught:
            read_avro(tmp_path / name)
        assert "hidden_file_prefix" not in str(caught.value)
    (tmp_path / "a.csv").write_bytes(b"text")
    with pytest.raises(pl.exceptions.InvalidOperationError) as refused:
        read_avro(tmp_path, hidden_file_prefix="_")
    assert "hidden_file_prefix" not in str(refused.value)


@pytest.mark.parametrize("command", ["head", "count", "metadata"])
@pytest.mark.parametrize("source", ["", "*/*"])
def test_the_command_line_names_its_own_option(cli, spark, command, source):
    error = cli.refused(command, spark / source, status=3)
    assert "; --hidden-file-prefix _ --hidden-file-prefix . skips " in error
    cli.good(command, spark / source, "--hidden-file-prefix", "_", "--hidden-file-prefix", ".")


def test_a_schema_that_lacks_a_column_says_to_add_it_first():
    with pytest.raises(polars_avro.AvroSchemaError, match=r"add it to `schema`, or pass extra_columns='ignore'"):
        read_avro(avro(DF), schema={"station": pl.String})


def test_a_hidden_file_after_the_first_names_the_option_too(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.avro").write_bytes(avro(DF))
    (tmp_path / "b" / "_part.avro").write_bytes(b"crc")
    with pytest.raises(polars_avro.AvroDataError, match=r"hidden_file_prefix=\['_', '\.'\] skips such files"):
        scan_avro(tmp_path).collect()


def test_a_file_with_a_new_column_names_the_union_first(tmp_path):
    (tmp_path / "a.avro").write_bytes(avro(DF))
    (tmp_path / "b.avro").write_bytes(avro(DF.with_columns(wind=1)))
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        scan_avro(tmp_path).collect()
    message = str(caught.value)
    assert 0 < message.index("pass schema_mode='union'") < message.index("extra_columns='ignore'")


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\n<html lang='en'>"])
def test_an_html_page_is_named(page):
    with pytest.raises(polars_avro.AvroDataError, match="not an Avro object container file: it is an HTML page"):
        read_avro(page)


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


@pytest.mark.parametrize(
    ("logical", "value"),
    [
        ({"type": "string", "logicalType": "uuid"}, text("none")),
        ({"type": "int", "logicalType": "time-millis"}, long(-1)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2}, long(2) + b"\x7f\xff"),
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
    assert "--invalid-values null or text reads it all the same" in cli("cat", path).err
    datums = pl.DataFrame({"a": [value]})
    with pytest.raises(polars_avro.AvroDataError) as caught:
        datums.select(polars_avro.decode(pl.col("a"), logical))
    assert "invalid_values" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anon": True}, 'unknown storage option "anon"; it is called "aws_skip_signature" here'),
        ({"client_kwargs": {}}, 'unknown storage option "client_kwargs"; it is called "aws_endpoint_url" here'),
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


def test_names_that_differ_in_case_are_matched_by_an_option():
    files = [avro(pl.DataFrame({"Name": ["x"]})), avro(pl.DataFrame({"name": ["y"]}))]
    schema = {"type": "record", "name": "Row", "fields": [{"name": "Name", "type": "string"}]}
    for read in (
        lambda **options: read_avro(files, **options),
        lambda **options: scan_avro(files, **options).collect(),
        lambda **options: read_avro(files[1:], reader_schema=schema, **options),
    ):
        with pytest.raises(polars_avro.AvroSchemaError, match="pass field_matching='case_insensitive'"):
            read()
        assert read(field_matching="case_insensitive")["Name"][-1] == "y"


def test_wider_numbers_are_read_with_the_union():
    files = [avro(pl.DataFrame({"a": pl.Series([1], dtype=dtype)})) for dtype in (pl.Int32, pl.Int64, pl.Float64)]
    for pair in ([files[0], files[1]], [files[0], files[2]], [files[1], files[2]]):
        with pytest.raises(polars_avro.AvroSchemaError, match="pass schema_mode='union' to read all files"):
            read_avro(pair)
        assert read_avro(pair, schema_mode="union").height == 2
    texts = avro(pl.DataFrame({"a": ["x"]}))
    with pytest.raises(polars_avro.AvroSchemaError) as caught:
        read_avro([files[0], texts])
    assert "union'" not in str(caught.value)


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: write_avro(DF["station"], io.BytesIO()), TypeError, r"pass the frame that `to_frame\(\)` returns"),
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
    ],
)
def test_misuse_says_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_frames_of_a_writer_that_differ_in_order_name_the_order():
    writer = AvroWriter(io.BytesIO())
    writer.write(DF)
    with pytest.raises(polars_avro.AvroSchemaError, match="in this order, got .*; with `avro_schema`"):
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
