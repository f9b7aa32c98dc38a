"""
Runs the code in the documentation.

The Python blocks of a page run in order, as one program, in a directory with the files of ``docs/make_examples.py``. An
HTML comment before a block changes that: ``<!-- not run: why -->`` skips it, ``<!-- raises: Error -->`` expects an
error, and ``<!-- needs: name -->`` skips it if the package lacks the name. A comment that begins with ``<!-- setup``
contains hidden code.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polars_avro

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r"^(?:<!-- (?P<note>not run|raises|needs): (?P<what>[^>]*?) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>py\w*|sh|console)\b[^\n]*\n"
    r"(?P<code>.*?)^(?P=indent)```|^<!-- setup\n(?P<setup>.*?)^-->",
    re.MULTILINE | re.DOTALL,
)


def blocks(page, *languages):
    """Yield the line, the note and the code of each block."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        if found["setup"] is not None or found["language"] in languages:
            place = found.start("setup" if found["setup"] is not None else "code")
            code = found["setup"] if found["setup"] is not None else found["code"]
            indent = found["indent"] or ""
            code = "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))
            yield text.count("\n", 0, place), found["note"], found["what"], code


def is_left_out(note, what):
    return note == "not run" or (note == "needs" and not hasattr(polars_avro, what))


# The guide to datums needs a registry: `test_docs_datums.py` runs it.
PROGRAMS = [page for page in PAGES if any(blocks(page, "python", "py")) and page.name != "datums.md"]


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_python_of_a_page_runs(page, examples, monkeypatch):
    monkeypatch.chdir(examples)
    names = {"__name__": "__main__"}
    for line, note, what, code in blocks(page, "python", "py"):
        if is_left_out(note, what):
            continue
        # Tracebacks show the line of the page.
        program = compile("\n" * line + code, str(page), "exec")
        if note == "raises":
            with pytest.raises(Exception) as caught:  # noqa: PT011
                exec(program, names)
            assert what in [kind.__name__ for kind in type(caught.value).__mro__]
        else:
            exec(program, names)


def test_every_block_was_seen():
    """The expression matches as many blocks as there are fences."""
    for page in PAGES:
        fences = re.findall(r"^ *```(?:python|py)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
        setups = page.read_text(encoding="utf-8").count("<!-- setup\n")
        assert len(list(blocks(page, "python", "py"))) == len(fences) + setups


def test_what_is_not_run_says_why():
    for page in PAGES:
        for line, note, what, _ in blocks(page, "python", "py"):
            assert note != "not run" or len(what) > 10, f"{page}:{line}"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize("page", [ROOT / "docs" / "command-line.md"], ids=["command-line.md"])
def test_commands_of_a_page_run(page, examples, tmp_path):
    """Shell blocks run line by line, with the same streams and files as in a terminal."""
    script = tmp_path / "bin" / "polars-avro"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m polars_avro "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join((str(script.parent), os.environ["PATH"]))
    package = str(Path(polars_avro.__file__).parents[1])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": package, "COLUMNS": "100"}
    ran = 0
    for _, note, what, code in blocks(page, "sh"):
        if is_left_out(note, what):
            continue
        for command in code.strip().splitlines():
            expected = int(match[1]) if (match := re.search(r"# exit status (\d)", command)) else 0
            done = subprocess.run(
                ["sh", "-c", command], cwd=examples, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == expected, (command, done.stderr)
            ran += 1
    assert ran > 10
