"""Arguments of writing, datums and splits: errors at the call that name the argument."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_avro
from polars_avro import (
    AvroWriter,
    decode,
    encode,
    plan_splits,
    read_avro,
    scan_avro,
    scan_splits,
    sink_avro,
    write_avro,
)

pytestmark = pytest.mark.filterwarnings("ignore:`PartitionBy`")

DF = pl.DataFrame({"a": [1, 2], "s": [{"x": 1}, {"x": 2}]})
RECORD = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}
WRITES = {
    "write_avro": lambda target, **options: write_avro(DF, target, **options),
    "sink_avro": lambda target, **options: sink_avro(DF.lazy(), target, **options),
    "sink_avro, lazy": lambda target, **options: sink_avro(DF.lazy(), target, **({"lazy": True} | options)),
    "AvroWriter": AvroWriter,
}
ALL = tuple(WRITES)
SINKS = ("sink_avro", "sink_avro, lazy")
WRONG: list[tuple[tuple[str, ...], str, list[Any], type[Exception]]] = [
    (ALL, "append", ["yes", None, 1], TypeError),
    (ALL, "mkdir", ["yes", None, 5], TypeError),
    (ALL, "name", [5, b"x"], TypeError),
    (ALL, "namespace", [5], TypeError),
    (ALL, "doc", [5], TypeError),
    (ALL, "block_size", ["x", 1.5, True], TypeError),
    (ALL, "block_size", [0, -1, 2**70], ValueError),
    (ALL, "n_threads", ["x", 1.5, True], TypeError),
    (ALL, "n_threads", [0, -1, 2**70], ValueError),
    (ALL, "compression_level", ["x", 1.5, True], TypeError),
    (ALL, "compression_level", [2**40, -(2**40)], ValueError),
    (ALL, "storage_options", [5, "x", [], {1: "x"}], TypeError),
    (ALL, "credential_provider", [5, "x", {}], TypeError),
    (ALL, "sync_on_close", ["x"], ValueError),
    (SINKS, "maintain_order", ["x", None], TypeError),
    (("sink_avro",), "lazy", ["x", None, 1], TypeError),
    (SINKS, "optimizations", [5, "x"], TypeError),
    (SINKS, "sinked_paths_callback", [5, "x"], TypeError),
    (("write_avro",), "partition_by", [5, pl.col("a"), ["a", 5], b"a"], TypeError),
    (("write_avro",), "partition_by", [[], ()], ValueError),
    (("write_avro",), "partition_chunk_size_bytes", ["x", 1.5, None], TypeError),
    (("write_avro",), "partition_chunk_size_bytes", [0, -1, 2**70], ValueError),
    (("AvroWriter",), "schema", [5, ["a"], "a"], TypeError),
]


@pytest.mark.parametrize(
    ("function", "name", "value", "error"),
    [(f, name, value, error) for fs, name, values, error in WRONG for f in fs for value in values],
)
def test_what_writes_refuses_a_value_by_name(
    tmp_path: Path, function: str, name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"`{name}`"):
        WRITES[function](tmp_path / "a.avro", **{name: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("function", WRITES)
def test_an_empty_path_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match="`target`"):
        WRITES[function]("")


def test_integers_of_numpy_are_integers_of_what_writes(tmp_path: Path) -> None:
    options = {"block_size": np.int64(100), "n_threads": np.uint8(1), "compression_level": np.int16(3)}
    for function in ("write_avro", "sink_avro"):
        WRITES[function](tmp_path / "a.avro", compression="zstd", append=np.bool_(False), **options)
        assert_frame_equal(read_avro(tmp_path / "a.avro"), DF)


def test_names_of_a_file_that_is_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_avro(DF, path, append=True, name="Mine", doc="About it.")
    before = path.read_bytes()
    for options in ({"name": "Other"}, {"namespace": "ns"}, {"doc": "x"}):
        for function in ALL:
            with pytest.raises(ValueError, match="cannot append with `name`, `namespace` or `doc`"):
                WRITES[function](path, append=True, **options)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["0", "x", "-1", "", "1.5"])
def test_the_number_of_open_files_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("POLARS_MAX_OPEN_SINKS", text)
    with pytest.raises(ValueError, match="POLARS_MAX_OPEN_SINKS must be a number of at least 1"):
        write_avro(DF, tmp_path / "a", partition_by="a")


@pytest.mark.parametrize("option", ["max_rows_per_file", "approximate_bytes_per_file"])
def test_limits_of_files_are_those_of_polars(tmp_path: Path, option: str) -> None:
    for value in (-1, "x", 1.5, 2**70):
        with pytest.raises((TypeError, ValueError), match=option):
            sink_avro(DF.lazy(), pl.PartitionBy(tmp_path / "a", **{option: value}))
    DF.lazy().sink_parquet(pl.PartitionBy(tmp_path / "p", **{option: 0}), mkdir=True)
    sink_avro(DF.lazy(), pl.PartitionBy(tmp_path / "a", **{option: 0}))
    assert [path.stem for path in (tmp_path / "a").iterdir()] == [path.stem for path in (tmp_path / "p").iterdir()]


READS = {
    "scan_avro": scan_avro,
    "read_avro": read_avro,
    "AvroReader": polars_avro.AvroReader,
    "read_avro_metadata": polars_avro.read_avro_metadata,
    "read_avro_schema": polars_avro.read_avro_schema,
    "plan_splits": plan_splits,
    "scan_splits": lambda path, **options: scan_splits(plan_splits(path), **options),
    "Split.read": lambda path, **options: plan_splits(path)[0].read(**options),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_avro(DF, tmp_path / "in.avro")
    return tmp_path / "in.avro"


@pytest.mark.parametrize("function", READS)
def test_options_of_stores_are_checked_for_local_files_too(path: Path, function: str) -> None:
    for name, value in (("storage_options", 5), ("storage_options", "hidden"), ("credential_provider", "hidden")):
        with pytest.raises(TypeError, match=f"`{name}`") as error:
            READS[function](path, **{name: value})
        assert "hidden" not in str(error.value)


def test_arguments_of_splits(path: Path) -> None:
    with pytest.raises(TypeError, match="`ignore_errors`"):
        plan_splits(path, ignore_errors="yes")
    split = plan_splits(path)[0]
    for splits in (split, None, 5, ["x"]):
        with pytest.raises(TypeError, match="`splits` must hold splits"):
            scan_splits(splits)
    with pytest.raises(ValueError, match="fields of structs are selected when splits are planned"):
        split.read(columns=["s.x"])


DATUMS: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (decode, {"ignore_errors": "yes"}, TypeError, "`ignore_errors`"),
    (decode, {"limits": 5}, TypeError, "`limits`"),
    (decode, {"fields": ["zz"]}, pl.exceptions.ColumnNotFoundError, "`fields`: 'zz' is none of the record's fields"),
    (decode, {"fields": [7]}, pl.exceptions.ColumnNotFoundError, "`fields`: index 7 .* has 1 fields"),
    (decode, {"fields": [5.5]}, TypeError, "`fields`"),
    (decode, {"fields": ["x", "x"]}, ValueError, "`fields` names a field twice"),
    (decode, {"framing": "confluent", "schemas": {1: None}}, TypeError, r"`schemas\[1\]`"),
    (encode, {"framing": "confluent", "schema_id": "1"}, ValueError, "`schema_id`"),
    (encode, {"framing": "confluent", "schema_id": 1.5}, TypeError, "`schema_id`"),
    (encode, {"framing": "confluent", "schema_id": True}, TypeError, "`schema_id`"),
    (encode, {"framing": "confluent", "schema_id": -1}, ValueError, "`schema_id`"),
    (encode, {"framing": "confluent", "schema_id": 2**70}, ValueError, "`schema_id`"),
    (encode, {"framing": "confluent", "registry": "http://x"}, TypeError, "`registry`"),
    (encode, {"schema": None, "name": 5}, TypeError, "`name`"),
    (encode, {"schema": None, "namespace": 5}, TypeError, "`namespace`"),
    (encode, {"name": "X"}, ValueError, "`name`"),
    (encode, {"namespace": "x"}, ValueError, "`namespace`"),
]


@pytest.mark.parametrize(("function", "options", "error", "match"), DATUMS)
def test_arguments_of_datums(function: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        function("a", **({"schema": RECORD} | options))


def test_encoding_names_its_own_parameter() -> None:
    for df, schema in ((DF.select("a"), RECORD), (DF.select(a="s"), RECORD | {"fields": []})):
        with pytest.raises(polars_avro.AvroSchemaError, match="the Avro schema") as info:
            df.select(encode("a", schema))
        assert "avro_schema" not in str(info.value)
    rows = DF.select(encode("s", RECORD, framing="confluent", schema_id=np.int64(1)))
    with pytest.raises(TypeError, match="`schemas"):
        rows.select(decode("s", RECORD, framing="confluent", schemas=lambda _: 5))


@pytest.mark.parametrize("options", [{}, {"row_index_name": "(number of the file)'"}])
def test_a_column_may_have_any_name(tmp_path: Path, options: dict[str, Any]) -> None:
    name = "(number of the file)"
    (tmp_path / f"{name}=7").mkdir()
    df = pl.DataFrame({name: [1, 2], f"{name}''": [3, 4]})
    target = io.BytesIO()
    write_avro(df, target)
    paths = [tmp_path / f"{name}=7" / "a.avro", tmp_path / "b.avro"]
    for path in paths:
        path.write_bytes(target.getvalue())
    found = scan_avro(paths, include_file_paths="path", **options).slice(1, 2).collect()
    assert found.select(df.columns).rows() == [(2, 4), (1, 3)]
    assert [os.path.basename(path) for path in found["path"]] == ["a.avro", "b.avro"]
    in_paths = scan_avro(tmp_path / f"{name}=*" / "*", hive_partitioning=True).filter(pl.col(name) == 7).collect()
    assert in_paths.rows() == [(7, 3), (7, 4)]
