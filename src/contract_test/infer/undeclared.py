"""Fields that a schema does not declare yet, and objects that are taken for maps or the other way round."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urldefrag

from contract_test.data.texts import counted
from contract_test.infer.description import ANY_VALUE, Description
from contract_test.infer.evidence import DeclaredFields, looks_like_data
from contract_test.infer.objects import matches_any, pattern_of
from contract_test.infer.profile import Place
from contract_test.infer.schema_paths import Path, steps_of, value_at
from contract_test.infer.views import Views
from contract_test.schema.fields import fields_of
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References, escape

Pairs = Iterable[tuple[Any, Any]]


class CannotWidenError(Exception):
    """A schema cannot be changed, for some `reason`. `pointer` is the place in the message."""

    def __init__(self, pointer: str, reason: str = "it is in a shared file") -> None:
        super().__init__(pointer, reason)
        self.pointer, self.reason = pointer, reason


class Declaring:
    """Changes both documents of a schema: as people wrote it, and as it is compiled."""

    def __init__(
        self, documents: tuple[Any, Any], resources: Mapping[str, Any], uri: str, declared: DeclaredFields
    ) -> None:
        self._documents, self._resources, self._uri, self._declared = documents, resources, uri, declared
        self.remarks: list[tuple[str, str]] = []
        self.redescribes = False
        self._new_patterns: set[tuple[Path, str]] = set()

    def convert(self, values: Pairs) -> None:
        """Make objects of maps that the user calls objects, and maps of objects that the user calls maps."""
        for pointer in sorted(self._declared.objects):
            for path in self._paths_of(pointer):
                if isinstance(value_at(self._documents[1], path).get("additionalProperties"), dict):
                    self._make_object(path, pointer, values)
        for pointer in sorted(self._declared.maps):
            for path in self._paths_of(pointer):
                if "properties" in value_at(self._documents[1], path):
                    self._make_map(path, pointer, values)

    def _make_object(self, path: Path, pointer: str, values: Pairs) -> None:
        place = Place()
        for number, (marked, _) in enumerate(values):
            for each in _values_at(marked, pointer.split("/")[1:]):
                place.add(each, number)
        schema = _described(place, self._declared, pointer, self.remarks)
        for document in self._documents:
            node = value_at(document, path)
            del node["additionalProperties"]
            for keyword in ("properties", "patternProperties"):
                if keyword in schema:
                    node[keyword] = copy.deepcopy(schema[keyword]) | node.get(keyword, {})
        self.redescribes = True
        self.remarks.append((pointer, "is no map any more. Its names are fields now"))

    def _make_map(self, path: Path, pointer: str, values: Pairs) -> None:
        place = Place()
        for number, (marked, _) in enumerate(values):
            for each in _values_at(marked, pointer.split("/")[1:]):
                for child in each.values() if isinstance(each, dict) else ():
                    place.add(child, number)
        for document in self._documents:
            node = value_at(document, path)
            node.pop("properties")
            node.pop("required", None)
            node["additionalProperties"] = _described(place, self._declared, f"{pointer}/*", self.remarks) or dict(
                ANY_VALUE
            )
        self.redescribes = True
        self.remarks.append((pointer, "is a map now. Its names are not in the schema any more"))

    def _paths_of(self, pointer: str) -> list[Path]:
        locations = map(urldefrag, fields_of(self._resources, self._uri).locations_of(pointer))
        found = [steps_of(self._documents[1], unquote(fragment)) for uri, fragment in locations if uri == self._uri]
        return [path for path in found if isinstance(value_at(self._documents[1], path), dict)]

    def declare(self, values: Pairs) -> None:
        """Declare, as optional, the fields that the schema does not name, and the items of arrays that have none."""
        references = References(self._resources, self._uri)
        undeclared = _Undeclared(Shapes(references))
        for number, (marked, _) in enumerate(values):
            undeclared.look(marked, (Source(references.root),), "", number)
        total = undeclared.messages
        for (position, name), (place, found) in undeclared.found.items():
            path = self._home(undeclared.shapes, references, position, place)
            if looks_like_data(name) and place not in self._declared.fields:
                self._declare_pattern(path, name, place, found)
                continue
            schema = _described(found, self._declared, place, self.remarks)
            for document in self._documents:
                node = value_at(document, path)
                self._relax_patterns(node, path, name)
                node.setdefault("properties", {})[name] = copy.deepcopy(schema)
            self.remarks.append((place, f"was not declared. It is optional now, in {found.messages} of {_of(total)}"))
        for position, (place, found) in undeclared.items.items():
            self.redescribes = True
            path = self._home(undeclared.shapes, references, position, place)
            schema = _described(found, self._declared, f"{place}/*", self.remarks)
            for document in self._documents:
                value_at(document, path)["items"] = copy.deepcopy(schema)
            self.remarks.append((place, f"had no items before. They are described now, of {_of(found.messages)}"))

    def _declare_pattern(self, path: Path, name: str, place: str, found: Place) -> None:
        around = place.rpartition("/")[0]
        properties = value_at(self._documents[1], path).get("properties", ())
        pattern = pattern_of(name, properties)
        schema = _described(found, self._declared, f"{around}/*", self.remarks)
        for document in self._documents:
            node = value_at(document, path)
            self._relax_patterns(node, path, name)
            others = "patternProperties" in node or matches_any(pattern, properties)
            node.setdefault("patternProperties", {})[pattern] = {} if others else copy.deepcopy(schema)
            self._new_patterns.add((path, pattern))
        self.remarks.append(
            (around, "has names that may be data. They are described by their form. To show one, add --field POINTER")
        )

    def _relax_patterns(self, node: dict[str, Any], path: Path, name: str) -> None:
        """Let every pattern that was added just now, and matches another new name, accept any value."""
        for pattern in node.get("patternProperties", ()):
            if (path, pattern) in self._new_patterns and re.search(pattern, name):
                node["patternProperties"][pattern] = {}

    def _home(self, shapes: Shapes, references: References, position: Position, place: str) -> Path:
        """Return the schema in the contract's own file that has a say on a position, and can name one more field."""
        homes = [
            source
            for source in shapes.sources(position)
            if source.node.location.startswith(f"{self._uri}#") and not source.node.location.endswith("/if")
            if not references.alone(source.node) and isinstance(source.node.schema, dict)
        ]
        homes.sort(
            key=lambda source: (
                "object" not in source.on,
                "properties" not in source.node.schema,
                source not in position,
            )
        )
        if not homes:
            raise CannotWidenError(place)
        return steps_of(self._documents[1], unquote(homes[0].node.location.partition("#")[2]))


class _Undeclared:
    """Collects the fields that no schema names, with what they contain; a message may hold what is not declared."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.found: dict[tuple[Position, str], tuple[str, Place]] = {}
        self.items: dict[Position, tuple[str, Place]] = {}
        self.messages = 0
        self._declared: dict[Position, dict[str, Position]] = {}

    def look(self, value: Any, position: Position, place: str, number: int) -> None:
        if not place:
            self.messages += 1
        if not position:
            return
        if isinstance(value, list):
            items = self.shapes.shape(position).items
            if value and not items and _is_open_array(position):
                inner = self.items.setdefault(position, (place, Place()))[1]
                for item in value:
                    inner.add(item, number)
            for item in value if items else ():
                if isinstance(item, dict | list):
                    self.look(item, items, f"{place}/*", number)
        elif isinstance(value, dict):
            shape, position = self._of(value, position)
            if position not in self._declared:
                self._declared[position] = {field.name: field.position for field in shape.fields}
            declared = self._declared[position]
            for name, child in value.items():
                if name in declared:
                    if isinstance(child, dict | list):
                        self.look(child, declared[name], f"{place}/{escape(name)}", number)
                elif (rest := self.shapes.rest(shape, name)) is not None:
                    if isinstance(child, dict | list):
                        self.look(child, rest, f"{place}/*", number)
                else:
                    key = position, name
                    if key not in self.found:
                        self.found[key] = (f"{place}/{escape(name)}", Place())
                    self.found[key][1].add(child, number)

    def _of(self, value: dict[str, Any], position: Position) -> tuple[Shape, Position]:
        """Return the shape of an object; of alternatives, the one that its tag names."""
        shape = self.shapes.shape(position)
        for _, branch in shape.branches:
            for each in self.shapes.shape(branch).fields:
                if each.name == shape.tag and value.get(shape.tag) in self.shapes.shape(each.position).text:
                    return self.shapes.shape(branch), branch
        return shape, position


def _is_open_array(position: Position) -> bool:
    """Return True if a schema asks for an array, and none says anything about its items."""
    nodes = [source.node.schema for source in position if isinstance(source.node.schema, dict)]
    types = [node.get("type") for node in nodes]
    return len(nodes) == 1 and ("array" in types or any(isinstance(each, list) and "array" in each for each in types))


def _described(place: Place, declared: DeclaredFields, pointer: str, remarks: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the schema of what was collected at a place. Definitions stay inline."""
    description = Description(Views(place, definitions=False), declared)
    schema = description.of_root(place, pointer)
    remarks += description.remarks
    return schema


def _values_at(value: Any, steps: list[str]) -> list[Any]:
    found = [value]
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        found = [
            child
            for each in found
            for child in (
                each.values() if isinstance(each, dict) and name == "*"
                else each if isinstance(each, list) and name == "*"
                else [each[name]] if isinstance(each, dict) and name in each else ()
            )
        ]  # fmt: skip
    return found


def _of(messages: int) -> str:
    return counted(messages, "message")
