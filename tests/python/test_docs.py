"""
Runs the code in the documentation.

The Python blocks of a page run in order, as one program, beside the files that ``docs/make_examples.py`` writes. The
README, the front page and the first steps run in an empty directory. A comment of HTML before a block changes that:
``<!-- not run: why -->`` leaves it out, ``<!-- raises: Error -->`` expects an error, ``<!-- needs: name -->`` leaves it
out where the package has no such name. A comment that begins with ``<!-- setup`` holds code that readers need not see.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl
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


#: Pages that write every file that they read, so they run in an empty directory.
SELF_CONTAINED = (ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "installation.md")
# The guide to datums needs a registry: `test_docs_datums.py` runs it.
PROGRAMS = [page for page in PAGES if any(blocks(page, "python", "py")) and page.name != "datums.md"]


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.filterwarnings("ignore::polars_avro.AvroWarning")
def test_python_of_a_page_runs(page, examples, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path if page in SELF_CONTAINED else examples)
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


@pytest.fixture
def shell(tmp_path_factory):
    """Environment variables of a shell that finds the command and the package."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "polars-avro"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m polars_avro "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    package = str(Path(polars_avro.__file__).parents[1])
    return {**os.environ, "PATH": path, "PYTHONPATH": package, "COLUMNS": "100"}


@pytest.fixture
def execute(shell, cli, monkeypatch):
    """Runs a line of a shell in the working directory, and returns its status and its output on standard error."""
    monkeypatch.setenv("COLUMNS", shell["COLUMNS"])

    def execute(command):
        # A process takes much longer, so only pipes, redirections and patterns have a shell.
        if re.search(r"[|<>*~]", command):
            done = subprocess.run(["sh", "-c", command], env=shell, capture_output=True, text=True, check=False)
            return done.returncode, done.stderr
        name, *arguments = shlex.split(command, comments=True)
        assert name == "polars-avro"
        outcome = cli(*arguments)
        return outcome.status, outcome.err

    return execute


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize("page", [ROOT / "docs" / "command-line.md"], ids=["command-line.md"])
def test_commands_of_a_page_run(page, examples, execute, monkeypatch):
    """Shell blocks run line by line, with the same streams and files as in a terminal."""
    monkeypatch.chdir(examples)
    ran = 0
    for _, note, what, code in blocks(page, "sh"):
        if is_left_out(note, what):
            continue
        for command in code.strip().splitlines():
            expected = int(match[1]) if (match := re.search(r"# exit status (\d)", command)) else 0
            status, errors = execute(command)
            assert status == expected, (command, errors)
            ran += 1
    assert ran > 10


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize("page", SELF_CONTAINED, ids=lambda page: page.name)
def test_first_steps_run_in_any_directory(page, shell, tmp_path):
    """The code is a program of its own, and commands read the files that it writes."""
    program = "".join(code for *_, code in blocks(page, "python", "py"))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=shell, capture_output=True, check=True)
    lines = [line for *_, code in blocks(page, "sh") for line in code.splitlines() if line.startswith("polars-avro ")]
    for command in lines:
        subprocess.run(["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, check=True)
    assert lines or page.name != "installation.md"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_commands_of_the_migration_table_run(execute, tmp_path, monkeypatch):
    """The last column of the table, with the files that it names."""
    monkeypatch.chdir(tmp_path)
    rows = pl.DataFrame({"a": range(3), "b": ["x", "y", "z"]})
    for name in ("a.avro", "b.avro", "bad.avro"):
        polars_avro.write_avro(rows, tmp_path / name)
    schema = polars_avro.read_avro_metadata(tmp_path / "a.avro").avro_schema
    (tmp_path / "a.avsc").write_text(schema)
    (tmp_path / "a.json").write_text(
        "".join(f'{{"a":{{"long":{i}}},"b":{{"string":"{b}"}}}}\n' for i, b in rows.iter_rows())
    )
    (tmp_path / "p.avpr").write_text(f'{{"protocol": "P", "types": [{schema}]}}')
    rows.write_ndjson(tmp_path / "a.ndjson")
    with (tmp_path / "bad.avro").open("ab") as file:
        file.write(bytes(100))
    text = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    commands = re.findall(r"\| `(polars-avro [^`]+)` \|$", text, re.MULTILINE)
    for command in commands:
        status, errors = execute(command)
        assert status == (1 if re.search(" (check|repair) ", command) else 0), (command, errors)
    assert len(commands) == 20
    assert polars_avro.read_avro(tmp_path / "all.avro").height == 6
    assert polars_avro.read_avro(tmp_path / "d.avro").equals(rows)
    assert polars_avro.read_avro(tmp_path / "e.avro").equals(rows)
