"""TOML files, with errors that say what to do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError

MAX_KEY_PARTS = 64
_LONG_KEY = re.compile(
    r"""(?:^|[\[{,])[ \t]*+(?:(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    rf"{{{MAX_KEY_PARTS}}}",
    re.MULTILINE,
)
"""A dotted key of many parts. The parser makes a table for each part, and remembers every one by its whole path."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; empty where there is none. Raises CatalogError."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.startswith("\N{BYTE ORDER MARK}"):
            advice = "Save it as UTF-8 without one."
            raise CatalogError("begins with a byte order mark", place=str(path), advice=advice)
        if found := _LONG_KEY.search(text):
            line = text.count("\n", 0, found.end()) + 1
            problem = f"a key of more than {MAX_KEY_PARTS} parts"
            raise CatalogError(problem, place=f"{path}:{line}", advice="Quote a name that has dots.")
        return tomllib.loads(text)
    except UnicodeError:
        raise CatalogError("not UTF-8 text", place=str(path), advice="Save it as UTF-8.") from None
    except RecursionError:
        raise CatalogError("nested too deeply", place=str(path), advice="Nest it less deeply.") from None
    except ValueError as error:  # a TOMLDecodeError, or a number of too many digits
        problem = str(error).partition(";")[0]
        raise CatalogError(f"not TOML: {problem}", place=str(path), advice="Mend the syntax there.") from None
