"""
Writes ``THIRD_PARTY_NOTICES.txt``: the licences of the crates that the extension links, and of the C code in them.

Run it after every change of ``Cargo.lock`` and ``cargo fetch``, which downloads the sources. With ``--check`` it only
compares the crates in the file with those that cargo would link.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTICES = ROOT / "THIRD_PARTY_NOTICES.txt"
LINE = "=" * 80
Crate = tuple[str, str]


def locked() -> set[Crate]:
    """Return the crates that a wheel links on some platform, by `Cargo.lock`."""
    edges = ["--edges", "normal,no-proc-macro", "--target", "all"]
    shown = ["--prefix", "none", "--format", "{p}", "--no-dedupe"]
    tree = ["cargo", "tree", "--locked", "--package", "polars-avro-python", *edges, *shown]
    listed = subprocess.run(tree, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    crates = set(re.findall(r"^(\S+) v(\S+)", listed, re.MULTILINE))
    return {crate for crate in crates if not crate[0].startswith("polars-avro-")}


def noticed() -> set[Crate]:
    """Return the crates in the file of notices."""
    text = NOTICES.read_text(encoding="utf-8")
    return {(name, version) for name, version in re.findall(r"^  ([\w-]+) (\d\S*) \(", text, re.MULTILINE)}


def sources(crate: Crate) -> Path:
    """Return the folder to which cargo unpacked a crate."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for folder in home.glob(f"registry/src/*/{crate[0]}-{crate[1]}"):
        return folder
    raise SystemExit(f"{crate[0]} {crate[1]} is not in {home}/registry: run `cargo fetch` first")


def texts(crate: Crate) -> tuple[str, list[str]]:
    """Return the licence of a crate, and the texts that must accompany it."""
    folder = sources(crate)
    manifest = (folder / "Cargo.toml").read_text(encoding="utf-8")
    named = re.search(r'^license = "(.*)"$', manifest, re.MULTILINE)
    own = [path for path in folder.iterdir() if _is_licence(path)]
    # Of several licences, the one with the fewest obligations.
    mit = [path for path in own if "MIT" in path.name.upper()]
    chosen = mit if mit and named is not None and "MIT" in named[1] and "OR" in named[1] else own
    # C code that a crate bundles.
    deeper = {path for depth in ("*/*", "*/*/*") for path in folder.glob(depth) if _is_licence(path)}
    files = [*sorted(chosen), *sorted(deeper)]
    return named[1] if named else "see below", [path.read_text(encoding="utf-8", errors="replace") for path in files]


def _is_licence(path: Path) -> bool:
    # The GPL applies only to the programs of liblzma, which are not built.
    wanted = re.match(r"(LICEN[CS]E|COPYING|NOTICE|UNLICENSE)(?!.*GPL)", path.name.upper())
    return wanted is not None and path.is_file()


def write() -> None:
    """Write the file, with each text once, under the crates to which it applies."""
    crates: dict[str, list[str]] = {}
    full: dict[str, str] = {}
    for crate in sorted(locked()):
        licence, found = texts(crate)
        for text in found or ["(The crate has no text of its licence.)"]:
            key = " ".join(text.split())
            full.setdefault(key, "\n".join(line.rstrip() for line in text.strip().splitlines()))
            crates.setdefault(key, []).append(f"  {crate[0]} {crate[1]} ({licence})")
    parts = ["The extension module of polars_avro is linked with these crates, and with the C code that they bring.\n"]
    for key, names in sorted(crates.items(), key=lambda item: item[1]):
        parts.append("\n".join([LINE, *dict.fromkeys(names), LINE, "", full[key], ""]))
    NOTICES.write_text("\n".join(parts), encoding="utf-8")


def check() -> None:
    """End with an error if crates were added, removed or updated since the file was written."""
    missing, surplus = locked() - noticed(), noticed() - locked()
    if missing or surplus:
        raise SystemExit(f"{NOTICES.name} lacks {sorted(missing)} and has {sorted(surplus)}: run {Path(__file__).name}")


if __name__ == "__main__":
    check() if "--check" in sys.argv[1:] else write()
