"""Adding to `contracts/`: a version, and rows in the catalog. Nothing that stands there is changed."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.data.texts import inert

CATALOG = "catalog.toml"


def schema_text(schema: Any) -> str:
    """A schema as its file's text; what a terminal could take as a command is escaped."""
    return inert(json.dumps(schema, indent=2, ensure_ascii=False)) + "\n"


def add_version(root: Path, subject: str, version: int, schema: Any) -> Path:
    """Write a new schema file. Raises CatalogError where there is one already."""
    path = root / subject / f"v{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(schema_text(schema))
    except FileExistsError:
        raise CatalogError(
            "is there already", place=str(path), advice="A version never changes: name another."
        ) from None
    return path


def add_rows(root: Path, tables: Mapping[tuple[str, str], Mapping[str, str | Sequence[str]]]) -> Path:
    """Append tables such as `("channels", "activity")` to the catalog, at once or not at all.

    The text that stands there stays. Raises CatalogError where it is no TOML, or has one of the tables.
    """
    path = root / CATALOG
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    added = "\n".join(_table(section, name, rows) for (section, name), rows in tables.items())
    text = f"{before.rstrip()}\n\n{added}" if before.strip() else added
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        advice = f"Add these rows by hand:\n\n{added}"
        raise CatalogError(f"rows cannot be added: {error}", place=str(path), advice=advice) from None
    root.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=root, prefix=".", suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
    return path


def _table(section: str, name: str, rows: Mapping[str, str | Sequence[str]]) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    lines = [f"[{section}.{name if plain else toml_text(name)}]"]
    width = max(map(len, rows), default=0)
    lines += [
        f"{key.ljust(width)} = {toml_text(value) if isinstance(value, str) else _list(value)}"
        for key, value in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(toml_text, values))}]"


def toml_text(text: str) -> str:
    """A text as TOML's basic string (TOML 1.0): JSON's escapes are a part of TOML's."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)
