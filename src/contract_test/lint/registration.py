"""Checks of registered versions: none may change or disappear, compared with the lock here and at a git ref."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import ContractTestError, NoContractsYetError
from contract_test.data.finding import Finding
from contract_test.data.texts import counted, listed
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import contracts_at, is_no_recording, merge_base, registered_file
from contract_test.files.lock import FILE, differences, digest, digest_of, read_lock
from contract_test.files.schemas import SchemaFiles
from contract_test.files.settings import read_package
from envelopes.types import freeze

MAX_DIFFERENCES = 5
MAX_VALUE_LENGTH = 40
MAX_DIFF_LINES = 30
MAX_NAMES = 5
_VERSIONED = re.compile(r"(.+)\.v([1-9][0-9]*)")


@dataclass(frozen=True)
class ChangedFile:
    """A schema file and its content, as registered and as it is now."""

    path: Path
    before: Any
    after: Any


def check_lock(catalog: Catalog, subjects: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the registered versions, of some subjects or of all, that changed or are gone."""
    known = {(contract.subject, contract.version): contract for contract in catalog.contracts}
    changed: list[tuple[Contract, list[ChangedFile]]] = []
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
            changed.append((contract, _changes_since_registration(catalog, contract, registered)))
    yield from _changed_versions(catalog, changed)


def check_registered(catalog: Catalog) -> Iterator[Finding]:
    """Yield a warning for each version that is not in the lock."""
    lock = read_lock(catalog.root)
    for contract in catalog.contracts:
        if (contract.subject, contract.version) not in lock:
            sentence = "this version is not in the lock yet, so it may still change"
            advice = "When its services agree on it, run contract-test register SUBJECT."
            yield Finding(str(contract.path), "", "not-registered", sentence, advice, "warning")


def check_against(root: Path, ref: str) -> Iterator[Finding]:
    """Yield the versions that were registered where this branch left `ref`, and have another content here.

    The lock alone cannot show that somebody edited a version in place and registered it again. Where the ref has no
    contracts, nothing was registered. Raises HistoryError where git does not know the ref.
    """
    here = read_lock(root)
    try:
        with contracts_at(merge_base(root, ref), root, is_no_recording) as folder:
            there = read_lock(folder)
            changed = [name for name in there if name in here and here[name] != there[name]]
            files = _changes_between(folder, root) if changed else {}
    except NoContractsYetError:
        return
    for subject, version in there:
        path = root / subject / f"v{version}.json"
        if (subject, version) not in here:
            sentence = f"{subject} v{version} is registered at {ref}, and has no row in {FILE} here"
            yield Finding(str(path), "", "registered-row-gone", sentence, f"Restore its row in {FILE} from {ref}.")
        elif (subject, version) in changed:
            found = files.get((subject, version), [])
            sentence = f"{subject} v{version} is registered at {ref} with another content"
            what = listed([each.path.relative_to(root).as_posix() for each in found], MAX_NAMES) or "the file"
            advice = f"Restore {what} and the row in {FILE} from {ref}, and write the change as a new version."
            if found and found[0].path != path:
                sentence += f", because {what} changed, to which it refers"
            yield _with_difference(Finding(str(path), "", "registered-row-changed", sentence, advice), found)


def _changes_between(before: Path, after: Path) -> dict[tuple[str, int], list[ChangedFile]]:
    """Return the changed files of each version, its own first, between two contracts directories."""
    there = {(each.subject, each.version): each for each in load_catalog(before, []).contracts}
    files, old = SchemaFiles(after), SchemaFiles(before)
    found = {}
    for contract in load_catalog(after, []).contracts:
        name = (contract.subject, contract.version)
        if name in there:
            paths = [(files.path_of(uri), old.path_of(uri)) for uri in contract.resources]
            found[name] = [
                ChangedFile(path, old.read(earlier), files.read(path))
                for path, earlier in paths
                if path and earlier and old.read(earlier) != files.read(path)
            ]
    return found


def _changes_since_registration(catalog: Catalog, contract: Contract, registered: str) -> list[ChangedFile]:
    """Return the changed files of a registered version, its own first; empty where nobody knows what they were.

    What was registered is in git, or in the generated code.
    """
    files = SchemaFiles(catalog.root)
    generated = _generated_resources(catalog, contract, registered)
    found = []
    for uri, resource in contract.resources.items():
        path = files.path_of(uri)
        if path is None:
            continue
        before, after = registered_file(catalog.root, registered, path), files.read(path)
        if before is None:
            before, after = generated.get(uri), resource
        if before is not None and before != after:
            found.append(ChangedFile(path, before, after))
    return found


