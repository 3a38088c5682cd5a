"""Scan of files for personal data and secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from contract_test.data.errors import NothingFoundError
from contract_test.data.finding import Finding
from contract_test.scanner import leaks_in_line

_LINES = frozenset((".jsonl", ".ndjson"))
_SUFFIXES = frozenset((*_LINES, ".json"))


def scan(paths: Iterable[Path], public: frozenset[str] = frozenset()) -> tuple[list[Finding], int]:
    """Return what the scanner finds in files and directories, and how many files it read.

    Of a directory, every `.jsonl`, `.ndjson` and `.json` file is read, hidden ones too. A file that you name is always
    read. Raises NothingFoundError if there is no such file.
    """
    files = sorted({file for path in paths for file in _files(path)})
    if not files:
        raise NothingFoundError(
            "nothing to scan", place=", ".join(map(str, paths)), advice="Name a recording, or a directory with some."
        )
    return [finding for file in files for finding in scan_file(file, public)], len(files)


def scan_file(path: Path, public: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Yield what the scanner finds in one file: by line, and in JSON by pointer.

    Texts in `public`, such as the names that contracts declare, are not looked at.
    """
    content = path.read_bytes()
    whole = path.suffix == ".json"
    for number, line in enumerate([content] if whole else content.splitlines(), start=1):
        for leak in leaks_in_line(line, public):
            advice = "Remove the line and record again. If the field has x-sensitivity: public, change that first."
            if leak.pointer.startswith("/seen/"):
                advice = (
                    "The message was read here. If the address is not a secret, give the channel an address of words."
                )
            sentence = f"{leak.thing} is written here"
            line_number = 0 if whole else number
            yield Finding(str(path), leak.pointer, f"leak-{leak.rule}", sentence, advice, line=line_number)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for file in path.rglob("*"):
            if file.suffix in _SUFFIXES and ".git" not in file.parts and file.is_file():
                yield file
