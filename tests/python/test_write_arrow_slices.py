"""Sliced Arrow data, in all ways that producers slice, and malformed Arrow data."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from arrow_streams import CSchema, Edited, Rows, Stream, written
from grids import grid
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from random_cases import cases

N = 40
LEAVES: dict[str, tuple[pa.DataType, Any]] = {
    "int": (pa.int32(), lambda i: i),
    "bool": (pa.bool_(), lambda i: i % 3 == 0),
    "string": (pa.string(), lambda i: "x" * (i % 17) + str(i)),
    "large_string": (pa.large_string(), lambda i: "é" * (i % 9) + str(i)),
    "string_view": (pa.string_view(), lambda i: "long enough for a buffer " * (i % 2) + str(i)),
    "binary": (pa.binary(), lambda i: bytes([i, 255])),
    "binary_view": (pa.binary_view(), lambda i: bytes([i, 255]) * (1 + i % 11)),
    "fixed": (pa.binary(3), lambda i: bytes([i, 1, 2])),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), lambda i: f"k{i % 5}"),
    "null": (pa.null(), lambda i: None),
}


def nested(kind: pa.DataType, make: Any) -> dict[str, tuple[pa.DataType, Any]]:
    """Return nested types, and functions that make the value of a row."""
    pair = pa.struct([("a", kind), ("b", pa.int64())])
    return {
        "list": (pa.list_(kind), lambda i: [make(i + k) for k in range(i % 4)]),
        "large_list": (pa.large_list(kind), lambda i: [make(i), None]),
        "fixed_list": (pa.list_(kind, 2), lambda i: [make(i), make(i + 1)]),
        "struct": (pair, lambda i: {"a": make(i), "b": i}),
        "map": (pa.map_(pa.string(), kind), lambda i: [(f"k{k}", make(i + k)) for k in range(i % 3)]),
    }


def plain(value: Any) -> Any:
    """Convert a value of either package into Python objects, with maps as pairs."""
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, dict):
        return [(name, plain(each)) for name, each in value.items()]
    if isinstance(value, (list, tuple)):
        return [tuple(map(plain, each)) if isinstance(each, tuple) else plain(each) for each in value]
    return value


def check(column: pa.Array, table: pa.Table) -> None:
    """Write a table as a stream and as arrays, and compare the rows with PyArrow's."""
    expected = [plain(value) for value in column.to_pylist()]
    for data in (table, Stream(table), *map(Rows, table.to_batches()[:1])):
        assert [plain(value) for value in written(data)["c"].to_list()] == expected


@pytest.mark.parametrize(
    ("leaf", "outer", "nulls"), grid(LEAVES, ["list", "large_list", "fixed_list", "struct", "map"], [False, True])
)
def test_slices_of_nested_types_are_written_as_they_are(leaf: str, outer: str, nulls: bool) -> None:
    inner = nested(*LEAVES[leaf])[outer]
    for kind, make in (inner, nested(*inner)["struct"], nested(*inner)["list"]):
        rows = [None if nulls and i % 3 == 1 else make(i) for i in range(N)]
        whole = pa.array(rows, kind)
        for offset, length in ((0, N), (7, 13), (8, 8), (N - 1, 1), (3, 0)):
            part = whole.slice(offset, length)
            check(part, pa.table({"c": whole}).slice(offset, length))
            # The same rows, in a batch without an offset.
            check(part, pa.table({"c": part}))


def test_a_slice_far_into_a_table_is_read_where_it_is() -> None:
    table = pa.table({"s": [{"a": i, "b": f"value {i}"} for i in range(100_000)]})
    for part in (table.slice(7, 13), table.slice(99_000, 10)):
        assert_frame_equal(written(part), pl.DataFrame(part))


@st.composite
def arrays(draw: st.DrawFn, length: int, depth: int = 3) -> pa.Array:
    """Draw an array of slices, which may itself be a slice."""
    skipped = draw(st.integers(0, 9))
    whole = draw(_unsliced(length + skipped + draw(st.integers(0, 3)), depth))
    return whole.slice(skipped, length)


