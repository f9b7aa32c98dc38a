"""What somebody meets who has just cloned the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_sources_without_the_extension_module_say_what_to_do(tmp_path):
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(ROOT / "polars_avro", tmp_path / "polars_avro", ignore=ignored)
    program = [sys.executable, "-c", "import polars_avro"]
    # A path given by name wins over installed packages, whatever the directory of the process.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "ModuleNotFoundError: polars_avro is imported from its sources" in ended.stderr
    assert "maturin develop" in ended.stderr
    assert "During handling" not in ended.stderr
