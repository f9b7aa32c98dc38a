"""What a user may pass as a source, as paths and bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from io import BytesIO
from typing import IO, TypeAlias

from polars_avro._sources import stores

Source: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes]"
Sources: TypeAlias = "Source | Sequence[str] | Sequence[os.PathLike[str]] | Sequence[bytes] | Sequence[IO[bytes]]"

ACCEPTED = "a str, a path, bytes, a BytesIO, a file opened for reading bytes, or any object whose read() returns bytes"

_GLOB = re.compile(r"[*?\[]")


def normalize_source(source: Source) -> str | bytes:
    """
    Give the path or the bytes of one source; file-likes are read to their end.

    A ``BytesIO`` is taken from its position on and keeps that position, so that it can be read again.
    """
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _local(os.fspath(source))
    if isinstance(source, BytesIO):
        # getvalue() shares the buffer, a slice from 0 is the same object.
        return source.getvalue()[source.tell() :]
    read = getattr(source, "read", None)
    if read is None:
        msg = f"cannot read Avro from {type(source).__name__!r}: expected {ACCEPTED}"
        raise TypeError(msg)
    data = read()
    if not isinstance(data, bytes):
        found = f"read() of {type(source).__name__!r} returned {type(data).__name__!r} instead of 'bytes'"
        msg = f"{found}: open the file in binary mode"
        raise TypeError(msg)
    return data


def normalize_sources(sources: Sources) -> list[str] | list[bytes]:
    """Give the paths, or the bytes, of one source or of a list of them."""
    if isinstance(sources, Sequence) and not isinstance(sources, (str, bytes)):
        opened = [normalize_source(source) for source in sources]
    else:
        opened = [normalize_source(sources)]
    paths = [source for source in opened if isinstance(source, str)]
    contents = [source for source in opened if isinstance(source, bytes)]
    if not opened:
        msg = "expected at least one source, got an empty list"
        raise ValueError(msg)
    if paths and contents:
        msg = "a list of sources must hold paths alone, or bytes and file-likes alone"
        raise TypeError(msg)
    return paths or contents


def is_glob_or_directory(path: str, *, glob: bool) -> bool:
    """Tell whether a path is a pattern or a directory."""
    if stores.is_web(path):
        return False
    return (glob and _GLOB.search(path) is not None) or is_directory(path)


def is_directory(path: str) -> bool:
    """Tell whether a path is a directory: in a store, what ends in a slash is."""
    return path.endswith("/") if stores.is_remote(path) else os.path.isdir(path)


def _local(path: str) -> str:
    if not isinstance(path, str):
        msg = f"cannot read Avro from a path of {type(path).__name__!r}: expected {ACCEPTED}"
        raise TypeError(msg)
    return path if stores.is_remote(path) else local_path(path)


def local_path(path: str) -> str:
    """Give the path that a path, or a URL with the scheme ``file``, means on this machine."""
    if path.startswith("~"):
        return os.path.expanduser(path)
    return path[len("file://") :] if stores.scheme(path) == "file" else path
