"""The installed package: third-party notices, and the conflict with the package of the same name."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import polars_avro

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def notices():
    return runpy.run_path(str(ROOT / ".ci" / "notices.py"))


def test_notices_name_the_crates_that_are_linked(notices):
    notices["check"]()
    names = {name for name, _ in notices["locked"]()}
    assert {"polars-arrow", "zstd-sys", "pyo3"} <= names
    assert not names & {"proptest", "criterion", "polars-avro-plugin"}
    # The cargo feature `polars` is for Rust programs.
    assert not names & {"polars", "polars-core", "polars-lazy"}


def test_a_crate_that_is_missing_in_the_notices_is_noticed(notices, monkeypatch):
    crates = notices["locked"]()
    monkeypatch.setitem(notices["check"].__globals__, "noticed", lambda: crates - {next(iter(crates))})
    with pytest.raises(SystemExit, match=r"notices\.py"):
        notices["check"]()


@pytest.mark.parametrize("theirs", [False, True])
def test_a_distribution_with_the_same_package_is_warned_of(tmp_path, theirs):
    package = tmp_path / "site" / "polars_avro"
    installed = Path(polars_avro.__file__).parent
    extension = Path(polars_avro._core.__file__)
    shutil.copytree(installed, package, ignore=shutil.ignore_patterns("__pycache__", extension.name))
    (package / extension.name).symlink_to(extension)
    if theirs:
        (package / "_source.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import polars_avro; print(polars_avro.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(package / "__init__.py")
    assert ("pip uninstall -y polars-avro polars-avro-plugin" in done.stderr) == theirs
    assert done.stderr.count("RuntimeWarning") == theirs


def test_every_public_name_is_there_and_some_wait_until_they_are_used():
    program = (
        "import sys, polars_avro\n"
        "late = {f'polars_avro.{module}' for module in polars_avro._ON_USE.values()}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
        "assert set(polars_avro.__all__) <= set(dir(polars_avro))\n"
        "assert all(getattr(polars_avro, name) is not None for name in polars_avro.__all__)\n"
        "assert late <= set(sys.modules) and polars_avro.Split is vars(polars_avro)['Split']\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(polars_avro.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert set(polars_avro._ON_USE) <= set(polars_avro.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'scan_arvo'"):
        getattr(polars_avro, "scan_arvo")  # noqa: B009


def test_the_change_log_has_the_version():
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+\.\d+\.\d+)", log, re.MULTILINE)[0] == polars_avro.__version__
