"""A service's settings: `[tool.contract-test]` in its pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.toml import read_toml


@dataclass(frozen=True)
class Settings:
    """`service` is this service's name in the catalog. Contracts come from a directory or from a package.

    Of the subjects in `allow_empty` no recorded message and no test is asked.
    """

    service: str
    package: str = "envelopes"
    contracts: str | None = None
    allow_empty: tuple[str, ...] = ()


def read_settings(start: Path) -> tuple[Settings, Path]:
    """Read the settings of the service around a folder, and the folder they stand in.

    Raises CatalogError that says what to write.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        table = _table(path)
        if table is not None:
            return _settings(table, path), folder
    raise CatalogError(
        "no service is named",
        place=str(start / "pyproject.toml"),
        advice='Add:\n\n  [tool.contract-test]\n  service = "the service\'s name in the catalog"',
    )


def read_package(start: Path) -> str:
    """Return the package of value objects that the settings around a folder name; `envelopes` where they name none."""
    for folder in (start, *start.parents):
        table = _table(folder / "pyproject.toml")
        if table is not None and isinstance(table.get("package"), str):
            return str(table["package"])
    return Settings.package


def _table(path: Path) -> dict[str, Any] | None:
    table = read_toml(path).get("tool", {}).get("contract-test")
    return table if isinstance(table, dict) else None


def _settings(table: dict[str, Any], path: Path) -> Settings:
    place = f"{path}:[tool.contract-test]"
    for key, value in table.items():
        if key not in Settings.__dataclass_fields__:
            known = ", ".join(Settings.__dataclass_fields__)
            raise CatalogError(f"{key} = {value!r} is not a setting", place=place, advice=f"Known: {known}.")
        listed = key == "allow_empty"
        if not (
            isinstance(value, list) and all(isinstance(each, str) for each in value)
            if listed
            else isinstance(value, str)
        ):
            advice = "It takes a list of texts." if listed else "It takes a text."
            raise CatalogError(f"{key} is {value!r}", place=place, advice=advice)
    if not table.get("service"):
        raise CatalogError("no service is named", place=place, advice='Add: service = "its name in the catalog"')
    return Settings(**table | {"allow_empty": tuple(table.get("allow_empty", ()))})