@st.composite
def _unsliced(draw: st.DrawFn, length: int, depth: int) -> pa.Array:
    is_null = (
        draw(st.lists(st.booleans(), min_size=length, max_size=length)) if draw(st.booleans()) else [False] * length
    )
    outer = draw(st.sampled_from(["leaf", "list", "large_list", "fixed_list", "struct", "map"] if depth else ["leaf"]))
    mask = pa.array(is_null, pa.bool_())
    if outer == "leaf":
        kind, make = LEAVES[draw(st.sampled_from(sorted(LEAVES)))]
        return pa.array([None if null else make(i) for i, null in enumerate(is_null)], kind)
    if outer == "struct":
        children = [draw(arrays(length, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        return pa.StructArray.from_arrays(children, [f"f{i}" for i in range(len(children))], mask=mask)
    if outer == "fixed_list":
        return pa.FixedSizeListArray.from_arrays(draw(arrays(2 * length, depth - 1)), 2, mask=mask)
    sizes = draw(st.lists(st.integers(0, 3), min_size=length, max_size=length))
    start = draw(st.integers(0, 3))
    ends = [start]
    for size in sizes:
        ends.append(ends[-1] + size)
    values = draw(arrays(ends[-1], depth - 1))
    if outer == "map":
        keys = pa.array([f"k{i}" for i in range(len(values))], pa.string())
        return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, values)
    if outer == "list":
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=mask)
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), values, mask=mask)


@cases()
@given(st.data())
def test_any_slice_of_any_type_is_written_as_it_is(data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 12))
    column = data.draw(arrays(length))
    column.validate(full=True)
    table = pa.table({"c": column})
    check(column, table)
    if length:
        offset = data.draw(st.integers(0, length - 1))
        check(column.slice(offset), table.slice(offset))
        # Several batches, of which the last is a slice.
        parts = pa.concat_tables([table, table.slice(offset)])
        assert written(Stream(parts)).height == parts.num_rows


def test_slices_of_duckdb_are_written_as_they_are() -> None:
    duckdb = pytest.importorskip("duckdb")
    columns = (
        "i, {'a': i, 'b': 'text ' || i, 'n': [{'x': i::varchar}]} s, [i, null] l, map {'k': i} m, [i, i]::int[2] f"
    )
    df = written(duckdb.sql(f"select {columns} from range(5000) t(i) where i >= 4321"))
    assert df.height == 679
    for i, row in zip(range(4321, 5000), df.rows(named=True), strict=True):
        assert plain(row) == plain(
            {"i": i, "s": {"a": i, "b": f"text {i}", "n": [{"x": str(i)}]}, "l": [i, None], "m": {"k": i}, "f": [i, i]}
        )


def test_slices_of_pandas_and_nanoarrow_are_written_as_they_are() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": range(N), "b": [None if i % 3 == 0 else f"text number {i}" for i in range(N)]})
    assert written(frame.iloc[7:20])["b"].to_list() == [
        None if i % 3 == 0 else f"text number {i}" for i in range(7, 20)
    ]
    nanoarrow = pytest.importorskip("nanoarrow")
    table = pa.table({"s": [None if i % 5 == 0 else {"a": i, "b": f"text number {i}"} for i in range(N)]})
    stream = nanoarrow.ArrayStream(table.slice(3, 30))
    assert written(stream)["s"].to_list() == table.slice(3, 30)["s"].to_pylist()
    array = nanoarrow.c_array(table.slice(3, 30).to_batches()[0])
    assert written(array)["s"].to_list() == table.slice(3, 30)["s"].to_pylist()


def test_a_count_of_nulls_may_be_unknown() -> None:
    for column in (pa.array([1, None, 3]), pa.array([1, 2, 3])):
        edited = Edited(column)
        edited.array.null_count = -1
        assert written(edited)["c"].to_list() == column.to_pylist()


