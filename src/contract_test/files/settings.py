"""A service's settings: `[tool.contract-test]` in its pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.files.toml import read_toml

_PACKAGE = 'package = "the package that your contracts repository builds"'


@dataclass(frozen=True)
class Settings:
    """`service` is this service's name in the catalog, `package` its package of value objects.

    The contracts come from the directory `contracts`, or else from the package.

    Of the subjects in `allow_empty` no recorded message and no test is asked.
    """

    service: str
    package: str
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
        advice=f"""Add:

  [tool.contract-test]
  service = "the service's name in the catalog"
  {_PACKAGE}""",
    )


def read_package(start: Path) -> str | None:
    """Return the package of value objects that the settings around a folder name, or None."""
    for folder in (start, *start.parents):
        table = _table(folder / "pyproject.toml")
        if table is not None and isinstance(table.get("package"), str):
            return str(table["package"])
    return None


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
    if not table.get("package"):
        raise CatalogError("no package of value objects is named", place=place, advice=f"Add: {_PACKAGE}")
    return Settings(**table | {"allow_empty": tuple(table.get("allow_empty", ()))})
