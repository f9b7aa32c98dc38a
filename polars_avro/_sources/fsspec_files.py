"""
Files of fsspec that are not open yet: its ``OpenFile``, and ``UPath`` of the package universal_pathlib.

Neither package is imported, and this module is imported only when such a file is passed.
"""

from __future__ import annotations

import copy
import re
import sys
from io import BytesIO
from typing import Any

from polars_avro._core import OpenFile
from polars_avro._errors import AvroUnsupportedError
from polars_avro._sources import open_files, stores
from polars_avro._sources.inputs import is_upath

_LOCAL = ("", "file", "local")
#: Schemes whose URLs name the same object in fsspec and in this package. In fsspec `adl` is another service of Azure.
_SAME = frozenset(stores.SCHEMES) - {"adl", "azure", "file"}
_MAGIC = re.compile(r"[*?\[]")


def name_of(source: Any) -> str:
    """Return the URL of a file without parts that may be secret."""
    return stores.shown(str(source) if is_upath(source) else source.full_name)


def place_of(source: Any, modes: tuple[str, ...]) -> str | None:
    """
    Return the local path or the URL by which this package opens a file; None if its filesystem has to open it.

    Raises if an ``OpenFile`` has none of the modes.
    """
    if not is_upath(source):
        if source.mode not in modes:
            expected = " or ".join(map(repr, modes))
            msg = f"{name_of(source)}: the mode of `fsspec.open` must be {expected}, got {source.mode!r}"
            raise ValueError(msg)
        is_local = source.compression is None and type(source.fs).__name__ == "LocalFileSystem"
        return str(source.path) if is_local else None
    # Versions before 0.1 have neither attribute.
    protocol, options = getattr(source, "protocol", None), getattr(source, "storage_options", None)
    if protocol in _LOCAL:
        return str(source.path)
    # Options such as credentials have other names here, so they stay with the filesystem that they were made for.
    if protocol in _SAME and options is not None and not options and not _has_defaults(protocol):
        return str(source)
    return None


def _has_defaults(protocol: str) -> bool:
    """Return whether fsspec's configuration has options for a protocol."""
    configured = getattr(sys.modules.get("fsspec.config"), "conf", None) or {}
    return bool(configured.get(protocol))


def open_to_read(source: Any) -> OpenFile | bytes:
    """Open a file through its own filesystem."""
    name = name_of(source)
    try:
        file = open_layers(source, "rb")[0]
    except OSError as error:
        _refuse_several(source, name, error)
        raise
    if getattr(file, "size", None) == 0:
        # Some stores open a directory as an empty file.
        _refuse_several(source, name)
    if isinstance(file, BytesIO):
        # The memory filesystem returns the same object to all callers, with one position.
        file = BytesIO(file.getvalue())
    opened = open_files.open_file(file, name)
    if opened is not None:
        return opened
    with file:
        return bytes(file.read())


def open_layers(source: Any, mode: str, **options: Any) -> list[Any]:
    """
    Open a file with options for its filesystem, and return its layers from the outermost to the file itself.

    There are several layers if an ``OpenFile`` compresses.
    """
    if is_upath(source):
        return [source.fs.open(source.path, mode, **options)]
    # The caller may have opened it as well.
    own = copy.copy(source)
    own.fs = _WithOptions(source.fs, options)
    own.open()
    return list(own.fobjects[::-1])


class _WithOptions:
    """A filesystem that opens files with more options."""

    def __init__(self, fs: Any, options: dict[str, Any]) -> None:
        self._fs = fs
        self._options = options

    def open(self, path: str, mode: str) -> Any:
        """Open a file."""
        return self._fs.open(path, mode=mode, **self._options)


def _refuse_several(source: Any, name: str, error: OSError | None = None) -> None:
    """Raise if a path is a pattern or a directory."""
    if error is not None and _MAGIC.search(source.path):
        subject = "patterns are not expanded"
    elif source.fs.isdir(source.path):
        subject = "directories are not listed"
    else:
        return
    advice = "pass the files, such as those that `UPath.glob` or `fsspec.open_files` returns"
    msg = f"{name}: {subject} in filesystems of fsspec: {advice}"
    raise AvroUnsupportedError(msg) from error
