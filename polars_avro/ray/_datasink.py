"""Blocks of Ray Data as Avro files."""

from __future__ import annotations

import contextlib
import inspect
import os
import uuid
from typing import TYPE_CHECKING, Any

import polars as pl
from ray.data import Datasink
from ray.data.block import BlockAccessor

from polars_avro._sources import stores
from polars_avro._writer import AvroWriter
from polars_avro._writing.targets import join, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from ray.data._internal.execution.interfaces import TaskContext
    from ray.data.block import Block
    from ray.data.datasource import WriteResult


class AvroDatasink(Datasink):
    """Writes one file per task into a directory."""

    def __init__(self, path: str | os.PathLike[str], options: Mapping[str, Any]) -> None:
        accepted = set(inspect.signature(AvroWriter.__init__).parameters) - {"self", "target", "schema", "append"}
        for name in options:
            if name not in accepted:
                msg = f"`{name}` is not an option of `AvroWriter`: expected one of {', '.join(sorted(accepted))}"
                raise TypeError(msg)
        self._folder = normalize_path(os.fspath(path))
        self._options = dict(options)
        #: The prefix of this job's files. A task that is repeated writes the same file.
        self._job = uuid.uuid4().hex

    def on_write_start(self, schema: pa.Schema | None = None) -> None:
        """Make the directory. In a store, check the options instead."""
        if stores.is_remote(self._folder):
            self._stores("polars_avro.ray.write_avro")
        else:
            os.makedirs(self._folder, exist_ok=True)

    def write(self, blocks: Iterable[Block], ctx: TaskContext) -> str | None:
        """Write the blocks of a task and return the path of its file, or None if there are no rows."""
        path = join(self._folder, f"{self._job}-{ctx.task_idx:06}.avro")
        with AvroWriter(path, **self._options) as writer:
            for block in blocks:
                frame = _frame(BlockAccessor.for_block(block).to_arrow())
                if frame.height:
                    writer.write(frame)
            if writer.rows_written == 0:
                writer.abort()
                return None
        return path

    def on_write_complete(self, write_result: WriteResult[str | None]) -> None:
        """Keep the files, and remove temporary files of workers that died."""
        if not stores.is_remote(self._folder):
            self._remove(f".{self._job}")

    def on_write_failed(self, error: Exception) -> None:
        """Remove the files of finished tasks."""
        if stores.is_remote(self._folder):
            self._stores("polars_avro.ray.write_avro").remove(self._folder, self._job)
            return
        self._remove(self._job, f".{self._job}")

    def _remove(self, *prefixes: str) -> None:
        for name in os.listdir(self._folder) if os.path.isdir(self._folder) else ():
            if name.startswith(prefixes):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, name))

    def _stores(self, caller: str) -> stores.Stores:
        options, provider = self._options.get("storage_options"), self._options.get("credential_provider", "auto")
        return stores.stores([join(self._folder, "x")], options, provider, caller)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
