"""Fixtures that several test modules use."""

import os
from pathlib import Path

import polars as pl
import pytest
from doc_examples import examples  # noqa: F401 (a fixture)
from http_objects import large, large_bytes, server, small  # noqa: F401 (fixtures)
from parity import location, stored_tree, tree  # noqa: F401 (fixtures)
from places import azurite, moto, nginx, s3  # noqa: F401 (fixtures)
from rows import COLUMNS, make_rows, write


@pytest.fixture(params=["in-memory", "streaming"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines of Polars."""
    return request.param


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    """The rows of `path`."""
    return pl.DataFrame(make_rows(1000), schema=COLUMNS)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a thousand rows in many blocks."""
    return write(tmp_path_factory.mktemp("one") / "rows.avro", make_rows(1000))


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of `path` in four files, one of which has no rows, and an empty file between them."""
    folder = tmp_path_factory.mktemp("several")
    for name, first, n in (("a", 0, 300), ("b", 300, 0), ("d", 300, 500), ("e", 800, 200)):
        write(folder / f"{name}.avro", make_rows(n, first))
    (folder / "c.avro").touch()
    return folder


@pytest.fixture
def cli(capfd, monkeypatch):
    """The command line, run in this process."""
    # Other tests run without the libraries of the command line.
    from command_line import CommandLine

    return CommandLine(capfd, monkeypatch)


# Child processes import the installed package instead of the sources in the working directory.
os.environ["PYTHONSAFEPATH"] = "1"
