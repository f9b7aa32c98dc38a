"""Writing of partitions: several files, which appear together when all are complete."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._sources.stores import is_remote
from polars_avro._writing.files import FileWriter
from polars_avro._writing.targets import file_options, normalize_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polars_avro._core import WriteOptions
    from polars_avro._sources.stores import Stores
    from polars_avro._writing.options import FileOptions
    from polars_avro._writing.partitioning import Key, Partitioning

#: Maximum bytes of rows that are buffered for the files of their partitions.
_BUFFERED_BYTES = 64 << 20

#: A limit in bytes does not cut files of fewer rows, as in Polars.
_LEAST_ROWS = 122_880

#: The message of Polars.
NO_PATH = "paths callback was set but encountered non-path sink target"


@dataclass
class WrittenFile:
    """A file of a sink."""

    path: str
    rows: int = 0
    bytes: int = 0


@dataclass
class _Partition:
    keys: pl.DataFrame
    buffered: list[pl.DataFrame] = field(default_factory=list)
    buffered_bytes: int = 0
    #: Number of the next file.
    index: int = 0
    file: FileWriter | None = None
    written: WrittenFile | None = None
    #: Rows of the open file, and their size in memory.
    rows: int = 0
    memory: int = 0


def _max_open_files() -> int:
    text = os.environ.get("POLARS_MAX_OPEN_SINKS", "128")
    if not text.isdecimal() or int(text) < 1:
        msg = f"the environment variable POLARS_MAX_OPEN_SINKS must be a number of at least 1, got {text!r}"
        raise ValueError(msg)
    return int(text)


class PartitionWriter:
    """Divides rows among files. It bounds the number of open files and the size of buffered rows."""

    def __init__(
        self,
        partitioning: Partitioning,
        options: WriteOptions,
        files: FileOptions,
        in_stores: Stores,
        needs_paths: bool = False,
    ) -> None:
        self._partitioning = partitioning
        self._options = options
        self._files = files
        self._needs_paths = needs_paths
        self._partitions: dict[Key, _Partition] = {}
        self._open: OrderedDict[Key, _Partition] = OrderedDict()
        self._max_open = _max_open_files()
        self._buffered_bytes = 0
        self._used_paths: set[str] = set()
        #: Files in stores.
        self._targets = in_stores.targets(together=True) if is_remote(partitioning.base_path) else None
        #: The base of relative paths, because the working directory may change during the write.
        self._directory = os.getcwd()
        #: Maps final paths to temporary paths.
        self._temporary: dict[str, str] = {}
        #: Directories that were created, outermost first.
        self._directories: list[str] = []
        self._written: list[WrittenFile] = []

    def write_all(self, batches: Iterable[pl.DataFrame], schema: pl.Schema) -> list[WrittenFile]:
        """Write all rows and return the files."""
        columns = self._partitioning.columns(schema)
        try:
            for df in batches:
                self._take(df)
            if not self._partitioning.keys and not self._partitions:
                self._partitions[()] = _Partition(pl.DataFrame())
                self._file((), self._partitions[()])
            for key, partition in self._partitions.items():
                self._write_buffered(key, partition, columns)
                self._close(key, partition, columns)
            if self._targets is not None:
                self._targets.commit()
            self._check_paths()
            for path, temporary in self._temporary.items():
                os.replace(temporary, path)
        except BaseException:
            self._abort()
            raise
        return self._written

    def _take(self, df: pl.DataFrame) -> None:
        """Buffer rows for their files, and write the largest buffers if the bound is exceeded."""
        if df.height == 0:
            return
        for key, keys, rows in self._partitioning.split(df):
            partition = self._partitions.setdefault(key, _Partition(keys))
            size = int(rows.estimated_size())
            partition.buffered.append(rows)
            partition.buffered_bytes += size
            self._buffered_bytes += size
        if self._buffered_bytes > _BUFFERED_BYTES:
            largest = sorted(self._partitions.items(), key=lambda item: item[1].buffered_bytes, reverse=True)
            for key, partition in largest:
                if self._buffered_bytes > _BUFFERED_BYTES // 2:
                    self._write_buffered(key, partition, None)

    def _write_buffered(self, key: Key, partition: _Partition, columns: pl.Schema | None) -> None:
        batches, partition.buffered = partition.buffered, []
        self._buffered_bytes -= partition.buffered_bytes
        partition.buffered_bytes = 0
        for rows in batches:
            for part in self._parts(partition, rows):
                self._file(key, partition).write(part)
                partition.rows += part.height
                partition.memory += int(part.estimated_size())
                if self._is_full(partition):
                    self._close(key, partition, columns or part.schema)

    def _parts(self, partition: _Partition, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Cut rows at the ends of files."""
        limit, size = self._partitioning.max_rows, int(rows.estimated_size())
        if size > self._partitioning.max_bytes:
            by_bytes = max(_LEAST_ROWS, rows.height * self._partitioning.max_bytes // size)
            limit = by_bytes if limit is None else min(limit, by_bytes)
        start = 0
        while start < rows.height:
            step = rows.height if limit is None else max(1, limit - partition.rows)
            yield rows.slice(start, step)
            start += step

    def _is_full(self, partition: _Partition) -> bool:
        limit = self._partitioning.max_rows
        if limit is not None and partition.rows >= limit:
            return True
        return partition.memory >= self._partitioning.max_bytes and partition.rows >= _LEAST_ROWS

    def _file(self, key: Key, partition: _Partition) -> FileWriter:
        """Return the open file of a partition. If too many are open, the least recently used one is closed."""
        if partition.file is None:
            if len(self._open) >= self._max_open:
                self._close(*next(iter(self._open.items())), None)
            target = self._begin(key, partition)
            hold = file_options(target, append=False, mkdir=False, sync_on_close=None).hold
            partition.file = FileWriter(target, self._options, self._files._replace(hold=hold))
            partition.index += 1
            partition.rows = partition.memory = 0
        self._open[key] = partition
        self._open.move_to_end(key)
        return partition.file

    def _begin(self, key: Key, partition: _Partition) -> Any:
        """Return the target of the next file: a temporary path beside the final one, or an object."""
        target = normalize_target(self._partitioning.target(key, partition.keys, partition.index))
        partition.written = WrittenFile(target if isinstance(target, str) else "")
        self._written.append(partition.written)
        if not isinstance(target, str):
            if self._needs_paths:
                raise pl.exceptions.ComputeError(NO_PATH)
            return target
        if target in self._used_paths:
            msg = f"two files of one sink would have the path {target!r}"
            raise ValueError(msg)
        self._used_paths.add(target)
        if self._targets is not None and is_remote(target):
            return self._targets.target(target)
        # A link stays, and its destination is replaced.
        final = os.path.realpath(os.path.join(self._directory, target))
        directory, name = os.path.split(final)
        self._make_directory(directory)
        # File systems limit the length of names.
        temporary = os.path.join(directory, f".{name[:32]}.{secrets.token_hex(8)}.tmp")
        self._temporary[final] = temporary
        _keep_mode(final, temporary)
        return temporary

    def _make_directory(self, path: str) -> None:
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for directory in reversed(missing):
            try:
                os.mkdir(directory)
            except FileExistsError:
                # Another process may have created it.
                if not os.path.isdir(directory):
                    msg = "partitions need a directory, and this file has its name"
                    raise FileExistsError(errno.EEXIST, msg, directory) from None
            else:
                self._directories.append(directory)

    def _check_paths(self) -> None:
        """Raise before the first replacement if a path cannot be replaced."""
        for path in self._temporary:
            if os.path.isdir(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)

    def _close(self, key: Key, partition: _Partition, columns: pl.Schema | None) -> None:
        if partition.file is None or partition.written is None:
            return
        rows, n_bytes = partition.file.finish(columns or pl.Schema())
        partition.written.rows, partition.written.bytes = rows, n_bytes
        partition.file = None
        self._open.pop(key, None)

    def _abort(self) -> None:
        for partition in self._open.values():
            if partition.file is not None:
                partition.file.abort()
        if self._targets is not None:
            self._targets.abort()
        for temporary in self._temporary.values():
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        for directory in reversed(self._directories):
            # A directory with files of other processes stays.
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def _keep_mode(path: str, temporary: str) -> None:
    """Create the temporary file with the permissions of the file that it will replace."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return
    if os.path.isdir(path):
        return
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    os.chmod(temporary, mode)
