"""Lazy writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

import polars as pl
from polars.io.partition import SinkedPath, SinkedPathsCallbackArgs

from polars_avro import _options
from polars_avro._engine.queries import collect_batches
from polars_avro._writing.frames import instead
from polars_avro._writing.options import AvroCompression, SyncOnClose, core_options
from polars_avro._writing.outputs import Output
from polars_avro._writing.targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polars._typing import EngineType
    from typing_extensions import Unpack

    from polars_avro._schemas import AvroSchema


class SinkOptions(TypedDict, total=False):
    """Options of `sink_avro` that do not change what it returns."""

    compression: AvroCompression | str | None
    compression_level: int | None
    avro_schema: AvroSchema | None
    name: str
    namespace: str | None
    doc: str | None
    block_size: int | None
    sync_marker: bytes | None
    append: bool
    maintain_order: bool
    storage_options: dict[str, Any] | None
    credential_provider: Any | Literal["auto"] | None
    sync_on_close: SyncOnClose | None
    metadata: Mapping[str, str | bytes] | None
    mkdir: bool
    engine: EngineType
    optimizations: pl.QueryOptFlags | None
    sinked_paths_callback: Callable[[SinkedPathsCallbackArgs], None] | None
    n_threads: int | None


@overload
def sink_avro(
    lf: pl.LazyFrame,
    target: Target | pl.PartitionBy,
    *,
    lazy: Literal[False] = False,
    **options: Unpack[SinkOptions],
) -> None: ...


@overload
def sink_avro(
    lf: pl.LazyFrame, target: Target | pl.PartitionBy, *, lazy: Literal[True], **options: Unpack[SinkOptions]
) -> pl.LazyFrame: ...


@overload
def sink_avro(
    lf: pl.LazyFrame, target: Target | pl.PartitionBy, *, lazy: bool, **options: Unpack[SinkOptions]
) -> pl.LazyFrame | None: ...


def sink_avro(
    lf: pl.LazyFrame,
    target: Target | pl.PartitionBy,
    *,
    compression: AvroCompression | str | None = None,
    compression_level: int | None = None,
    avro_schema: AvroSchema | None = None,
    name: str = "",
    namespace: str | None = None,
    doc: str | None = None,
    block_size: int | None = None,
    sync_marker: bytes | None = None,
    append: bool = False,
    maintain_order: bool = True,
    storage_options: dict[str, Any] | None = None,
    credential_provider: Any | Literal["auto"] | None = "auto",
    sync_on_close: SyncOnClose | None = None,
    metadata: Mapping[str, str | bytes] | None = None,
    mkdir: bool = False,
    lazy: bool = False,
    engine: EngineType = "auto",
    optimizations: pl.QueryOptFlags | None = None,
    sinked_paths_callback: Callable[[SinkedPathsCallbackArgs], None] | None = None,
    n_threads: int | None = None,
) -> pl.LazyFrame | None:
    """
    Run a query and write its rows to an Avro file in bounded memory.

    A path is replaced when the query has ended: a query that fails leaves the old file as it was.

    Parameters
    ----------
    lf
        The query.
    target
        A path, the URL of an object in a store, a ``BytesIO``, a file opened for writing bytes, any object with
        ``write()``, a ``UPath``, the result of ``fsspec.open``, or a :class:`polars.PartitionBy`.
    compression
        The codec of the blocks: ``"snappy"``, ``"deflate"``, ``"zstd"``, ``"bzip2"``, ``"xz"`` or ``"uncompressed"``.
        Avro's names are also accepted. The default is snappy, or with `append` the codec of the file.
    compression_level
        The level of the codec: 0 to 12 for deflate, -131072 to 22 for zstd, 1 to 9 for bzip2, 0 to 9 for xz. None is
        the default of the codec. Other codecs have no levels.
    avro_schema
        The Avro schema to write with: JSON text, the same as Python objects, or the path of an ``.avsc`` or Avro file.
        Columns are found by name; a field without a column gets its default. By default the schema follows from the
        dtypes.
    name
        The name of the root record in the Avro schema, ``Row`` by default.
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
    maintain_order
        Write rows in the order of the query. False may be faster.
    storage_options
        Options of the store that the target is in, as in :func:`read_avro`.
    credential_provider
        The source of credentials for the store, as in :func:`read_avro`.
    sync_on_close
        Sync the file to disk before closing: its bytes (``"data"``), or also its metadata (``"all"``).
    metadata
        Entries to add to the file's header.
    mkdir
        Make missing directories of a path.
    lazy
        Return a LazyFrame that writes when it is collected, instead of running the query. Unlike Polars' own sinks it
        cannot be pickled or serialised, and two of them run a query that they share twice.
    engine
        The engine that runs the query.
    optimizations
        The optimizations of the query.
    sinked_paths_callback
        Called at the end with the paths of all files, their rows and their bytes. Targets must be paths then.
    n_threads
        The number of threads that encode, by default as many as Polars uses. 1 encodes on the calling thread.

    Returns
    -------
    LazyFrame or None
        A LazyFrame of no columns if `lazy` is True.

    Raises
    ------
    AvroError
        As in :func:`write_avro`; an error of the query keeps its type.

    See Also
    --------
    write_avro : Write a DataFrame.

    Examples
    --------
    >>> import io
    >>> import polars as pl
    >>> import polars_avro
    >>> target = io.BytesIO()
    >>> lf = pl.LazyFrame({"a": [1, 2, 3]}).filter(pl.col("a") > 1)
    >>> polars_avro.sink_avro(lf, target, compression="deflate")
    >>> polars_avro.read_avro(target.getvalue()).rows()
    [(2,), (3,)]
    """
    options = core_options(
        compression=compression,
        compression_level=compression_level,
        avro_schema=avro_schema,
        name=name,
        namespace=namespace,
        doc=doc,
        metadata=metadata,
        block_size=block_size,
        sync_marker=sync_marker,
        n_threads=n_threads,
    )
    _options.check(
        append=append,
        mkdir=mkdir,
        maintain_order=maintain_order,
        lazy=lazy,
        optimizations=optimizations,
        sinked_paths_callback=sinked_paths_callback,
    )
    if not isinstance(lf, pl.LazyFrame):
        msg = f"`lf` must be a LazyFrame, got {type(lf).__name__!r}{instead(lf, lazy=True)}"
        raise TypeError(msg)
    # Raises if `lf` is a sink.
    lf.sink_batches(_ignore, lazy=True)

    output = Output.of(
        target,
        storage_options=storage_options,
        credential_provider=credential_provider,
        caller="sink_avro",
        append=append,
        mkdir=mkdir,
        sync_on_close=sync_on_close,
        renames=bool(name or namespace or doc),
        needs_paths=sinked_paths_callback is not None,
    )
    flags = pl.QueryOptFlags() if optimizations is None else optimizations

    def sink() -> pl.DataFrame:
        schema = lf.collect_schema()
        # What cannot be written is told before the query runs.
        output.check(schema, options)
        query = collect_batches(lf, maintain_order=bool(maintain_order), engine=engine, optimizations=flags)
        with query as batches:
            written = output.write(batches, schema, options)
        if sinked_paths_callback is not None:
            paths = [SinkedPath(path=file.path, num_rows=file.rows, num_bytes=file.bytes) for file in written]
            sinked_paths_callback(SinkedPathsCallbackArgs(paths=paths))
        return pl.DataFrame()

    if lazy:
        # The outer sink gets no rows: Polars refuses a sink as the input of another operation.
        return pl.defer(sink, schema={}).sink_batches(_ignore, lazy=True)
    sink()
    return None


def _ignore(_: pl.DataFrame) -> None:
    """Take a batch."""
