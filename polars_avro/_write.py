"""Eager writing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_avro import _options
from polars_avro._writing.frames import instead
from polars_avro._writing.options import AvroCompression, SyncOnClose, core_options
from polars_avro._writing.outputs import Output
from polars_avro._writing.targets import Target, normalize_target, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polars_avro._schemas import AvroSchema


def write_avro(
    df: pl.DataFrame,
    target: Target | pl.PartitionBy,
    compression: AvroCompression | str | None = None,
    name: str = "",
    *,
    compression_level: int | None = None,
    avro_schema: AvroSchema | None = None,
    namespace: str | None = None,
    doc: str | None = None,
    block_size: int | None = None,
    sync_marker: bytes | None = None,
    append: bool = False,
    partition_by: str | Sequence[str] | None = None,
    partition_chunk_size_bytes: int = 4_294_967_296,
    storage_options: dict[str, Any] | None = None,
    credential_provider: Any | Literal["auto"] | None = "auto",
    metadata: Mapping[str, str | bytes] | None = None,
    mkdir: bool = False,
    sync_on_close: SyncOnClose | None = None,
    n_threads: int | None = None,
) -> None:
    """
    Write a DataFrame to an Avro file.

    Every dtype except Object and arrays of width 0 can be written, and :func:`read_avro` restores it. Other readers see
    plain Avro types. A file or an object in a store is replaced when the new one is complete, so a failed write leaves
    it unchanged.

    Parameters
    ----------
    df
        The frame.
    target
        A path, the URL of an object in a store, a ``BytesIO``, a file opened for writing bytes, any object with
        ``write()``, a ``UPath``, the result of ``fsspec.open``, or a :class:`polars.PartitionBy`.
    compression
        The codec of the blocks: ``"snappy"``, ``"deflate"``, ``"zstd"``, ``"bzip2"``, ``"xz"`` or ``"uncompressed"``.
        Avro's names are also accepted. The default is snappy, or with `append` the codec of the file.
    name
        The name of the root record in the Avro schema, ``Row`` by default.
    compression_level
        The level of the codec: 0 to 12 for deflate, -131072 to 22 for zstd, 1 to 9 for bzip2, 0 to 9 for xz. None is
        the default of the codec. Other codecs have no levels.
    avro_schema
        The Avro schema to write with: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro file.
        Columns are found by name; a field without a column gets its default. By default the schema follows from the
        dtypes.
    namespace
        The namespace of the root record.
    doc
        The documentation of the root record.
    block_size
        The maximum size of a block before compression, in bytes: 65,536 by default.
    sync_marker
        The 16 bytes after every block, random by default. If it is passed, equal frames make equal files.
    append
        Add rows to the file at the path, if it exists. Its schema must fit the frame. If `avro_schema` or `compression`
        is passed, it must equal the file's (`doc` and `aliases` may differ). The header cannot be changed, so `name`,
        `namespace`, `doc`, `metadata` and `sync_marker` are refused. Not supported in stores.
    partition_by
        Columns by whose values the rows are divided into files below the directory `target`.
    partition_chunk_size_bytes
        With `partition_by`, the approximate size of the rows of one file in memory. As in Polars, files of fewer than
        122,880 rows are not cut.
    storage_options
        Options of the store that the target is in, as in :func:`read_avro`.
    credential_provider
        The source of credentials for the store, as in :func:`read_avro`.
    metadata
        Entries to add to the file's header.
    mkdir
        Make missing directories of a path.
    sync_on_close
        Sync the file to disk before closing: its bytes (``"data"``), or also its metadata (``"all"``).
    n_threads
        The number of threads that encode, by default as many as Polars uses. 1 encodes on the calling thread.

    Raises
    ------
    AvroUnsupportedError
        If a dtype cannot be written; the message names the column and the cast to use. Also for an HTTP target, and for
        `append` in a store.
    AvroSchemaError
        If the frame does not fit `avro_schema`, or the file that is appended to.
    AvroDataError
        If a value does not fit its type in `avro_schema`.
    OSError
        If the target cannot be written. Stores raise ``PermissionError`` and ``FileNotFoundError`` too.

    See Also
    --------
    sink_avro : Write a LazyFrame in bounded memory.
    AvroWriter : Write frame by frame.

    Examples
    --------
    >>> import io
    >>> import polars as pl
    >>> import polars_avro
    >>> target = io.BytesIO()
    >>> polars_avro.write_avro(pl.DataFrame({"a": [1, 2], "b": ["x", None]}), target)
    >>> polars_avro.read_avro(target.getvalue()).rows()
    [(1, 'x'), (2, None)]
    """
    arguments: dict[str, Any] = {
        "compression": compression,
        "compression_level": compression_level,
        "avro_schema": avro_schema,
        "name": name,
        "namespace": namespace,
        "doc": doc,
        "metadata": metadata,
        "block_size": block_size,
        "sync_marker": sync_marker,
        "n_threads": n_threads,
    }
    options = core_options(**arguments)
    _options.check(append=append, mkdir=mkdir)
    if not isinstance(df, pl.DataFrame):
        msg = f"`df` must be a DataFrame, got {type(df).__name__!r}{instead(df)}"
        raise TypeError(msg)
    max_bytes = _options.integer("partition_chunk_size_bytes", partition_chunk_size_bytes, least=1)
    if partition_by is not None:
        target = _partition_by(target, partition_by, max_bytes)
    output = Output.of(
        target,
        storage_options=storage_options,
        credential_provider=credential_provider,
        caller="write_avro",
        append=append,
        mkdir=mkdir,
        sync_on_close=sync_on_close,
        renames=bool(name or namespace or doc),
    )
    output.check(df.schema, options)
    schema = None if avro_schema is not None else output.schema_of_all(df, options)
    if schema is not None:
        options = core_options(**(arguments | {"avro_schema": schema, "name": "", "namespace": None, "doc": None}))
    output.write([df], df.schema, options)


def _partition_by(target: Any, columns: str | Sequence[str], max_bytes: Any) -> pl.PartitionBy:
    _options.check(partition_by=columns)
    target = path_of(target, "the directory of `partition_by`")
    if not isinstance(target, (str, os.PathLike)):
        msg = f"`partition_by` needs the path of a directory as `target`, got {type(target).__name__!r}"
        raise TypeError(msg)
    path = normalize_target(target)
    keys = [columns] if isinstance(columns, str) else list(columns)
    if not keys:
        msg = "`partition_by` must name at least one column"
        raise ValueError(msg)
    return pl.PartitionBy(path, key=keys, approximate_bytes_per_file=max_bytes)
