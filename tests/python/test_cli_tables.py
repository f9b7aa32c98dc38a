"""The width of the tables that `head`, `tail` and `sample` print."""

import os
import sys

import polars as pl
import pytest
from command_line import HOME

import polars_avro

WORDS = "the quick brown fox jumps over the lazy dog " * 10


@pytest.fixture
def words(tmp_path):
    polars_avro.write_avro(
        pl.DataFrame({"a": [1, 2], "s": [WORDS, "x"], "l": [list(range(9))] * 2}), tmp_path / "w.avro"
    )
    return tmp_path / "w.avro"


@pytest.mark.parametrize("width", [60, 80, 133, 200])
def test_texts_fill_the_terminal(cli, words, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli.good("head", words)
    assert {len(line) for line in lines[:-1]} == {width}
    # A head of four lines, two rows, the bottom and the counts.
    assert len(lines) == 9


def test_narrow_columns_are_not_left_out(cli, tmp_path, monkeypatch):
    polars_avro.write_avro(pl.DataFrame({f"c{i}": ["abc"] for i in range(12)}), tmp_path / "a.avro")
    monkeypatch.setenv("COLUMNS", "80")
    assert not any("…" in line for line in cli.good("head", tmp_path / "a.avro"))
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli.good("head", tmp_path / "a.avro")
    assert max(map(len, lines)) <= 60
    assert "…" in lines[1]


def test_later_rows_may_be_wider(cli, tmp_path, monkeypatch):
    df = pl.DataFrame({f"c{i}": ["abc"] * 500 + ["a longer text"] for i in range(12)})
    polars_avro.write_avro(df, tmp_path / "a.avro")
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, cli.good("head", "-n", 501, tmp_path / "a.avro"))) <= 80


@pytest.mark.parametrize("command", ["head", "tail", "sample"])
def test_whole_values(cli, words, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = cli.good(command, "--full", words)
    assert WORDS in lines[5]
    assert "[0, 1, 2, 3, 4, 5, 6, 7, 8]" in lines[5]
    assert lines[-1] == "2 rows, 3 columns"


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_the_width_of_a_terminal(words):
    import fcntl
    import pty
    import struct
    import subprocess
    import termios

    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 97, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "polars_avro", "head", str(words)]
    subprocess.run(command, stdout=theirs, cwd=HOME, env=environment, check=True)
    os.close(theirs)
    with open(mine, "rb") as terminal:
        assert len(terminal.readline().decode().rstrip()) == 97
