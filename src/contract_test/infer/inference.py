"""Inference of a first contract, or of the next version of one, from the messages on a channel."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract_test.compare import pairs_for
from contract_test.compat.plan import compare_pair
from contract_test.compat.snapshot import Pair, snapshots_of
from contract_test.data.contract import Catalog, Channel, Contract, Subject
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.data.finding import Finding
from contract_test.data.interaction import Interaction, Tapped
from contract_test.data.texts import counted
from contract_test.files.accepted import accepted_by, mark_accepted, read_accepted
from contract_test.files.additions import add_version, append_tables
from contract_test.files.catalog import load_catalog
from contract_test.files.leak_findings import acceptance_advice, leak_findings
from contract_test.files.recordings import wire_of
from contract_test.infer import CannotWidenError, DeclaredFields, Masked, Proposal, format_of, infer, widen
from contract_test.infer.evidence import looks_like_data
from contract_test.lint.contracts import check_contract
from contract_test.schema.declared import field_names, general_pointer
from contract_test.schema.walk import DRAFT_2020_12, escape
from envelopes import Wire
from envelopes.codecs import CODECS, CodecError
from envelopes.pointers import resolve_pointer
from envelopes.validation import CompiledSchema, compile_schema, find_violation

MAX_MESSAGES_TO_GUESS_FROM = 100
_ANY_CHANNEL = Channel("-", "-", "-", "-")
_GUESSES = tuple(sorted(CODECS, key=lambda name: name == "json"))
"""The codecs in the order in which they are tried. `json` is last, because it can read most messages of the others."""

MIN_UNIQUE_IDS = 10
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_$:-]*(?:[./][A-Za-z][A-Za-z0-9_$:-]*)*(?:[./][0-9]{1,2})?")


@dataclass(frozen=True)
class Sample:
    """One message: its data, the same data with masked values marked, and its envelope attributes."""

    data: Any
    marked: Any
    type: str | None
    dataschema: str | None
    key: str | None


@dataclass
class Traffic:
    """The messages that were read from a channel. `unreadable` counts those that the codec rejected, by reason."""

    codec: str
    seen: list[Sample] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)

    @property
    def types(self) -> Counter[str]:
        """The number of messages of each type."""
        return Counter(each.type for each in self.seen if each.type is not None)


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


def read_traffic(messages: Iterable[Tapped], codec: str | None, type_at: str | None = None) -> Traffic:
    """Decode messages with the given codec, or with the one that most of them are in.

    `type_at` is a JSON pointer to the type in the data, for codecs that carry none.
    """
    wires = [message.wire for message in messages]
    traffic = Traffic(codec or _guess(wires[:MAX_MESSAGES_TO_GUESS_FROM]))
    for wire in wires:
        _take(traffic, wire, type_at, ())
    return traffic


def read_interactions(interactions: Sequence[Interaction], catalog: Catalog | None) -> Traffic:
    """Decode recorded messages and mark the masked values in them."""
    channels = catalog.channels if catalog is not None else {}
    wires = [wire_of(each) for each in interactions]
    known = next((channels[each.channel] for each in interactions if each.channel in channels), None)
    traffic = Traffic(known.codec if known else _guess(wires[:MAX_MESSAGES_TO_GUESS_FROM]))
    for each, wire in zip(interactions, wires, strict=True):
        _take(traffic, wire, known.type if known else None, each.masked)
    return traffic


def of_type(
    traffic: Traffic, subject: str, known: Subject | None, wanted: str | None
) -> tuple[list[Sample], str | None]:
    """Return the messages of one subject, and the type name that it has on the wire.

    Raises NothingFoundError if there are none, and CatalogError if the messages have several types and none was chosen.
    """
    types = traffic.types
    listed = _listed(types)
    names = [wanted] if wanted else [known.type, subject] if known else [subject]
    chosen = next((name for name in names if name is not None and name in types), None)
    if chosen is None and wanted:
        raise NothingFoundError(f"no message is of type {wanted!r}", advice=f"There are: {listed or 'no types'}.")
    if chosen is None and len(types) > 1:
        raise CatalogError(f"the messages are of several types: {listed}", advice="Choose one with --type NAME.")
    chosen = chosen or next(iter(types), None)
    seen = [each for each in traffic.seen if chosen is None or each.type == chosen]
    if not seen:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in traffic.unreadable.most_common(3))
        raise NothingFoundError(f"no message could be read: {reasons}", advice="Name another codec with --codec.")
    return seen, chosen


def _listed(types: Counter[str]) -> str:
    """List types, without those that look like data."""
    names = {name: count for name, count in types.most_common() if _TYPE.fullmatch(name) and not looks_like_data(name)}
    shown = [f"{name!r} ({count})" for name, count in names.items()]
    others = len(types) - len(names)
    return ", ".join([*shown, *([f"{counted(others, 'other')} that may be data"] if others else [])])


def propose(
    root: Path, subject: str, seen: Sequence[Sample], declared: DeclaredFields, kind: str | None = None
) -> Inferred:
    """Return a first version of a subject, or the next one, under which every message is valid.

    Raises CatalogError if the next version has to be written by hand.
    """
    known = _known(root, subject)
    if known is None:
        proposal = infer([each.marked for each in seen], declared)
        words = subject.replace(".", " ").replace("_", " ").replace("-", " ")
        schema: Any = {"$schema": DRAFT_2020_12, "title": words[:1].upper() + words[1:], **proposal.schema}
        _refuse_leaks(root, schema, None, subject)
        _verify_proposal(root, subject, 1, schema, seen)
        return Inferred(subject, 1, schema, len(seen), remarks=proposal.remarks, type=kind, pointers=_pointers(seen))
    newest = known.newest
    accepts = {version: _validator(contract).is_valid for version, contract in known.contracts.items()}
    current = [each for each in seen if not _is_older(each, newest, accepts)]
    proposal = _widened(newest, [each.marked for each in current], declared)
    done = Inferred(subject, newest.version, newest.schema, len(current), len(seen) - len(current), known=True)
    if proposal.schema == newest.schema:
        return done
    version = newest.version + 1
    _refuse_leaks(root, proposal.schema, known, subject)
    findings = _verify_proposal(root, subject, version, proposal.schema, current)
    return Inferred(
        subject, version, proposal.schema, len(current), done.older, remarks=proposal.remarks, incompatible=findings
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
            "protocol": channel.protocol, "address": channel.address, "codec": channel.codec
        }  # fmt: skip
    if inferred.version == 1:
        rows: dict[str, str | Sequence[str]] = {"channel": channel.name} if channel is not None else {}
        if inferred.type is not None and inferred.type != inferred.subject:
            rows["type"] = inferred.type
        carried = ("key",) if channel is not None and channel.codec == "cloudevents" else ("key", "id", "time")
        rows |= {name: inferred.pointers[name] for name in carried if name in inferred.pointers}
        tables["subjects", inferred.subject] = rows | {name: names for name, names in services.items() if names}
    written = [add_version(root, inferred.subject, inferred.version, inferred.schema)]
    if tables:
        written.append(append_tables(root / "catalog.toml", tables))
    return written


def _guess(wires: Sequence[Wire]) -> str:
    for name in _GUESSES:
        readable = sum(_reads(name, wire) for wire in wires)
        if readable * 2 > len(wires):
            return name
    return "json"


def _reads(codec: str, wire: Wire) -> bool:
    try:
        CODECS[codec].read(bytes(wire), wire.key, wire.headers, _ANY_CHANNEL)
    except CodecError:
        return False
    return True


def _take(traffic: Traffic, wire: Wire, type_at: str | None, masked: Sequence[str]) -> None:
    try:
        parts, data = CODECS[traffic.codec].read(bytes(wire), wire.key, wire.headers, _ANY_CHANNEL)
    except CodecError as error:
        traffic.unreadable[f"{error.pointer or '/'}: expected {error.expected}"] += 1
        return
    declared = parts.type if parts.type is not None or type_at is None else resolve_pointer(data, type_at)
    kind = declared if isinstance(declared, str) else None
    traffic.seen.append(Sample(data, _mark(data, frozenset(masked), ""), kind, parts.dataschema, _text(parts.key)))


def _text(key: str | bytes | None) -> str | None:
    return key.decode(errors="backslashreplace") if isinstance(key, bytes) else key


def _mark(value: Any, masked: frozenset[str], pointer: str) -> Any:
    if not masked:
        return value
    if isinstance(value, dict):
        return {name: _mark(child, masked, f"{pointer}/{escape(name)}") for name, child in value.items()}
    if isinstance(value, list):
        return [_mark(child, masked, f"{pointer}/{index}") for index, child in enumerate(value)]
    return Masked(value) if isinstance(value, str) and pointer in masked else value


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


def _widened(newest: Contract, values: Sequence[Any], declared: DeclaredFields) -> Proposal:
    try:
        return widen(newest.schema, newest.resources, newest.uri, values, declared)
    except CannotWidenError as error:
        raise CatalogError(
            f"the messages need another schema at {error.pointer or '/'}, but it is in a shared file",
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
    root: Path, subject: str, version: int, schema: Any, seen: Sequence[Sample]
) -> tuple[Finding, ...]:
    """Check that every message is valid under a proposal. Return the findings against earlier versions."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "contracts"
        if root.is_dir():
            shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "recordings"))
        for each in (copy, copy / subject):
            if each.is_dir() and not each.is_symlink():  # the original may be read-only
                each.chmod(0o700)
        add_version(copy, subject, version, schema)
        catalog = load_catalog(copy)
        contract = catalog.subjects[subject].contracts[version]
        problem = next((each.sentence for each in check_contract(contract) if each.severity == "error"), None)
        validator = _validator(contract)
        broken = next((each.data for each in seen if not validator.is_valid(each.data)), None)
        if problem is None and broken is not None:
            violation = find_violation(validator, broken)
            pointer = general_pointer(violation.pointer, frozenset(field_names(contract))) if violation else ""
            problem = f"{violation.keyword if violation else 'the schema'} at {pointer or '/'} is too narrow"
        if problem is not None:
            advice = "Write this version by hand. Run `contract-test verify` to see what the messages contain."
            raise CatalogError(
                f"no schema was found that accepts all messages: {problem}", place=subject, advice=advice
            )
        return tuple(_incompatible(catalog, catalog.subjects[subject], version, str(root)))


