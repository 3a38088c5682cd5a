"""The schemas of all contracts as components of one document, and back into files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag

from contract_test.data.contract import Contract
from contract_test.data.errors import SchemaError
from contract_test.files.schemas import BASE, SchemaFiles
from contract_test.schema.bundle import SchemaObjects
from contract_test.schema.names import unused
from contract_test.schema.walk import SPECIFICATIONS, draft_of, escape, join, subschemas

MAX_KEY_LENGTH = 80
HOLDERS = ("$defs", "definitions")
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9._-]+")
_SCHEMAS = "#/components/schemas/"
_APART = "Export without --bundle: the document refers to the files then."
_DATA = "AsyncAPI tools take every member of that name for a reference. Rename the field, or leave the value out."


class SchemaComponents:
    """Every schema file that contracts reach, as `components/schemas`, with the definitions as components of their own.

    `files` tells how the files are made of the components, so that reading the document gives the same files.
    """

    def __init__(self, root: Path, contracts: Iterable[Contract]) -> None:
        self.components: dict[str, Any] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._wrapped: set[str] = set()
        self._documents: dict[str, Any] = {}
        files = SchemaFiles(root)
        for contract in contracts:
            self._add(contract, files)

    def reference(self, contract: Contract) -> str:
        """Return the `$ref` to a contract's schema."""
        return self._component(contract.uri, "")

    def _add(self, contract: Contract, files: SchemaFiles) -> None:
        schemas = SchemaObjects(contract.resources)
        for uri, schema in contract.resources.items():
            if uri in SPECIFICATIONS or schemas.are_dynamic or self._documents.get(uri, schema) != schema:
                problem = "the schema depends on how it is reached, or refers to a meta-schema"
                raise SchemaError(problem, place=str(contract.path), advice=_APART)
            if uri not in self._documents:
                self._name(uri, schema, contract)
                self._wrapped |= {uri} if _is_beyond_asyncapi(schema) else set()
        for uri, schema in contract.resources.items():
            if uri in self._documents:
                continue
            self._documents[uri] = schema
            draft = schema_format(schema if isinstance(schema, dict) and "$schema" in schema else contract.schema)
            moved = self._moved(uri, schema, schemas)
            parts: dict[str, list[list[str]]] = {}
            for holder in HOLDERS:
                for name, part in _definitions(moved, holder).items():
                    key = self._keys[uri, f"/{holder}/{escape(name)}"]
                    self.components[key] = {"schemaFormat": draft, "schema": part} if uri in self._wrapped else part
                    parts.setdefault(holder, []).append([name, key])
                if _definitions(moved, holder):
                    moved = {keyword: value for keyword, value in moved.items() if keyword != holder}
            key = self._keys[uri, ""]
            self.components[key] = {"schemaFormat": draft, "schema": moved} if uri in self._wrapped else moved
            path = files.path_of(uri)
            raw = files.read(path) if path else None
            declared = raw.get("$id") if isinstance(raw, dict) else None
            file = path.relative_to(files.root).as_posix() if path else uri
            self.files[file] = {
                "schema": key,
                **({"$id": declared} if isinstance(declared, str) else {}),
                **({} if uri == BASE + file else {"uri": uri}),
                **({"wrapped": True} if uri in self._wrapped else {}),
                **parts,
            }

    def _name(self, uri: str, schema: Any, contract: Contract) -> None:
        taken = set(self._keys.values())
        own = f"{contract.subject}.v{contract.version}"
        key = unused(safe_key(own if uri == contract.uri else uri.removeprefix(BASE).removesuffix(".json")), taken, "-")
        self._keys[uri, ""] = key
        taken.add(key)
        for holder in HOLDERS:
            for name in _definitions(schema, holder):
                made = unused(safe_key(f"{key}.{name}"), taken, "-")
                self._keys[uri, f"/{holder}/{escape(name)}"] = made
                taken.add(made)

    def _moved(self, uri: str, schema: Any, schemas: SchemaObjects) -> Any:
        """Copy a file's contents, with references to components."""

        def moved(value: Any) -> Any:
            if isinstance(value, list):
                return [moved(item) for item in value]
            if not isinstance(value, dict):
                return value
            made = {name: moved(item) for name, item in value.items()}
            if "$ref" in made:
                if id(value) not in schemas.found or not isinstance(made["$ref"], str):
                    raise SchemaError("something is named $ref", place=uri.removeprefix(BASE), advice=_DATA)
                target, fragment = urldefrag(join(uri, made["$ref"]))
                made["$ref"] = self._component(target, unquote(fragment))
            return made

        return moved(schema)

    def _component(self, uri: str, pointer: str) -> str:
        steps = pointer.split("/")
        own = "/".join(steps[:3])
        inside = "/schema" if uri in self._wrapped else ""
        if (uri, own) in self._keys and own:
            return f"{_SCHEMAS}{self._keys[uri, own]}{inside}{_quoted(steps[3:])}"
        return f"{_SCHEMAS}{self._keys[uri, '']}{inside}{_quoted(steps[1:])}"


