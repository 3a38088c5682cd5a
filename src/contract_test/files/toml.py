"""TOML files, with errors that say what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; empty where there is none. Raises CatalogError."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.startswith("\N{BYTE ORDER MARK}"):
            advice = "Save it as UTF-8 without one."
            raise CatalogError("begins with a byte order mark", place=str(path), advice=advice)
        return tomllib.loads(text)
    except UnicodeError:
        raise CatalogError("not UTF-8 text", place=str(path), advice="Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"not TOML: {error}", place=str(path), advice="Mend the syntax there.") from None
