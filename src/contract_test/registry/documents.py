"""What a registry is given for a contract: a schema's text, and what it refers to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote, urldefrag

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import SchemaError
from contract_test.files.schemas import BASE, parse_json
from contract_test.registry.client import Reference, Registered
from contract_test.registry.draft_07 import draft_07_form
from contract_test.schema.bundle import bundle, value_at
from contract_test.schema.walk import draft_of, join, subschemas

ContractId = tuple[str, int]
"""A subject of the catalog and a version."""


@dataclass(frozen=True)
class Document:
    """A schema as it is registered. `references` has the contracts that it refers to, by the names it uses for them."""

    schema: Any
    references: tuple[tuple[str, ContractId], ...] = ()

    def body(self, located: Callable[[ContractId], tuple[str, int]]) -> dict[str, Any]:
        """Return it as Confluent's API takes it; `located` gives the subject and version of a contract there."""
        references = [Reference(name, *located(target)) for name, target in self.references]
        return body_of(json.dumps(self.schema, ensure_ascii=False), references)


def body_of(text: str, references: Sequence[Reference]) -> dict[str, Any]:
    """Return a schema as Confluent's API takes it."""
    body: dict[str, Any] = {"schemaType": "JSON", "schema": text}
    return {**body, "references": [asdict(each) for each in references]} if references else body


def document_of(catalog: Catalog, contract: Contract, *, draft_07: bool) -> Document:
    """Return what is registered for a contract.

    A `$ref` to another contract becomes a reference. Other files are written into the schema, and so is everything in
    a draft-07 form. Raises SchemaError where the contract cannot be one schema.
    """
    if not draft_07:
        found = dict(_references(contract))
        targets = {name: _contract_at(catalog, uri) for name, uri in found.items()}
        if found.keys() == targets.keys() and all(targets.values()) and bool(found) == (len(contract.resources) > 1):
            return Document(contract.schema, tuple((name, target) for name, target in targets.items() if target))
    schema = _in_one(contract) if len(contract.resources) > 1 else contract.schema
    return Document(draft_07_form(schema, contract.name) if draft_07 else schema)


def parsed(registered: Registered) -> Any:
    """Return a registered schema. Raises SchemaError with subject and version where no reader can parse it."""
    return parse_json(registered.text, f"{registered.subject} version {registered.version}")


def content_key(schema: Any, references: Sequence[Reference] = ()) -> str:
    """Return a text that is the same for the same schema with the same references. Layout does not count."""
    named = sorted([each.name, each.subject, each.version] for each in references)
    return json.dumps([schema, named], sort_keys=True)


def _references(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield the name of each reference to another document, and the URI of that document."""
    settled = contract.resources[contract.uri]
    for pointer, node, at in subschemas(contract.schema, "", draft_of(contract.schema)):
        target = value_at(settled, f"{pointer}/$ref")
        if isinstance(node.get("$ref"), str) and isinstance(target, str):
            uri = urldefrag(target).url
            if uri and uri != contract.uri:
                yield urldefrag(join(at, node["$ref"])).url, uri


def _contract_at(catalog: Catalog, uri: str) -> ContractId | None:
    subject, _, file = unquote(uri.removeprefix(BASE)).rpartition("/")
    version = file.removeprefix("v").removesuffix(".json")
    known = uri.startswith(BASE) and subject in catalog.subjects and version.isdecimal()
    return (subject, int(version)) if known and int(version) in catalog.subjects[subject].contracts else None


def _in_one(contract: Contract) -> Any:
    nodes = (
        node for uri, schema in contract.resources.items() for _, node, _ in subschemas(schema, uri, draft_of(schema))
    )
    formats = frozenset(node["format"] for node in nodes if isinstance(node.get("format"), str))
    made = bundle(contract.resources, contract.uri, formats)
    if made.resources:
        advice = "Write it in one dialect, without dynamic references to other files, or in one file."
        raise SchemaError("it cannot be written as one schema", place=contract.name, advice=advice)
    return made.schema
