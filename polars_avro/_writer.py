"""Writing frame by frame."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_avro import _options
from polars_avro._bad_blocks import AvroWarning
from polars_avro._core import ContainerFile, FileOpener, FrameStream
from polars_avro._counted import counted
from polars_avro._errors import AvroSchemaError
from polars_avro._limits import DEFAULT_LIMITS
from polars_avro._schemas import as_written
from polars_avro._writing.files import FileWriter
from polars_avro._writing.frames import check_schema, core_frame, empty_frame, has_time, instead
from polars_avro._writing.options import AvroCompression, SyncOnClose, core_options
from polars_avro._writing.targets import Target, file_options, name_of, normalize_target, open_target, stores_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from polars._typing import SchemaDict
    from typing_extensions import Self

    from polars_avro._schemas import AvroSchema

_numbers = itertools.count()
#: Writers with rows that are not closed, by number: their process and their target.
_unclosed: dict[int, tuple[int, str]] = {}


@atexit.register
def _warn_of_unclosed() -> None:
    """Warn at exit of rows that were discarded. A destructor could lose an interrupt, so none is used."""
    for process, name in _unclosed.values():
        if process == os.getpid():
            msg = f"the AvroWriter of {name} was not closed, so its rows are lost: close it, or use a `with` block"
            warnings.warn(msg, AvroWarning, stacklevel=1)


class AvroWriter:
    """
    Write one Avro file frame by frame, as a context manager.

    Small frames are joined into full blocks. A path is replaced when the ``with`` block ends without an error, or by
    :meth:`close`. Otherwise an existing file stays unchanged, and a warning at exit tells of lost rows. Threads may
    share a writer; their calls are serialised.

    Parameters
    ----------
    target
        A path, the URL of an object in a store, a ``BytesIO``, a file opened for writing bytes, any object with
        ``write()``, a ``UPath``, or the result of ``fsspec.open``.
    schema
        The columns of the file, in case no frame is written. The default is the columns of the first frame.
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
    AvroError
        As in :func:`write_avro`. After the first frame any error discards the new file.

    See Also
    --------
    write_avro : Write one frame.
    sink_avro : Write a LazyFrame.

    Examples
    --------
    >>> import io
    >>> import polars as pl
    >>> import polars_avro
    >>> target = io.BytesIO()
    >>> with polars_avro.AvroWriter(target) as writer:
    ...     for start in (0, 10):
    ...         writer.write(pl.DataFrame({"a": range(start, start + 2)}))
    >>> writer.rows_written
    4
    >>> polars_avro.read_avro(target.getvalue())["a"].to_list()
    [0, 1, 10, 11]
    """

    def __init__(
        self,
        target: Target,
        schema: SchemaDict | None = None,
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
        storage_options: dict[str, Any] | None = None,
        credential_provider: Any | Literal["auto"] | None = "auto",
        metadata: Mapping[str, str | bytes] | None = None,
        mkdir: bool = False,
        sync_on_close: SyncOnClose | None = None,
        n_threads: int | None = None,
    ) -> None:
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
        if isinstance(schema, str):
            msg = f"`schema` must be a mapping of column names to dtypes, got {schema!r}; the codec is `compression`"
            raise TypeError(msg)
        _options.check(append=append, mkdir=mkdir, schema=schema)
        place = normalize_target(target)
        self._name = name_of(place)
        renames = bool(name or namespace or doc)
        files = file_options(place, append=append, mkdir=mkdir, sync_on_close=sync_on_close, renames=renames)
        opened = open_target(place, stores_of(place, storage_options, credential_provider, "AvroWriter"))
        self._schema = None if schema is None else pl.Schema(_options.dtypes("schema", schema))
        if self._schema is not None:
            check_schema(self._schema)
            options.check(empty_frame(self._schema), append=append and os.path.exists(place))
        self._avro_schema = None
        self._appends = append and isinstance(place, str) and os.path.exists(place)
        if self._appends:
            self._avro_schema = _schema_of_file(place)
        elif avro_schema is not None:
            self._avro_schema = options.schema_of(empty_frame({}))
        #: Frames may differ in their dtypes if the Avro schema does not follow from them.
        self._accepts_other_dtypes = self._avro_schema is not None
        self._options = options
        self._writer: FileWriter | None = FileWriter(opened, options, files)
        self._has_failed = False
        self._rows = 0
        self._number = next(_numbers)
        #: Serialises calls, because the first frame determines the schema, and rows are counted.
        self._lock = threading.RLock()
        #: True while the core writes to the target, which may be Python code.
        self._is_busy = False

    @property
    def schema(self) -> pl.Schema | None:
        """The columns of the file; None before they are known."""
        return self._schema

    @property
    def avro_schema(self) -> str | None:
        """
        The Avro schema of the file, as JSON text; None before it is known.

        It is known from the start if `avro_schema` is passed or the file exists. Otherwise the first frame determines
        it, or `schema` if that has no Time column, because the values of times determine their Avro type.
        """
        return self._avro_schema or self._schema_before_rows()

    @property
    def rows_written(self) -> int:
        """The number of rows written so far."""
        return self._rows

    def write(self, data: Any) -> None:
        """
        Write the rows of a frame.

        Parameters
        ----------
        data
            A DataFrame, or an object that exports an Arrow stream or array, such as a pyarrow table or a DuckDB
            relation. A stream is read batch by batch. All frames must have the columns of the first. With `avro_schema`
            or `append` they may have any columns that fit the schema.

        Raises
        ------
        TypeError
            If `data` is not such an object.
        ValueError
            If the writer is closed, or an earlier call failed.
        AvroError
            As in :func:`write_avro`.

        Notes
        -----
        If the first frame is refused because of its columns, nothing is written, and another frame may follow. Any
        later error discards the file.
        """
        with self._lock:
            writer = self._open_writer()
            try:
                for df in _frames(data):
                    self._write_frame(writer, df)
            except BaseException:
                if writer.has_begun:
                    self._has_failed = True
                    self.abort()
                raise

    def _write_frame(self, writer: FileWriter, df: pl.DataFrame) -> None:
        if self._schema is not None and df.schema != self._schema and not self._accepts_other_dtypes:
            order = " in this order" if dict(df.schema) == dict(self._schema) else ""
            msg = f"every frame of a file must have the columns {dict(self._schema)}{order}, got {dict(df.schema)}"
            if set(df.schema) == set(self._schema):
                msg += "; with `avro_schema` they may differ in order and dtypes"
            raise AvroSchemaError(msg)
        is_first = not writer.has_begun
        if is_first and df.height == 0 and has_time(df.schema):
            # The values of times determine their Avro type, so the file begins with the first rows.
            self._options.check(core_frame(df))
            self._schema = df.schema
            return
        self._is_busy = True
        try:
            writer.write(df)
        finally:
            self._is_busy = False
        if is_first:
            self._schema = df.schema
            self._avro_schema = self._avro_schema or self._options.schema_of(core_frame(df))
        self._rows += df.height
        _unclosed[self._number] = os.getpid(), self._name

    def _schema_of_no_rows(self) -> pl.Schema:
        """Return the columns of a file that no frame was written to."""
        return pl.Schema() if self._avro_schema is None else pl.Schema(FileOpener(self._avro_schema))

    def _open_writer(self) -> FileWriter:
        if self._has_failed:
            msg = "the writer is closed: an earlier call failed, and the file was discarded"
            raise ValueError(msg)
        if self._writer is None:
            msg = "the writer is closed"
            raise ValueError(msg)
        if self._is_busy:
            msg = "the target of an AvroWriter must not write to it or close it"
            raise ValueError(msg)
        return self._writer

    def _schema_before_rows(self) -> str | None:
        if self._schema is None:
            return None
        if self._writer is not None and has_time(self._schema):
            return None
        return self._options.schema_of(empty_frame(self._schema))

    def close(self) -> None:
        """
        End the file and make it visible. Closing twice is allowed.

        Raises
        ------
        ValueError
            If an earlier call failed, so that there is no file.
        """
        with self._lock:
            if self._writer is None and not self._has_failed:
                return
            writer, self._writer = self._open_writer(), None
            _unclosed.pop(self._number, None)
            if self._appends and self._schema is None:
                # Nothing was written, so the file stays.
                writer.abort()
                return
            try:
                writer.finish(self._schema_of_no_rows() if self._schema is None else self._schema)
            except BaseException:
                self._has_failed = True
                raise

    def abort(self) -> None:
        """Discard what was written. An existing file stays unchanged."""
        with self._lock:
            writer, self._writer = self._writer, None
            _unclosed.pop(self._number, None)
            if writer is not None:
                writer.abort()

    def __repr__(self) -> str:
        state = "failed" if self._has_failed else "closed" if self._writer is None else "open"
        return f"<AvroWriter to {self._name!r}, {state}, {counted(self._rows, 'row')} written>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def _schema_of_file(path: str) -> str:
    return ContainerFile(path, as_written(DEFAULT_LIMITS)).schema_json


def _frames(data: Any) -> Iterator[pl.DataFrame]:
    """Convert `data` into frames."""
    if isinstance(data, pl.DataFrame):
        yield data
    elif isinstance(data, pl.LazyFrame):
        msg = "expected a DataFrame, got a LazyFrame: use `sink_avro`, or write its `collect_batches()` one by one"
        raise TypeError(msg)
    elif isinstance(data, pl.Series):
        msg = f"expected a DataFrame, got a Series{instead(data)}"
        raise TypeError(msg)
    elif hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        stream, is_empty = FrameStream(data), True
        for batch in stream:
            is_empty = False
            yield pl.DataFrame(batch) if batch.width else pl.DataFrame(height=batch.height)
        if is_empty:
            yield pl.DataFrame(schema=pl.Schema(stream))
    else:
        msg = f"expected a DataFrame or an object with __arrow_c_stream__, got {type(data).__name__!r}"
        raise TypeError(msg)
