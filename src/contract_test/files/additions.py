"""Adding to what people wrote: a version, tables in a TOML file. Nothing that stands there is changed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.data.texts import inert

Row = str | bool | Sequence[str] | Mapping[str, str | int]
"""What stands behind a key of a table."""


def schema_text(schema: Any) -> str:
    """Return a schema as its file's text; what a terminal could take as a command is escaped."""
    return inert(json.dumps(schema, indent=2, ensure_ascii=False)) + "\n"


def add_version(root: Path, subject: str, version: int, schema: Any) -> Path:
    """Write the schema file of a new version. Raises CatalogError where there is one already."""
    return add_file(root / subject / f"v{version}.json", schema)


def add_file(path: Path, schema: Any) -> Path:
    """Write a new schema file. Raises CatalogError where there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(schema_text(schema))
    except FileExistsError:
        raise CatalogError(
            "is there already", place=str(path), advice="A version never changes: name another."
        ) from None
    return path


def append_tables(path: Path, tables: Mapping[tuple[str, str], Mapping[str, Row]]) -> Path:
    """Append tables such as `("channels", "activity")` to a TOML file, where that gives valid TOML.

    The text that stands there stays. Raises CatalogError where it is no TOML, or has one of the tables.
    """
    added = tables_text(tables)
    try:
        before = path.read_bytes().decode() if path.exists() else ""
        added = f"\n{added}" if before.strip() else added
        added = f"\n{added}" if before and not before.endswith("\n") else added
        added = added.replace("\n", "\r\n") if "\r\n" in before else added
        tomllib.loads(before + added)
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        advice = f"Mend it, or add these rows by hand:\n\n{added}"
        raise CatalogError(f"rows cannot be added: {error}", place=str(path), advice=advice) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:  # in place: the file keeps its mode, and a link stays one
        file.write(added.encode())
    return path


def tables_text(tables: Mapping[tuple[str, str], Mapping[str, Row]]) -> str:
    """Return tables as TOML."""
    return "\n".join(_table(section, name, rows) for (section, name), rows in tables.items())


def _table(section: str, name: str, rows: Mapping[str, Row]) -> str:
    bare = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    width = max(map(len, rows), default=0)
    lines = [f"[{section}.{name if bare else toml_text(name)}]"]
    lines += [f"{key.ljust(width)} = {_value(value)}" for key, value in rows.items()]
    return "\n".join(lines) + "\n"


def _value(value: Row) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        members = ((toml_text(key), toml_text(item) if isinstance(item, str) else item) for key, item in value.items())
        return f"{{ {', '.join(f'{key} = {item}' for key, item in members)} }}"
    return toml_text(value) if isinstance(value, str) else f"[{', '.join(map(toml_text, value))}]"


def toml_text(text: str) -> str:
    """Return a text as TOML's basic string (TOML 1.0): JSON's escapes are a part of TOML's."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)
