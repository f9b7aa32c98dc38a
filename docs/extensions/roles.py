"""Turns the Sphinx roles of docstrings, such as ``:func:`scan_avro```, into links of the site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROLE = re.compile(r":(func|class|meth|attr|mod|data):`([\w.]+)`")
_PACKAGE = "polars_avro"


class Roles(griffe.Extension):
    """Rewrites the docstrings of the package once it is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite all docstrings."""
        for found in _objects(pkg):
            if found.docstring is not None:
                found.docstring.value = _linked(found.docstring.value, found)


def _objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """Yield an object and all that are defined in it."""
    yield parent
    for member in parent.members.values():
        if not member.is_alias:
            yield from _objects(member)  # type: ignore[arg-type]


def _linked(text: str, owner: griffe.Object) -> str:
    scope = owner if owner.is_class else owner.parent

    def link(found: re.Match[str]) -> str:
        role, name = found.groups()
        if role in ("meth", "attr") and scope is not None:
            return f"[`{name}`][{scope.path}.{name}]"
        if "." not in name:
            return f"[`{name}`][{_PACKAGE}.{name}]"
        # Other projects' sites are not asked for their names.
        return f"[`{name}`][{name}]" if name.startswith(f"{_PACKAGE}.") else f"`{name}`"

    return _ROLE.sub(link, text)
