"""Files that must be refused quickly with a precise error, without lost rows or panics."""

from __future__ import annotations

import contextlib
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from containers import SYNC, block, container, header, long, text, written

import polars_avro


def record(kind: Any) -> dict[str, Any]:
    """A record of one field."""
    return {"type": "record", "name": "R", "fields": [{"name": "v", "type": kind}]}


def array(items: Any) -> dict[str, Any]:
    """An array."""
    return {"type": "array", "items": items}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
LIST = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2}
MANY = 100_000

#: The fault of one value, its schema, its bytes.
VALUES = {
    "bool of 2": ("boolean", b"\x02"),
    "int beyond 32 bits": ("int", long(2**31)),
    "varint of eleven bytes": ("long", b"\x80" * 10 + b"\x01"),
    "varint beyond 64 bits": ("long", b"\xff" * 9 + b"\x7f"),
    "string that is not UTF-8": ("string", text(b"\xff")),
    "string of a negative length": ("string", long(-1)),
    "string longer than the block": ("string", long(2**40)),
    "bytes longer than the block": ("bytes", long(100) + b"x"),
    "fixed longer than the block": ({"type": "fixed", "name": "F", "size": 8}, b"x"),
    "union index too large": (["null", "int"], long(2) + long(1)),
    "union index below zero": (["null", "int"], long(-1) + long(1)),
    "union index of several too large": (["null", "int", "string"], long(3)),
    "enum index too large": (ENUM, long(2)),
    "enum index below zero": (ENUM, long(-1)),
    "enum index in an array": (array(ENUM), long(1) + long(2) + long(0)),
    "array count beyond the block": (array("int"), long(2**40) + long(1)),
    "array count of the least number": (array("int"), long(-(2**63)) + long(1)),
    "array of many nulls": (array("null"), long(2**33) + long(0)),
    "map count beyond the block": ({"type": "map", "values": "int"}, long(2**40) + text("a")),
    "map key that is not UTF-8": ({"type": "map", "values": "int"}, long(1) + text(b"\xff") + long(1) + long(0)),
    "decimal beyond 128 bits": (DECIMAL, text(b"\x7f" + b"\xff" * 16)),
    "decimal beyond its precision": (DECIMAL | {"precision": 4}, text(b"\x27\x10")),
    "long decimal beyond its precision": (DECIMAL | {"precision": 39}, text(b"\x7f" + b"\xff" * 16)),
    "long decimal of millions of ones": (DECIMAL | {"precision": 39}, text(b"\x00" + b"\xff" * MANY)),
    "long decimal of millions of zeros": (DECIMAL | {"precision": 39}, text(b"\xff" + b"\x00" * MANY)),
    "time before midnight": ({"type": "int", "logicalType": "time-millis"}, long(-1)),
    "time behind midnight": ({"type": "long", "logicalType": "time-micros"}, long(86_400_000_000)),
    "UUID that is none": ({"type": "string", "logicalType": "uuid"}, text("no-uuid")),
    "big-decimal of too few bytes": ({"type": "bytes", "logicalType": "big-decimal"}, text(text(b"\x01"))),
    "no bytes at all": ("int", b""),
}


def refused(data: bytes, **options: Any) -> polars_avro.AvroError:
    """The error that all functions must raise."""
    with pytest.raises(polars_avro.AvroError) as caught:
        polars_avro.read_avro(data, **options)
    for engine in ("in-memory", "streaming"):
        with pytest.raises(polars_avro.AvroError):
            polars_avro.scan_avro(data, **options).collect(engine=engine)  # type: ignore[call-overload]
    return caught.value


@pytest.mark.parametrize("what", VALUES)
def test_a_value_that_cannot_be_is_refused(what: str) -> None:
    kind, data = VALUES[what]
    error = refused(container(record(kind), (1, data)))
    assert "block 0" in str(error)


@pytest.mark.parametrize("what", VALUES)
def test_a_value_that_cannot_be_is_refused_in_a_later_block(what: str) -> None:
    kind, data = VALUES[what]
    error = refused(container(record(kind), (0, b""), (1, data)))
    assert "block 1" in str(error)


@pytest.mark.parametrize("count", [2**62, -1, -(2**63), 5])
def test_a_block_with_a_wrong_count_is_refused(count: int) -> None:
    refused(container(record("int"), (count, long(1))))