def _is_beyond_asyncapi(schema: Any) -> bool:
    """Return whether AsyncAPI tools refuse a schema that does not stand below a `schemaFormat`."""
    nodes = [node for _, node, _ in subschemas(schema, "", "draft-07")]
    parts = [schema, *(part for holder in HOLDERS for part in _definitions(schema, holder).values())]
    if not all(isinstance(part, dict) for part in parts):
        return True
    return draft_of(schema) == "draft-04" or any(
        not isinstance(node.get("discriminator", ""), str) or not isinstance(node.get("externalDocs", {}), dict)
        for node in nodes
    )


def check_files(contract: Contract, files: SchemaFiles) -> None:
    """Raise SchemaError if a tool that resolves references by path alone cannot read a contract's files."""
    schemas = SchemaObjects(contract.resources)
    paths = {uri: files.path_of(uri) for uri in contract.resources}
    for uri, schema in contract.resources.items():
        path = paths[uri]
        pending = [(files.read(path), schema)] if path else []
        while pending:
            raw, settled = pending.pop()
            if isinstance(raw, list):
                pending += zip(raw, settled, strict=True)
            elif isinstance(raw, dict):
                pending += [(value, settled[name]) for name, value in raw.items() if name in settled]
                if "$ref" in raw:
                    if path is None or id(settled) not in schemas.found or not isinstance(raw["$ref"], str):
                        raise SchemaError("something is named $ref", place=str(path), advice=_DATA)
                    _check_reference(raw["$ref"], path, join(uri, settled["$ref"]), paths)


def _check_reference(reference: str, path: Path, meant: str, paths: Mapping[str, Path | None]) -> None:
    file, _, fragment = reference.partition("#")
    document, meant_fragment = urldefrag(meant)
    found = Path(os.path.normpath(path.parent / unquote(file))) if file else path
    if found != paths.get(document) or unquote(fragment) != unquote(meant_fragment):
        advice = "Export with --bundle, or refer by a path and a JSON pointer."
        problem = f"$ref {reference[:60]!r} is resolved by an $id or an $anchor, which AsyncAPI tools do not do"
        raise SchemaError(problem, place=str(path), advice=advice)


def _quoted(steps: Sequence[str]) -> str:
    return "".join(f"/{quote(step, safe='~$')}" for step in steps)


def _definitions(schema: Any, holder: str) -> Mapping[str, Any]:
    found = schema.get(holder) if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def schema_format(schema: Any) -> str:
    """Return the `schemaFormat` of a schema's dialect."""
    return f"application/schema+json;version=draft-{draft_of(schema).removeprefix('draft-')}"


def keys_for(names: Sequence[str]) -> list[str]:
    """Return a key for each name, of the characters that a component's key may have, each another one."""
    made: dict[str, None] = {}
    for name in names:
        made[unused(safe_key(name), made, "-")] = None
    return list(made)


def safe_key(name: str) -> str:
    """Return a key near a name: letters, digits, dots, hyphens and underscores."""
    return _NOT_IN_A_KEY.sub("-", name)[:MAX_KEY_LENGTH].strip("-") or "unnamed"
