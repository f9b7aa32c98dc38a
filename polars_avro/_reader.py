"""Reading batch by batch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import polars as pl

from polars_avro import _options, _selection
from polars_avro._conversions import Annotations, InvalidValues, conversions
from polars_avro._counted import counted
from polars_avro._engine.frames import Frames
from polars_avro._limits import DEFAULT_LIMITS, Limits
from polars_avro._schema_request import SchemaRequest
from polars_avro._schemas import AvroSchema, SchemaEvolution
from polars_avro._sources import inputs, stores
from polars_avro._sources.inputs import Source
from polars_avro._sources.stores import CredentialProvider, StorageOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from polars_avro._bad_blocks import BadBlock
    from polars_avro._core import BatchReader, ContainerFile


class AvroReader:
    """
    Read one Avro file batch by batch, as an iterator over DataFrames.

    Batches are decoded ahead on all cores, in memory that does not grow with the file. The end of the ``with`` block,
    or :meth:`close`, stops decoding and releases the file. Threads may share a reader: each batch goes to one of them.
    After Ctrl-C, or an exception from `on_bad_block`, iterating again resumes at the same position.

    Parameters
    ----------
    source
        A path, a URL, the ``bytes`` of a file, or a file-like, which is read by ranges if it can seek; also a ``UPath``
        or the result of ``fsspec.open``.
    columns
        Columns to read, by name or by index counted from 0, in the order wanted. ``"a.b"`` reads only the field ``b``
        of the struct ``a``, also in lists and maps of structs, unless a column has that very name. ``"^temp_.*$"``
        stands for the columns that match this regular expression, and ``"*"`` for all.
    n_rows
        Stop after this many rows.
    row_index_name
        If not None, a row index of this name becomes the first column.
    row_index_offset
        The index of the first row.
    ignore_errors
        Drop damaged blocks, and continue after them. Each is reported, and a warning counts them. A damaged header is
        an error all the same. All columns are decoded then, also to count rows, so that every query has the same rows.
        A row index counts the rows that are returned.
    on_bad_block
        Called with a :class:`BadBlock` for each block that is dropped or irregular, in file order. An exception from it
        ends the read.
    strict
        Treat irregular blocks as damaged: blocks that have all of their rows and then more bytes, or whose compressed
        stream does not end with the block. By default they are read, as other readers do, and a warning counts them.
    reader_schema
        The Avro schema to read as, instead of the first file's: JSON text, the same as Python objects, or the path of
        an ``.avsc`` or Avro file. Avro's rules of schema resolution hold, names included. Fields match by name or
        alias, and numbers are widened. A field that a file lacks has its default, a field that the schema lacks is
        skipped.
    annotations
        Dtypes by attributes that other tools annotate types with, such as :data:`CDC_TYPES` for Debezium, Kafka Connect
        and BigQuery. A key is the name of an attribute and its value, both ``str``. A value is a dtype, or the name of
        a logical type of Avro. ``pl.Time`` stands for nanoseconds. Timestamps may be text in ISO 8601.
    recursion_depth
        How often a recursive type becomes a struct inside itself. Deeper values are null, of dtype Null, and a warning
        counts them. By default a recursive value becomes JSON text.
    invalid_values : {'raise', 'null', 'text'}
        Raise an error, or read null, for a value that its logical type does not allow: a uuid that is none, a time
        outside the day, a decimal of too many digits. With ``"text"`` columns of these types are String, and such a
        value is the text of the plain string or number. A warning counts the values, and `on_bad_block` has their
        blocks.
    byte_range
        Read only the blocks whose preceding sync markers begin in this range of the file's bytes. Ranges that tile a
        file return each row once, so a large file can be read in parts. ``None`` as the end is the file's end. Needs a
        single file.
    batch_size
        The number of rows in a batch, or in a chunk of the result: about 100,000 by default, fewer if rows are large.
        With `ignore_errors` batches end at the ends of blocks, so they may have more.
    n_threads
        The number of threads that decode, by default as many as Polars uses. 1 decodes on the calling thread.
    storage_options
        Options of the store that holds the files, under the names that Polars' own scans take. Keys, region, endpoint
        and so on are ``str``; ``max_retries`` and the retry times are numbers. An unknown name is an error.
    credential_provider
        The source of credentials for the store, as in Polars' own scans. ``"auto"`` asks the cloud's Python package if
        it is installed. A provider, or a callable that returns ``(dict, expiry)``, is called before credentials expire.
        None leaves the store to `storage_options` and the environment.
    limits
        Bounds on what reading a file may cost.

    Raises
    ------
    AvroError
        If the file is damaged or cannot be read as Avro; iterating raises it for damage after the header.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    scan_avro : Read lazily, and only what a query needs.

    Examples
    --------
    >>> import polars_avro
    >>> with polars_avro.AvroReader("docs/sample.avro", columns=["celsius"], batch_size=100) as reader:
    ...     [batch.height for batch in reader]
    [100, 100, 100]
    """

    def __init__(
        self,
        source: Source,
        *,
        columns: Sequence[str] | Sequence[int] | str | int | None = None,
        n_rows: int | None = None,
        row_index_name: str | None = None,
        row_index_offset: int = 0,
        ignore_errors: bool = False,
        on_bad_block: Callable[[BadBlock], object] | None = None,
        strict: bool = False,
        reader_schema: AvroSchema | None = None,
        annotations: Annotations | None = None,
        recursion_depth: int | None = None,
        invalid_values: InvalidValues = "raise",
        byte_range: tuple[int, int | None] | None = None,
        batch_size: int | None = None,
        n_threads: int | None = None,
        storage_options: StorageOptions | None = None,
        credential_provider: CredentialProvider = "auto",
        limits: Limits | None = None,
    ) -> None:
        _options.check(limits=limits)
        reader = _options.reader_options(
            ignore_errors=ignore_errors,
            on_bad_block=on_bad_block,
            strict=strict,
            batch_size=batch_size,
            n_threads=n_threads,
        )
        opened = inputs.normalize_file(source, "AvroReader")
        evolution = SchemaEvolution(conversions=conversions(annotations, recursion_depth, invalid_values))
        request = SchemaRequest(reader_schema=reader_schema, evolution=evolution, limits=limits or DEFAULT_LIMITS)
        _, file = request.resolve([stores.open_source(opened, storage_options, credential_provider, "AvroReader")])
        self._name = stores.shown(opened) if isinstance(opened, str) else "<bytes>"
        self._lock = threading.RLock()
        schema = pl.Schema(file)
        selected = None if columns is None else _selection.selection(columns, schema)
        index = _options.row_index(row_index_name, row_index_offset, schema.names() if selected is None else selected)
        self._file: ContainerFile | None = file
        self._options = reader
        self._selected = selected
        self._index = index
        self._n_rows = _options.optional_integer("n_rows", n_rows)
        self._byte_range = _options.byte_range(byte_range)
        self._log = reader.bad_block_log(keep=True)
        self._earlier_stats: dict[str, int] = {}
        self._rows_read = 0
        self._total_bytes = file.size
        self._avro_schema = file.schema_json
        self._batches: BatchReader | None = None
        self._frames: Frames | None = None
        self._schema = pl.Schema(self._start(file, self._byte_range))

    def _start(self, file: ContainerFile, byte_range: tuple[int, int | None] | None) -> BatchReader:
        """Start or continue the read in this range, and keep the counts so far."""
        options = _options.core_options(
            columns=self._selected,
            row_index=None if self._index is None else (self._index[0], self._index[1] + self._rows_read),
            length=None if self._n_rows is None else self._n_rows - self._rows_read,
            byte_range=byte_range,
            reader=self._options,
        )
        self._batches = file.batches(options, join_first=True, interruptible=True)
        self._end()
        self._frames = Frames(self._batches, self._log)
        return self._batches

    def _end(self) -> None:
        if self._frames is not None:
            self._frames.close()
        self._frames = None

    @property
    def schema(self) -> pl.Schema:
        """The names and dtypes of the batches."""
        return self._schema

    @property
    def avro_schema(self) -> str:
        """The schema that the file was written with, as the JSON text in its header."""
        return self._avro_schema

    @property
    def bad_blocks(self) -> list[BadBlock]:
        """The blocks so far that were dropped or are irregular, in file order."""
        return [] if self._log is None else list(self._log.kept or ())

    @property
    def rows_read(self) -> int:
        """The number of rows returned so far."""
        return self._rows_read

    @property
    def bytes_read(self) -> int:
        """
        The number of bytes read from the file. It runs ahead of the returned batches.

        After the whole file is read, it equals `total_bytes`. Bytes that are read again after `seek` count again.
        """
        return self.stats["bytes_read"]

    @property
    def total_bytes(self) -> int:
        """The size of the file."""
        return self._total_bytes

    @property
    def stats(self) -> dict[str, int]:
        """
        Counters of the work done and skipped so far (blocks, bytes, rows), and the time of each phase.

        Times are nanoseconds of all threads together. ``lock_wait_ns`` is waiting for the walk over earlier block
        headers, ``locked_ns`` that walk and reading remote sources, ``fetch_ns`` reading from the source otherwise,
        ``decompress_ns`` decompressing, ``decode_ns`` decoding, and ``filter_ns`` evaluating a filter.
        """
        if self._batches is None:
            return dict(self._earlier_stats)
        return {name: self._earlier_stats.get(name, 0) + count for name, count in self._batches.stats.items()}

    def seek(self, offset: int) -> None:
        """
        Continue at another offset of the file.

        The next batch starts with the block after the first sync marker that begins at or after `offset`. An offset of
        0 is the first block. Rows that were decoded ahead are dropped. A row index and `n_rows` continue to count
        the rows that are returned.

        Parameters
        ----------
        offset
            An offset in the file, in bytes.

        Raises
        ------
        TypeError
            If `offset` is not an int.
        ValueError
            If `offset` is negative, or the reader is closed.
        AvroError
            If the block at that position is damaged.

        Examples
        --------
        >>> import polars_avro
        >>> with polars_avro.AvroReader("docs/sample.avro") as reader:
        ...     reader.seek(reader.total_bytes // 2)
        ...     sum(batch.height for batch in reader)
        120
        """
        stop = None if self._byte_range is None else self._byte_range[1]
        start = _options.integer("offset", offset)
        with self._lock:
            self._earlier_stats = self.stats
            self._start(self._open_file(), (start, None if stop is None else max(stop, start)))

    def _open_file(self) -> ContainerFile:
        if self._file is None:
            msg = f"the reader of {self._name} is closed"
            raise ValueError(msg)
        return self._file

    def close(self) -> None:
        """Stop decoding and release the file. Iterating raises afterwards; closing twice is allowed."""
        with self._lock:
            self._earlier_stats = self.stats
            self._end()
            if self._log is not None and self._batches is not None:
                self._log.report(self._batches.take_bad_blocks())
            self._file = self._batches = None
            if self._log is not None:
                self._log.warn(stacklevel=2)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """
        Export the remaining batches as an Arrow stream, for pyarrow, DuckDB, pandas and others.

        The consumer pulls them one by one, so memory stays bounded. Their rows do not count in :attr:`rows_read`.
        Dropped and irregular blocks are reported when the reader is closed.
        """
        with self._lock:
            if self._batches is None:
                msg = "the reader is closed"
                raise ValueError(msg)
            if self._frames is not None:
                self._frames.give_back()
            return self._batches.__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        with self._lock:
            self._open_file()
            df = None if self._frames is None else next(self._frames, None)
            if df is None:
                if self._log is not None:
                    self._log.warn(stacklevel=2)
                raise StopIteration
            self._rows_read += df.height
            return df

    def __repr__(self) -> str:
        state = "closed" if self._file is None else f"{counted(self._rows_read, 'row')} read"
        return f"<AvroReader of {self._name!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