@pytest.mark.parametrize("kind", ["null", array("null")])
def test_a_block_of_more_nulls_than_any_file_holds_is_refused(kind: Any) -> None:
    data = b"" if kind == "null" else long(2**62) + long(0)
    refused(container(record(kind), (2**62 if kind == "null" else 1, data)))


def test_a_block_with_a_wrong_size_is_refused() -> None:
    for size in (-1, 2**62, 3):
        refused(header(record("int")) + long(1) + long(size) + long(1) + SYNC)


def test_a_wrong_sync_marker_is_refused() -> None:
    good = container(record("int"), (1, long(1)))
    error = refused(good + block(1, long(2), sync=b"x" * 16))
    assert "sync" in str(error)
    assert "block 1" in str(error)


def test_bytes_left_in_a_block_are_refused_if_strict() -> None:
    refused(container(record("int"), (2, long(1) + long(2) + long(3)), (1, long(4))), strict=True)
    refused(container(record("int"), (0, long(1))), strict=True)
    refused(container(record("null"), (1, b"\x00")), strict=True)


def test_a_file_cut_anywhere_but_behind_a_block_is_refused() -> None:
    start = header(record("string"))
    blocks = [block(2, text("first") + text("a text of more than twelve bytes")), block(1, text("last"))]
    data = start + b"".join(blocks)
    whole = {len(start): 0, len(start) + len(blocks[0]): 2, len(data): 3}
    for size in range(len(data) + 1):
        if size in whole:
            assert polars_avro.read_avro(data[:size]).height == whole[size]
        else:
            with pytest.raises(polars_avro.AvroError):
                polars_avro.read_avro(data[:size])


@pytest.mark.parametrize("codec", ["deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_a_damaged_compressed_block_is_refused(codec: str) -> None:
    rows = [{"v": f"row {i}"} for i in range(100)]
    data = written(record("string"), rows, codec=codec)
    start = data.index(data[-16:]) + 16
    pos = start + (len(data) - 16 - start) // 2
    assert polars_avro.read_avro(data).height == 100
    for junk in (b"\xff" * 8, b"\x00" * 8):
        damaged = data[:pos] + junk + data[pos + 8 :]
        if codec == "deflate":
            # Without a checksum, damage may yield other text of the same length, but never fewer rows.
            with contextlib.suppress(polars_avro.AvroError):
                assert polars_avro.read_avro(damaged).height == 100
            continue
        with pytest.raises(polars_avro.AvroError, match="block 0"):
            polars_avro.read_avro(damaged)


def test_the_checksum_of_snappy_counts() -> None:
    payload = text("hello")
    snappy = bytes([len(payload), (len(payload) - 1) << 2]) + payload
    good = snappy + struct.pack(">I", zlib.crc32(payload))
    assert polars_avro.read_avro(container(record("string"), (1, good), codec="snappy"))["v"].to_list() == ["hello"]
    for bad in (snappy + struct.pack(">I", zlib.crc32(payload) ^ 1), snappy, snappy[:3], b""):
        refused(container(record("string"), (1, bad), codec="snappy"))


def test_a_block_that_unpacks_without_end_is_refused() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()
    assert zlib.decompress(mebibyte * 2 + end, -15) == bytes(2 << 20)
    with pytest.raises(polars_avro.AvroLimitError, match="block_bytes"):
        polars_avro.read_avro(container(record("string"), (1, mebibyte * 1_100 + end), codec="deflate"))


@pytest.mark.parametrize(
    "digits", [b"\x00" + b"\xff" * 4_000_000, b"\xff" + b"\x00" * 4_000_000], ids=["ones", "zeros"]
)
def test_a_decimal_far_beyond_its_precision_is_refused_before_its_digits_are_made(digits: bytes) -> None:
    data = container(record(DECIMAL | {"precision": 39}), (1, text(digits)))
    begin = time.perf_counter()
    with pytest.raises(polars_avro.AvroError, match="39"):
        polars_avro.read_avro(data)
    # Formatting the digits takes some fifteen seconds, and is quadratic in the bytes.
    assert time.perf_counter() - begin < 8


def test_a_value_nested_too_deep_is_refused() -> None:
    depth = 1_000_000
    refused(container(LIST, (1, long(1) * depth + long(0))))


def test_a_schema_nested_too_deep_is_refused() -> None:
    depth = 100_000
    schema = '{"type":"array","items":' * depth + '"int"' + "}" * depth
    entry = text("avro.schema") + text(schema)
    refused(b"Obj\x01" + long(1) + entry + b"\x00" + SYNC)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]},
        record("Unknown"),
        record(["int", "int"]),
        record([["int"], "null"]),
        record({"type": "enum", "name": "E", "symbols": ["A", "A"]}),
        record({"type": "fixed", "name": "F"}),
        record({"type": "fixed", "name": "F", "size": -1}),
        record({"type": "array"}),
        record({"type": "record", "name": "N"}),
        record({}),
        record(5),
        {"type": "record", "name": "R", "fields": [{"name": "v", "type": "R"}]},
    ],
    ids=str,
)
def test_a_schema_that_is_not_valid_is_refused(schema: Any) -> None:
    with pytest.raises(polars_avro.AvroError):
        polars_avro.read_avro(container(schema, (1, b"\x00")))


