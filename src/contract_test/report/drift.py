"""Drift in words and as findings: what a channel's messages were, against what its contracts say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote, urldefrag

from contract_test.data.contract import Catalog, Contract
from contract_test.data.drift import Drift
from contract_test.data.finding import Finding
from contract_test.data.texts import counted
from contract_test.files.leak_findings import acceptance_advice
from contract_test.record.validator import ContractValidator
from contract_test.schema.fields import fields_of

MAX_LISTED_FIELDS = 5


def drift_lines(drift: Drift, catalog: Catalog) -> Iterator[str]:
    """Yield versions seen, what was broken, fields that no contract names, and fields that no message had."""
    yield from seen_lines(drift)
    for breach, count in sorted(drift.breaches.items(), key=lambda row: (-row[1], row[0])):
        text = f"{breach.rule}: {counted(count, 'message')}: {drift.examples[breach]}"
        yield f"drift: {breach.subject}{breach.pointer}: {text}"
    for (contract, pointer), count in sorted(drift.undeclared.items()):
        yield f"drift: {contract}{pointer}: not in the contract: {counted(count, 'message')}"
    for contract, pointers in never_seen_by_contract(drift, catalog).items():
        yield f"never seen: {contract}: {_listed(pointers)}"


def leak_lines(finding: Finding, count: int) -> Iterator[str]:
    """Yield why a recorder did not keep some messages, and how to keep them. The scanner's `finding` is in each."""
    thing = finding.sentence.removesuffix(" is written here")
    yield f"not kept: {counted(count, 'message')}: {finding.rule}: {thing} at {finding.file}:{finding.pointer}"
    yield "The other messages were kept."
    if finding.pointer.startswith("/payload"):
        yield "If the field has x-sensitivity: public, remove it, so that the value is masked."
    yield acceptance_advice(finding)


def seen_lines(drift: Drift) -> Iterator[str]:
    """Yield how many messages were of which version."""
    for version, count in sorted(drift.versions.items()):
        yield f"seen: {version}: {counted(count, 'message')}"


def never_seen_lines(drift: Drift, catalog: Catalog) -> Iterator[str]:
    """Yield one line for each contract with fields that no message had. It lists the first ones and counts the rest."""
    files = {contract.name: contract.path for contract in catalog.contracts}
    for contract, pointers in never_seen_by_contract(drift, catalog).items():
        fields, messages = counted(len(pointers), "field"), counted(drift.versions[contract], "message")
        sentence = f"{fields} in none of {messages} of {contract}: {_listed(pointers)}"
        yield f"{files[contract]}  never-seen  warning: {sentence}"


def _listed(pointers: Sequence[str]) -> str:
    more = len(pointers) - MAX_LISTED_FIELDS
    return ", ".join(pointers[:MAX_LISTED_FIELDS]) + (
        f" and {more} more, which --format json lists" if more > 0 else ""
    )


def never_seen_by_contract(drift: Drift, catalog: Catalog) -> dict[str, list[str]]:
    """Return the fields that no message had, by contract."""
    found: dict[str, list[str]] = {}
    for contract, pointer in never_seen(drift, catalog):
        found.setdefault(contract, []).append(pointer)
    return found


def never_seen(drift: Drift, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield fields of the contracts that were seen at all, which no message had; the outermost only."""
    for contract in catalog.contracts:
        if not drift.versions[contract.name]:
            continue
        missing: list[str] = []
        for pointer in ContractValidator(contract).inventory.declared():
            if (contract.name, pointer) not in drift.seen and not any(
                pointer.startswith(f"{each}/") for each in missing
            ):
                missing.append(pointer)
                yield contract.name, pointer


def drift_findings(drift: Drift, catalog: Catalog, place: str) -> list[Finding]:
    """Return one finding for each breach and each field that no contract names.

    A warning for each that was never seen.
    """
    files = {contract.name: str(contract.path) for contract in catalog.contracts}
    contracts = {str(contract.path): contract for contract in catalog.contracts}
    findings = [
        Finding(
            files.get(breach.subject, place),
            breach.pointer,
            f"drift-{breach.rule}",
            f"{counted(count, 'message')} of {breach.subject}: {drift.examples[breach]}",
            "Change the producer, or register a version that says what it sends."
            if breach.subject in files
            else "Change the producer, or describe what it sends: contract-test infer proposes a contract.",
        )
        for breach, count in sorted(drift.breaches.items(), key=lambda row: (-row[1], row[0]))
    ]
    findings += [
        Finding(
            files.get(contract, place),
            pointer,
            "drift-undeclared",
            f"a field that {contract} does not name, in {counted(count, 'message')}",
            "Add it in a new version, or have the producer leave it out.",
        )
        for (contract, pointer), count in sorted(drift.undeclared.items())
    ]
    findings += [
        Finding(
            files[contract],
            pointer,
            "never-seen",
            f"no message of {contract} had this field, in {drift.versions[contract]}",
            "Read more of the channel; if nobody sends it, leave it out of the next version.",
            severity="warning",
        )
        for contract, pointer in never_seen(drift, catalog)
    ]
    return [replace(each, file_pointer=_in_schema(contracts.get(each.file), each.pointer)) for each in findings]


def _in_schema(contract: Contract | None, pointer: str) -> str:
    """Return the pointer of the schema of a field, if it stands in the contract's own file; else that of the file."""
    if contract is None:
        return ""
    locations = map(urldefrag, fields_of(contract.resources, contract.uri).locations_of(pointer))
    return next((unquote(fragment) for uri, fragment in locations if uri == contract.uri), "")
