"""Expansion of patterns and directories into files, and detection of partitions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from polars.exceptions import ComputeError, InvalidOperationError

from polars_avro import _options
from polars_avro._errors import AvroUnsupportedError
from polars_avro._sources import hidden, inputs, listing, store_listing, stores
from polars_avro._sources.hive import Hive, start
from polars_avro._sources.inputs import Contents, UriPath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polars._typing import SchemaDict

    from polars_avro._sources.stores import Stores


def expand(
    named: list[str] | list[Contents],
    list_files: Callable[..., list[str]],
    *,
    glob: bool,
    hidden_file_prefix: str | Sequence[str] | None,
    in_stores: Stores | None = None,
    may_lack_files: bool = False,
) -> list[str] | list[Contents]:
    """
    List the files of paths, patterns and directories, in order. Empty files are skipped unless they are passed by path.

    In a list, each pattern and directory must have a file unless `may_lack_files`, so that rows are not lost silently.
    """
    if isinstance(hidden_file_prefix, str):
        hidden_file_prefix = [hidden_file_prefix]
    if "" in (hidden_file_prefix or ()):
        msg = "`hidden_file_prefix` must not be empty: every name begins with it"
        raise ValueError(msg)
    if not named or not isinstance(named[0], str):
        return named
    files: list[str] = []
    for path in named:
        assert isinstance(path, str)
        if in_stores is None and stores.is_remote(path):
            msg = f"{stores.shown(path)}: only local files are supported here, scan_avro and read_avro read stores"
            raise AvroUnsupportedError(msg)
        if not inputs.is_glob_or_directory(path, glob=glob):
            files.append(path)
            continue
        if in_stores is not None and stores.is_remote(path):
            expanded = store_listing.expand(path, in_stores, glob=glob, hidden_file_prefix=hidden_file_prefix)
        else:
            # A directory whose name contains pattern characters is not a pattern.
            is_pattern = glob and inputs.is_glob(path)
            try:
                expanded = list_files([str(path)], glob=is_pattern, hidden_file_prefix=hidden_file_prefix)
            except ComputeError as error:
                named_in = "" if str(path) in str(error) else f"{stores.shown(str(path))}: "
                msg = f"{named_in}{error}; pass glob=False to treat it as a name"
                raise ComputeError(msg) from None
            except InvalidOperationError as error:
                advice = "" if is_pattern else _advice(path, may_hide=not hidden_file_prefix)
                raise InvalidOperationError(f"{error}{advice}") from None
            expanded = list(map(UriPath, expanded)) if isinstance(path, UriPath) else expanded
        if not expanded and len(named) > 1 and not may_lack_files:
            raise no_files([path], glob=glob)
        files += expanded
    return files


def _advice(directory: str, *, may_hide: bool) -> str:
    """Return the end of the message about a directory with files of several extensions."""
    files = list(listing.below(directory))
    if may_hide and (advice := hidden.hint(filter(os.path.getsize, files))):
        return advice
    pattern = f"{directory.rstrip('/')}/**/*.avro"
    advice = f"; {pattern!r} reads its Avro files"
    is_partitioned = any("=" in os.path.dirname(os.path.relpath(file, directory)) for file in files)
    return f"{advice}, and hive_partitioning=True the columns in their paths" if is_partitioned else advice


def no_files(named: list[str] | list[Contents], *, glob: bool, advice: str = "") -> Exception:
    """Return the error for sources without any file."""
    if not named:
        return ValueError(f"expected at least one source, got an empty list{advice}")
    names = [stores.shown(inputs.label(path)) for path in named]
    msg = f"no file found for {', '.join(names)}, or only empty ones"
    if glob and any("[" in name for name in names):
        msg += "; pass glob=False to treat brackets as characters"
    return FileNotFoundError(msg)


def hive(
    paths: list[str] | list[Contents],
    *,
    partitioning: bool | None,
    schema: SchemaDict | None,
    parse_dates: bool,
) -> Hive | None:
    """Return the options of partitions in paths. By default only a single directory has partitions."""
    if partitioning is False and schema is not None:
        msg = "a hive schema was given but hive_partitioning was disabled"
        raise ComputeError(msg)
    if partitioning is False or not paths:
        return None
    if not isinstance(paths[0], str):
        if partitioning or schema is not None:
            msg = "columns from paths need paths: bytes, file-likes and files that fsspec opens have none"
            raise AvroUnsupportedError(msg)
        return None
    if partitioning is None and schema is None and not (len(paths) == 1 and inputs.is_directory(paths[0])):
        return None
    roots = [str(path) for path in paths]
    directories = [inputs.is_directory(path) for path in roots]
    dtypes = None if schema is None else _options.dtypes("hive_schema", schema)
    return Hive(start(roots, directories=directories), dtypes, parse_dates)
