"""Targets of writes: paths, objects in stores, and file-likes."""

from __future__ import annotations

import errno
import os
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from polars_avro._errors import AvroUnsupportedError
from polars_avro._sources import inputs, stores
from polars_avro._sources.inputs import FsspecPath
from polars_avro._writing.files import WholeTarget
from polars_avro._writing.options import FileOptions, SyncOnClose

if TYPE_CHECKING:
    from polars_avro._core import StoreTarget
    from polars_avro._sources.stores import CredentialProvider, StorageOptions, Stores

Target: TypeAlias = "str | os.PathLike[str] | IO[bytes] | FsspecPath"
"""A path, the URL of an object in a store, or a file-like that takes bytes: any object with ``write()``."""

ACCEPTED = (
    "a str, a path, the URL of an object in a store, a BytesIO, a file opened for writing bytes, "
    "any object with write(), or a file of fsspec"
)


def normalize_target(target: Any) -> str | Any:
    """Return a target as a local path, the URL of an object in a store, or a file-like."""
    if not isinstance(target, str) and inputs.is_fsspec_file(target):
        place = _target_of_fsspec(target)
        return normalize_path(place) if isinstance(place, str) else place
    if isinstance(target, (str, os.PathLike)):
        path = os.fspath(target)
        if not isinstance(path, str):
            msg = f"cannot write Avro to a path of {type(path).__name__!r}: expected {ACCEPTED}"
            raise TypeError(msg)
        if not path:
            msg = "`target` must be the path of a file, got an empty str"
            raise ValueError(msg)
        return normalize_path(path)
    if not callable(getattr(target, "write", None)):
        msg = f"cannot write Avro to {type(target).__name__!r}: expected {ACCEPTED}"
        raise TypeError(msg)
    if hasattr(target, "encoding") and hasattr(target, "errors"):
        msg = f"cannot write Avro to {type(target).__name__!r}, which takes text: open the file in binary mode"
        raise TypeError(msg)
    if callable(is_writable := getattr(target, "writable", None)) and not is_writable():
        msg = "cannot write Avro to a file that is open for reading: open it with mode 'wb'"
        raise ValueError(msg)
    return target


def path_of(target: Any, argument: str) -> Any:
    """Return the path or the URL of a file of fsspec, any other target unchanged. Raises if only fsspec can open it."""
    if isinstance(target, str) or not inputs.is_fsspec_file(target):
        return target
    place = _target_of_fsspec(target)
    if not isinstance(place, str):
        msg = f"{place.name}: {argument} must be local or in a store that this package writes"
        raise AvroUnsupportedError(msg)
    return place


def _target_of_fsspec(source: Any) -> str | WholeTarget:
    from polars_avro._writing.fsspec_targets import target_of

    return target_of(source)


def normalize_path(path: str) -> str:
    """Return a local path, or the URL of an object in a store."""
    if not stores.is_remote(path):
        return inputs.local_path(path)
    if stores.is_web(path):
        msg = (
            f"{stores.shown(path)}: cannot write over HTTP: write to a store (s3:// gs:// az:// abfss://) or to a path"
        )
        raise AvroUnsupportedError(msg)
    return path


def name_of(place: str | Any) -> str:
    """Return the name of a target for messages."""
    if isinstance(place, WholeTarget):
        return place.name
    return stores.shown(place) if isinstance(place, str) else f"<{type(place).__name__}>"


def join(directory: str, *names: str) -> str:
    """Join a directory and names into a path or a URL. A name that is an absolute URL is returned unchanged."""
    if stores.is_remote(directory):
        return names[-1] if stores.is_remote(names[-1]) else "/".join([directory.removesuffix("/"), *names])
    if stores.is_remote(names[-1]):
        msg = f"{stores.shown(names[-1])}: a file below a local directory cannot be in a store"
        raise AvroUnsupportedError(msg)
    return os.path.join(directory, *names)


def stores_of(
    place: str | Any, storage_options: StorageOptions | None, credential_provider: CredentialProvider, caller: str
) -> Stores:
    """Check the options of the store of a target."""
    return stores.stores([place] if isinstance(place, str) else [], storage_options, credential_provider, caller)


def open_target(place: str | Any, in_stores: Stores) -> str | StoreTarget | Any:
    """Replace the URL of an object in a store by its target. Sends no request."""
    remote = isinstance(place, str) and stores.is_remote(place)
    return in_stores.targets().target(place) if remote else place


def file_options(
    target: str | Any, *, append: bool, mkdir: bool, sync_on_close: SyncOnClose | None, renames: bool = False
) -> FileOptions:
    """Say how the bytes of a target become visible. `renames` says that a new file's record has a name or a text."""
    if isinstance(target, str) and not stores.is_remote(target) and _names_directory(target):
        msg = "Is a directory: name a file in it, or pass a `pl.PartitionBy` to `write_avro` or `sink_avro`"
        raise IsADirectoryError(errno.EISDIR, msg, target)
    if not append and isinstance(target, str) and target.lower().endswith(inputs.COMPRESSED):
        msg = f"{stores.shown(target)}: files are not compressed as a whole; `compression` compresses their blocks"
        raise ValueError(msg)
    if append and not isinstance(target, str):
        msg = f"{name_of(target)}: `append` needs a local path"
        raise ValueError(msg)
    if append and stores.is_remote(target):
        msg = (
            f"{stores.shown(target)}: `append` needs a local file, and is not possible in stores: write another object"
        )
        raise AvroUnsupportedError(msg)
    if append and os.path.exists(target) and not os.path.isfile(target):
        msg = f"{target}: `append` needs a file, not a pipe or a device"
        raise ValueError(msg)
    if append and renames and os.path.exists(target):
        msg = f"{target}: cannot append with `name`, `namespace` or `doc`: the header is written already"
        raise ValueError(msg)
    if sync_on_close not in (None, "data", "all"):
        msg = f"`sync_on_close` must be None, 'data' or 'all', got {sync_on_close!r}"
        raise ValueError(msg)
    return FileOptions(isinstance(target, BytesIO), bool(append), bool(mkdir), sync_on_close)


def _names_directory(path: str) -> bool:
    return path.endswith(("/", os.sep)) or os.path.isdir(path)
