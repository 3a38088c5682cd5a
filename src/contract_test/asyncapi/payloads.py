"""The payload of a message as a schema file of its own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from contract_test.asyncapi.bindings import CLOUDEVENTS_JSON
from contract_test.asyncapi.bundled_schemas import HOLDERS
from contract_test.asyncapi.documents import Documents, Located, Place
from contract_test.asyncapi.reading import Message
from contract_test.data.errors import DocumentError
from contract_test.files.schemas import SchemaFiles
from contract_test.schema.bundle import value_at
from contract_test.schema.names import unused
from contract_test.schema.walk import DRAFTS, draft_of, escape, subschemas, unescape

_JSON_SCHEMA = re.compile(
    r"application/schema\+(?:json|yaml)(?:\s*;\s*version=(?:draft-)?(?P<draft>0?[467]|2019-09|2020-12))?"
)
_ASYNCAPI_SCHEMA = re.compile(r"application/vnd\.(?:aai|oai)\.asyncapi.*")
_OTHER_FORMATS = {"avro": "Avro", "protobuf": "Protobuf", "raml": "RAML", "openapi": "OpenAPI", "xml": "XML Schema"}
_COMPONENT = re.compile(r"#/components/schemas/([^/]+)((?:/.*)?)")
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*\.json")


@dataclass(frozen=True)
class Payload:
    """A schema, and the files beside it that it refers to, by their paths in the contracts directory.

    `origins` tells where each definition was in the document, by its JSON pointer in the schema.
    """

    schema: Any
    origins: Mapping[str, Place]
    files: Mapping[str, Any] = field(default_factory=dict)


def payload_of(documents: Documents, message: Message, *, own: bool, whole: Located) -> Payload:
    """Return the schema of a message's payload. Raises DocumentError or SchemaError with the place."""
    described = message.described
    payload = documents.schema(Located(described.get("payload"), described.place.below("payload")))
    if payload.value is None:
        advice = "Describe the payload. A schema of true accepts any."
        raise described.refused(f"the message {message.subject!r} has no payload", advice)
    declared = described.text("schemaFormat")
    if isinstance(payload.value, dict) and "schemaFormat" in payload.value:
        declared, payload = payload.text("schemaFormat"), Located(payload.get("schema"), payload.place.below("schema"))
    draft = _draft(declared, payload, message.subject)
    payload = _data(documents, payload, message, own=own)
    if own and message.version is not None:
        restored = _restored(documents, message, payload, whole)
        if restored is not None:
            return restored
    return _Gathered(documents, documents.schema(payload), draft).payload()


def _data(documents: Documents, payload: Located, message: Message, *, own: bool) -> Located:
    """Return the schema of the data, where a payload describes the event or the job around it."""
    if own:
        pointer = message.described.text("x-data-at")
        return Located(value_at(payload.value, pointer), Place(payload.place.path, payload.place.pointer + pointer))
    if not message.content_type.startswith(CLOUDEVENTS_JSON):
        return payload
    parts = [payload, *(part for _, part in documents.members(payload, "allOf"))]
    properties = [each for part in parts if isinstance((each := documents.member(part, "properties")).value, dict)]
    if not any("specversion" in each.value for each in properties):
        return payload
    for each in properties:
        if "data" in each.value:
            return Located(each.value["data"], each.place.below("data"))
    advice = "Describe `data` among its properties."
    raise payload.refused(f"the payload of {message.subject!r} is a CloudEvent without data", advice)


def _draft(declared: str, payload: Located, subject: str) -> str:
    match = _JSON_SCHEMA.fullmatch(declared)
    if match is None and declared and not _ASYNCAPI_SCHEMA.fullmatch(declared):
        name = next((name for word, name in _OTHER_FORMATS.items() if word in declared.lower()), "another format")
        advice = "Describe it as JSON Schema, or leave this message out: contracts are JSON Schema."
        raise payload.refused(f"the payload of {subject!r} is {name}: schemaFormat is {declared[:100]!r}", advice)
    found = (match["draft"] or "7") if match else "7"
    return found if "-" in found else f"draft-{int(found):02d}"


