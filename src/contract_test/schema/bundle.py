"""A contract and every file that it reaches as one schema document, and what stands where in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from contract_test.schema.walk import SPECIFICATIONS, children, draft_of, escape, join, split_fragment, unescape

_DYNAMIC = ("$dynamicRef", "$recursiveRef", "$id")
_ANCHORS = ("$anchor", "$dynamicAnchor")
_DEFINITIONS = {"2020-12": "$defs", "2019-09": "$defs"}
_NAMED = frozenset(("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"))


@dataclass(frozen=True)
class Bundle:
    """`schema` refers to nothing outside itself but to `resources`, by URI.

    `names` says which file stands at which JSON pointer of the schema, and `originals` which file has another URI here.
    """

    schema: Any
    resources: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)

    def file_of(self, pointer: str) -> tuple[str | None, str]:
        """Return the URI of the file that a place of the schema comes from, and the pointer in it.

        A place in a resource is `URI#/pointer`. None for the contract's.
        """
        if pointer and not pointer.startswith("/"):
            uri, _, pointer = pointer.partition("#")
            return self.originals.get(uri, uri), pointer
        for name, uri in self.names.items():
            if pointer == name or pointer.startswith(f"{name}/"):
                return uri, pointer.removeprefix(name)
        return None, pointer

    def beside(self, other: Bundle) -> Bundle:
        """Return the same, with URIs of its own where one of its resources has another text in the other bundle."""
        if all(other.resources.get(uri, schema) == schema for uri, schema in self.resources.items()):
            return self
        own = [uri for uri in self.resources if uri not in SPECIFICATIONS]
        names = {uri: f"https://writer.invalid/{number}" for number, uri in enumerate(own)}

        def renamed(value: Any) -> Any:
            if isinstance(value, list):
                return [renamed(item) for item in value]
            if not isinstance(value, dict):
                return value
            made = {name: renamed(member) for name, member in value.items()}
            if isinstance(made.get("$ref"), str):
                target, _, fragment = made["$ref"].partition("#")
                made["$ref"] = f"{names[target]}#{fragment}" if target in names else made["$ref"]
            return made

        resources = {names.get(uri, uri): renamed(schema) for uri, schema in self.resources.items()}
        originals = {name: uri for uri, name in names.items()}
        return replace(self, schema=renamed(self.schema), resources=resources, originals=originals)


def bundle(resources: Mapping[str, Any], uri: str, formats: frozenset[str]) -> Bundle:
    """Make one document of a contract's resources; of `format`, only those in `formats` stay assertions.

    References are absolute or local, as `files.schemas` leaves them. Where they depend on how they are reached, or
    where files are written in several dialects, the files stay apart.
    """
    schemas = SchemaObjects(resources)
    own = resources[uri]
    draft = draft_of(own)
    others = [document for document in resources if document != uri]
    apart = schemas.are_dynamic or any(
        document in SPECIFICATIONS or (isinstance(resources[document], dict) and draft_of(resources[document]) != draft)
        for document in others
    )
    if apart or not isinstance(own, dict):
        copies = {document: schemas.copy(document, formats) for document in resources}
        return Bundle(copies[uri], copies if others else {})
    holder = _DEFINITIONS.get(draft, "definitions")
    taken = own.get(holder, {})
    places = {uri: ""}
    for number, document in enumerate(others):
        name = f"file-{number}"
        while name in taken:
            name += "-"
        places[document] = f"/{holder}/{name}"
    made = schemas.copy(uri, formats, places)
    if others:
        members = {places[document].rpartition("/")[2]: schemas.copy(document, formats, places) for document in others}
        made[holder] = {**made.get(holder, {}), **members}
    return Bundle(made, {}, {place: document for document, place in places.items() if place})


class SchemaObjects:
    """Which objects among some resources are schemas: found from the roots, and from what references lead to."""

    def __init__(self, resources: Mapping[str, Any]) -> None:
        self.resources = resources
        self.are_dynamic = False
        self.found: set[int] = set()
        pending = list(resources.items())
        while pending:
            document, node = pending.pop()
            if not isinstance(node, dict) or id(node) in self.found:
                continue
            self.found.add(id(node))
            self.are_dynamic = self.are_dynamic or any(isinstance(node.get(keyword), str) for keyword in _DYNAMIC)
            pending += [(document, child) for _, child in children(node)]
            if isinstance(node.get("$ref"), str):
                pending += self._target(document, node["$ref"])

    def _target(self, document: str, reference: str) -> Iterator[tuple[str, Any]]:
        target, fragment = split_fragment(join(document, reference))
        found = value_at(self.resources.get(target), unquote(fragment))
        if found is not None:
            yield target, found

    def copy(self, document: str, formats: frozenset[str], places: Mapping[str, str] | None = None) -> Any:
        """Copy a document without formats that are annotations; with references by `places`, where those are given."""

        def copied(value: Any) -> Any:
            if isinstance(value, list):
                return [copied(item) for item in value]
            if not isinstance(value, dict):
                return value
            made = {name: copied(member) for name, member in value.items()}
            if id(value) not in self.found:
                return made
            if isinstance(made.get("format"), str) and made["format"] not in formats:
                del made["format"]
            if places is not None:
                for keyword in _ANCHORS:
                    made.pop(keyword, None)
                if value is not self.resources[next(iter(places))]:
                    made.pop("$schema", None)  # the root's, where all are of one dialect
                if isinstance(made.get("$ref"), str):
                    made["$ref"] = _moved(document, made["$ref"], places)
            return made

        return copied(self.resources[document])


def _moved(document: str, reference: str, places: Mapping[str, str]) -> str:
    target, fragment = split_fragment(join(document, reference))
    return f"#{places[target]}{fragment}" if target in places else reference


def value_at(value: Any, pointer: str) -> Any:
    """Return what stands at a JSON pointer; None where nothing does."""
    for token in pointer.split("/")[1:]:
        step = unescape(token)
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def follow(resources: Mapping[str, Any], uri: str, pointer: str) -> tuple[str, str]:
    """Return where a pointer that leads through `$ref`s ends: the document, and the pointer in it."""
    for _ in range(pointer.split("/").count("$ref")):
        before, _, behind = pointer.partition("/$ref/")
        node = value_at(resources[uri], before)
        reference = node.get("$ref") if isinstance(node, dict) else None
        target, fragment = split_fragment(join(uri, reference)) if isinstance(reference, str) else ("", "")
        if target not in resources:
            break
        uri, pointer = target, f"{unquote(fragment)}/{behind}"
    return uri, pointer


def schema_around(schema: Any, pointer: str) -> str:
    """Return the pointer to the schema that a place is in: `/properties/a` for `/properties/a/type`."""
    at, around, node = "", "", schema
    steps = [unescape(token) for token in pointer.split("/")[1:]]
    while steps:
        step = steps.pop(0)
        below = node.get(step) if isinstance(node, dict) else None
        at += f"/{escape(step)}"
        if isinstance(below, list) or (step in _NAMED and isinstance(below, dict)):
            if not steps:
                break
            name = steps.pop(0)
            at += f"/{escape(name)}"
            below = value_at(below, f"/{escape(name)}")
        if not isinstance(below, dict | bool):
            break
        around, node = at, below
    return around
