"""One file, from batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_avro._core import Writer
from polars_avro._writing.frames import core_frame, empty_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polars_avro._core import StoreTarget, WriteOptions
    from polars_avro._writing.options import FileOptions


class FileWriter:
    """
    Begins its file with the first frame, ends it once, and removes it after an error.

    A first frame that is refused for its columns touches nothing, so that another may follow.
    """

    def __init__(self, target: str | StoreTarget | Any, options: WriteOptions, files: FileOptions) -> None:
        self._target = target
        self._options = options
        self._files = files
        self._writer: Writer | None = None
        self.rows = 0

    @property
    def has_begun(self) -> bool:
        """Return whether a frame was taken."""
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
        """End the file, which has at least these columns; give its rows and its bytes."""
        if self._writer is None:
            self._writer = self._begin(empty_frame(schema))
        try:
            rows, _, n_bytes = self._writer.finish()
        except BaseException:
            self.abort()
            raise
        return rows, n_bytes

    def abort(self) -> None:
        """Leave everything as it was."""
        if self._writer is not None:
            self._writer.abort()

    def _begin(self, rows: Any) -> Writer:
        return Writer(
            self._target,
            rows,
            self._options,
            append=self._files.append,
            # Memory gets all or nothing, as a path does.
            hold=self._files.hold,
            mkdir=self._files.mkdir,
            sync_on_close=self._files.sync_on_close,
        )


def write_batches(writer: FileWriter, batches: Iterable[pl.DataFrame], schema: pl.Schema) -> tuple[int, int]:
    """Write a whole file; give its rows and its bytes."""
    try:
        for df in batches:
            writer.write(df)
    except BaseException:
        writer.abort()
        raise
    return writer.finish(schema)
