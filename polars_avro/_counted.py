"""Numbers with their nouns, for messages."""

from __future__ import annotations


def counted(n: int, noun: str) -> str:
    """Return a number and its noun: ``1 row``, ``2 rows``."""
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def were(n: int, noun: str) -> str:
    """Return a number, its noun and the verb: ``1 row was``, ``2 rows were``."""
    return f"{counted(n, noun)} {'was' if n == 1 else 'were'}"
