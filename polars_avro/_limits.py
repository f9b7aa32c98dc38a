"""Bounds on what reading a file may cost."""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass, fields
from typing import SupportsIndex


@dataclass(frozen=True)
class Limits:
    """
    Bounds on what reading a file may cost.

    The defaults are far above the values of ordinary files. A file that exceeds a limit raises :class:`AvroLimitError`,
    whose message names the limit. With ``ignore_errors`` a block that exceeds one is dropped like a damaged one.

    Attributes
    ----------
    header_bytes : int
        Bytes of a file header: 64 MiB.
    block_bytes : int
        Bytes of one block, or of one compressed datum in a column, after decompression: 1 GiB. The file itself bounds
        uncompressed blocks; with ``ignore_errors`` none of their records may be larger.
    schema_depth : int
        Depth of nested types in a schema: 128. Values above 256 count as 256.
    schema_nodes : int
        Number of types in a schema: 1,048,576.
    columns : int
        Number of columns of a schema, nested ones included: 131,072.
    data_depth : int
        Depth of one value of a recursive type, its unions, arrays and maps included: 256. Values above 256 count as
        256.
    zero_byte_items : int
        Number of items without bytes (nulls, records of no fields) in a block or an array: 16,777,216.
    bad_blocks : int
        Number of damaged blocks that one read may drop with ``ignore_errors``, and of irregular blocks that it reports:
        131,072.

    Raises
    ------
    TypeError
        If a limit is not an int.
    ValueError
        If a limit is negative.

    Examples
    --------
    >>> import polars_avro
    >>> limits = polars_avro.Limits(block_bytes=100)
    >>> polars_avro.read_avro("docs/sample.avro", limits=limits)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    polars_avro.AvroLimitError: docs/sample.avro: block 0 ... (limit `block_bytes`)
    """

    header_bytes: int = 64 << 20
    block_bytes: int = 1 << 30
    schema_depth: int = 128
    schema_nodes: int = 1 << 20
    columns: int = 1 << 17
    data_depth: int = 256
    zero_byte_items: int = 1 << 24
    bad_blocks: int = 1 << 17

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, SupportsIndex):
                msg = f"`{field.name}` must be an int, got {type(value).__name__!r}"
                raise TypeError(msg)
            number = operator.index(value)
            if number < 0:
                msg = f"`{field.name}` must not be negative, got {number}"
                raise ValueError(msg)
            if number > sys.maxsize:
                msg = f"`{field.name}` must be at most {sys.maxsize}, got {number}"
                raise ValueError(msg)
            # NumPy integers become Python integers.
            object.__setattr__(self, field.name, number)


DEFAULT_LIMITS = Limits()
