"""Validation of arguments that all writing functions share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from polars_avro import _options, _schemas, _suggestions
from polars_avro._core import WriteOptions
from polars_avro._schemas import AvroSchema

AvroCompression: TypeAlias = Literal["uncompressed", "null", "snappy", "deflate", "zstd", "zstandard", "bzip2", "xz"]
"""A codec under its name in Polars or in Avro: `null` is uncompressed, `zstandard` is zstd."""
SyncOnClose: TypeAlias = Literal["data", "all"]
"""Wait until the disk has the bytes of a file, or its metadata too."""

#: Names of codecs in Polars that differ from those in Avro.
_CODECS = {"uncompressed": "null", "zstd": "zstandard"}
#: Names of other formats and libraries, and the codec with the same compression.
_OTHER_NAMES = {"gzip": "deflate", "gz": "deflate", "zlib": "deflate", "bz2": "bzip2", "lzma": "xz", "none": "null"}


class FileOptions(NamedTuple):
    """Options of the target file."""

    #: Keep the bytes in memory, and write them to the object at the end.
    hold: bool = False
    append: bool = False
    mkdir: bool = False
    sync_on_close: SyncOnClose | None = None


def core_options(
    *,
    compression: str | None,
    compression_level: int | None,
    avro_schema: AvroSchema | None,
    name: str,
    namespace: str | None,
    doc: str | None,
    metadata: Mapping[str, str | bytes] | None,
    block_size: int | None,
    sync_marker: bytes | None,
    n_threads: int | None,
) -> WriteOptions:
    """Check arguments and make the options of the core."""
    if compression is not None and compression not in get_args(AvroCompression):
        msg = f"`compression` must be None or one of {get_args(AvroCompression)}, got {compression!r}"
        raise ValueError(msg + _codec_hint(compression))
    _options.check(name=name, namespace=namespace, doc=doc)
    level = compression_level
    if level is not None:
        level = _options.integer("compression_level", level, least=-(2**31), most=2**31 - 1)
    if avro_schema is not None and (name or namespace or doc):
        msg = "`name`, `namespace` and `doc` are part of `avro_schema` if one is given"
        raise ValueError(msg)
    return WriteOptions(
        codec=None if compression is None else _CODECS.get(compression, compression),
        level=level,
        schema=None if avro_schema is None else _schemas.schema_json(avro_schema, "avro_schema"),
        name=name or None,
        namespace=namespace,
        doc=doc,
        metadata=_entries(metadata),
        block_size=_options.optional_integer("block_size", block_size, least=1),
        sync_marker=_marker(sync_marker),
        n_threads=_options.optional_integer("n_threads", n_threads, least=1),
    )


def _codec_hint(compression: object) -> str:
    """Return the end of the message about an unknown codec."""
    if not isinstance(compression, str):
        return ""
    if same := _OTHER_NAMES.get(compression.lower()):
        return f": use {same!r}"
    near = _suggestions.nearest(compression, get_args(AvroCompression))
    return f"; did you mean {near[0]!r}?" if near else ""


def _entries(metadata: Any) -> list[tuple[str, bytes]]:
    if metadata is None:
        return []
    if not isinstance(metadata, Mapping):
        msg = f"`metadata` must be a mapping of str to str or bytes, got {type(metadata).__name__!r}"
        raise TypeError(msg)
    entries = []
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, (str, bytes)):
            msg = f"`metadata` must map str to str or bytes, got {key!r}: {type(value).__name__!r}"
            raise TypeError(msg)
        entries.append((key, value.encode() if isinstance(value, str) else value))
    return entries


def _marker(sync_marker: Any) -> bytes | None:
    if sync_marker is None:
        return None
    if not isinstance(sync_marker, (bytes, bytearray)):
        msg = f"`sync_marker` must be bytes, got {type(sync_marker).__name__!r}"
        raise TypeError(msg)
    if len(sync_marker) != 16:
        msg = f"`sync_marker` must have 16 bytes, got {len(sync_marker)}"
        raise ValueError(msg)
    return bytes(sync_marker)
