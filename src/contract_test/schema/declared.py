"""What contracts and their catalog declare. It is public: only other keys and values can contain a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract_test.data.contract import Catalog, Contract
from contract_test.schema.walk import draft_of, subschemas, unescape


def declared_names(catalog: Catalog) -> frozenset[str]:
    """Return the names of fields, channels, subjects, types, services and schemas, with addresses and pointers."""
    return frozenset(_of_catalog(catalog)) | {name for each in catalog.contracts for name in field_names(each)}


def declared_texts(catalog: Catalog) -> frozenset[str]:
    """Return the declared names, and the texts that messages may contain as enum values or constants."""
    return declared_names(catalog) | {
        text for contract in catalog.contracts for node in _nodes(contract) for text in _constants(node)
    }


def field_names(contract: Contract) -> Iterator[str]:
    """Yield the names of fields that a contract declares, anywhere in it."""
    for node in _nodes(contract):
        yield from properties if isinstance(properties := node.get("properties"), dict) else ()
        required = node.get("required")
        yield from (name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


def general_pointer(pointer: str, names: frozenset[str]) -> str:
    """Return a JSON pointer into a message with `*` for each index, and for each key that is not among the names.

    Pointers to the same field of different messages become the same one, and nothing of a message is in it.
    """
    steps = pointer.split("/")[1:]
    return "".join(f"/{step if unescape(step) in names and not step.isdigit() else '*'}" for step in steps)


def _nodes(contract: Contract) -> Iterator[dict[str, Any]]:
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            yield node


def _constants(node: dict[str, Any]) -> Iterator[str]:
    values = node.get("enum")
    for value in (*(values if isinstance(values, list) else ()), node.get("const")):
        if isinstance(value, str):
            yield value


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
