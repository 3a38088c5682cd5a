"""Checks of registered versions: none may change or disappear, compared with the lock here and at a git ref."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import NoContractsYetError
from contract_test.data.finding import Finding
from contract_test.files.history import contracts_at, merge_base, registered_file
from contract_test.files.lock import FILE, differences, digest, read_lock
from contract_test.files.schemas import SchemaFiles
from envelopes.types import freeze

MAX_DIFFERENCES = 5
MAX_VALUE_LENGTH = 40


def check_lock(catalog: Catalog, subjects: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the registered versions, of some subjects or of all, that changed or are gone."""
    known = {(contract.subject, contract.version): contract for contract in catalog.contracts}
    for (subject, version), registered in read_lock(catalog.root).items():
        contract, path = known.get((subject, version)), catalog.root / subject / f"v{version}.json"
        if subjects and subject not in subjects:
            continue
        if contract is None:
            if path.exists():  # it cannot be read, which the file's own finding says
                continue
            advice = "Restore the file from git. Other services may still send or read it."
            yield Finding(str(path), "", "registered-version-gone", "a registered version is missing", advice)
        elif digest(contract) != registered:
            yield _changed(catalog, contract, registered)


def check_registered(catalog: Catalog) -> Iterator[Finding]:
    """Yield a warning for each version that is not in the lock."""
    lock = read_lock(catalog.root)
    for contract in catalog.contracts:
        if (contract.subject, contract.version) not in lock:
            sentence = "this version is not in the lock yet, so it may still change"
            advice = f"When its services agree on it, run contract-test register {contract.subject}"
            yield Finding(str(contract.path), "", "not-registered", sentence, advice, "warning")


def check_against(root: Path, ref: str) -> Iterator[Finding]:
    """Yield the versions that were registered where this branch left `ref`, and have another content here.

    The lock alone cannot show that somebody edited a version in place and registered it again. Where the ref has no
    contracts, nothing was registered. Raises HistoryError where git does not know the ref.
    """
    here = read_lock(root)
    try:
        with contracts_at(merge_base(root, ref), root) as folder:
            there = read_lock(folder)
    except NoContractsYetError:
        return
    for (subject, version), registered in there.items():
        path = str(root / subject / f"v{version}.json")
        if (subject, version) not in here:
            sentence = f"{subject} v{version} is registered at {ref}, and has no row in {FILE} here"
            yield Finding(path, "", "registered-row-gone", sentence, f"Restore its row in {FILE} from {ref}.")
        elif here[subject, version] != registered:
            sentence = f"{subject} v{version} is registered at {ref} with another content"
            advice = f"Restore the file and its row in {FILE} from {ref}, and write the change as a new version."
            yield Finding(path, "", "registered-row-changed", sentence, advice)


def _changed(catalog: Catalog, contract: Contract, registered: str) -> Finding:
    """Return a finding that names the changed file of a registered version: its own, or one that it refers to."""
    next_version = max(catalog.subjects[contract.subject].contracts) + 1
    files = SchemaFiles(catalog.root)
    for uri in contract.resources:
        path = files.path_of(uri)
        before = registered_file(catalog.root, registered, path) if path is not None else None
        if path is None or before is None:
            continue
        changes = list(differences(before, files.read(path)))
        if not changes:
            continue
        shown = "; ".join(_change(*each) for each in changes[:MAX_DIFFERENCES])
        more = f"; and {len(changes) - MAX_DIFFERENCES} more" if len(changes) > MAX_DIFFERENCES else ""
        if path == contract.path:
            sentence = f"a registered version changed: {shown}{more}"
            advice = f"Revert the change, and write it as v{next_version}.json."
            return Finding(str(path), changes[0][0], "registered-version-changed", sentence, advice)
        shared = path.relative_to(catalog.root).as_posix()
        sentence = f"a registered version changed, because {shared} changed, to which it refers: {shown}{more}"
        advice = (
            f"Revert the change of {shared}, write it as a new file, and refer to that file from a new version, "
            f"such as {contract.subject}/v{next_version}.json."
        )
        return Finding(str(contract.path), "", "registered-version-changed", sentence, advice)
    sentence = "a registered version changed, or a file that it refers to; the registered content is not in git"
    advice = f"Revert the change, and write it as v{next_version}.json."
    return Finding(str(contract.path), "", "registered-version-changed", sentence, advice)


def _change(pointer: str, before: Any, after: Any) -> str:
    return f"{pointer or '/'}: {_brief(before)} → {_brief(after)}"


def _brief(value: Any) -> str:
    text = "nothing" if value is None else repr(freeze(value))
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"
