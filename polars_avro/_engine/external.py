"""
A scan as Polars' engine runs its own: through the external reader of Polars 2.

Polars calls these names unstable. Importing the module fails if they are missing. `shutdown.py` depends on the batches
of such a scan too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from weakref import ref

import polars as pl
from polars._plr import PyLazyFrame  # type: ignore[import-not-found, unused-ignore]
from polars._utils.wrap import wrap_ldf
from polars.exceptions import ComputeError
from polars.io._expand_paths import _expand_paths
from polars.io.external_reader import FileReader, FileReaderBuilder, ReaderCapabilities
from polars.io.scan_options._options import ScanOptions as PolarsScanOptions

from polars_avro._engine.files import Files, OpenRows
from polars_avro._engine.shutdown import Work, shutdown
from polars_avro._options import ReaderOptions, ScanOptions, max_row_index
from polars_avro._sources import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars._typing import SchemaDict
    from polars.lazyframe.resolver import FilterExpr
    from typing_extensions import Self

if not hasattr(PyLazyFrame, "new_from_external_reader_builder"):
    raise ImportError("this Polars has no external readers")


def scan(files: Files, schema: pl.Schema, options: ScanOptions, *, codec: str) -> pl.LazyFrame:
    """
    Make the scan of files that have this schema, the first of which has this codec.

    For Polars it is one file: every file of a scan costs it more than reading a small one does.
    """
    lf = PyLazyFrame.new_from_external_reader_builder(
        sources=[files.label],
        reader_builder=intern_builder(files, schema, options, codec),
        schema=schema,
        scan_options=PolarsScanOptions(
            row_index=options.row_index,
            pre_slice=None if options.n_rows is None else (0, options.n_rows),
            cache=options.cache,
            glob=False,
            expand_paths=False,
        ),
    )
    return wrap_ldf(lf)


def expand(paths: list[str], *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """List the files of local patterns and directories, as Polars' own scans do."""
    try:
        files = _expand_paths(paths, glob=glob, hidden_file_prefix=hidden_file_prefix).collect()
    except (ComputeError, UnicodeEncodeError) as error:
        if isinstance(error, ComputeError) and "non UTF-8" not in str(error):
            raise
        return listing.expand(paths, glob=glob, hidden_file_prefix=hidden_file_prefix)
    return files.to_series().to_list()


class AvroReaderBuilder(FileReaderBuilder):
    """Makes the reader of a scan's files."""

    def __init__(self, files: Files, schema: pl.Schema, options: ScanOptions, codec: str) -> None:
        self.files = files
        self.schema = schema
        self.options = options
        self.codec = codec
        self.is_read = False

    def __reduce__(self) -> tuple[Any, ...]:
        return intern_builder, (self.files, self.schema, self.options, self.codec)

    def reader_capabilities(self) -> ReaderCapabilities:
        """Say what the reader does itself; Polars does the rest."""
        shutdown.hold()
        counts = self.files.counts_by_header
        return ReaderCapabilities(
            row_index=counts, pre_slice=counts, negative_pre_slice=counts, supported_filter="partial"
        )

    def build_file_reader(self, source: str | bytes, multi_scan_context: dict[Any, Any]) -> AvroFileReader:
        """Make the reader of all files, which opens nothing yet."""
        reader = AvroFileReader(self)
        # After its reader is counted.
        self.is_read = True
        return reader

    def explain_properties(self) -> dict[str, str]:
        """Say in query plans what the files are; of several the codec of the first is known."""
        defaults = ReaderOptions()._asdict()
        given = {name: str(value) for name, value in self.options.reader._asdict().items() if value != defaults[name]}
        codec = self.codec if len(self.files.sources) == 1 else f"{self.codec} (first file)"
        return {"format": "Avro", "codec": codec, **given}


class RunningScan(Work):
    """The batches of one reader, from the making of the reader until Polars drops it."""

    def __init__(self) -> None:
        self.frames: Iterator[pl.DataFrame] | None = None
        self.has_begun = False
        shutdown.work.add(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        if not self.has_begun:
            self.has_begun = True
            shutdown.keep_pool()
        shutdown.check()
        if self.frames is None:
            raise StopIteration
        self.waits_since = None
        try:
            df = next(self.frames)
        except BaseException:
            self.close()
            raise
        self.waits_since = time.monotonic()
        return df

    def close(self) -> None:
        """End the read, here and now: a generator that is freed on the main thread could lose an interrupt."""
        frames, self.frames = self.frames, None
        if isinstance(frames, Generator):
            frames.close()

    def finish(self) -> None:
        """End the read and its count."""
        try:
            self.close()
        finally:
            shutdown.work.discard(self)


class AvroFileReader(FileReader):
    """Reads the files of a scan as one."""

    def __init__(self, builder: AvroReaderBuilder) -> None:
        shutdown.hold()
        shutdown.tidy()
        self.builder = builder
        self.files: OpenRows
        self.running = RunningScan()
        self.on_drop = shutdown.on_drop(self.running.finish)  # type: ignore[method-assign]

    def fetch_metadata(self) -> None:
        """Open the file if there is only one; Polars calls this first."""
        self.files = self.builder.files.open()

    def schema(self) -> SchemaDict:
        """Return the scan's schema, which all files are read as."""
        return self.builder.schema

    def n_rows_in_file(self, limit: int | None = None) -> int:
        """Count without decoding, where that is possible."""
        return self.files.count_rows(limit, sound=self.builder.options.reader.ignore_errors)

    def collect_batches(
        self,
        *,
        columns: Sequence[str],
        row_index: tuple[str, int] | None,
        pre_slice: tuple[int, int] | None,
        filters: Sequence[FilterExpr],
        num_pipelines: int,
    ) -> Iterator[pl.DataFrame]:
        """Read what the query asks for."""
        options = self.builder.options
        frames = self.files.frames(
            columns=columns,
            row_index=row_index,
            pre_slice=pre_slice,
            filters=[each.expr for each in filters],
            reader=options.reader,
        )
        if row_index is None and options.row_index is not None:
            frames = _numberable(frames, options.row_index[1])
        self.running.frames = frames
        return self.running


def _numberable(frames: Iterator[pl.DataFrame], offset: int) -> Iterator[pl.DataFrame]:
    """Raise before Polars numbers more rows than its row index can count, where it would panic."""
    most = max_row_index()
    for df in frames:
        offset += df.height
        if offset > most:
            msg = f"the row index passes {most}, the most that its type holds; lower `row_index_offset` or `n_rows`"
            raise ValueError(msg)
        yield df


# Without callbacks, which would run when a query ends and could lose an interrupt.
_builders: dict[tuple[object, ...], ref[AvroReaderBuilder]] = {}
_lock = threading.Lock()


def intern_builder(files: Files, schema: pl.Schema, options: ScanOptions, codec: str) -> AvroReaderBuilder:
    """Return the same object for the same options: Polars reads files once for two scans that share their builder."""
    key = (files.key, options, codec)
    with _lock:
        known = _builders.get(key)
        builder = None if known is None else known()
        if builder is None:
            for old in [old for old, reference in _builders.items() if reference() is None]:
                del _builders[old]
            builder = AvroReaderBuilder(files, schema, options, codec)
            _builders[key] = ref(builder)
        return builder


def _living_builders() -> list[AvroReaderBuilder]:
    builders = (reference() for reference in list(_builders.values()))
    return [builder for builder in builders if builder is not None]


shutdown.awaits_reader = lambda: any(not builder.is_read for builder in _living_builders())
shutdown.has_readers = lambda: bool(_living_builders())