def _restored(documents: Documents, message: Message, payload: Located, whole: Located) -> Payload | None:
    """Return an exported schema as its file was, with the files that it refers to; None if this is not known."""
    name = f"{message.subject}/v{message.version}.json"
    bundled, folder = whole.get("components", "x-schema-files"), whole.get("components", "x-contracts")
    if isinstance(bundled, dict) and name in bundled:
        files = _Restored(whole, bundled).reached_from(name)
        origins = {
            f"/{holder}/{escape(part)}": whole.place.below("components", "schemas", key)
            for holder in HOLDERS
            for part, key in bundled[name].get(holder, ())
        }
        return Payload(files.pop(name), {"": documents.schema(payload).place, **origins}, files)
    if not isinstance(folder, str):
        return None
    found = documents.target(payload, payload.text("$ref"))
    root = payload.place.path.parent / unquote(folder)
    if found.place.pointer or found.place.path.resolve() != (root / name).resolve():
        return None
    schemas = SchemaFiles(root)
    path = root / name
    reached = [each for uri in schemas.reach(path) if (each := schemas.path_of(uri)) and each != path]
    files = {each.relative_to(root).as_posix(): schemas.read(each) for each in reached}
    return Payload(schemas.read(path), {"": found.place}, files)


class _Restored:
    """Files made of components again, as `x-schema-files` tells."""

    def __init__(self, whole: Located, bundled: Mapping[str, Any]) -> None:
        self._whole, self._files = whole, bundled
        self._sources: dict[str, tuple[str, str]] = {}
        for file, parts in bundled.items():
            if not _FILE.fullmatch(file) or not isinstance(parts, dict) or not isinstance(parts.get("schema"), str):
                raise self._error(file, "it does not tell how a schema file is made")
            self._sources[parts["schema"]] = (file, "")
            for holder in HOLDERS:
                for name, key in parts.get(holder, ()):
                    self._sources[str(key)] = (file, f"/{holder}/{escape(name)}")

    def _error(self, file: str, problem: str) -> DocumentError:
        at = Located(None, self._whole.place.below("components", "x-schema-files", file))
        return at.refused(problem, "Export the document again, or remove x-schema-files.")

    def reached_from(self, name: str) -> dict[str, Any]:
        """Return a file and all that it refers to."""
        made: dict[str, Any] = {}
        pending = [name]
        while pending:
            file = pending.pop()
            if file not in made:
                made[file] = self._file(file, pending)
        return made

    def _file(self, file: str, reached: list[str]) -> Any:
        parts = self._files[file]
        schema = self._component(file, parts["schema"], reached)
        if isinstance(schema, dict) and isinstance(parts.get("$id"), str):
            first = {"$schema": schema["$schema"]} if "$schema" in schema else {}
            schema = {**first, "$id": parts["$id"], **schema}
        for holder in HOLDERS:
            if isinstance(schema, dict) and parts.get(holder):
                definitions = {name: self._component(file, key, reached) for name, key in parts[holder]}
                schema = {**schema, holder: definitions}
        return schema

    def _component(self, file: str, key: str, reached: list[str]) -> Any:
        component = self._whole.get("components", "schemas", key)
        if self._files[file].get("wrapped"):
            component = component.get("schema") if isinstance(component, dict) else None
        if component is None:
            raise self._error(file, f"there is no component {key[:60]!r}")

        def referred(reference: str) -> str:
            match = _COMPONENT.fullmatch(reference)
            if match is None or match[1] not in self._sources:
                raise self._error(file, f"a schema refers to {reference[:60]!r}, which is in none of the files")
            target, pointer = self._sources[match[1]]
            rest = match[2].removeprefix("/schema") if self._files[target].get("wrapped") else match[2]
            if target == file:
                return f"#{quote(pointer, safe='/~$')}{rest}"
            reached.append(target)
            uri = self._files[target].get("uri") or posixpath.relpath(target, PurePosixPath(file).parent)
            fragment = f"{quote(pointer, safe='/~$')}{rest}"
            return f"{uri}#{fragment}" if fragment else uri

        return _rewritten(component, referred)


