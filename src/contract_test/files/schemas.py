"""Schema files: read strictly, and followed only inside the contracts directory."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urlsplit

from contract_test.data.errors import CatalogError, SchemaError
from contract_test.files.closure import Closures
from contract_test.files.toml import read_toml
from contract_test.schema.walk import DRAFTS, SPECIFICATIONS, join

BASE = "https://contracts.invalid/"
"""Where the contracts directory's files stand as URIs. The name can never resolve (RFC 2606)."""

_FILE_REFERENCE = re.compile(r'("\$(?:ref|dynamicRef|recursiveRef)"\s*:\s*")((?i:file):[^"\\]*)"')

MAX_BYTES = 5_000_000
MAX_DEPTH = 200
MAX_DIGITS = 4000


def read_json(path: Path) -> Any:
    """Read one JSON file, refusing what readers disagree on. Raises SchemaError, as `parse_json` does."""
    place = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SchemaError(f"larger than {MAX_BYTES:,} bytes", place=place, advice="Split it into files.")
        text = path.read_bytes().decode("utf-8")
    except UnicodeError:
        raise SchemaError("not UTF-8 text", place=place, advice="Save it as UTF-8, without lone surrogates.") from None
    except OSError as error:
        raise SchemaError(
            f"cannot be read: {error.strerror}", place=place, advice="Check that the file is there."
        ) from None
    return parse_json(text, place)


def parse_json(text: str, place: str) -> Any:
    """Parse a JSON text from a place, refusing what readers disagree on.

    Duplicate keys, NaN, numbers beyond a double's precision, more than 200 levels or 5 MB raise SchemaError.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            seen: set[str] = set()
            twice = next(name for name, _ in items if name in seen or seen.add(name))  # type: ignore[func-returns-value] # set.add in a condition
            raise SchemaError(
                f"the key {twice[:60]!r} stands twice in one object", place=place, advice="Keep one of them."
            )
        return made

    def parse_int(text: str) -> int:
        if len(text) > MAX_DIGITS:
            raise SchemaError(f"a number of {len(text)} digits", place=place, advice="Bound it to what a double holds.")
        return int(text)

    def parse_float(text: str) -> float:
        number = float(text)
        if number - number != 0:
            raise SchemaError(f"the number {text[:40]} is beyond a double", place=place, advice="Use a smaller one.")
        return number

    def refuse(text: str) -> None:
        raise SchemaError(f"{text} is not JSON", place=place, advice="JSON has no such number: leave it out.")

    try:
        if len(text.encode()) > MAX_BYTES:
            raise SchemaError(f"larger than {MAX_BYTES:,} bytes", place=place, advice="Split it into files.")
        if text.startswith("\N{BYTE ORDER MARK}"):
            raise SchemaError("begins with a byte order mark", place=place, advice="Save it as UTF-8 without one.")
        _check_depth(text, place)
        value = json.loads(
            text, object_pairs_hook=pairs, parse_int=parse_int, parse_float=parse_float, parse_constant=refuse
        )
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise SchemaError("not UTF-8 text", place=place, advice="Save it as UTF-8, without lone surrogates.") from None
    except json.JSONDecodeError as error:
        where = f"{place}:{error.lineno}:{error.colno}"
        raise SchemaError(f"not JSON: {error.msg}", place=where, advice="Mend the syntax there.") from None
    return value


_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def _check_depth(text: str, place: str) -> None:
    """Count brackets outside strings; a cheap look before the recursive parser runs."""
    depth = 0
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise SchemaError(f"nested deeper than {MAX_DEPTH} levels", place=place, advice="Flatten it with $defs.")


class SchemaFiles:
    """The schema files below one directory, and what their `$ref`s lead to. Nothing outside it is ever read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = root.resolve()
        self._read: dict[Path, Any] = {}
        self._closures = Closures(self)

    def uri_of(self, path: Path) -> str:
        """Return the URI that a file below the directory stands at."""
        return BASE + path.relative_to(self.root).as_posix()

    def read(self, path: Path) -> Any:
        """Read a file once. Raises SchemaError, also where the file is not below the directory."""
        if path not in self._read:
            if not path.resolve().is_relative_to(self._real_root):
                raise SchemaError(
                    "lies outside the contracts directory (a link?)", place=str(path), advice="Copy the file into it."
                )
            self._read[path] = _in_known_dialect(read_json(path), self._dialects) if self._dialects else read_json(path)
        return self._read[path]

    @cached_property
    def _dialects(self) -> dict[str, str]:
        """A team's own `$schema` → the draft's, as the table `dialects` of the catalog declares them."""
        catalog = self.root / "catalog.toml"
        declared = read_toml(catalog).get("dialects", {})
        known = {name: uri for uri, name in DRAFTS.items()}
        place = f"{catalog}:[dialects]"
        for uri, draft in declared.items() if isinstance(declared, dict) else [("dialects", declared)]:
            if not isinstance(draft, str) or draft not in known:
                advice = f"Write one of: {', '.join(known)}."
                raise CatalogError(f"{uri!r} is {draft!r}, which is not a draft", place=place, advice=advice)
            if urldefrag(uri).url in DRAFTS:
                raise CatalogError(f"{uri!r} is a draft already", place=place, advice="Remove the row.")
        return {urldefrag(uri).url: known[draft] for uri, draft in declared.items()}

    def reach(self, path: Path) -> dict[str, Any]:
        """Return the schema of a file and of everything that it reaches through `$ref`, by URI, its own first.

        Every `$ref` in the result is absolute or local to its document, and `$id`s are gone, so that
        whoever compiles it finds the same targets. Only a contract with dynamic references keeps them.

        Raises SchemaError with the file and the pointer of a `$ref` that leads nowhere.
        """
        return self._closures.of(self.uri_of(path), path)

    def path_of(self, uri: str) -> Path | None:
        """Return the file below the directory that a URI of `reach` stands for; None for a meta-schema."""
        try:
            return None if uri in SPECIFICATIONS else self.find(uri, "")
        except SchemaError:
            return None

    def inner_uri(self, uri: str) -> str | None:
        """Return the URI to use for a `file://` URI, if it is that of a file below the directory, and no `$id`."""
        return None if urldefrag(uri).url in self._by_id else _inner_uri(uri, self._real_root)

    def find(self, uri: str, place: str) -> Path:
        """Find the file for a URI: by its place, by its declared `$id`, or beside a file with a like `$id`.

        Raises SchemaError with the place of the reference.
        """
        if uri.startswith(BASE):
            path = self.root / unquote(uri.removeprefix(BASE))
            if ".." not in path.relative_to(self.root).parts and _is_file(path):
                return path
        if uri in self._by_id:
            return self._by_id[uri]
        if urlsplit(uri).scheme in ("http", "https", "file"):
            for declared, path in self._by_id.items():
                relative = posixpath.relpath(
                    urlsplit(uri).path or "/", posixpath.dirname(urlsplit(declared).path) or "/"
                )
                neighbour = Path(posixpath.normpath((path.parent / unquote(relative)).as_posix()))
                if (
                    urlsplit(uri)[:2] == urlsplit(declared)[:2]
                    and neighbour.is_relative_to(self.root)
                    and _is_file(neighbour)
                ):
                    return neighbour
        advice = (
            "A $ref reaches only files below the contracts directory: put a copy there, and point to it by its path."
        )
        raise SchemaError(f"$ref to {uri.removeprefix(BASE)[:100]!r} finds no file", place=place, advice=advice)

    @cached_property
    def _by_id(self) -> dict[str, Path]:
        """Declared `$id`, absolute by the file's place → file, for every readable JSON file below the directory."""
        found: dict[str, Path] = {}
        for path in sorted(self.root.rglob("*.json")):
            try:
                schema = self.read(path)
            except SchemaError:
                continue
            declared = schema.get("$id", schema.get("id")) if isinstance(schema, dict) else None
            if isinstance(declared, str) and urldefrag(declared).url:
                found.setdefault(urldefrag(join(self.uri_of(path), declared)).url, path)
        return found


