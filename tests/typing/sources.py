"""Sources that type checkers must accept; mypy reads this file, nothing runs it."""

import gzip
import io
from pathlib import Path

import polars_avro


class Stream:
    """Has `read` and nothing else."""

    def read(self) -> bytes:
        """Give no bytes."""
        return b""


class PathOfFsspec:
    """Has what the packages fsspec and universal_pathlib have."""

    path = "a.avro"
    fs = None


def sources(path: Path, text: str) -> None:
    """Pass every kind of source."""
    with gzip.open(path) as file:
        polars_avro.read_avro(file)
    polars_avro.read_avro(Stream())
    polars_avro.read_avro(PathOfFsspec())
    polars_avro.write_avro(polars_avro.read_avro([PathOfFsspec()]), PathOfFsspec())
    polars_avro.scan_avro([text, path])
    polars_avro.scan_avro([text])
    polars_avro.scan_avro([path])
    polars_avro.scan_avro(path.glob("*.avro"))
    polars_avro.scan_avro(line.strip() for line in text.splitlines())
    polars_avro.plan_splits(sorted(path.iterdir()))
    polars_avro.scan_avro([io.BytesIO(), b"", bytearray(), Stream()])
    polars_avro.read_avro(memoryview(b""))
    polars_avro.AvroReader(path.open("rb"))
    polars_avro.read_avro_schema(bytearray())
