"""Runs the command line in this process or in a child process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import polars_avro
from polars_avro._cli.app import run

#: The directory of the tested package for child processes, which would import sources without an extension otherwise.
HOME = Path(polars_avro.__file__).parents[1]


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class CommandLine:
    """Runs commands in this process."""

    def __init__(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capfd = capfd
        self.monkeypatch = monkeypatch

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Outcome:
        self.capfd.readouterr()
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = run([str(argument) for argument in arguments])
        return Outcome(status, *self.capfd.readouterr())

    def good(self, *arguments: object, stdin: bytes = b"") -> list[str]:
        """Run a command that must succeed without errors or warnings, and return its lines."""
        outcome = self(*arguments, stdin=stdin)
        assert (outcome.status, outcome.err) == (0, "")
        return outcome.lines

    def refused(self, *arguments: object, status: int, stdin: bytes = b"") -> str:
        """Run a command that must fail, and return its single line on standard error."""
        outcome = self(*arguments, stdin=stdin)
        assert outcome.status == status
        assert outcome.err.startswith("polars-avro: error: ")
        assert outcome.err.count("\n") == 1
        return outcome.err


def process(*arguments: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a child process."""
    return subprocess.run(
        [sys.executable, "-m", "polars_avro", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=HOME,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )
