"""Readers: which fields of each contract each service really reads, as its replays showed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import CatalogError
from contract_test.data.result import FieldReads, MessageResult, Reader
from contract_test.files.reader_files import content_of
from contract_test.replay.field_access import is_read
from contract_test.schema.fields import fields_of


def readers_of(service: str, catalog: Catalog, played: Iterable[MessageResult]) -> tuple[Reader, ...]:
    """Return what a service read, by contract.

    Nothing is known of a contract that a test failed on, or whose messages were read where that cannot be watched.
    """
    by_contract: dict[tuple[str, int], list[MessageResult]] = defaultdict(list)
    for each in played:
        if each.given is not None:
            by_contract[each.given.subject, each.given.version].append(each)
    return tuple(
        _reader(service, catalog.subjects[subject].contracts[version], found)
        for (subject, version), found in sorted(by_contract.items())
        if all(each.outcome == "passed" and not each.elsewhere for each in found)
    )


def _reader(service: str, contract: Contract, played: Sequence[MessageResult]) -> Reader:
    by_service: dict[tuple[str, str], set[str]] = defaultdict(set)  # of a message, told by its place and its change
    by_test: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in played:
        if each.given is not None:
            message = (each.given.place, each.change)
            by_service[message] |= set(each.reads)
            by_test[message] |= set(each.test_reads)
    alike = Counter(  # of very many messages few are read differently
        (frozenset(reads), frozenset(by_test[message]), bool(message[1])) for message, reads in by_service.items()
    )
    fields = []
    for pointer in dict.fromkeys(place.pointer for place in fields_of(contract.resources, contract.uri).places):
        recorded = looked = varied = 0
        for (reads, test_reads, changed), count in alike.items():
            if is_read(pointer, reads):
                recorded, varied = recorded + (0 if changed else count), varied + (count if changed else 0)
            elif is_read(pointer, test_reads) and not changed:
                looked += count
        if recorded or varied or looked:
            fields.append(FieldReads(pointer, recorded, looked, varied))
    messages = sum(not change for _, change in by_service)
    return Reader(service, contract.subject, contract.version, content_of(contract), messages, tuple(fields))


@dataclass(frozen=True)
class ReadersTable:
    """A contract's fields, and of each what every service does with it, in words."""

    contract: str
    services: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(catalog: Catalog, subject: str, readers: Iterable[Reader]) -> list[ReadersTable]:
    """Return one table a version, for every service that receives the subject or was seen reading it.

    Raises CatalogError.
    """
    known = catalog.subjects.get(subject)
    if known is None:
        names = ", ".join(catalog.subjects)
        raise CatalogError(f"no subject {subject!r}", place=str(catalog.root), advice=f"Known: {names}.")
    seen = list(readers)
    services = tuple(dict.fromkeys([*known.received_by, *(each.service for each in seen if each.subject == subject)]))
    made = []
    for contract in known.contracts.values():
        by_service = readers_by_service(contract, seen)
        pointers = dict.fromkeys(place.pointer for place in fields_of(contract.resources, contract.uri).places)
        rows = tuple(
            (pointer, tuple(describe_reading(by_service.get(service), pointer) for service in services))
            for pointer in pointers
        )
        made.append(ReadersTable(contract.name, services, rows))
    return made


def readers_by_service(contract: Contract, readers: Iterable[Reader]) -> Mapping[str, Reader]:
    """Return who reads a contract, as it stands now: what was seen of another content of it does not count."""
    now = content_of(contract)
    return {
        each.service: each
        for each in readers
        if (each.subject, each.version, each.contract) == (contract.subject, contract.version, now)
    }


def describe_reading(reader: Reader | None, pointer: str) -> str:
    """Return what a service does with a field, in words."""
    if reader is None or not reader.messages:
        return "unknown"
    field = next((each for each in reader.fields if each.pointer == pointer), None)
    if field is None:
        return "never reads"
    if field.by_service:
        return f"reads, in {field.by_service} of {reader.messages}"
    if field.varied:
        return "reads, in variations only"
    return "only its test reads"
