"""Container files of other implementations: valid files are read as by fastavro, and broken ones are refused.

The files are not part of the repository. `POLARS_AVRO_CORPUS` sets their directory, which is `../shared/corpus` by
default. Without them the tests are skipped.
"""

from __future__ import annotations

import io
import math
import os
import uuid
from pathlib import Path
from typing import Any

import expected
import fastavro
import polars as pl
import pytest
from containers import expected_frame

import polars_avro

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
CORPUS = Path(os.environ.get("POLARS_AVRO_CORPUS", BESIDE))
FILES = {path.relative_to(CORPUS).as_posix(): path for path in sorted(CORPUS.glob("**/*.avro"))}

#: Broken files, and a part of the expected message.
BROKEN = {
    "apache-avro/test_dat_person-10.no-codec.avro": "truncated|cut short|missing|end",  # a line break follows its end
    "apache-avro/tests_avro-1237-bad-union-discriminant.avro": "union",
    "apache-avro/tests_avro-1238-truncated.avro": "truncated|cut short|missing|end|sync",
    "hamba/deflate-invalid-data.avro": "deflate",
    "hamba/snappy-invalid-crc.avro": "snappy",
    "hamba/snappy-invalid-data.avro": "snappy",
    "hamba/snappy-short-crc.avro": "snappy",
    "hamba/zstd-invalid-data.avro": "zstandard|zstd",
}
VALID = [name for name in FILES if name not in BROKEN]

#: Columns that fastavro returns in another form than the type table: unions of several branches, recursion, durations,
#: nanoseconds as numbers, decimals as text. They are compared with `expected` alone.
OTHER_FORM = {
    "apache-avro/data_schemas_withUnion_data.avro": {"data1", "data2"},
    "arrow-testing/duration_uuid.avro": {"duration_field"},
    "arrow-testing/fixed256_decimal.avro": {"value"},
    "arrow-testing/int256_decimal.avro": {"value"},
    "arrow-testing/timestamp_logical_types.avro": {"ts_nanos", "local_ts_nanos"},
    "fastavro/recursive.avro": {"next"},
}

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus is not there")


def test_every_file_is_either_valid_or_broken_and_checked() -> None:
    assert len(FILES) == 94
    assert set(BROKEN) <= set(FILES)
    assert len(VALID) + len(BROKEN) == 94
    assert set(OTHER_FORM) <= set(VALID)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_file_equals_what_fastavro_reads(name: str) -> None:
    data = FILES[name].read_bytes()
    wanted = expected_frame(data)
    expected.assert_frame(polars_avro.read_avro(FILES[name]), *wanted)
    expected.assert_frame(polars_avro.read_avro(data), *wanted)
    for engine in ("in-memory", "streaming"):
        expected.assert_frame(polars_avro.scan_avro(FILES[name]).collect(engine=engine), *wanted)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", VALID)
def test_each_column_of_a_valid_file_can_be_read_alone(name: str) -> None:
    schema, columns, height = expected_frame(FILES[name].read_bytes())
    for column, dtype in schema.items():
        frame = polars_avro.read_avro(FILES[name], columns=[column])
        expected.assert_frame(frame, pl.Schema({column: dtype}), {column: columns[column]}, height)


#: fastavro decodes all metadata as text, which fails for this file.
METADATA_IS_NOT_TEXT = "apache-avro/data_syncInMeta.avro"


@pytest.mark.parametrize("name", [name for name in VALID if name != METADATA_IS_NOT_TEXT])
def test_a_valid_file_equals_fastavros_own_python_values(name: str) -> None:
    data = FILES[name].read_bytes()
    rows = list(fastavro.reader(io.BytesIO(data)))
    frame = polars_avro.read_avro(data)
    if frame.columns == ["value"] and not (rows and isinstance(rows[0], dict)):
        rows = [{"value": row} for row in rows]
    keep = [column for column in frame.columns if column not in OTHER_FORM.get(name, ())]
    wanted = [{column: normal(row[column]) for column in keep} for row in rows]
    assert frame.height == len(rows)
    assert [normal(row) for row in frame.select(keep).to_dicts()] == (wanted if keep else [])


def normal(value: Any) -> Any:
    """Convert a value for comparison: UUIDs to text, NaN to a word."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, uuid.UUID):
        return str(value)
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


@pytest.mark.parametrize("name", [name for name in BROKEN if FILES])
def test_a_broken_file_is_refused(name: str) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  (each library of a codec has its own)
        expected_frame(FILES[name].read_bytes())
    with pytest.raises(polars_avro.AvroError, match=f"(?i){BROKEN[name]}") as caught:
        polars_avro.read_avro(FILES[name])
    assert FILES[name].name in str(caught.value)
    for engine in ("in-memory", "streaming"):
        with pytest.raises(polars_avro.AvroError):
            polars_avro.scan_avro(FILES[name]).collect(engine=engine)  # type: ignore[call-overload]
