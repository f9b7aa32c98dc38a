"""Blocks of Ray Data as Avro files."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING, Any

import polars as pl
from ray.data import Datasink
from ray.data.block import BlockAccessor

import polars_avro

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from ray.data._internal.execution.interfaces import TaskContext
    from ray.data.block import Block
    from ray.data.datasource import WriteResult


class AvroDatasink(Datasink):
    """Writes a file a task into a directory."""

    def __init__(self, path: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
        self._folder = os.fspath(path)
        self._options = dict(options)
        #: Tells the files of this job from others; a task that runs again writes the same file.
        self._job = uuid.uuid4().hex

    def on_write_start(self, schema: pa.Schema | None = None) -> None:
        """Make the directory."""
        os.makedirs(self._folder, exist_ok=True)

    def write(self, blocks: Iterable[Block], ctx: TaskContext) -> str | None:
        """Write the blocks of a task, and give the path of its file; no rows make no file."""
        tables = (BlockAccessor.for_block(block).to_arrow() for block in blocks)
        frames = [frame for frame in map(_frame, tables) if frame.height]
        if not frames:
            return None
        path = os.path.join(self._folder, f"{self._job}-{ctx.task_idx:06}.avro")
        polars_avro.write_avro(pl.concat(frames), path, **self._options)
        return path

    def on_write_complete(self, write_result: WriteResult[str | None]) -> None:
        """Keep the files."""

    def on_write_failed(self, error: Exception) -> None:
        """Remove the files of tasks that had finished."""
        for name in os.listdir(self._folder) if os.path.isdir(self._folder) else ():
            if name.startswith(self._job):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, name))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
