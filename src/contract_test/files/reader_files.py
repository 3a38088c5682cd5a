"""What each service reads, kept in a file a service: `<service>.json`, made to be shared with the contracts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import RecordingError
from contract_test.data.result import Reader
from contract_test.files.lock import digest

FOLDER = "readers"


@dataclass(frozen=True)
class _File:
    format: Literal[1]
    readers: tuple[Reader, ...]


_FILE = TypeAdapter(_File)


def read_readers(*folders: Path) -> list[Reader]:
    """Return everything that is known in some folders; of one service's contract, what the last folder says.

    Raises RecordingError where a file cannot be read.
    """
    found: dict[tuple[str, str, int], Reader] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            for reader in _read(path):
                found[reader.service, reader.subject, reader.version] = reader
    return list(found.values())


def write_readers(folder: Path, service: str, readers: Iterable[Reader], catalog: Catalog) -> Path:
    """Write what a service reads; what was known before of other contracts that are still the same is kept."""
    path = folder / f"{quote(service, safe='')}.json"
    found = {(each.subject, each.version): each for each in _read(path) if _stands(each, catalog)}
    found |= {(each.subject, each.version): each for each in readers}
    folder.mkdir(parents=True, exist_ok=True)
    text = _FILE.dump_json(_File(1, tuple(found[key] for key in sorted(found))), indent=1).decode() + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def content_of(contract: Contract) -> str:
    """Return a digest that differs for each content of a contract.

    Enough of its digest, and too little to look like a secret.
    """
    return digest(contract)[:16]


def _stands(reader: Reader, catalog: Catalog) -> bool:
    subject = catalog.subjects.get(reader.subject)
    contract = subject.contracts.get(reader.version) if subject else None
    return contract is not None and content_of(contract) == reader.contract


def _read(path: Path) -> tuple[Reader, ...]:
    if not path.is_file():
        return ()
    try:
        return _FILE.validate_json(path.read_bytes()).readers
    except ValidationError as error:
        reason = str(error).splitlines()[2].strip()
        advice = "Remove it; `pytest --contracts` writes it again in the service's repo."
        raise RecordingError(f"not a file of readers: {reason}", place=str(path), advice=advice) from None