def test_values_of_nulls_may_be_anything() -> None:
    edited = Edited(pa.array(["one", None, "three"]))
    text = b"one\xffthree"
    edited.array.buffers[1] = edited.bytes(struct.pack("<4i", 0, 3, 4, 9))
    edited.array.buffers[2] = edited.bytes(text)
    assert written(edited)["c"].to_list() == ["one", None, "three"]
    edited = Edited(pa.array(["x", None, "y"]).dictionary_encode())
    edited.array.buffers[1] = edited.bytes(struct.pack("<3i", 0, -7, 1))
    assert written(edited)["c"].to_list() == ["x", None, "y"]
    edited = Edited(pa.array(["x", None], pa.string_view()))
    views = struct.pack("<i12s", 1, b"x") + struct.pack("<i4sii", 99, b"zzzz", 7, 7)
    edited.array.buffers[1] = edited.bytes(views)
    assert written(edited)["c"].to_list() == ["x", None]


def test_buffers_need_not_be_aligned() -> None:
    edited = Edited(pa.array([1, 2, 3], pa.int64()))
    edited.array.buffers[1] = edited.bytes(b"\0" + struct.pack("<3q", 7, 8, 9)) + 1
    assert written(edited)["c"].to_list() == [7, 8, 9]


def test_decimals_of_fewer_bits_are_written() -> None:
    for kind in (pa.decimal32(5, 2), pa.decimal64(15, 2)):
        column = pa.array([1, None, -3, 4], kind)
        for data in (
            column,
            pa.array([[1, None], None, [], [4]], pa.list_(kind)),
            pa.array([{"a": 1}] * 4, pa.struct([("a", kind)])),
        ):
            check(data, pa.table({"c": data}))
            check(data.slice(1, 2), pa.table({"c": data}).slice(1, 2))
        assert written(pa.table({"c": column})).schema == {"c": pl.Decimal(kind.precision, 2)}


STRINGS = pa.array(["one", "two", "three"])
LISTS = pa.array([[1], [2, 3]])
STRUCTS = pa.array([{"a": 1}, {"a": 2}])
VIEWS = pa.array(["x", "long enough for a buffer"], pa.string_view())


def _set(name: str, value: Any) -> Any:
    return lambda edited: setattr(edited.array, name, value)


def _buffer(index: int, data: bytes) -> Any:
    return lambda edited: edited.array.buffers.__setitem__(index, edited.bytes(data) if data else None)


def _child(name: str, value: Any) -> Any:
    return lambda edited: setattr(edited.array.children[0].contents, name, value)


MALFORMED: list[tuple[pa.Array, Any, str]] = [
    (STRINGS, _set("length", -1), "-1 values"),
    (STRINGS, _set("length", 2), "2 values where 3 are needed"),
    (STRINGS, _set("offset", -1), "-1 values before the first"),
    (STRINGS, _set("n_buffers", 2), "no buffer 2"),
    (STRINGS, _set("n_buffers", -1), "no buffer 1"),
    (STRINGS, _set("offset", 2**62), "bytes"),
    (STRINGS, _set("offset", 2**63 - 1), "values"),
    (STRINGS, _buffer(1, b""), "no buffer 1"),
    (STRINGS, _buffer(2, b""), "no buffer 2"),
    (STRINGS, _buffer(1, struct.pack("<4i", 0, 3, 2, 11)), "offsets"),
    (STRINGS, _buffer(1, struct.pack("<4i", -3, 0, 3, 6)), "offsets"),
    (STRINGS, _buffer(2, b"\xff" * 11), "utf-?8"),
    (STRINGS, _buffer(1, struct.pack("<4i", 0, 3, 6, 11)), None),
    (LISTS, _buffer(1, struct.pack("<3i", 0, 1, 9)), "3 values where 9 are needed"),
    (LISTS, _buffer(1, struct.pack("<3i", 0, -1, 3)), "offsets"),
    (LISTS, _set("n_children", 0), "no child 0"),
    (LISTS, _child("length", 2), "2 values where 3 are needed"),
    (LISTS, _child("length", -2), "-2 values"),
    (STRUCTS, _set("n_children", 0), "no child 0"),
    (STRUCTS, _child("length", 1), "1 values where 2 are needed"),
    (STRUCTS, _set("offset", 1), "2 values where 3 are needed"),
    (pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)), _child("length", 3), "3 values where 4 are needed"),
    (pa.array(["a", "b"]).dictionary_encode(), _buffer(1, struct.pack("<2i", 0, 9)), "9"),
    (pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.uint8()), ["a", "b"]), _buffer(1, bytes([0, 2])), "the key 2"),
    (pa.array(["a", "b"]).dictionary_encode(), _buffer(1, struct.pack("<2i", 0, -1)), ""),
    (VIEWS, _buffer(1, struct.pack("<i12si4sii", 1, b"x", 24, b"long", 1, 0)), "out of bounds"),
    (VIEWS, _buffer(1, struct.pack("<i12si4sii", 1, b"x", 24, b"long", 0, 9)), "out of bounds"),
    (VIEWS, _buffer(1, struct.pack("<i12si4sii", 1, b"x", -1, b"long", 0, 0)), ""),
    (pa.array([True, False]), _buffer(1, b""), "no buffer 1"),
    (pa.array([1.5]), _buffer(1, b""), "no buffer 1"),
]