@pytest.mark.parametrize("data", [b"", b"Obj", b"PAR1" + bytes(50), b"\x1f\x8b" + bytes(50), b"\xff" * 50])
def test_what_is_no_container_file_is_refused(data: bytes) -> None:
    with pytest.raises(polars_avro.AvroError):
        polars_avro.read_avro(data)
    with pytest.raises(polars_avro.AvroError):
        polars_avro.scan_avro(data)


def test_an_error_says_file_block_record_and_field(tmp_path: Any) -> None:
    inner = {"type": "record", "name": "Item", "fields": [{"name": "price", "type": "int"}]}
    schema = {"type": "record", "name": "R", "fields": [{"name": "items", "type": array(inner)}]}
    rows = long(0) + long(1) + long(2**31) + long(0)
    path = tmp_path / "part-3.avro"
    path.write_bytes(container(schema, (0, b""), (2, rows)))
    error = refused_path(path)
    for part in ("part-3.avro", "block 1", "record 1", "items", "price"):
        assert part in str(error)
    assert (error.block_index, error.record) == (1, 1)


def refused_path(path: Any) -> polars_avro.AvroError:
    """The error of reading a path."""
    with pytest.raises(polars_avro.AvroError) as caught:
        polars_avro.read_avro(path)
    return caught.value


def test_a_damaged_column_that_is_not_asked_for_still_has_to_be_framed() -> None:
    fields = [{"name": "a", "type": "int"}, {"name": "b", "type": "string"}]
    schema = {"type": "record", "name": "R", "fields": fields}
    data = container(schema, (1, long(1) + long(2**40)))
    with pytest.raises(polars_avro.AvroError):
        polars_avro.read_avro(data, columns=["a"])
    with pytest.raises(polars_avro.AvroError):
        polars_avro.scan_avro(data).select(pl.col("a").sum()).collect()


ZONE = {"type": "long", "logicalType": "timestamp-micros", "polars.dtype": "Datetime", "polars.time_zone": "Nowhere/X"}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("field", "error", "message"),
    [
        ({"type": "long", "polars.name": "x\0y"}, polars_avro.AvroUnsupportedError, "NUL"),
        ({"type": ZONE}, polars_avro.AvroSchemaError, 'does not know the time zone "Nowhere/X"'),
    ],
)
def test_what_polars_cannot_import_is_an_error(
    field: dict[str, Any], error: type[Exception], message: str, nested: bool
) -> None:
    schema: dict[str, Any] = {"type": "record", "name": "I", "fields": [{"name": "v"} | field]}
    if nested:
        schema = record(array(schema))
    data = container(schema, (1, long(1) + long(5) + long(0) if nested else long(5)))
    calls: list[Callable[[bytes], object]] = [
        polars_avro.read_avro,
        polars_avro.read_avro_schema,
        lambda data: polars_avro.scan_avro(data).collect(),
        lambda data: list(polars_avro.AvroReader(data)),
        lambda data: polars_avro.read_avro([data, data]),
    ]
    for call in calls:
        with pytest.raises(error, match=message):
            call(data)
