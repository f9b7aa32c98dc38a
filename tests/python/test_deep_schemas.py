"""Deeply nested schemas: the limit holds for reading and writing, and no value of it overflows the stack."""

import json
import subprocess
import sys

import pytest

import polars_avro


def nested(depth):
    """A schema of records inside one another, and the value of its innermost field."""
    schema = "long"
    for level in range(depth):
        schema = {"type": "record", "name": f"R{level}", "fields": [{"name": "a", "type": schema}]}
    return schema


def container(depth):
    """A file of one row, whose value takes one byte at any depth."""
    marker = b"0123456789abcdef"
    schema = text(depth).encode()
    header = b"Obj\x01" + long(1) + entry(b"avro.schema", schema) + long(0) + marker
    return header + long(1) + long(1) + long(7) + marker


def text(depth):
    """The JSON text of `nested`, which Python's encoder cannot produce at this depth."""
    inner = '"long"'
    for level in range(depth):
        inner = f'{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":{inner}}}]}}'
    return inner


def long(value):
    value, out = value * 2, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def entry(key, value):
    return long(len(key)) + key + long(len(value)) + value


def innermost(value):
    while isinstance(value, dict):
        (value,) = value.values()
    return value


@pytest.mark.parametrize("depth", [42, 127])
def test_records_nest_as_deep_as_the_docs_say(depth):
    data = container(depth)
    df = polars_avro.read_avro(data)
    assert innermost(df.row(0, named=True)) == 7
    for engine in ("in-memory", "streaming"):
        assert polars_avro.scan_avro(data).collect(engine=engine).equals(df)
    # The outermost record is the row, so the structs have one level less.
    assert str(df.schema["a"]).count("Struct") == depth - 1
    assert json.loads(polars_avro.read_avro_metadata(data).avro_schema) == nested(depth)


@pytest.mark.parametrize(("depth", "limit"), [(128, 128), (40, 40), (255, 100), (256, 2**40), (5_000, 2**40)])
def test_deeper_than_the_limit_is_refused(depth, limit):
    limits = polars_avro.Limits(schema_depth=limit)
    with pytest.raises(polars_avro.AvroLimitError, match="schema_depth"):
        polars_avro.read_avro(container(depth), limits=limits)
    with pytest.raises(polars_avro.AvroLimitError, match="schema_depth"):
        polars_avro.read_avro(container(2), reader_schema=text(depth), limits=limits)


PROGRAM = """
import sys, threading
import polars as pl
import polars_avro
data = sys.stdin.buffer.read()
limits = polars_avro.Limits(schema_depth=10**9, data_depth=10**9)
def read():
    assert polars_avro.read_avro(data, limits=limits).height == 1
    assert polars_avro.read_avro_metadata(data, limits=limits).n_rows == 1
    for engine in ("in-memory", "streaming"):
        assert polars_avro.scan_avro(data, limits=limits).select(pl.len()).collect(engine=engine).item() == 1
        assert polars_avro.scan_avro(data, limits=limits).collect(engine=engine).height == 1
    print("read")
thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("depth", [255])
def test_a_raised_limit_reads_deeper_and_the_stack_is_safe(depth):
    """Runs in a child process, on a thread, because an overflow would end the test process."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], input=container(depth), capture_output=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, b"read\n"), ended.stderr[-2000:]