def _incompatible(catalog: Catalog, subject: Subject, version: int, shown: str) -> Iterator[Finding]:
    snapshots = snapshots_of(catalog, shown=shown)[subject.name]
    for each in pairs_for(subject.compatibility, list(snapshots.values())):
        pair = Pair(each.writer, each.reader, each.direction, subject)
        if pair.newer is snapshots[version]:
            yield from compare_pair(pair).findings


def _pointers(seen: Sequence[Sample]) -> dict[str, str]:
    """Return the pointers to the partition key, the id and the time in the data, as far as they are evident."""
    objects = [each.data for each in seen if isinstance(each.data, dict)]
    if not objects or len(objects) < len(seen):
        return {}
    names = [name for name in objects[0] if all(isinstance(each.get(name), str) for each in objects)]
    found: dict[str, str] = {}
    for name in names:
        texts = [each[name] for each in objects]
        if texts == [each.key for each in seen]:
            found.setdefault("key", f"/{escape(name)}")
        if len(set(texts)) == len(texts) >= MIN_UNIQUE_IDS and (name == "id" or name.endswith(("_id", "Id"))):
            found.setdefault("id", f"/{escape(name)}")
    times = [name for name in names if format_of([each[name] for each in objects]) == "date-time"]
    if len(times) == 1:
        found["time"] = f"/{escape(times[0])}"
    return found
