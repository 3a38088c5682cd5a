"""`contracts.lock`: a digest of every registered version, because a registered version never changes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import CatalogError

FILE = "contracts.lock"
_LINE = re.compile(r"(\S+) v([1-9][0-9]*) sha256:([0-9a-f]{64})")
_HEADING = "# What is registered never changes. Written by `contract-test register`.\n"


def digest(contract: Contract) -> str:
    """Return SHA-256 of a version's content with all that it refers to; layout and the order of keys do not count."""
    return digest_of(contract.uri, contract.resources)


def digest_of(uri: str, resources: Mapping[str, Any]) -> str:
    """Return the same of a schema by its URI and all that it reaches."""
    document = {"uri": uri, "resources": dict(resources)}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_lock(root: Path) -> dict[tuple[str, int], str]:
    """Return the registered digests by subject and version. Raises CatalogError with the line."""
    path = root / FILE
    found: dict[tuple[str, int], str] = {}
    if not path.is_file():
        return found
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeError:
        raise CatalogError("not UTF-8 text", place=str(path), advice="Restore it from git.") from None
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line.strip())
        if match:
            found[match[1], int(match[2])] = match[3]
        elif line.strip() and not line.startswith("#"):
            raise CatalogError("not a line of a lock", place=f"{path}:{number}", advice="Restore it from git.")
    return found


def unregistered(catalog: Catalog) -> list[Contract]:
    """Return the versions that are not in the lock."""
    lock = read_lock(catalog.root)
    return [each for each in catalog.contracts if (each.subject, each.version) not in lock]


def changed_versions(catalog: Catalog) -> list[Contract]:
    """Return the registered versions whose content is not the one in the lock."""
    lock = read_lock(catalog.root)
    return [each for each in catalog.contracts if lock.get((each.subject, each.version), digest(each)) != digest(each)]


def register(catalog: Catalog, subjects: list[str]) -> list[Contract]:
    """Add the versions that are not in the lock yet; gives those."""
    lock = read_lock(catalog.root)
    for name in subjects:
        if name not in catalog.subjects:
            known = ", ".join(catalog.subjects)
            raise CatalogError(f"no subject {name!r}", place=str(catalog.root), advice=f"Known: {known}.")
    fresh = [
        each for each in catalog.contracts
        if (not subjects or each.subject in subjects) and (each.subject, each.version) not in lock
    ]  # fmt: skip
    lock |= {(each.subject, each.version): digest(each) for each in fresh}
    if fresh:
        lines = [f"{subject} v{version} sha256:{lock[subject, version]}\n" for subject, version in sorted(lock)]
        (catalog.root / FILE).write_text(_HEADING + "".join(lines), encoding="utf-8")
    return fresh


def differences(before: Any, after: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the places where two JSON values differ: pointer, before, after (None where there is nothing)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from differences(before.get(name), after.get(name), f"{pointer}/{step}")
    elif before != after:
        yield pointer, before, after
