"""Listing of patterns and directories in stores. Polars' own listing misses keys with special characters."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from polars_avro._sources import hidden, listing
from polars_avro._sources.stores import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_avro._sources.stores import Stores

_MAGIC = re.compile(r"[*?\[]")
_TOKEN = re.compile(rf"{listing.CLASS.pattern}|.", re.DOTALL)


def expand(url: str, in_stores: Stores, *, glob: bool, hidden_file_prefix: Sequence[str] | None) -> list[str]:
    """List the objects of a pattern or a directory, sorted by key, without empty objects."""
    magic = _MAGIC.search(url) if glob else None
    # The longest directory prefix without pattern characters is listed, and the rest is matched.
    directory = url if magic is None else url[: url.rindex("/", 0, magic.start()) + 1]
    is_wanted = None if magic is None else _compile(url[len(directory) :], url)
    prefixes = tuple(hidden_file_prefix or ())
    files = [
        file
        for file, size in in_stores.list_directory(directory)
        if size > 0
        and (is_wanted is None or is_wanted.fullmatch(file[len(directory) :]))
        and not file.rpartition("/")[2].startswith(prefixes)
    ]
    if is_wanted is None and len({os.path.splitext(file)[1] for file in files}) > 1:
        raise listing.several_extensions(shown(url), "" if prefixes else hidden.hint(files))
    return files


def _compile(pattern: str, url: str) -> re.Pattern[str]:
    """Compile a pattern of keys into a regular expression. `**` matches any directories."""
    parts = pattern.split("/")
    text = ""
    for part, is_last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True):
        if part == "**":
            text += ".*" if is_last else "(?:.*/)?"
            continue
        if "**" in part or "[" in listing.CLASS.sub("", part):
            raise listing.invalid_pattern(shown(url), part)
        text += "".join(map(_translate, _TOKEN.findall(part))) + ("" if is_last else "/")
    return re.compile(text, re.DOTALL)


def _translate(token: str) -> str:
    """Translate a wildcard, a class or a character of a pattern into a regular expression."""
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if len(token) == 1:
        return re.escape(token)
    is_negated = token.startswith("[!")
    # In a class only ranges keep their meaning; other characters are escaped.
    inside = re.sub(r"([\\^&~|\[\]])", r"\\\1", token[2 if is_negated else 1 : -1])
    return f"[^/{inside}]" if is_negated else f"[{inside}]"
