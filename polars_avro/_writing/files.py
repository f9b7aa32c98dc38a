"""Writing of one file from batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._core import Writer
from polars_avro._writing.frames import core_frame, empty_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polars_avro._core import StoreTarget, WriteOptions
    from polars_avro._writing.options import FileOptions


class WholeTarget:
    """An object that is written to, and becomes visible when it is committed."""

    #: The name of the object in messages.
    name: str
    #: Whether missing directories are made.
    mkdir = False

    def write(self, data: bytes) -> Any:
        """Write bytes."""
        raise NotImplementedError

    def commit(self) -> None:
        """Complete the object, so that it becomes visible."""
        raise NotImplementedError

    def discard(self) -> None:
        """Remove what was written."""
        raise NotImplementedError


class FileWriter:
    """
    Writes one file, which it begins with the first frame and removes after an error.

    If the first frame is refused because of its columns, nothing is written, and another frame may follow.
    """

    def __init__(self, target: str | StoreTarget | Any, options: WriteOptions, files: FileOptions) -> None:
        self._target = target
        self._options = options
        self._files = files
        self._writer: Writer | None = None
        self.rows = 0

    @property
    def has_begun(self) -> bool:
        """Return whether a frame was accepted."""
        return self._writer is not None

    def write(self, df: pl.DataFrame) -> None:
        """Write the rows of a frame."""
        rows = core_frame(df)
        if self._writer is None:
            self._writer = self._begin(rows)
        try:
            self._writer.write(rows)
        except BaseException:
            self.abort()
            raise
        self.rows += df.height

    def finish(self, schema: pl.Schema) -> tuple[int, int]:
        """End the file and return its rows and bytes. Without any frame, it has the columns of `schema`."""
        if self._writer is None:
            self._writer = self._begin(empty_frame(schema))
        try:
            rows, _, n_bytes = self._writer.finish()
            if isinstance(self._target, WholeTarget):
                self._target.commit()
        except BaseException:
            self.abort()
            raise
        return rows, n_bytes

    def abort(self) -> None:
        """Discard the file."""
        if self._writer is not None:
            self._writer.abort()
        if isinstance(self._target, WholeTarget):
            self._target.discard()

    def _begin(self, rows: Any) -> Writer:
        if isinstance(self._target, WholeTarget):
            self._target.mkdir = self._files.mkdir
        try:
            return Writer(
                self._target,
                rows,
                self._options,
                append=self._files.append,
                # A BytesIO gets all bytes or none, as a path does.
                hold=self._files.hold,
                mkdir=self._files.mkdir,
                sync_on_close=self._files.sync_on_close,
            )
        except FileNotFoundError as error:
            if not isinstance(self._target, str) or Path(self._target).parent.is_dir():
                raise
            msg = f"{error.strerror}: pass `mkdir=True` to make missing directories"
            raise FileNotFoundError(error.errno, msg, error.filename) from None


def write_batches(writer: FileWriter, batches: Iterable[pl.DataFrame], schema: pl.Schema) -> tuple[int, int]:
    """Write a whole file, and return its rows and bytes."""
    try:
        for df in batches:
            writer.write(df)
    except BaseException:
        writer.abort()
        raise
    return writer.finish(schema)
