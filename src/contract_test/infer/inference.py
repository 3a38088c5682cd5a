"""Inference of a first contract, or of the next version of one, from the messages on a channel."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract_test.compare import pairs_for
from contract_test.compat.plan import compare_pair
from contract_test.compat.snapshot import Pair, snapshots_of
from contract_test.data.contract import Catalog, Channel, Contract, Subject
from contract_test.data.errors import CatalogError, ContractTestError, NothingFoundError
from contract_test.data.finding import Finding
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted
from contract_test.files.additions import add_version, append_tables, schema_text
from contract_test.files.catalog import load_catalog
from contract_test.files.catalog_schema import begin_catalog
from contract_test.files.leak_findings import acceptance_advice, leak_findings
from contract_test.files.lock import read_lock
from contract_test.files.schemas import MAX_BYTES
from contract_test.infer.catalog_pointers import Pointers
from contract_test.infer.description import Evidence
from contract_test.infer.evidence import DeclaredFields
from contract_test.infer.proposal import Proposal, infer
from contract_test.infer.traffic import Messages, Pairs, Sample
from contract_test.infer.undeclared import CannotWidenError
from contract_test.infer.widening import widen
from contract_test.lint.contracts import check_contract
from contract_test.schema.declared import field_names, general_pointer
from contract_test.schema.walk import DRAFT_2020_12, subschemas
from envelopes.validation import CompiledSchema, compile_schema, find_violation


@dataclass(frozen=True)
class Inferred:
    """The proposal for one version of a subject.

    `known` is the version that describes every message already: then nothing is proposed. `remarks` are for people,
    `incompatible` is what `compat` finds between the proposal and the versions before it.
    """

    subject: str
    version: int
    schema: Any
    used: int
    older: int = 0
    known: bool = False
    remarks: tuple[tuple[str, str], ...] = ()
    incompatible: tuple[Finding, ...] = ()
    type: str | None = None
    pointers: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    left_out: int = 0
    replaces: bool = False
    """Whether it replaces the newest version, which is not registered, because its guess was wrong."""


def propose(root: Path, subject: str, seen: Messages, declared: DeclaredFields, kind: str | None = None) -> Inferred:
    """Return a first version of a subject, or the next one, under which every message is valid.

    Raises CatalogError if the next version has to be written by hand.
    """
    known = _known(root, subject)
    if known is None:
        proposal = infer(seen.marked, declared)
        words = subject.replace(".", " ").replace("_", " ").replace("-", " ")
        schema: Any = {"$schema": DRAFT_2020_12, "title": words[:1].upper() + words[1:], **proposal.schema}
        _refuse_leaks(root, schema, None, subject)
        pointers = Pointers()
        _verify_proposal(root, subject, 1, schema, pointers.watching(seen))
        return Inferred(
            subject, 1, schema, seen.read, remarks=proposal.remarks, evidence=proposal.evidence, type=kind,
            pointers=pointers.found(),
        )  # fmt: skip
    newest = known.newest
    accepts = {version: _validator(contract).is_valid for version, contract in known.contracts.items()}
    current = seen.filtered(lambda each: not _is_older(each, newest, accepts))
    proposal = _widened(newest, Pairs(current), declared)
    older = seen.read - proposal.messages
    done = Inferred(subject, newest.version, newest.schema, proposal.messages, older, known=True)
    if proposal.schema == newest.schema:
        return replace(done, remarks=proposal.remarks, left_out=proposal.left_out)
    version = newest.version + 1
    _refuse_leaks(root, proposal.schema, known, subject)
    findings = _verify_proposal(root, subject, version, proposal.schema, current, proposal.left_out)
    is_draft = (subject, newest.version) not in read_lock(root)
    if findings and proposal.redescribes and is_draft:
        version = newest.version
        findings = _verify_proposal(root, subject, version, proposal.schema, current, proposal.left_out)
    return Inferred(
        subject,
        version,
        proposal.schema,
        done.used,
        older,
        remarks=proposal.remarks,
        evidence=proposal.evidence,
        incompatible=findings,
        left_out=proposal.left_out,
        replaces=version == newest.version,
    )


def write(
    root: Path,
    inferred: Inferred,
    channel: Channel | None,
    *,
    new_channel: bool,
    services: Mapping[str, Sequence[str]],
) -> list[Path]:
    """Write a proposal into the contracts directory, with the rows that the catalog lacks. Return the files."""
    tables: dict[tuple[str, str], Mapping[str, str | Sequence[str]]] = {}
    if channel is not None and new_channel:
        tables["channels", channel.name] = {
            "protocol": channel.protocol, "address": channel.address, "codec": channel.codec,
            **({"routing_keys": channel.routing_keys} if channel.routing_keys else {}),
            **({"type": channel.type} if channel.type else {}),
        }  # fmt: skip
    if inferred.version == 1 and not inferred.replaces:
        rows: dict[str, str | Sequence[str]] = {"channel": channel.name} if channel is not None else {}
        if inferred.type is not None and inferred.type != inferred.subject:
            rows["type"] = inferred.type
        carried = ("key",) if channel is not None and channel.codec == "cloudevents" else ("key", "id", "time")
        rows |= {name: inferred.pointers[name] for name in carried if name in inferred.pointers}
        tables["subjects", inferred.subject] = rows | {name: names for name, names in services.items() if names}
    if inferred.replaces:
        (root / inferred.subject / f"v{inferred.version}.json").unlink()
    written = [add_version(root, inferred.subject, inferred.version, inferred.schema)]
    if tables:
        written += begin_catalog(root)
        written.append(append_tables(root / "catalog.toml", tables))
    return written


def _known(root: Path, subject: str) -> Subject | None:
    try:
        return load_catalog(root).subjects.get(subject)
    except NothingFoundError:
        return None


def _is_older(message: Sample, newest: Contract, accepts: Mapping[int, Callable[[Any], bool]]) -> bool:
    """Return True if only an earlier version accepts a message and the message does not claim to be of the newest."""
    if message.dataschema == newest.dataschema or accepts[newest.version](message.data):
        return False
    return any(accepts[version](message.data) for version in accepts if version != newest.version)


def _validator(contract: Contract) -> CompiledSchema:
    return compile_schema(contract.resources, f"{contract.uri}#")


def _widened(newest: Contract, values: Pairs, declared: DeclaredFields) -> Proposal:
    try:
        return widen(newest.schema, newest.resources, newest.uri, values, declared)
    except CannotWidenError as error:
        raise CatalogError(
            f"the messages need another schema at {error.pointer or '/'}, but {error.reason}",
            place=str(newest.path),
            advice=f"Write v{newest.version + 1}.json by hand, with a schema of its own there.",
        ) from None


def _refuse_leaks(root: Path, schema: Any, known: Subject | None, subject: str) -> None:
    """Scan a proposed schema for secrets, as recordings are scanned. Raises CatalogError if one is found.

    What the newest version shows already, and what was accepted, may stay.
    """
    version = known.newest.version + 1 if known else 1
    path, public = root / subject / f"v{version}.json", frozenset(field_names(known.newest) if known else ())
    before = known.newest.schema if known else {}
    shown = {(each.rule, each.pointer) for each in leak_findings(json.dumps(before).encode(), path, public)}
    findings = leak_findings(json.dumps(schema).encode(), path, public)
    findings = (each for each in findings if (each.rule, each.pointer) not in shown)
    accepted = accepted_by(read_accepted(root), "scan")
    for each in mark_accepted(findings, accepted, datetime.now(UTC).date()):
        if each.severity == "error":
            thing = each.sentence.removesuffix(" is written here")
            advice = f"If the keys of this object are data, name it with --map POINTER. {acceptance_advice(each)}"
            raise CatalogError(
                f"{each.rule}: the proposal would show {thing} at {each.pointer}", place=subject, advice=advice
            )


def _verify_proposal(
    root: Path, subject: str, version: int, schema: Any, seen: Iterable[Sample], left_out: int = 0
) -> tuple[Finding, ...]:
    """Check that every message but those left out is valid. Return the findings against earlier versions."""
    _refuse_large(schema, subject)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "contracts"
        if root.is_dir():
            shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "recordings"))
        for each in (copy, copy / subject):
            if each.is_dir() and not each.is_symlink():  # the original may be read-only
                each.chmod(0o700)
        (copy / subject / f"v{version}.json").unlink(missing_ok=True)
        add_version(copy, subject, version, schema)
        try:
            catalog = load_catalog(copy)
        except ContractTestError as error:
            place = error.place.replace(str(copy), str(root))
            raise CatalogError(error.problem, place=place, advice=error.advice) from None
        contract = catalog.subjects[subject].contracts[version]
        problem = next((each.sentence for each in check_contract(contract) if each.severity == "error"), None)
        problem = problem or _too_narrow(contract, seen, left_out)
        if problem is not None:
            advice = "Write this version by hand. Run `contract-test verify` to see what the messages contain."
            raise CatalogError(
                f"no schema was found that accepts all messages: {problem}", place=subject, advice=advice
            )
        return tuple(_incompatible(catalog, catalog.subjects[subject], version, str(root)))


def _too_narrow(contract: Contract, seen: Iterable[Sample], left_out: int) -> str | None:
    """Return which keyword refuses a message, if more messages are refused than were left out. Reads all messages."""
    validator = _validator(contract)
    refused, first = 0, None
    for each in seen:
        if not validator.is_valid(each.data):
            refused += 1
            first = first or find_violation(validator, each.data)
    if refused <= left_out:
        return None
    pointer = general_pointer(first.pointer, frozenset(field_names(contract))) if first else ""
    return f"{first.keyword if first else 'the schema'} at {pointer or '/'} is too narrow"


def _refuse_large(schema: Any, subject: str) -> None:
    """Raise CatalogError if a schema is too large for a file, and name the widest object in it."""
    size = len(schema_text(schema).encode())
    if size <= MAX_BYTES:
        return
    widest, names = "", 0
    for pointer, node, _ in subschemas(schema, "urn:proposal", DRAFT_2020_12):
        count = len(node.get("properties", ()))
        if count > names:
            widest, names = _in_message(pointer), count
    raise CatalogError(
        f"the proposal would have {size:,} bytes, and a schema may have {MAX_BYTES:,}. "
        f"The object at {widest or '/'} has {names:,} names",
        place=subject,
        advice=f"If these names are data, add --map {widest or chr(34) * 2}.",
    )


def _in_message(pointer: str) -> str:
    """Return the JSON pointer into a message for one into its schema."""
    steps, found = pointer.split("/")[1:], ""
    while steps:
        keyword = steps.pop(0)
        if keyword in ("properties", "oneOf", "anyOf", "$defs") and steps:
            name = steps.pop(0)
            found += f"/{name}" if keyword == "properties" else ""
        elif keyword in ("items", "additionalProperties"):
            found += "/*"
    return found


def _incompatible(catalog: Catalog, subject: Subject, version: int, shown: str) -> Iterator[Finding]:
    snapshots = snapshots_of(catalog, shown=shown)[subject.name]
    for each in pairs_for(subject.compatibility, list(snapshots.values())):
        pair = Pair(each.writer, each.reader, each.direction, subject)
        if pair.newer is snapshots[version]:
            yield from compare_pair(pair).findings
