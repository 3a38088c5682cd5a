"""The line and the column of what a finding is about."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from contract_test.data.finding import Finding, Position
from contract_test.files.json_positions import JsonText
from contract_test.files.toml_positions import toml_offsets, toml_path

_LINE = re.compile(r"([1-9][0-9]*)(?::([1-9][0-9]*))?")


def with_positions(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with the line and the column of each, where the file can be read."""
    texts = cache(_Text)
    return [each if each.position else replace(each, position=_position(texts(each.file), each)) for each in findings]


def position_in_line(path: Path, line: int, pointer: str) -> Position:
    """Return where a value stands in one line of a file of JSON lines."""
    return _Text(str(path)).in_line(line, pointer)


def _position(text: _Text, each: Finding) -> Position | None:
    pointer = each.pointer if each.file_pointer is None else each.file_pointer
    if each.line:
        return text.in_line(each.line, pointer)
    if found := _LINE.fullmatch(pointer):
        return Position(int(found[1]), int(found[2] or 1))
    return text.position_of(pointer)


class _Text:
    """A file that is read when something in it is looked for. It has no positions if it cannot be read."""

    def __init__(self, file: str) -> None:
        self._path = Path(file)
        self._lines: dict[int, JsonText] = {}

    @cached_property
    def _bytes(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except (OSError, ValueError):  # also what was written at a git ref: main:contracts/…
            return None

    @cached_property
    def _text(self) -> str:
        return (self._bytes or b"").decode("utf-8", errors="replace")

    @cached_property
    def _json(self) -> JsonText:
        return JsonText(self._text)

    @cached_property
    def _toml(self) -> dict[tuple[str | int, ...], int]:
        return toml_offsets(self._text)

    @cached_property
    def _json_lines(self) -> list[bytes]:
        return (self._bytes or b"").splitlines()

    def position_of(self, pointer: str) -> Position | None:
        """Return the position of a pointer, or of what should contain it."""
        if self._bytes is None:
            return None
        if self._path.suffix == ".json":
            return self._at(self._json.offset_of(pointer))
        if self._path.suffix == ".toml":
            path = toml_path(pointer)
            known = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in self._toml)
            return self._at(self._toml[known])
        return Position(1, 1)

    def in_line(self, line: int, pointer: str) -> Position:
        """Return the position of a pointer into the JSON value of one line."""
        if not pointer or not 0 < line <= len(self._json_lines):
            return Position(line, 1)
        if line not in self._lines:
            self._lines[line] = JsonText(self._json_lines[line - 1].decode("utf-8", errors="replace"))
        return Position(line, self._lines[line].offset_of(pointer) + 1)

    def _at(self, offset: int) -> Position:
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self._text))]
