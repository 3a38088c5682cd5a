"""A service's settings: `[tool.contract-test]` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from contract_test.data.errors import CatalogError


@dataclass(frozen=True)
class Settings:
    """`service` is this service's name in the catalog. Contracts come from a directory or from a package."""

    service: str
    package: str = "envelopes"
    contracts: str | None = None


def read_settings(folder: Path) -> Settings:
    """Read the settings of the service in a folder. Raises CatalogError that says what to write."""
    path = folder / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise CatalogError(f"not TOML: {error}", place=str(path), advice="Mend the syntax there.") from None
    table = document.get("tool", {}).get("contract-test", {})
    if not table.get("service"):
        raise CatalogError(
            "no service is named",
            place=str(path),
            advice='Add:\n\n  [tool.contract-test]\n  service = "the service\'s name in the catalog"',
        )
    for key, value in table.items():
        if key not in Settings.__dataclass_fields__ or not isinstance(value, str):
            known = ", ".join(Settings.__dataclass_fields__)
            raise CatalogError(
                f"{key} = {value!r} is not a setting", place=f"{path}:[tool.contract-test]", advice=f"Known, all texts: {known}."
            )
    return Settings(**table)
