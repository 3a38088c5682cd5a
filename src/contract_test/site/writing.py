"""Writing a site: only what changed, and nothing in a directory that holds something else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract_test.data.errors import ContractTestError

MANIFEST = "site-files.txt"


@dataclass(frozen=True)
class Written:
    """How many files a site has, how many of them were written anew, and how many old ones were removed."""

    files: int
    written: int
    removed: int


def write_site(folder: Path, pages: Iterable[tuple[str, str]]) -> Written:
    """Write pages by their paths. What an earlier run wrote and is no page any more is removed.

    Raises ContractTestError where the directory holds files that no earlier run wrote.
    """
    before = _known(folder)
    names, written = [], 0
    for name, text in pages:
        names.append(name)
        written += write_changed(folder / name, text)
    gone = before - set(names)
    for name in sorted(gone):
        with suppress(OSError):
            (folder / name).unlink()
            os.removedirs((folder / name).parent)
    write_changed(folder / MANIFEST, "".join(f"{name}\n" for name in sorted(names)))
    return Written(len(names), written, len(gone))


def _known(folder: Path) -> set[str]:
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        names = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except OSError:
        advice = "Name a directory that is empty or not there, or one that an earlier run wrote."
        raise ContractTestError("the directory holds other files", place=str(folder), advice=advice) from None
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}


def write_changed(path: Path, text: str) -> bool:
    """Write a file if its content is another one. Return True if it was written."""
    content = text.encode(errors="backslashreplace")
    with suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True
