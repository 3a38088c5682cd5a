"""Packages that are generated for a test."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate


@contextlib.contextmanager
def generated(folder: Path, name: str, catalog: str, schemas: Mapping[tuple[str, int], Any]) -> Iterator[ModuleType]:
    """Generate a package from a catalog and a schema for each subject and version, and import it while the block runs."""
    contracts = folder / "contracts"
    for (subject, version), schema in schemas.items():
        (contracts / subject).mkdir(parents=True, exist_ok=True)
        (contracts / subject / f"v{version}.json").write_text(json.dumps(schema))
    (contracts / "catalog.toml").write_text(catalog)
    generate(load_catalog(contracts), name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module(name)
