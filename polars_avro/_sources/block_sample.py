"""How densely rows lie in a file, going by the header of its first block."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polars_avro._core import ContainerFile

#: Two numbers of ten bytes each at most.
_HEADER_BYTES = 20


def rows_per_byte(path: str, file: ContainerFile) -> float | None:
    """Give the rows of the first block by its bytes; None if there is no block, or its header makes no sense."""
    with open(path, "rb") as opened:
        opened.seek(file.header_size)
        header = opened.read(_HEADER_BYTES)
    rows, end = _number(header, 0)
    data, end = _number(header, end)
    framed = end + data + len(file.sync_marker)
    return rows / framed if rows > 0 and data >= 0 and framed <= file.size - file.header_size else None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read one of Avro's numbers, and give the offset after it; -1 if it is cut short."""
    value = shift = 0
    for index in range(at, len(data)):
        value |= (data[index] & 127) << shift
        shift += 7
        if data[index] < 128:
            return value >> 1 ^ -(value & 1), index + 1
    return -1, len(data)
