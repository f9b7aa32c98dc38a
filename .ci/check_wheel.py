"""Checks wheels before they are published: size, licences, and no paths of the machine that built them."""

from __future__ import annotations

import re
import sys
import zipfile

MAX_BYTES = 10_000_000
#: Home directories, and the folders to which cargo unpacks crates.
PATHS = re.compile(rb"(?:(?:/root|/home/\w+|/Users/\w+|:\\Users\\\w+)[/\\]|registry[/\\]src[/\\])[\w./\\-]{4,80}")


def faults(wheel: str) -> list[str]:
    """List the problems of a wheel."""
    found = []
    with zipfile.ZipFile(wheel) as archive:
        size = sum(entry.compress_size for entry in archive.infolist())
        if size > MAX_BYTES:
            found.append(f"{size:,} bytes, more than {MAX_BYTES:,}")
        names = archive.namelist()
        for needed in ("LICENSE", "THIRD_PARTY_NOTICES.txt", "py.typed", "_core.pyi", "entry_points.txt"):
            if not any(name.endswith(f"/{needed}") for name in names):
                found.append(f"no {needed}")
        for name in names:
            if name.endswith((".so", ".pyd")):
                paths = sorted({path.decode("ascii", "replace") for path in PATHS.findall(archive.read(name))})
                if paths:
                    found.append(f"{name} has {len(paths)} paths of the build, such as {paths[0]}")
    return found


if __name__ == "__main__":
    wrong = [f"{wheel}: {fault}" for wheel in sys.argv[1:] for fault in faults(wheel)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(sys.argv) - 1} wheels are as they should be")