@pytest.mark.parametrize(("column", "edit", "message"), MALFORMED)
def test_malformed_arrays_are_refused_before_they_are_read(column: pa.Array, edit: Any, message: str | None) -> None:
    edited = Edited(column)
    edit(edited)
    if message is None:
        assert written(edited)["c"].to_list() == column.to_pylist()
        return
    with pytest.raises(ValueError, match=f"(?i)field `c.*`: malformed Arrow data: .*{message}"):
        written(edited)


@pytest.mark.parametrize("code", [b"", b"x", b"w:-1", b"+w:x", b"ts", b"d:1", b"d:a,b", b"d:5,2,77", b"+l", b"\xff"])
def test_malformed_types_are_refused(code: bytes) -> None:
    edited = Edited(pa.array([1]))
    edited.schema.format = code
    with pytest.raises(ValueError, match="field `c`: malformed Arrow data: "):
        written(edited)


def test_a_type_that_holds_itself_is_refused() -> None:
    edited = Edited(LISTS)
    item = edited.schema.children[0].contents
    # A copy that does not belong to the producer.
    below = CSchema.from_buffer_copy(edited.schema)
    below.children = (ctypes.POINTER(CSchema) * 1)(ctypes.pointer(below))
    below.release = None
    edited.kept.append(below)
    edited.schema.children[0] = ctypes.pointer(below)
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        written(edited)
    assert item.release


def test_names_and_metadata_need_not_be_utf_8() -> None:
    edited = Edited(pa.array([1, 2]))
    edited.schema.name = b"\xff"
    entry = struct.pack("<i", 1) + struct.pack("<i", 1) + b"k" + struct.pack("<i", 2) + b"\xff\xfe"
    edited.schema.metadata = edited.bytes(entry)
    assert written(edited).rows() == [(1,), (2,)]
    edited = Edited(pa.array([1, 2]))
    edited.schema.metadata = edited.bytes(struct.pack("<ii", 1, -1))
    with pytest.raises(ValueError, match="malformed Arrow data: metadata of the length -1"):
        written(edited)


def test_rows_are_taken_once() -> None:
    edited = Edited(pa.array([1, 2]))
    assert written(edited).height == 2
    with pytest.raises(ValueError, match="malformed Arrow data: a type without a format"):
        written(edited)
    stream = Stream(pa.table({"c": [1]}))
    capsule = stream.__arrow_c_stream__()
    stream.__arrow_c_stream__ = lambda requested_schema=None: capsule  # type: ignore[method-assign]
    assert written(stream).height == 1
    with pytest.raises(ValueError, match="the Arrow stream failed: it was read or released before"):
        written(stream)
