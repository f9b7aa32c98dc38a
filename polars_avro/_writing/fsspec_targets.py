"""Files of fsspec as targets, which are whole or absent."""

from __future__ import annotations

import contextlib
from io import BytesIO
from typing import Any

from polars_avro._sources import fsspec_files
from polars_avro._writing.files import WholeTarget

#: Modes of an ``OpenFile`` that can be a target.
_MODES = ("wb", "xb")


def target_of(source: Any) -> str | FsspecTarget:
    """Return the local path or the URL of a file of fsspec that has one, otherwise a target that fsspec opens."""
    place = fsspec_files.place_of(source, _MODES)
    return FsspecTarget(source) if place is None else place


class FsspecTarget(WholeTarget):
    """
    A file that its filesystem opens at the first write.

    Most filesystems let a file appear when it is committed. Others write in place, so the file is removed after an
    error. In a transaction of the caller, the transaction commits the file.
    """

    #: The open file, after the layers that compress.
    _layers: tuple[Any, ...] = ()

    def __init__(self, source: Any) -> None:
        self.name = fsspec_files.name_of(source)
        self._source = source
        self._is_in_transaction = False

    def write(self, data: bytes) -> Any:
        if not self._layers:
            self._open()
        return self._layers[0].write(data)

    def commit(self) -> None:
        _close(self._layers)
        file = self._layers[-1]
        if not self._is_in_transaction and not _is_in_place(file):
            file.commit()
        self._layers = ()

    def discard(self) -> None:
        layers, self._layers = self._layers, ()
        if not layers:
            return
        # The error that ended the write is more important than errors of these calls.
        with contextlib.suppress(Exception):
            _close(layers)
        with contextlib.suppress(Exception):
            if self._is_in_transaction:
                self._forget(layers[-1])
            if self._is_in_transaction or not _is_in_place(layers[-1]):
                layers[-1].discard()
            else:
                self._source.fs.rm_file(self._source.path)

    def __del__(self) -> None:
        # Files of fsspec complete themselves when they are collected.
        self.discard()

    def _open(self) -> None:
        fs, path = self._source.fs, self._source.path
        if self.mkdir:
            fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._is_in_transaction = bool(getattr(fs, "_intrans", False))
        options = {} if self._is_in_transaction else {"autocommit": False}
        self._layers = tuple(fsspec_files.open_layers(self._source, "wb", **options))
        if not self._is_in_transaction:
            self._forget(self._layers[-1])

    def _forget(self, file: Any) -> None:
        """Remove a file from the list of those that the next transaction commits."""
        with contextlib.suppress(AttributeError, ValueError):
            getattr(file, "fs", self._source.fs).transaction.files.remove(file)


def _close(layers: tuple[Any, ...]) -> None:
    for layer in layers:
        layer.close()


def _is_in_place(file: Any) -> bool:
    """Return whether a file is visible before it is committed: if it is in memory, or has no commit of its own."""
    if isinstance(file, BytesIO) or getattr(file, "autocommit", False):
        return True
    commit = getattr(file, "commit", None)
    return commit is None or getattr(commit, "__module__", None) == "fsspec.spec"
