"""Checks of the scrub key: nobody else can read or guess it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from contract_test.data.errors import CatalogError
from contract_test.data.finding import Finding
from contract_test.files.scrub_key import FILE, key_problems


def check_scrub_key(root: Path) -> Iterator[Finding]:
    """Yield what is wrong with the file of the scrub key; nothing if there is none."""
    path = str(root / FILE)
    try:
        for problem in key_problems(root):
            yield Finding(path, "", "scrub-key", problem.sentence, problem.advice)
    except CatalogError as error:
        yield Finding(path, "", "scrub-key", error.problem, error.advice)
