"""Patterns and directories as files, and where their partitions begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import ComputeError

from polars_avro._sources import inputs, stores
from polars_avro._sources.hive import Hive, start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars._typing import SchemaDict

    from polars_avro._sources.stores import Stores


def expand(
    named: list[str] | list[bytes],
    list_files: Callable[..., list[str]],
    *,
    glob: bool,
    hidden_file_prefix: str | Sequence[str] | None,
    in_stores: Stores,
) -> list[str] | list[bytes]:
    """List the files that paths stand for, in their order; empty ones are left out where they are not named."""
    if isinstance(hidden_file_prefix, str):
        hidden_file_prefix = [hidden_file_prefix]
    if isinstance(named[0], bytes):
        return named
    paths = [str(path) for path in named]
    files: list[str] = []
    for path in paths:
        many = inputs.is_glob_or_directory(path, glob=glob)
        # Polars leaves empty files out.
        if not many:
            files.append(path)
        elif stores.is_remote(path):
            files += in_stores.expand(path, list_files, glob=glob, hidden_file_prefix=hidden_file_prefix)
        else:
            files += list_files([path], glob=glob, hidden_file_prefix=hidden_file_prefix)
    if not files:
        msg = f"no file found for {', '.join(map(stores.shown, paths))}, or only empty ones"
        raise FileNotFoundError(msg)
    return files


def hive(
    paths: list[str] | list[bytes],
    *,
    partitioning: bool | None,
    schema: SchemaDict | None,
    parse_dates: bool,
) -> Hive | None:
    """Say how partitions are read below paths that a user has named: on its own for a single directory."""
    if partitioning is False and schema is not None:
        msg = "a hive schema was given but hive_partitioning was disabled"
        raise ComputeError(msg)
    if partitioning is False or not isinstance(paths[0], str):
        return None
    if partitioning is None and schema is None and not (len(paths) == 1 and inputs.is_directory(paths[0])):
        return None
    roots = [str(path) for path in paths]
    directories = [inputs.is_directory(path) for path in roots]
    dtypes = None if schema is None else tuple(pl.DataFrame(schema=schema).schema.items())
    return Hive(start(roots, directories=directories), dtypes, parse_dates)
