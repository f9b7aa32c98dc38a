"""Conversion of sources into paths, bytes and open files."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO, TextIOBase
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from urllib.parse import unquote, unquote_to_bytes

from polars_avro._errors import AvroDataError, AvroUnsupportedError
from polars_avro._sources import open_files, stores

if TYPE_CHECKING:
    from polars_avro._core import OpenFile


class Readable(Protocol):
    """A file-like whose ``read()`` returns all its bytes: open files, ``BytesIO``, ``gzip.open(...)``."""

    def read(self) -> bytes:
        """Return the bytes from the current position to the end."""


class FsspecPath(Protocol):
    """A file of fsspec that is not open yet: ``UPath(...)`` of universal_pathlib, or ``fsspec.open(...)``."""

    @property
    def fs(self) -> Any:
        """The filesystem."""

    @property
    def path(self) -> str:
        """The path in the filesystem."""


Bytes: TypeAlias = "bytes | bytearray | memoryview"
"""The bytes of a file."""
Source: TypeAlias = "str | os.PathLike[str] | Bytes | Readable | FsspecPath"
"""One file, or the directory or pattern that several files match: a path, a URL, bytes, or a file-like."""
Sources: TypeAlias = "Source | Sequence[Source] | Iterator[Source]"
"""One source, or several in a list or an iterator: paths and URLs alone, or bytes and file-likes alone."""

#: Sources other than paths: bytes and open files.
Contents: TypeAlias = "bytes | OpenFile"
FileIdentity: TypeAlias = "tuple[int, int, int, int]"

ACCEPTED = (
    "a str, a path, bytes, a BytesIO, a file opened for reading bytes, any object whose read() returns bytes, "
    "or a file of fsspec"
)

#: Endings of files that are compressed as a whole.
COMPRESSED = (".gz", ".gzip", ".zst", ".zstd", ".bz2")

_GLOB = re.compile(r"[*?\[]")
#: A character class of a pattern, or an escaped wildcard outside of one.
_CLASS_OR_SIGN = re.compile(r"\[(!?)(\]?[^\]]*)\]|%(?:2[aA]|3[fF]|5[bB])")
#: A range of characters, or one character, inside a character class.
_MEMBER = re.compile(r"(%..|[^%])-(%..|[^%])|(%..)|.")
#: The characters with a meaning in a pattern.
_SIGNS = frozenset("!*-?[]^")


class UriPath(str):
    """A path from a ``file:`` URI. Polars labels its rows with that URI."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """The path as a URI."""
        return f"file://{self!s}"


class LiteralPath(str):
    """A path whose pattern characters are literal."""

    __slots__ = ()


def normalize_source(source: Source) -> str | Contents:
    """
    Convert one source into a path, bytes or an open file.

    Only file-likes that cannot seek are read to their end. A ``BytesIO`` is read from its position, which does not
    change, so it can be read again.
    """
    if isinstance(source, bytes):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    if not isinstance(source, str) and is_fsspec_file(source):
        return _of_fsspec(source)
    if isinstance(source, (str, os.PathLike)):
        return _local(os.fspath(source))
    if isinstance(source, BytesIO):
        # No copy if the position is 0: getvalue() shares the buffer, and the slice is the same object.
        data = source.getvalue()
        if data and source.tell() >= len(data):
            msg = "the BytesIO is at its end: call `seek(0)` to read it from its beginning"
            raise AvroDataError(msg)
        return data[source.tell() :]
    read = getattr(source, "read", None)
    if not callable(read):
        several = is_iterator(source) or (isinstance(source, Iterable) and not isinstance(source, Mapping))
        advice = "; pass a list of the sources" if several else ""
        msg = f"cannot read Avro from {type(source).__name__!r}: expected {ACCEPTED}{advice}"
        raise TypeError(msg)
    if isinstance(source, TextIOBase):
        msg = f"cannot read Avro from {type(source).__name__!r}, which returns text: open the file in binary mode"
        raise TypeError(msg)
    opened = open_files.open_file(source)
    return _bytes_of(source, read()) if opened is None else opened


def _of_fsspec(source: Any) -> str | Contents:
    from polars_avro._sources import fsspec_files

    place = fsspec_files.place_of(source, ("rb",))
    if place is None:
        return fsspec_files.open_to_read(source)
    # An `OpenFile` has the name of a file, which is not a pattern.
    return _local(place) if is_upath(source) else LiteralPath(place)


def normalize_sources(sources: Sources) -> list[str] | list[Contents]:
    """Return the paths, or the bytes, of one source or of several in a list or an iterator."""
    if is_iterator(sources):
        sources = list(cast("Iterator[Source]", sources))
    if isinstance(sources, Sequence) and not isinstance(sources, (str, bytes, bytearray, memoryview)):
        opened = [normalize_source(source) for source in sources]
    else:
        opened = [normalize_source(cast("Source", sources))]
    paths = [source for source in opened if isinstance(source, str)]
    contents = [source for source in opened if not isinstance(source, str)]
    if paths and contents:
        msg = "a list of sources must contain either paths, or bytes, file-likes and files of fsspec, but not both"
        raise TypeError(msg)
    return paths or contents


def normalize_file(source: Source, function: str) -> str | Contents:
    """Return the path or the bytes of one source for a function that reads one file."""
    if is_iterator(source) or isinstance(source, (list, tuple)):
        msg = f"cannot read Avro from {type(source).__name__!r}: {function} reads one file, scan_avro reads several"
        raise TypeError(msg)
    normalized = normalize_source(source)
    if isinstance(normalized, str) and not stores.is_web(normalized):
        if is_directory(normalized):
            msg = f"{function} reads one file, scan_avro reads directories"
            raise IsADirectoryError(errno.EISDIR, msg, normalized)
        if not stores.is_remote(normalized) and _GLOB.search(normalized) and not os.path.exists(normalized):
            msg = f"{function} reads one file, scan_avro reads patterns"
            raise FileNotFoundError(errno.ENOENT, msg, normalized)
    return normalized


def identify(source: str | Contents) -> FileIdentity | None:
    """Return the identity of a file, which changes when it is replaced."""
    if not isinstance(source, str):
        return None
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_glob_or_directory(path: str, *, glob: bool) -> bool:
    """Return whether a path is a pattern or a directory."""
    return not stores.is_web(path) and ((glob and is_glob(path)) or is_directory(path))


def is_directory(path: str) -> bool:
    """Return whether a path is a directory. In a store, URLs that end in a slash are directories."""
    return path.endswith("/") if stores.is_remote(path) else os.path.isdir(path)


def is_glob(path: str) -> bool:
    """Return whether a path is a pattern. A path whose only wildcards are brackets is literal if it exists."""
    if _GLOB.search(path) is None or isinstance(path, LiteralPath):
        return False
    wildcards = set(_GLOB.findall(path))
    return not (wildcards == {"["} and os.path.exists(path))


def label(source: str | Contents) -> str:
    """Return the label of a source, as in Polars."""
    if not isinstance(source, str):
        return "in-mem"
    shown = source.label if isinstance(source, UriPath) else source
    # Strings of Polars are UTF-8, and file names may not be.
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_fsspec_file(source: object) -> bool:
    """Return whether an object is a file of fsspec that is not open yet."""
    kind = type(source)
    return is_upath(source) or (hasattr(kind, "full_name") and hasattr(kind, "open") and not hasattr(kind, "read"))


def is_upath(source: object) -> bool:
    """Return whether an object is a ``UPath``."""
    # Looked up in the class, because the property of an instance makes the filesystem.
    return hasattr(type(source), "fs") and hasattr(type(source), "joinpath")


def is_iterator(source: object) -> bool:
    """Return whether a source is an iterator of sources."""
    # Open files are iterators too.
    return isinstance(source, Iterator) and not hasattr(source, "read")


def _bytes_of(source: object, data: Any) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    hint = {
        str: "open the file in binary mode",
        type(None): "the stream has no data yet; read it to its end first",
    }.get(type(data), "expected bytes")
    msg = f"read() of {type(source).__name__!r} returned {type(data).__name__!r} instead of 'bytes': {hint}"
    raise TypeError(msg)


def _local(path: Any) -> str:
    if not isinstance(path, str):
        msg = f"cannot read Avro from a path of {type(path).__name__!r}: expected {ACCEPTED}"
        raise TypeError(msg)
    return path if stores.is_remote(path) else local_path(path)


def local_path(path: str) -> str:
    """Return the local path of a path or a ``file:`` URI."""
    if path.startswith("~"):
        return os.path.expanduser(path)
    match = stores.SCHEME.match(path) if ":" in path else None
    if match is None:
        return path
    rest = path[match.end() :]
    host, slash, _ = rest.partition("/")
    if host or not slash:
        msg = f"{path}: a `file:` URI must not name a host, got {host!r}; absolute paths have three slashes"
        raise AvroUnsupportedError(msg)
    return _decode(rest) if "%" in rest else UriPath(rest)


def _decode(escaped: str) -> str:
    """
    Decode the path of a URI. Polars labels rows of such files by their paths.

    Escaped characters are literal, so that ``Path.as_uri`` names a single file for any name.
    """
    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(escaped)))
    if _GLOB.search(decoded) is None:
        return decoded
    if _GLOB.search(escaped) is None:
        return LiteralPath(decoded)
    kept = _CLASS_OR_SIGN.sub(_literal, escaped)
    return os.fsdecode(unquote_to_bytes(os.fsencode(kept)))


def _literal(match: re.Match[str]) -> str:
    """Return a character class in which escaped characters have no meaning. Wildcards have none inside of it."""
    negation, members = match.groups()
    if members is None:
        return f"[{unquote(match[0])}]"
    escaped, rest = set(), ""
    for member in _MEMBER.finditer(members):
        ends = [end for end in member.groups() if end is not None]
        if any(end.startswith("%") and unquote(end) in _SIGNS for end in ends):
            first, last = (ord(unquote(ends[at])) for at in (0, -1))
            escaped |= set(map(chr, range(first, last + 1)))
        else:
            rest += member[0]
    # Only a ] that is first, a - that is last and a ! that is not first are characters.
    dash = "-" * ("-" in escaped)
    members = "]" * ("]" in escaped) + rest + "".join(sorted(escaped - set("]-/"))).replace("%", "%25")
    if "!" in escaped and members.startswith("!") and not negation:
        members = members[1:] + "!"
        if members == "!":
            return "[-!]" if dash else "!"
    return f"[{negation}{members}{dash}]"
