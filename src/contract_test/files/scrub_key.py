"""The key behind the pseudonyms: from the environment, or from a file that git does not see."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from contract_test.data.errors import CatalogError

VARIABLE = "CONTRACT_TEST_SCRUB_KEY"
FILE = ".scrub-key"


def scrub_key(root: Path) -> tuple[bytes, str]:
    """Return the key, and a notice for people.

    Without one, a random key is made and kept beside the contracts.
    """
    given = os.environ.get(VARIABLE)
    path = root / FILE
    if given:
        return given.encode(), f"scrub key from {VARIABLE}"
    if path.is_file():
        key = path.read_text(encoding="utf-8").strip()
        if not key:
            raise CatalogError("the scrub key is empty", place=str(path), advice="Delete the file: a new key is made.")
        return key.encode(), f"scrub key from {path}"
    key = secrets.token_hex(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{key}\n")
    _hide_from_git(root)
    return key.encode(), f"new scrub key in {path}: it is hidden from git; give it to others who record ({VARIABLE})"


def _hide_from_git(root: Path) -> None:
    """Add the file to `.gitignore`, unless one of those above names it."""
    folders = [root.resolve(), *root.resolve().parents]
    for folder in folders:
        ignore = folder / ".gitignore"
        if ignore.is_file() and FILE in ignore.read_text(encoding="utf-8", errors="replace").split():
            return
        if (folder / ".git").exists():
            break
    with (root / ".gitignore").open("a", encoding="utf-8") as file:
        file.write(f"{FILE}\n")
