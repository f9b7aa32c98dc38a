"""Open files and seekable objects, which are read by offset."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from typing import Any

from polars_avro._core import OpenFile
from polars_avro._errors import AvroDataError
from polars_avro._sources import stores


def open_file(source: Any, name: str | None = None) -> OpenFile | None:
    """Return a reader of an object from its current position; None if the object cannot seek."""
    source = _unwrapped(source)
    if not all(callable(getattr(source, method, None)) for method in ("seek", "tell")) or _is_text(source):
        return None
    try:
        if callable(getattr(source, "seekable", None)) and not source.seekable():
            return None
        if callable(getattr(source, "readable", None)) and not source.readable():
            msg = f"{name or _name(source)}: the file is not open for reading"
            raise ValueError(msg)
        start = source.tell()
        descriptor = _descriptor(source)
        if descriptor is not None:
            _check_position(start, os.fstat(descriptor).st_size, name or _name(source))
            return OpenFile.from_descriptor(descriptor, name or _name(source), start)
        size = _size(source)
        source.seek(start)
        _check_position(start, size, name or _name(source))
    except io.UnsupportedOperation:
        return None
    return OpenFile.from_object(source, name or _name(source), start, size)


def _check_position(position: int, size: int, name: str) -> None:
    """Raise if a file that is not empty is at its end."""
    if 0 < size <= position:
        msg = f"{name}: the file is at its end: call `seek(0)` to read it from its beginning"
        raise AvroDataError(msg)


def _unwrapped(source: Any) -> Any:
    """Unwrap a temporary file."""
    return source.file if isinstance(source, tempfile._TemporaryFileWrapper) else source


def _is_text(source: Any) -> bool:
    return isinstance(source, io.TextIOBase)


def _descriptor(source: Any) -> int | None:
    """Return the descriptor of a plain regular file. Wrappers such as gzip have descriptors of other bytes."""
    buffered = type(source) in (io.BufferedReader, io.BufferedRandom)
    raw = source.raw if buffered else source
    if type(raw) is not io.FileIO or not hasattr(OpenFile, "from_descriptor"):
        return None
    if type(source) is io.BufferedRandom:
        source.flush()
    descriptor = raw.fileno()
    return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _size(source: Any) -> int:
    # Seeking to the end of a zip member decompresses it.
    size = getattr(source, "_orig_file_size", None) if isinstance(source, zipfile.ZipExtFile) else None
    if size is not None:
        return int(size)
    end = source.seek(0, os.SEEK_END)
    return int(source.tell() if end is None else end)


def _name(source: Any) -> str:
    # Files that fsspec opened have the attribute `full_name` with their URL.
    name = getattr(source, "full_name", None) or getattr(source, "name", None)
    return stores.shown(name) if isinstance(name, str) else f"<{type(source).__name__}>"
