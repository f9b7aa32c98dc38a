"""Eager and lazy writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_avro._writing.frames import core_frame
from polars_avro._writing.options import AvroCompression, FileOptions, SyncOnClose, core_options
from polars_avro._writing.targets import Target, normalize_target, open_writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polars_avro._schemas import AvroSchema


def write_avro(
    df: pl.DataFrame,
    target: Target,
    compression: AvroCompression = "snappy",
    name: str = "",
    *,
    compression_level: int | None = None,
    avro_schema: AvroSchema | None = None,
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
    """Write."""
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
    place = normalize_target(target)
    rows = core_frame(df)
    writer = open_writer(place, rows, options, FileOptions(append, mkdir, sync_on_close))
    writer.write(rows)
    writer.finish()
