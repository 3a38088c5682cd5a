"""Rows that a registry adds to `catalog.toml`. What people wrote there stays as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.catalog_schema import begin_catalog
from contract_test.files.state import write_whole
from contract_test.files.toml import read_toml


def write_schema_ids(root: Path, ids: Mapping[str, Mapping[int, int]]) -> None:
    """Add the schema ids of versions to their subjects."""
    write_rows(
        root,
        {
            ("subjects", subject): {"schema_ids": {str(version): number for version, number in sorted(own.items())}}
            for subject, own in ids.items()
        },
    )


def write_rows(root: Path, tables: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Add rows to tables such as `("subjects", "order.placed")`; a table in a row gets members. All at once.

    Raises CatalogError, with nothing written, where a row is there with another value.
    """
    import tomlkit

    path = root / "catalog.toml"
    begin_catalog(root)
    wanted = read_toml(path)
    document = tomlkit.parse(path.read_bytes().decode() if path.exists() else "")
    for (section, name), rows in tables.items():
        _merge(wanted.setdefault(section, {}).setdefault(name, {}), rows)
        tables_of = document.setdefault(section, tomlkit.table(is_super_table=True))
        _merge(tables_of.setdefault(name, tomlkit.table()), rows)
    text = tomlkit.dumps(document)
    if tomllib.loads(text) != wanted:
        rows_by_hand = "; ".join(f"[{section}.{name!r}] {dict(rows)}" for (section, name), rows in tables.items())
        advice = f"Add them by hand: {rows_by_hand}"
        raise CatalogError("rows cannot be added without a change to others", place=str(path), advice=advice)
    if not path.exists() or text != path.read_bytes().decode():
        write_whole(path, [text.rstrip("\n").encode()])


def _merge(table: Any, rows: Mapping[str, Any]) -> None:
    import tomlkit

    for key, value in rows.items():
        if not isinstance(value, Mapping):
            table.setdefault(key, value)
            continue
        if key not in table:
            table[key] = {} if type(table) is dict else tomlkit.inline_table()
        for name, member in value.items():
            table[key].setdefault(name, member)