def _in_known_dialect(value: Any, dialects: Mapping[str, str]) -> Any:
    """Return a schema in which a team's own `$schema` is the one of the draft that it means."""
    if isinstance(value, list):
        return [_in_known_dialect(item, dialects) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _in_known_dialect(item, dialects) for name, item in value.items()}
    declared = made.get("$schema")
    if isinstance(declared, str):
        made["$schema"] = dialects.get(urldefrag(declared).url, declared)
    return made


def with_inner_uris(text: bytes, root: Path) -> bytes:
    """Return a schema's text in which `file://` references to files below `root` are independent of where that is.

    For copies of schemas in another directory. All else in the text stays.
    """

    def replaced(match: re.Match[str]) -> str:
        uri = _inner_uri(match[2], root.resolve())
        return match[0] if uri is None else f'{match[1]}{uri}"'

    if b'"file:' not in text.lower():
        return text
    return _FILE_REFERENCE.sub(replaced, text.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _inner_uri(uri: str, real_root: Path) -> str | None:
    """Return the URI below BASE of a `file://` URI, if its file is below the directory; `real_root` has no links."""
    document, fragment = urldefrag(uri)
    parts = urlsplit(document)
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path:
        return None
    real = Path(os.path.realpath(os.path.normpath(path)))
    if not real.is_relative_to(real_root) or not _is_file(real):
        return None
    return f"{BASE}{quote(real.relative_to(real_root).as_posix())}" + (f"#{fragment}" if "#" in uri else "")


def _is_file(path: Path) -> bool:
    """Return whether there is such a file. A name that no file system takes is none."""
    try:
        return path.is_file()
    except OSError:
        return False
