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


@dataclass(frozen=True)
class Pages:
    """The paths of some pages within a site, and how many of them were written."""

    names: tuple[str, ...] = ()
    written: int = 0

    def __add__(self, other: Pages) -> Pages:
        """Return both."""
        return Pages(self.names + other.names, self.written + other.written)


class SiteFolder:
    """The directory of a site. What an earlier run wrote and is no page any more is removed when it is finished.

    Raises ContractTestError where the directory holds files that no earlier run wrote.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, _known(folder)

    def finish(self, pages: Pages) -> Written:
        """Remove what is no page any more, and write down which files are."""
        gone = self._before - set(pages.names)
        for name in sorted(gone):
            with suppress(OSError):
                (self._folder / name).unlink()
                os.removedirs((self._folder / name).parent)
        manifest = "".join(f"{name}\n" for name in sorted(pages.names))
        write_pages(self._folder, [(MANIFEST, manifest)])
        return Written(len(pages.names), pages.written, len(gone))


def write_pages(folder: Path, pages: Iterable[tuple[str, str]]) -> Pages:
    """Write pages by their paths, those that are other than before. Raises ContractTestError."""
    names, written = [], 0
    for name, text in pages:
        names.append(name)
        try:
            written += _write_changed(folder / name, text)
        except OSError as error:
            advice = "Name a directory that can be written, with --output DIR."
            raise ContractTestError(f"cannot be written: {error.strerror}", place=str(folder), advice=advice) from None
    return Pages(tuple(names), written)


def _known(folder: Path) -> set[str]:
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        names = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except OSError:
        advice = "Name a directory that is empty or not there, or one that an earlier run wrote."
        raise ContractTestError("the directory holds other files", place=str(folder), advice=advice) from None
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}


def _write_changed(path: Path, text: str) -> bool:
    """Write a file if its content is another one. Return True if it was written."""
    content = text.encode(errors="backslashreplace")
    with suppress(OSError):
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True
