"""The files that examples in the documentation read."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    """A directory with the files of the documentation."""
    root = tmp_path_factory.mktemp("docs")
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        runpy.run_path(str(ROOT / "docs" / "make_examples.py"))["write_all"](root)
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return root
