"""The compared readers, their packages and their virtual environments."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from data import CACHE

ROOT = Path(__file__).resolve().parent.parent
POLARS = ("polars==2.1.0",)
ARROW = (*POLARS, "pyarrow==26.0.1")
FASTAVRO = (*POLARS, "fastavro==1.13.1", "cramjam==2.14.0", "backports.zstd==1.8.0")
SOURCES = ("src", "polars_avro", "Cargo.toml", "Cargo.lock", "pyproject.toml")


@dataclass(frozen=True)
class Reader:
    """One reader.

    Parameters
    ----------
    name
        Its name on the command line and in the record.
    engine
        Its module in `benches/engines`.
    requires
        Its pinned requirements.
    distribution
        The package whose version is recorded.
    colour, mark
        Its style in the figure: a colour that is legible on light and dark, and a distinct shape.
    build
        A wheel or a source tree to install, for this project.
    orders_files
        Whether the rows of several files are in the order of the files.
    shares
        The reader whose virtual environment it shares.
    """

    name: str
    engine: str
    requires: tuple[str, ...]
    distribution: str
    colour: str
    mark: str
    build: Path | None = None
    orders_files: bool = True
    shares: str | None = None

    @property
    def folder(self) -> Path:
        """Return the folder of its virtual environment."""
        return CACHE / "venvs" / (self.shares or self.name).replace(" ", "-")

    @property
    def python(self) -> Path:
        """Return the interpreter of its virtual environment."""
        return self.folder / "bin" / "python"


PROJECT = "this project"
BASELINE = "baseline"
FLOOR = "decompression"
REFERENCE = "fastavro"

PEERS = (
    Reader("polars-avro", "peer_polars_avro", (*ARROW, "polars-avro==0.13.0"), "polars-avro", "#e07a1f", "square"),
    Reader("jetliner", "peer_jetliner", (*POLARS, "jetliner==0.2.0"), "jetliner", "#2a9d5c", "triangle"),
    Reader("polars", "peer_polars", POLARS, "polars", "#2f7fd6", "diamond"),
    Reader(
        "duckdb", "peer_duckdb", (*ARROW, "duckdb==1.5.5", "duckdb-extension-avro==1.5.5"), "duckdb", "#b58900", "cross"
    ),
    Reader("chdb", "peer_chdb", (*ARROW, "chdb==4.4.0"), "chdb", "#a55bc4", "plus", orders_files=False),
    Reader(REFERENCE, "peer_fastavro", FASTAVRO, "fastavro", "#888888", "ring"),
    Reader(FLOOR, "floor", FASTAVRO, "cramjam", "#888888", "line", shares=REFERENCE),
)


def project(build: Path, name: str = PROJECT) -> Reader:
    """Return this project, built from `build`, as a reader."""
    colour = "#d6336c" if name == PROJECT else "#8a5a44"
    return Reader(name, "this_project", POLARS, "polars-avro-plugin", colour, "disc", build)


def prepare(reader: Reader) -> None:
    """Create the reader's virtual environment, unless it exists with the same packages."""
    stamp = reader.folder / "stamp.json"
    wanted = json.dumps([sys.version, *reader.requires, fingerprint(reader.build)])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"preparing {reader.name}", file=sys.stderr)
    if not reader.python.exists():
        subprocess.run([sys.executable, "-m", "venv", reader.folder], check=True)
    pip = [reader.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *reader.requires], check=True)
    if reader.build is not None:
        subprocess.run([*pip, "--force-reinstall", "--no-deps", reader.build], check=True)
    stamp.write_text(wanted)


def fingerprint(build: Path | None) -> str | None:
    """Return a digest of a wheel or of a source tree."""
    if build is None:
        return None
    files = [build] if build.is_file() else [file for name in SOURCES for file in below(build / name)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def below(path: Path) -> list[Path]:
    """Return the sorted files of a folder, or the file itself, or nothing if neither exists."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def version(reader: Reader) -> str:
    """Return the version of the reader that is installed."""
    code = f"import importlib.metadata as m; print(m.version({reader.distribution!r}))"
    return subprocess.run([reader.python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
