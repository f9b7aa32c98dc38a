"""The floor: reads the same bytes, splits them into blocks and decompresses these, without decoding.

On two threads it forks once, and each process takes half of the blocks. It walks the blocks in Python, which costs
about a microsecond a block: it is near the floor, not below it.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

import cramjam
import polars as pl

CODECS: dict[str, Callable[[memoryview], object]] = {
    "null": lambda block: block,
    "snappy": lambda block: cramjam.snappy.decompress_raw(block[:-4]),
    "deflate": lambda block: zlib.decompress(block, -15),
    "zstandard": cramjam.zstd.decompress,
}
SYNC = 16
BLOCKS_IN_RUN = 32
pools: list[tuple[Pool, int]] = []
children: list[float] = []


def start(threads: int) -> None:
    """Fork the processes that decompress."""
    if threads > 1:
        pools.append((get_context("fork").Pool(threads), threads))


def cpu() -> float:
    """Return the processor time of this process and its children."""
    return time.process_time() + sum(children)


def run(paths: list[str], _query: dict) -> pl.DataFrame:
    """Decompress every block, and return a frame with the number of rows in the block headers."""
    if not pools:
        return pl.DataFrame({"rows": [decompress(paths, 0, 1)[0]]})
    ((pool, parts),) = pools
    done = pool.starmap(decompress, [(paths, part, parts) for part in range(parts)], chunksize=1)
    children.extend(seconds for _, seconds in done)
    return pl.DataFrame({"rows": [sum(rows for rows, _ in done)]})


def decompress(paths: list[str], part: int, parts: int) -> tuple[int, float]:
    """Decompress every `parts`-th run of blocks, starting with the `part`-th. Return their rows and the time."""
    began, rows = time.process_time(), 0
    for path in paths:
        data = memoryview(Path(path).read_bytes())
        codec, at = header(data)
        for i, (count, block) in enumerate(blocks(data, at)):
            if i // BLOCKS_IN_RUN % parts == part:
                CODECS[codec](block)
                rows += count
    return rows, time.process_time() - began


def blocks(data: memoryview, at: int) -> Iterator[tuple[int, memoryview]]:
    """Yield the number of rows and the bytes of each block."""
    while at < len(data):
        count, at = varint(data, at)
        size, at = varint(data, at)
        yield count, data[at : at + size]
        at += size + SYNC


def header(data: memoryview) -> tuple[str, int]:
    """Return the codec and the offset of the first block."""
    meta: dict[bytes, bytes] = {}
    at = 4
    while True:
        count, at = varint(data, at)
        if count == 0:
            return meta.get(b"avro.codec", b"null").decode(), at + SYNC
        if count < 0:
            count, (_, at) = -count, varint(data, at)
        for _ in range(count):
            key, at = chunk(data, at)
            meta[key], at = chunk(data, at)


def chunk(data: memoryview, at: int) -> tuple[bytes, int]:
    """Return the length-prefixed bytes at a position, and the position after them."""
    size, at = varint(data, at)
    return bytes(data[at : at + size]), at + size


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the zigzag number at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value >> 1 ^ -(value & 1), at
        shift += 7
