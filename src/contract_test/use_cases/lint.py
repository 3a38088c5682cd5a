"""Lint: a contracts directory is well-formed, locked and named properly, and all readers take it the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import CatalogError, ContractTestError
from contract_test.data.finding import Finding
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import differences, digest, read_lock, registered_schema
from contract_test.files.recordings import read_recording, recording_path
from contract_test.schema.profile import remarks
from contract_test.schema.walk import References, subschemas
from contract_test.use_cases.recorded import old_recordings
from contract_test.use_cases.scan import scan_file
from envelopes import compile_schema, find_violation, freeze

_SUBJECT = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")


def lint(root: Path, max_age: timedelta | None = None) -> list[Finding]:
    """Everything that is wrong with a contracts directory, errors first; with `max_age`, old recordings too."""
    broken: list[ContractTestError] = []
    findings: list[Finding] = []
    try:
        catalog = load_catalog(root, broken)
    except ContractTestError as error:
        catalog = None
        broken.append(error)
    for each in broken:
        file, _, pointer = each.place.partition(":")
        rule = "catalog" if isinstance(each, CatalogError) else "schema"
        findings.append(Finding(file, pointer, rule, each.problem, each.advice))
    if catalog is not None:
        findings += _names(catalog)
        findings += _lock(catalog)
        for contract in catalog.contracts:
            findings += check_contract(contract)
            findings += _recording(contract)
        if max_age is not None:
            findings += old_recordings(catalog.contracts, catalog, max_age)
    return sorted(findings, key=lambda finding: finding.severity != "error")


def check_contract(contract: Contract) -> Iterator[Finding]:
    """What is wrong with one schema; the rules that only warn run when it can be used."""
    file = str(contract.path)
    references = References(contract.resources, contract.uri)
    try:
        compile_schema(contract.resources, f"{contract.uri}#")
    except ValueError as error:
        pointer, sentence = _told(error)
        yield Finding(file, pointer, "schema-invalid", sentence, f"Write it as {references.draft} asks for.")
        return
    yield from _unsatisfiable(contract)
    yield from _examples(contract, references)
    for pointer, rule, sentence, advice in remarks(contract.schema, contract.uri, references.draft):
        yield Finding(file, pointer, rule, sentence, advice, "warning")


def _told(error: ValueError) -> tuple[str, str]:
    cause = error.__cause__
    if not isinstance(cause, jsonschema_rs.ValidationError):
        return "", str(error).partition("\n")[0]
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in cause.instance_path)
    return pointer, cause.message[:200]


def _unsatisfiable(contract: Contract) -> Iterator[Finding]:
    schema = contract.resources[contract.uri]
    if not isinstance(schema, dict | bool) or len(contract.resources) > 1:
        return
    try:
        nothing = jsonschema_rs.canonical.find_unsatisfiable(schema, offline=True)
    except (ValueError, jsonschema_rs.ReferencingError):
        return
    if "" in nothing:
        advice = "Look at `type`, `required` and `enum`: two of them contradict each other."
        yield Finding(str(contract.path), "", "accepts-nothing", "no message is valid", advice)


def _examples(contract: Contract, references: References) -> Iterator[Finding]:
    for pointer, node, _ in subschemas(contract.schema, contract.uri, references.draft):
        examples = node.get("examples")
        values = [(f"{pointer}/examples/{place}", value, "example", "error") for place, value in enumerate(
            examples if isinstance(examples, list) else ())]  # fmt: skip
        if "default" in node:
            values.append((f"{pointer}/default", node["default"], "default", "warning"))
        if not values:
            continue
        validator = compile_schema(contract.resources, references.inside_document(contract.uri, pointer))
        for place, value, kind, severity in values:
            violation = find_violation(validator, value)
            if violation is not None:
                sentence = f"the {kind} breaks its own schema at {violation}"
                yield Finding(
                    str(contract.path), place, f"{kind}-invalid", sentence, "Correct it, or the schema.", severity
                )


def _names(catalog: Catalog) -> Iterator[Finding]:
    for subject in catalog.subjects.values():
        folder = subject.newest.path.parent
        if not _SUBJECT.fullmatch(subject.name):
            advice = "Use lower-case words with dots between, such as order.placed."
            yield Finding(str(folder), "", "subject-name", f"{subject.name!r} is not named like the others", advice)
        if subject.channel is None:
            advice = f'Add channel = "NAME" to [subjects."{subject.name}"].'
            sentence = f"{subject.name} travels on no channel: it can be neither encoded nor recorded"
            yield Finding(str(catalog.root / "catalog.toml"), "", "no-channel", sentence, advice, "warning")
        for expected, version in enumerate(sorted(subject.contracts), start=1):
            if version != expected:
                sentence = f"v{expected} is missing: versions count 1, 2, 3 …"
                yield Finding(str(folder), "", "version-gap", sentence, f"Rename v{version}.json to v{expected}.json.")
                break


def _lock(catalog: Catalog) -> Iterator[Finding]:
    lock = read_lock(catalog.root)
    known = {(contract.subject, contract.version): contract for contract in catalog.contracts}
    for (subject, version), registered in lock.items():
        contract = known.get((subject, version))
        if contract is None:
            advice = "Restore the file from git: others may still send or read it."
            yield Finding(str(catalog.root / subject / f"v{version}.json"), "", "registered-version-gone",
                          "a registered version is not there", advice)  # fmt: skip
        elif digest(contract) != registered:
            before = registered_schema(contract)
            changed = list(differences(before, contract.schema)) if before is not None else []
            told = "; ".join(f"{pointer or '/'}: {_brief(old)} → {_brief(new)}" for pointer, old, new in changed[:5])
            pointer = changed[0][0] if changed else ""
            sentence = f"a registered version changed{f': {told}' if told else ', or a file that it refers to'}"
            advice = f"Take the change back, and write it as v{max(catalog.subjects[subject].contracts) + 1}.json."
            yield Finding(str(contract.path), pointer, "registered-version-changed", sentence, advice)
    for key, contract in known.items():
        if key not in lock:
            advice = f"When it is agreed: contract-test register {contract.subject}"
            yield Finding(
                str(contract.path), "", "not-registered", "not in the lock yet: it may still change", advice, "warning"
            )


def _recording(contract: Contract) -> Iterator[Finding]:
    try:
        if read_recording(contract):
            yield from scan_file(recording_path(contract))
    except ContractTestError as error:
        file, _, line = error.place.rpartition(":")
        yield Finding(file, line, "recording", error.problem, error.advice)


def _brief(value: Any) -> str:
    text = "nothing" if value is None else repr(freeze(value))
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - what fits in a line
