"""Files that several test modules read."""

import os
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
from places import azurite, moto, nginx  # noqa: F401 (fixtures)

SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "score", "type": ["null", "double"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
COLUMNS = {"id": pl.Int64, "name": pl.String, "score": pl.Float64, "tags": pl.List(pl.String)}


def make_rows(n: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {"id": i, "name": f"name {i}", "score": None if i % 7 == 3 else i / 4, "tags": ["tag"] * (i % 3)}
        for i in range(first, first + n)
    ]


def write(path: Path, rows: list[dict[str, Any]], schema: Any = SCHEMA, **options: Any) -> Path:
    """Small blocks, unless `options` say otherwise: most of what can go wrong happens between blocks."""
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, **{"codec": "deflate", "sync_interval": 400, **options})
    return path


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    """The rows of `path`."""
    return pl.DataFrame(make_rows(1000), schema=COLUMNS)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of a thousand rows in many blocks."""
    return write(tmp_path_factory.mktemp("one") / "rows.avro", make_rows(1000))


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of `path` in four files, one of them without rows, and an empty file between them."""
    folder = tmp_path_factory.mktemp("several")
    for name, first, n in (("a", 0, 300), ("b", 300, 0), ("d", 300, 500), ("e", 800, 200)):
        write(folder / f"{name}.avro", make_rows(n, first))
    (folder / "c.avro").touch()
    return folder


@pytest.fixture
def cli(capfd, monkeypatch):
    """The command line, run in this process."""
    # Without the libraries it needs, other tests run all the same.
    from command_line import CommandLine

    return CommandLine(capfd, monkeypatch)


# Processes that tests start import the installed package, not the sources in the working directory.
os.environ["PYTHONSAFEPATH"] = "1"
