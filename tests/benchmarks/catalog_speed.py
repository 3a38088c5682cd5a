"""How long contracts over shared files take, in CPU time: `python tests/benchmarks/catalog_speed.py`."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table import Row, report

from contract_test.files.catalog import load_catalog

CONTRACTS, FILES, TYPES = 224, 4, 6


def types() -> dict[str, Any]:
    """Schemas below `components/schemas`, as in an OpenAPI document, that refer to each other."""
    fields = {f"field{number}": {"type": "string", "maxLength": 40} for number in range(8)}
    names = [f"Type{number}" for number in range(TYPES)]
    return {
        name: {
            "type": "object",
            "required": ["field0"],
            "properties": fields | {"next": {"$ref": f"#/components/schemas/{names[(at + 1) % TYPES]}"}},
        }
        for at, name in enumerate(names)
    }


def write(root: Path) -> None:
    """Write contracts, each of which refers to several shared files."""
    (root / "shared").mkdir(parents=True)
    for number in range(FILES):
        document = {"openapi": "3.1.0", "components": {"schemas": types()}}
        (root / "shared" / f"types{number}.json").write_text(json.dumps(document))
    for number in range(CONTRACTS):
        references = [f"../shared/types{each}.json#/components/schemas/Type{number % TYPES}" for each in range(FILES)]
        fields = {f"part{at}": {"$ref": reference} for at, reference in enumerate(references)}
        (root / f"subject.number{number}").mkdir()
        schema = {"type": "object", "properties": {"id": {"type": "string"}} | fields, "required": ["id"]}
        (root / f"subject.number{number}" / "v1.json").write_text(json.dumps(schema))


def command_seconds(folder: Path, *arguments: str) -> float:
    """The CPU time of a command as a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [Path(sys.executable).with_name("contract-test"), *arguments], cwd=folder, check=True, capture_output=True,
        env=os.environ | {"CONTRACT_TEST_CACHE": str(folder / "cache")},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows() -> Iterator[Row]:
    """Reading the catalog, and `generate --check` as a process: the first one, and the next one."""
    size = f"{CONTRACTS} contracts over {FILES} shared files"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "contracts")
        (folder / "pyproject.toml").touch()
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            load_catalog(folder / "contracts")
            best = min(best, time.process_time() - started)
        yield Row("contracts", "the catalog is read", best, "CPU s", most=0.3, note=size)
        command_seconds(folder, "generate", "--package", "acme")
        first, *others = (command_seconds(folder, "generate", "--package", "acme", "--check") for _ in range(3))
        yield Row("contracts", "generate --check, the first run", first, "CPU s", note=size)
        yield Row("contracts", "generate --check, nothing changed", min(others), "CPU s", most=1, note=size)


if __name__ == "__main__":
    report(rows)
