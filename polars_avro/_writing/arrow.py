"""Frames of objects that export Arrow data, after a look at their types."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._core import FrameStream
from polars_avro._errors import AvroUnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator


#: The name of capsules. They keep a pointer to it.
_SCHEMA = b"arrow_schema"


class _Schema(ctypes.Structure):
    """`ArrowSchema` of Arrow's C data interface."""


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    """`ArrowArrayStream` of Arrow's C stream interface, as far as it is called here."""

    _fields_ = [
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Schema))),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
    ]


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.argtypes, _new_capsule.restype = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p), ctypes.py_object


class _Exporter:
    """Hands out capsules that are there already."""

    def __init__(self, *, stream: object = None, schema: object = None) -> None:
        self._stream, self._schema = stream, schema

    def __arrow_c_stream__(self) -> object:
        return self._stream

    def __arrow_c_schema__(self) -> object:
        return self._schema


def stream_frames(source: Any) -> Iterator[pl.DataFrame]:
    """Yield the batches of a stream, or one frame without rows that has its columns."""
    stream = source.__arrow_c_stream__()
    with _schema_of(stream) as schema:
        _check(schema)
        columns = None
        if schema.format == b"+s":
            capsule = _new_capsule(ctypes.addressof(schema), _SCHEMA, None)
            columns = pl.Schema(_Exporter(schema=capsule))
    empty = True
    for batch in FrameStream(_Exporter(stream=stream)):
        empty = False
        yield pl.DataFrame(batch) if batch.width else pl.DataFrame(height=batch.height)
    if empty and columns is not None:
        yield pl.DataFrame(schema=columns)


def array_frame(source: Any) -> pl.DataFrame:
    """Return the rows of a struct array."""
    schema, _ = source.__arrow_c_array__()
    _check(_Schema.from_address(_pointer(schema, _SCHEMA)))
    return pl.DataFrame(source)


@contextmanager
def _schema_of(capsule: object) -> Iterator[_Schema]:
    """Give the schema of a stream, which stays as it is."""
    address = _pointer(capsule, b"arrow_array_stream")
    stream, schema = _Stream.from_address(address), _Schema()
    if stream.get_schema(address, ctypes.byref(schema)):
        reason = (stream.get_last_error(address) or b"no schema").decode("utf-8", "replace")
        msg = f"the Arrow stream failed: {reason}"
        raise ValueError(msg)
    try:
        yield schema
    finally:
        if schema.release:
            schema.release(ctypes.byref(schema))


def _check(schema: _Schema, path: str = "") -> None:
    """Refuse types that Polars cannot import, by the name of the column."""
    refused = _refused(schema.format.decode())
    if refused is not None:
        kind, instead = refused
        msg = f"field `{path}`: the Arrow type {kind} cannot be written to Avro: cast it to {instead}"
        raise AvroUnsupportedError(msg)
    is_struct = schema.format == b"+s"
    for i in range(schema.n_children):
        child = schema.children[i].contents
        name = (child.name or b"").decode("utf-8", "replace")
        _check(child, f"{path}[]" if not is_struct else f"{path}.{name}" if path else name)
    if schema.dictionary:
        _check(schema.dictionary.contents, path)


def _refused(code: str) -> tuple[str, str] | None:
    """Return the name of a type that is refused, from its format string, and what to cast it to."""
    if code.startswith("d:"):
        precision, scale, *bits = code[2:].split(",")
        width = bits[0] if bits else "128"
        kind = f"decimal{width}({precision}, {scale})"
        if int(precision) > 38 or int(scale) < 0:
            return kind, "a decimal128 of at most 38 digits and no negative scale, or to a string"
        return None if width == "128" else (kind, f"decimal128({precision}, {scale})")
    others = {
        "+u": ("union", "a struct"),
        "ti": ("interval", "a duration or a struct"),
        "+r": ("run-end encoded", "the type of its values"),
        "+v": ("list view", "a list"),
    }
    return ("fixed-size list of size 0", "a list") if code == "+w:0" else others.get(code[:2])
