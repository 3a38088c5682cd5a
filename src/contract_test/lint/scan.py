"""Scan of files for personal data and secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from contract_test.data.contract import Catalog
from contract_test.data.errors import NothingFoundError
from contract_test.data.finding import Finding
from contract_test.files.leak_findings import leak_findings
from contract_test.schema.declared import declared_names, declared_texts

_LINES = frozenset((".jsonl", ".ndjson"))
_SUFFIXES = frozenset((*_LINES, ".json"))


def scan(paths: Iterable[Path], catalog: Catalog | None = None) -> tuple[list[Finding], int]:
    """Return what the scanner finds in files and directories, and how many files it read.

    Of a directory, every `.jsonl`, `.ndjson` and `.json` file is read, hidden ones too. A file that you name is always
    read. Names that a catalog and its contracts declare are not looked at. Raises NothingFoundError if there is no such
    file.
    """
    files = sorted({file for path in paths for file in _files(path)})
    if not files:
        raise NothingFoundError(
            "nothing to scan", place=", ".join(map(str, paths)), advice="Name a recording, or a directory with some."
        )
    found = scan_files(files, catalog)
    return [each.within(catalog.root) if catalog else each for each in found], len(files)


def scan_files(files: Iterable[Path], catalog: Catalog | None) -> Iterator[Finding]:
    """Yield what the scanner finds in files, by line, and in JSON by pointer."""
    names = declared_names(catalog) if catalog else frozenset[str]()
    texts = declared_texts(catalog) if catalog else frozenset[str]()
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".json":
            yield from leak_findings(content, path, names)
            continue
        for number, line in enumerate(content.splitlines(), start=1):
            yield from leak_findings(line, path, texts, number)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for file in path.rglob("*"):
            if file.suffix in _SUFFIXES and ".git" not in file.parts and file.is_file():
                yield file