def _paths(contract: Contract) -> list[Path]:
    files = SchemaFiles(contract.path.parents[1])
    return [path for uri in contract.resources if (path := files.path_of(uri)) is not None]


def _generated_resources(catalog: Catalog, contract: Contract, registered: str) -> dict[str, Any]:
    """Return the schemas that a generated module holds, if these are the registered ones, by URI."""
    folder = catalog.root.resolve().parent
    try:
        path = folder / "src" / (read_package(folder) or "") / "messages" / f"{contract.module_name}.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        resources: dict[str, Any] = document["resources"]
        return resources if digest_of(document["uri"], resources) == registered else {}
    except (ContractTestError, OSError, ValueError, LookupError, TypeError):
        return {}


def _changed_versions(catalog: Catalog, changed: Iterable[tuple[Contract, list[ChangedFile]]]) -> Iterator[Finding]:
    """Yield a finding for each version that changed itself, and one for each shared file that changed others."""
    by_shared_file: dict[Path, tuple[list[Contract], list[ChangedFile]]] = {}
    for contract, files in changed:
        if files and files[0].path != contract.path:
            by_shared_file.setdefault(files[0].path, ([], files))[0].append(contract)
            continue
        sentence = "a registered version changed"
        if not files:
            others = [path.relative_to(catalog.root).as_posix() for path in _paths(contract) if path != contract.path]
            named = f", or a file that it refers to ({listed(others, MAX_NAMES)})" if others else ""
            sentence += f"{named}; the registered content is not in git"
        advice = f"Revert the change, and write it as {_next_version(catalog, contract)}."
        finding = Finding(str(contract.path), "", "registered-version-changed", sentence, advice)
        yield _with_difference(finding, files)
    for path, (contracts, files) in by_shared_file.items():
        names = listed([each.name for each in contracts], MAX_NAMES)
        shared = path.relative_to(catalog.root)
        sentence = f"{shared.as_posix()} changed, and with it {counted(len(contracts), 'registered version')}, {names}"
        versions = listed(list(dict.fromkeys(_next_version(catalog, each) for each in contracts)), MAX_NAMES)
        advice = (
            f"Revert the change. To change the shared type, write it as a new file, such as {_next_name(shared)}, "
            f"and refer to that file from new versions: {versions}."
        )
        yield _with_difference(Finding(str(path), "", "registered-version-changed", sentence, advice), files)


def _next_version(catalog: Catalog, contract: Contract) -> str:
    return f"{contract.subject}/v{max(catalog.subjects[contract.subject].contracts) + 1}.json"


def _next_name(path: Path) -> str:
    """Return `shared/address.v2.json` for `shared/address.json`."""
    match = _VERSIONED.fullmatch(path.stem)
    name, version = (match[1], int(match[2]) + 1) if match else (path.stem, 2)
    return path.with_name(f"{name}.v{version}{path.suffix}").as_posix()


def _with_difference(finding: Finding, files: Iterable[ChangedFile]) -> Finding:
    """Return a finding that shows how files differ: in its sentence, and as a diff where that is too long."""
    pointer, shown, diff, cut = finding.pointer, [], [], False
    for file in files:
        changes = list(differences(file.before, file.after))
        if str(file.path) == finding.file:
            pointer = changes[0][0]
        shown += [_change(*each) for each in changes]
        cut = cut or any(len(_full(value)) > MAX_VALUE_LENGTH for _, *values in changes for value in values)
        diff += _diff(file)
    cut = cut or len(shown) > MAX_DIFFERENCES
    more = f"; and {len(shown) - MAX_DIFFERENCES} more" if len(shown) > MAX_DIFFERENCES else ""
    sentence = f"{finding.sentence}: {'; '.join(shown[:MAX_DIFFERENCES])}{more}" if shown else finding.sentence
    if len(diff) > MAX_DIFF_LINES:
        diff = [*diff[:MAX_DIFF_LINES], f"… and {len(diff) - MAX_DIFF_LINES} more lines"]
    return replace(finding, pointer=pointer, sentence=sentence, details=tuple(diff) if cut else ())


def _diff(file: ChangedFile) -> list[str]:
    before, after = (json.dumps(each, indent=2, ensure_ascii=False).splitlines() for each in (file.before, file.after))
    names = f"{file.path.as_posix()} (registered)", file.path.as_posix()
    return list(unified_diff(before, after, *names, n=1, lineterm=""))


def _change(pointer: str, before: Any, after: Any) -> str:
    return f"{pointer or '/'}: {_brief(before)} → {_brief(after)}"


def _brief(value: Any) -> str:
    text = _full(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _full(value: Any) -> str:
    return "nothing" if value is None else repr(freeze(value))
