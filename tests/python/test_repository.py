"""The repository for new contributors: sources without the extension module, links and paths in the documentation."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DEVELOPMENT = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "development").glob("*.md"))]
#: Words in backticks that begin with these are paths.
FOLDERS = ("src/", "polars_avro/", "tests/", "docs/", "benches/", ".ci/", ".github/")


def identify(page):
    return str(page.relative_to(ROOT))


def test_sources_without_the_extension_module_say_what_to_do(tmp_path):
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(ROOT / "polars_avro", tmp_path / "polars_avro", ignore=ignored)
    program = [sys.executable, "-c", "import polars_avro"]
    # PYTHONPATH takes precedence over installed packages in every working directory.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "ModuleNotFoundError: polars_avro is imported from its sources" in ended.stderr
    assert "maturin develop" in ended.stderr
    assert "During handling" not in ended.stderr


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def anchors(page):
    """The anchors of a page's headings, as both GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_anchors_are_found():
    assert "polars-1x" in anchors(ROOT / "docs" / "installation.md")


def paths_in(text):
    """Words in backticks that name a file or a folder of the repository."""
    words = re.findall(r"`([^`\s]+)`", text)
    return [word for word in words if word.startswith(FOLDERS) and not re.search(r"[<*{]", word)]


@pytest.mark.parametrize("page", DEVELOPMENT, ids=identify)
def test_paths_of_the_development_pages_exist(page):
    missing = [path for path in paths_in(page.read_text(encoding="utf-8")) if not (ROOT / path.split("::")[0]).exists()]
    assert not missing


def test_paths_are_found():
    assert paths_in("see `src/lib.rs`, `src/codec/<name>.rs` and `nox -s test`") == ["src/lib.rs"]
    assert len(paths_in((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))) > 10


def test_the_python_loop_brings_a_pip_that_knows_groups():
    """`maturin develop --group` needs pip 25.1, and a stock Python 3.11 has an older one."""
    (command,) = re.findall(
        r"^python -m venv .*$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert command.index("'pip>=25.1'") < command.index("maturin develop --group")