def _rewritten(schema: Any, referred: Any) -> Any:
    """Copy a schema with other references."""
    nodes = {id(node) for _, node, _ in subschemas(schema, "", "draft-07")}

    def copied(value: Any) -> Any:
        if isinstance(value, list):
            return [copied(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {name: copied(item) for name, item in value.items()}
        if id(value) in nodes and isinstance(value.get("$ref"), str):
            made["$ref"] = referred(value["$ref"])
        return made

    return copied(schema)


class _Gathered:
    """A schema with copies of all that it refers to as its definitions."""

    def __init__(self, documents: Documents, root: Located, draft: str) -> None:
        self._documents, self._root = documents, root
        declared = isinstance(root.value, dict) and "$schema" in root.value
        self._draft = draft_of(root.value, str(root.place)) if declared else draft
        self._holder = "$defs" if self._draft.startswith("20") else "definitions"
        self._names: dict[Place, str] = {root.place: "#"}
        self._pending: list[tuple[str, Located]] = []
        taken = root.get(self._holder)
        self._taken = set(taken) if isinstance(taken, dict) else set[str]()

    def payload(self) -> Payload:
        """Return the schema, and where its parts were."""
        if not isinstance(self._root.value, dict | bool):
            raise self._root.refused("the payload is no schema", "Write an object, true or false.")
        schema = self._copied(self._root)
        definitions: dict[str, Any] = {}
        origins = {"": self._root.place}
        while self._pending:
            name, found = self._pending.pop(0)
            origins[f"/{self._holder}/{escape(name)}"] = found.place
            copy = self._copied(found)
            definitions[name] = {k: v for k, v in copy.items() if k != "$schema"} if isinstance(copy, dict) else copy
        if isinstance(schema, dict):
            dialect: dict[str, Any] = {"$schema": next(uri for uri, draft in DRAFTS.items() if draft == self._draft)}
            schema = dialect | schema
            if definitions:
                schema[self._holder] = {**schema.get(self._holder, {}), **definitions}
        return Payload(schema, origins)

    def _copied(self, found: Located) -> Any:
        keyword = "id" if self._draft == "draft-04" else "$id"
        schema = _rewritten(found.value, lambda reference: self._referred(found, reference))
        for _, node, _ in subschemas(schema, "", self._draft):
            if node is not schema or found.place != self._root.place or ":" not in str(node.get(keyword)):
                node.pop(keyword, None) if isinstance(node.get(keyword), str) else None
        return schema

    def _referred(self, at: Located, reference: str) -> str:
        try:
            target = self._documents.target(at, reference)
        except DocumentError:
            # Some tools refer to `#/$defs/…` of the payload, which is no place of the document.
            inside = value_at(self._root.value, unquote(reference[1:])) if reference.startswith("#") else None
            if inside is None:
                raise
            target = Located(inside, Place(self._root.place.path, self._root.place.pointer + unquote(reference[1:])))
        if target.place.pointer == "" and at.place.pointer and target.place.path == at.place.path:
            target = self._root  # `#` in a schema that is a part of a document
        if isinstance(target.value, dict) and "schemaFormat" in target.value and "schema" in target.value:
            target = Located(target.get("schema"), target.place.below("schema"))
        if not isinstance(target.value, dict | bool):
            raise at.refused(f"$ref {reference[:100]!r} leads to no schema", "Point it at a schema.")
        if target.place not in self._names:
            last = unescape(target.place.pointer.rpartition("/")[2]) or target.place.path.stem
            name = unused("schema" if last.isdecimal() or last == "schema" else last, self._taken)
            self._taken.add(name)
            self._names[target.place] = f"#/{self._holder}/{quote(escape(name), safe='~$')}"
            self._pending.append((name, target))
        return self._names[target.place]
