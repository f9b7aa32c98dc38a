"""Objects that export Arrow data, and malformed structs of the C data interface."""

from __future__ import annotations

import ctypes
import io
from typing import Any

import polars as pl
import pyarrow as pa

from polars_avro import AvroWriter, read_avro


class Stream:
    """Exports only a stream, as relations of DuckDB do."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.table.schema, self.table.to_batches())
        return reader.__arrow_c_stream__(requested_schema)


class Rows:
    """Exports only an array."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self.batch.__arrow_c_array__(requested_schema)


def written(*data: Any) -> pl.DataFrame:
    """Write frame by frame and read the file."""
    target = io.BytesIO()
    with AvroWriter(target) as writer:
        for each in data:
            writer.write(each)
    return read_avro(target.getvalue())


class CSchema(ctypes.Structure):
    """`ArrowSchema`."""


class CArray(ctypes.Structure):
    """`ArrowArray`."""


CSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(CSchema))),
    ("dictionary", ctypes.POINTER(CSchema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
CArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(CArray))),
    ("dictionary", ctypes.POINTER(CArray)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p


class Edited:
    """An exported batch with one column, `c`, whose structs a test may change before the import."""

    def __init__(self, array: pa.Array) -> None:
        # The structs point into these.
        self.kept: list[Any] = [array]
        self.capsules = pa.record_batch([array], ["c"]).__arrow_c_array__()
        schema, rows = self.capsules
        self.root_schema = CSchema.from_address(_pointer(schema, b"arrow_schema"))
        self.root = CArray.from_address(_pointer(rows, b"arrow_array"))
        self.schema: CSchema = self.root_schema.children[0].contents
        self.array: CArray = self.root.children[0].contents

    def bytes(self, data: bytes) -> int:
        """Keep bytes alive and return their address."""
        buffer = ctypes.create_string_buffer(data, len(data))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self.capsules
