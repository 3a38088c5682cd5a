"""The names that contracts and their catalog declare. They are public: only other keys and values can hold a secret."""

from __future__ import annotations

from collections.abc import Iterator

from contract_test.data.contract import Catalog, Contract
from contract_test.schema.walk import draft_of, subschemas


def declared_names(catalog: Catalog) -> frozenset[str]:
    """Return the names of fields, channels, subjects, types, services and schemas, with addresses and pointers."""
    return frozenset(_of_catalog(catalog)) | {name for each in catalog.contracts for name in field_names(each)}


def field_names(contract: Contract) -> Iterator[str]:
    """Yield the names of fields that a contract declares, anywhere in it."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            yield from properties if isinstance(properties := node.get("properties"), dict) else ()
            required = node.get("required")
            yield from (name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


def _of_catalog(catalog: Catalog) -> Iterator[str]:
    for channel in catalog.channels.values():
        yield from (channel.name, channel.address)
    for contract in catalog.contracts:
        yield from (contract.dataschema, contract.uri)
    for subject in catalog.subjects.values():
        pointers = (subject.key, subject.id, subject.time, subject.version, subject.caused_by, *subject.volatile)
        yield from filter(None, (subject.name, subject.type, *pointers))
        for service in (*subject.sent_by, *subject.received_by):
            yield from (service, f"/{service}")
