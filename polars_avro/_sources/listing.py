"""Listing of patterns and directories as in Polars, for versions of Polars without a callable listing."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from polars.exceptions import ComputeError, InvalidOperationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAGIC = re.compile(r"[*?\[]")
#: A character class in a pattern.
CLASS = re.compile(r"\[!?.[^]]*\]")


def expand(paths: list[str], *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """List the files of each path, sorted by name, without empty files."""
    prefixes = tuple(hidden_file_prefix or ())
    files = []
    for path in paths:
        directory = os.path.isdir(path) or not glob
        candidates = _below(path) if directory else _matching(path)
        shown = (file for file in candidates if not os.path.basename(file).startswith(prefixes))
        listed = sorted(file for file in shown if os.path.getsize(file) > 0)
        if directory and len({os.path.splitext(file)[1] for file in listed}) > 1:
            raise several_extensions(path)
        files += listed
    return files


def several_extensions(directory: str) -> InvalidOperationError:
    """Return the error for a directory with files of several extensions."""
    msg = f"{directory}: the directory has files of several extensions; pass a pattern to select some"
    return InvalidOperationError(msg)


def invalid_pattern(pattern: str, part: str) -> ComputeError:
    """Return the error for a pattern with an invalid part."""
    msg = f"{pattern}: invalid glob pattern given, at {part!r}"
    return ComputeError(msg)


def _below(directory: str) -> Iterator[str]:
    """Yield all files below a directory, following links."""
    for folder, _, names in os.walk(directory, onerror=_raise, followlinks=True):
        for name in names:
            yield os.path.join(folder, name)


def _raise(error: OSError) -> None:
    raise error


def _matching(pattern: str) -> set[str]:
    drive, rest = os.path.splitdrive(pattern)
    root = drive + os.sep if rest.startswith(("/", os.sep)) else drive
    parts = [part for part in re.split(r"[/\\]" if os.sep == "\\" else "/", rest) if part]
    # As in Polars, only the first dot is dropped.
    parts = parts[1:] if not root and parts[0] == "." else parts
    for part in parts:
        if ("**" in part and part != "**") or "[" in CLASS.sub("", part):
            raise invalid_pattern(pattern, part)
    # A path that ends in a separator is a directory.
    return set() if rest.endswith(("/", os.sep)) else set(_steps(root, parts))


def _steps(folder: str, parts: list[str]) -> Iterator[str]:
    """Yield the files below a folder that match the remaining parts of a pattern."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        if rest:
            yield from _steps(folder, rest)
            for name in _names(folder):
                if os.path.isdir(os.path.join(folder, name)):
                    yield from _steps(os.path.join(folder, name), parts)
        return
    # Patterns match hidden files, and are case-sensitive.
    for name in [n for n in _names(folder) if fnmatchcase(n, part)] if _MAGIC.search(part) else [part]:
        path = os.path.join(folder, name)
        if rest and os.path.isdir(path):
            yield from _steps(path, rest)
        elif not rest and os.path.isfile(path):
            yield path


def _names(folder: str) -> list[str]:
    return os.listdir(folder or os.curdir)
