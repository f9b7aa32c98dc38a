"""Places to write to, as paths and objects."""

from __future__ import annotations

import os
from io import BytesIO
from typing import IO, Any, TypeAlias

from polars_avro._errors import AvroUnsupportedError
from polars_avro._sources import inputs, stores
from polars_avro._writing.options import FileOptions, SyncOnClose

Target: TypeAlias = "str | os.PathLike[str] | IO[bytes]"

ACCEPTED = "a str, a path, a BytesIO, a file opened for writing bytes, or any object with write()"


def normalize_target(target: Any) -> str | Any:
    """Give the local path, or the object, to write to."""
    if isinstance(target, (str, os.PathLike)):
        path = os.fspath(target)
        if not isinstance(path, str):
            msg = f"cannot write Avro to a path of {type(path).__name__!r}: expected {ACCEPTED}"
            raise TypeError(msg)
        return local_path(path)
    if not callable(getattr(target, "write", None)):
        msg = f"cannot write Avro to {type(target).__name__!r}: expected {ACCEPTED}"
        raise TypeError(msg)
    if hasattr(target, "encoding") and hasattr(target, "errors"):
        msg = f"cannot write Avro to {type(target).__name__!r}, which takes text: open the file in binary mode"
        raise TypeError(msg)
    return target


def local_path(path: str) -> str:
    """Give a path of this machine."""
    scheme = stores.scheme(path)
    if scheme is not None and scheme != "file":
        msg = f"{path}: writing to {scheme}:// is not supported, only local files are"
        raise AvroUnsupportedError(msg)
    return inputs.local_path(path)


def file_options(target: str | Any, *, append: bool, mkdir: bool, sync_on_close: SyncOnClose | None) -> FileOptions:
    """Say how the bytes of a target become visible."""
    if append and not isinstance(target, str):
        msg = "`append` needs a path"
        raise ValueError(msg)
    if sync_on_close not in (None, "data", "all"):
        msg = f"`sync_on_close` must be None, 'data' or 'all', got {sync_on_close!r}"
        raise ValueError(msg)
    return FileOptions(isinstance(target, BytesIO), append, mkdir, sync_on_close)
