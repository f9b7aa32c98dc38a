"""Names that error messages suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: The most names that a message lists.
_LISTED = 20


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return at most three of the names that are spelt like `name`, the most similar first."""
    # Only errors need it, and its import takes longer than reading a small file.
    from difflib import get_close_matches

    by_folded: dict[str, str] = {}
    for each in names:
        by_folded.setdefault(each.casefold(), each)
    return [by_folded[match] for match in get_close_matches(name.casefold(), by_folded)]


def hint(name: str, names: Collection[str], noun: str, *, prefix: str = "") -> str:
    """Return the end of a message about an unknown name: the nearest names, or a list of the first ones."""
    if near := nearest(name, names):
        return f"; did you mean {' or '.join(repr(prefix + each) for each in near)}?"
    listed = ", ".join(prefix + each for each in list(names)[:_LISTED])
    more = f", and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"; the {noun} are {listed}{more}"
