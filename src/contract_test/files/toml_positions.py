"""Where the tables and keys of a TOML text stand in it, by path: `("subjects", "order.placed", "channel")`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Keys, and the indexes of arrays."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*)|(?P<end>\n)
    |(?P<text>\"{3}(?:\\[\s\S]|[^\\])*?\"{3,5}|'{3}[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\#"'\[\]{}=,.]+)""",
    re.VERBOSE,
)
_POINTER = re.compile(r"(\[.*\])?(?: ([0-9]+))?\.?(.*)", re.DOTALL)


def toml_path(pointer: str) -> Path:
    """Return the path that a finding names: `[subjects."a.b"]`, `[subjects."a.b"].channel` or `[[lint]] 2`."""
    table, number, key = re.sub(r"^\[\[(.*?)\]\]", r"[\1]", pointer), 0, ""
    found = _POINTER.fullmatch(table)
    if found is None:
        return ()
    table, number, key = (found[1] or "")[1:-1], int(found[2] or 0), found[3]
    indexes: Path = (number - 1,) if number else ()
    return (*_keys(table), *indexes, *_keys(key))


def toml_offsets(text: str) -> dict[Path, int]:
    """Return where each table's header, each key and each item of an array begins. The text must be TOML."""
    offsets: dict[Path, int] = {(): 0}
    tokens = _Tokens(text)
    table: Path = ()
    lengths: dict[Path, int] = {}
    while not tokens.at_end:
        if tokens.take("\n"):
            continue
        start = tokens.start
        if tokens.take("["):
            array = tokens.take("[")
            table = _inside(tokens.key(), lengths)
            if array:
                lengths[table] = lengths.get(table, 0) + 1
                table = (*table, lengths[table] - 1)
            _remember(offsets, table, start)
            tokens.skip_line()
        else:
            try:
                _read_pair(tokens, table, offsets)
            except RecursionError:  # values that are nested too deeply have no position
                break
    return offsets


class _Tokens:
    """The tokens of a TOML text, without spaces and comments."""

    def __init__(self, text: str) -> None:
        matches = [each for each in _TOKEN.finditer(text) if each.lastgroup != "space"]
        self._tokens = [(each[0], each.start(), each.lastgroup) for each in matches]
        self._next = 0
        self._end = len(text)

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    @property
    def start(self) -> int:
        return self._end if self.at_end else self._tokens[self._next][1]

    def peek(self) -> str:
        """Return a mark or a line end; for other tokens and at the end, the empty text."""
        if self.at_end or self._tokens[self._next][2] in ("text", "bare"):
            return ""
        return self._tokens[self._next][0]

    def take(self, mark: str) -> bool:
        """Go on if this mark is next."""
        if self.peek() != mark:
            return False
        self._next += 1
        return True

    def skip(self) -> None:
        self._next += 1

    def skip_line(self) -> None:
        while not self.at_end and self.peek() != "\n":
            self._next += 1

    def key(self) -> list[str]:
        """Return a dotted key, and go on behind it."""
        found = []
        while not self.at_end and not self.peek():
            found.append(_key(*self._tokens[self._next]))
            self._next += 1
            if not self.take("."):
                break
        return found


def _key(token: str, _start: int, kind: str | None) -> str:
    if kind == "bare":
        return token
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except tomllib.TOMLDecodeError:
        return token


def _keys(text: str) -> list[str]:
    return _Tokens(text).key()


def _inside(keys: list[str], lengths: dict[Path, int]) -> Path:
    """The path of a header: a key that names an array of tables means its last table."""
    path: Path = ()
    for key in keys[:-1]:
        path = (*path, key)
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return (*path, *keys[-1:])


def _remember(offsets: dict[Path, int], path: Path, start: int) -> None:
    """A table that is only named on the way to another one begins there."""
    for length in range(1, len(path)):
        offsets.setdefault(path[:length], start)
    offsets[path] = start


def _read_pair(tokens: _Tokens, table: Path, offsets: dict[Path, int]) -> None:
    start = tokens.start
    keys = tokens.key()
    if not keys or not tokens.take("="):
        tokens.skip()  # not TOML
        return
    path = (*table, *keys)
    for length in range(len(table) + 1, len(path) + 1):
        offsets.setdefault(path[:length], start)
    _read_value(tokens, path, offsets)


def _read_value(tokens: _Tokens, path: Path, offsets: dict[Path, int]) -> None:
    if tokens.take("["):
        for number in _items(tokens, "]"):
            offsets[*path, number] = tokens.start
            _read_value(tokens, (*path, number), offsets)
    elif tokens.take("{"):
        for _ in _items(tokens, "}"):
            _read_pair(tokens, path, offsets)
    else:
        while not tokens.at_end and tokens.peek() in ("", "."):
            tokens.skip()


def _items(tokens: _Tokens, end: str) -> Iterator[int]:
    number = 0
    while not tokens.at_end and not tokens.take(end):
        if tokens.take("\n") or tokens.take(","):
            continue
        before = tokens.start
        yield number
        number += 1
        if tokens.start == before:
            tokens.skip()  # not TOML
