"""Several files from batches. They are seen together, once all are complete."""

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

#: Memory of rows that wait for their partition's file.
_WAITING_BYTES = 64 << 20

#: A limit in bytes cuts no smaller files: as in Polars, whatever the limit is.
_LEAST_ROWS = 122_880

#: What Polars says too.
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
    waiting: list[pl.DataFrame] = field(default_factory=list)
    waiting_bytes: int = 0
    #: Number of the next file.
    index: int = 0
    file: FileWriter | None = None
    written: WrittenFile | None = None
    #: Rows of the file at hand, and the memory that they took.
    rows: int = 0
    memory: int = 0


def _max_open_files() -> int:
    text = os.environ.get("POLARS_MAX_OPEN_SINKS", "128")
    if not text.isdecimal() or int(text) < 1:
        msg = f"the environment variable POLARS_MAX_OPEN_SINKS must be a number of at least 1, got {text!r}"
        raise ValueError(msg)
    return int(text)


class PartitionWriter:
    """Spreads rows over files; keeps few of them open and few rows waiting."""

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
        self._waiting_bytes = 0
        self._taken: set[str] = set()
        #: Files in stores.
        self._targets = in_stores.targets(together=True) if is_remote(partitioning.base_path) else None
        #: Where relative paths begin: the working directory may change meanwhile.
        self._directory = os.getcwd()
        #: Each file's temporary path by its final one.
        self._temporary: dict[str, str] = {}
        #: Directories that were made, outer ones first.
        self._directories: list[str] = []
        self._written: list[WrittenFile] = []

    def write_all(self, batches: Iterable[pl.DataFrame], schema: pl.Schema) -> list[WrittenFile]:
        """Write all rows; give the files."""
        columns = self._partitioning.columns(schema)
        try:
            for df in batches:
                self._take(df)
            if not self._partitioning.keys and not self._partitions:
                self._partitions[()] = _Partition(pl.DataFrame())
                self._file((), self._partitions[()])
            for key, partition in self._partitions.items():
                self._write_waiting(key, partition, columns)
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
        """Let rows wait for their files, and write some if too many wait."""
        if df.height == 0:
            return
        for key, keys, rows in self._partitioning.split(df):
            partition = self._partitions.setdefault(key, _Partition(keys))
            size = int(rows.estimated_size())
            partition.waiting.append(rows)
            partition.waiting_bytes += size
            self._waiting_bytes += size
        if self._waiting_bytes > _WAITING_BYTES:
            most = sorted(self._partitions.items(), key=lambda item: item[1].waiting_bytes, reverse=True)
            for key, partition in most:
                if self._waiting_bytes > _WAITING_BYTES // 2:
                    self._write_waiting(key, partition, None)

    def _write_waiting(self, key: Key, partition: _Partition, columns: pl.Schema | None) -> None:
        waiting, partition.waiting = partition.waiting, []
        self._waiting_bytes -= partition.waiting_bytes
        partition.waiting_bytes = 0
        for rows in waiting:
            for part in self._parts(partition, rows):
                self._file(key, partition).write(part)
                partition.rows += part.height
                partition.memory += int(part.estimated_size())
                if self._is_full(partition):
                    self._close(key, partition, columns or part.schema)

    def _parts(self, partition: _Partition, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Cut rows where files end."""
        limit, size = self._partitioning.max_rows, int(rows.estimated_size())
        if size > self._partitioning.max_bytes:
            by_bytes = max(_LEAST_ROWS, rows.height * self._partitioning.max_bytes // size)
            limit = by_bytes if limit is None else min(limit, by_bytes)
        at = 0
        while at < rows.height:
            step = rows.height if limit is None else max(1, limit - partition.rows)
            yield rows.slice(at, step)
            at += step

    def _is_full(self, partition: _Partition) -> bool:
        limit = self._partitioning.max_rows
        if limit is not None and partition.rows >= limit:
            return True
        return partition.memory >= self._partitioning.max_bytes and partition.rows >= _LEAST_ROWS

    def _file(self, key: Key, partition: _Partition) -> FileWriter:
        """Give the partition's open file; another one is closed if there are too many."""
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
        """Give a temporary path beside the one that the next file will have, or an object, in a store perhaps."""
        target = normalize_target(self._partitioning.target(key, partition.keys, partition.index))
        partition.written = WrittenFile(target if isinstance(target, str) else "")
        self._written.append(partition.written)
        if not isinstance(target, str):
            if self._needs_paths:
                raise pl.exceptions.ComputeError(NO_PATH)
            return target
        if target in self._taken:
            msg = f"two files of one sink would have the path {target!r}"
            raise ValueError(msg)
        self._taken.add(target)
        if self._targets is not None and is_remote(target):
            return self._targets.target(target)
        # Links are followed.
        final = os.path.realpath(os.path.join(self._directory, target))
        directory, name = os.path.split(final)
        self._make_directory(directory)
        # Long names are cut, since file systems bound them.
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
                # Another process may have made it.
                if not os.path.isdir(directory):
                    raise
            else:
                self._directories.append(directory)

    def _check_paths(self) -> None:
        """Find what cannot be replaced before anything is."""
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
            # One that has files of others by now stays.
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def _keep_mode(path: str, temporary: str) -> None:
    """Begin the file that replaces another one with the permissions of that one."""
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
