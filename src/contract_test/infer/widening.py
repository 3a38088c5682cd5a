"""The next version of a schema: the same schema, loosened as far as new messages need it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from contract_test.data.texts import counted
from contract_test.infer.enums import are_codes
from contract_test.infer.evidence import DeclaredFields, Masked, kind_of, looks_like_data, without_marks
from contract_test.infer.objects import split
from contract_test.infer.proposal import SAFE, Proposal, infer
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References, escape, unescape
from envelopes.validation import compile_schema

MAX_ROUNDS = 40

Path = tuple[str | int, ...]


class CannotWidenError(Exception):
    """A schema that would have to change is not in the contract's own file. `pointer` is the place in the message."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


def widen(
    schema: Any, resources: Mapping[str, Any], uri: str, values: Sequence[Any], declared: DeclaredFields | None = None
) -> Proposal:
    """Return the schema with each violated keyword loosened and each undeclared field declared.

    `resources` holds the schema and all that it reaches, by URI, as the catalog resolves it. `uri` is its own. Validate
    the values under the result once more, because not everything can be loosened. Raises CannotWidenError.
    """
    widening = _Widening(schema, resources, uri, declared or DeclaredFields())
    pairs = [(value, without_marks(value)) for value in values]
    for _ in range(MAX_ROUNDS):
        if not widening.loosen(pairs):
            break
    widening.declare(values)
    return Proposal(widening.documents[0], tuple(dict.fromkeys(widening.remarks)))


@dataclass
class _Broken:
    """The values that break one keyword, why, and where in a message they stand."""

    place: str
    errors: list[jsonschema_rs.ValidationError] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


class _Widening:
    def __init__(self, schema: Any, resources: Mapping[str, Any], uri: str, declared: DeclaredFields) -> None:
        self._resources, self._uri, self._declared = dict(resources), uri, declared
        self._resources[uri] = copy.deepcopy(resources[uri])
        # As people wrote it, and as it is compiled: every change is made in both, at the same place.
        self.documents = copy.deepcopy(schema), self._resources[uri]
        self.remarks: list[tuple[str, str]] = []

    def loosen(self, values: Sequence[tuple[Any, Any]]) -> bool:
        """Loosen each keyword that some value breaks (a value as it is marked, and plain); False if there is none."""
        validator = compile_schema(self._resources, f"{self._uri}#")
        broken: dict[Path, _Broken] = {}
        for marked, value in values:
            for each in (inner for error in validator.iter_errors(value) for inner in _meant(error)):
                path = _resolved(marked, each.instance_path) or ()
                place = "".join(f"/{'*' if isinstance(step, int) else escape(step)}" for step in path)
                instance = _at(marked, path)
                found = broken.setdefault(self._path(each, place), _Broken(place))
                found.errors.append(each)
                found.values.append(instance if without_marks(instance) == each.instance else each.instance)
        done: list[Path] = []
        for path in sorted(broken, key=len):
            if not any(path[: len(other)] == other for other in done):  # what stood there is another one now
                self._loosen(path, broken[path])
                done.append(path)
        return bool(broken)

    def declare(self, values: Sequence[Any]) -> None:
        """Declare, as optional, the fields that the schema does not name."""
        references = References(self._resources, self._uri)
        undeclared = _Undeclared(Shapes(references))
        for value in values:
            undeclared.look(value, (Source(references.root),), "")
        for (position, name), (place, found) in undeclared.found.items():
            if looks_like_data(name):
                self.remarks.append(
                    (place.rpartition("/")[0], "has fields whose names look like data. They are not declared")
                )
                continue
            path = self._home(undeclared.shapes, references, position, place)
            proposal = infer(found, self._declared, place)
            for document in self.documents:
                _at(document, path).setdefault("properties", {})[name] = copy.deepcopy(proposal.schema)
            self.remarks += [(place, "was not declared. It is optional now"), *proposal.remarks]

    def _path(self, error: jsonschema_rs.ValidationError, place: str) -> Path:
        """Where the broken keyword stands in the contract's own file."""
        steps = error.schema_path
        path = _resolved(self.documents[1], steps)
        if path is None and [str(step) for step in steps[:2]] == ["$defs", "0"]:  # many files are compiled as one
            path = _resolved(self.documents[1], steps[2:])
        if path is None:
            raise CannotWidenError(place)
        return path

    def _home(self, shapes: Shapes, references: References, position: Position, place: str) -> Path:
        """The schema in the contract's own file that has a say on a position, and can name one more field."""
        homes = [
            source
            for source in shapes.sources(position)
            if source.node.location.startswith(f"{self._uri}#") and not source.node.location.endswith("/if")
            if not references.alone(source.node)
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
        return _steps(self.documents[1], unquote(homes[0].node.location.partition("#")[2]))

    def _loosen(self, path: Path, broken: _Broken) -> None:
        *steps, keyword = path
        if broken.errors[0].kind.name == "falseSchema" and keyword != "additionalProperties":
            proposal = infer(broken.values, self._declared, broken.place)
            for document in self.documents:
                _at(document, steps)[keyword] = copy.deepcopy(proposal.schema)
            self.remarks += [(broken.place, "was forbidden"), *proposal.remarks]
            return
        for document in self.documents:
            node = _at(document, steps)
            if keyword == "type":
                self._loosen_type(node, broken)
            elif keyword == "required":
                gone = {error.kind.as_dict()["property"] for error in broken.errors}
                node["required"] = [name for name in node["required"] if name not in gone]
            elif keyword in ("enum", "const"):
                self._loosen_enum(node, keyword, broken)
            elif keyword in ("additionalProperties", "unevaluatedProperties"):
                self._loosen_additional(node, keyword, broken)
            elif keyword in ("anyOf", "oneOf"):
                self._loosen_alternatives(node, keyword, broken)
            elif keyword in ("minimum", "maximum") and node.get("type") == "integer":
                _loosen_bound(node, keyword, broken.values)
            else:
                del node[keyword]
        self.remarks.append((broken.place, f"{keyword} was too narrow"))

    def _loosen_type(self, node: dict[str, Any], broken: _Broken) -> None:
        before = [node["type"]] if isinstance(node["type"], str) else node["type"]
        made = dict.fromkeys((*before, *map(kind_of, broken.values)))
        if "number" in made:
            made.pop("integer", None)
        node["type"] = list(made) if len(made) > 1 else next(iter(made))
        if "enum" in node and None in broken.values:
            node["enum"] = [*node["enum"], None]
        for keyword, value in infer(broken.values, self._declared, broken.place).schema.items():
            if keyword in ("properties", "items", "additionalProperties", "format"):
                node.setdefault(keyword, copy.deepcopy(value))

    def _loosen_enum(self, node: dict[str, Any], keyword: str, broken: _Broken) -> None:
        before = node["enum"] if keyword == "enum" else [node["const"]]
        texts = [value for value in broken.values if isinstance(value, str)]
        del node[keyword]
        only_texts = all(value is None or isinstance(value, str) for value in broken.values)
        may_show = broken.place in self._declared.enums and not any(isinstance(text, Masked) for text in texts)
        if only_texts and (not texts or may_show):
            node["enum"] = [
                *before,
                *dict.fromkeys(without_marks(each) for each in broken.values if each not in before),
            ]
            return
        node.setdefault("type", list(dict.fromkeys(map(kind_of, (*before, *broken.values)))))
        if only_texts:
            new = counted(len(set(texts)), "new value")
            self.remarks.append((broken.place, f"has {new}. To add them to the enum, add --enum {broken.place}"))

    def _loosen_additional(self, node: dict[str, Any], keyword: str, broken: _Broken) -> None:
        found: dict[str, list[Any]] = {}
        for error, value in zip(broken.errors, broken.values, strict=True):
            unexpected: Any = error.kind.as_dict().get("unexpected", value)
            for name in unexpected:
                found.setdefault(name, []).append(value[name])
        data = set(filter(looks_like_data, found))
        for name in found.keys() - data:
            place = f"{broken.place}/{escape(name)}"
            node.setdefault("properties", {})[name] = infer(found[name], self._declared, place).schema
        if data:
            rest = [value for name in data for value in found[name]]
            node[keyword] = infer(rest, self._declared, f"{broken.place}/*").schema

    def _loosen_alternatives(self, node: dict[str, Any], keyword: str, broken: _Broken) -> None:
        unmatched = [
            value
            for error, value in zip(broken.errors, broken.values, strict=True)
            if error.kind.name != "oneOfMultipleValid"
        ]
        if unmatched:
            node[keyword] = [*node[keyword], *self._alternatives(unmatched, _tag_of(node[keyword]), broken.place)]
        elif "anyOf" in node:
            del node["oneOf"]
        else:
            node["anyOf"] = node.pop("oneOf")

    def _alternatives(self, values: Sequence[Any], tag: str, place: str) -> Iterator[dict[str, Any]]:
        """What describes values that no alternative does: one for each text of the tag of those that are there."""
        tagged = [each for each in values if isinstance(each, dict) and isinstance(each.get(tag), str)] if tag else []
        at, texts = f"{place}/{escape(tag)}", [each[tag] for each in tagged]
        if not tagged or len(tagged) < len(values):
            yield infer(values, self._declared, place).schema
        elif are_codes(texts) or (at in self._declared.enums and not any(isinstance(text, Masked) for text in texts)):
            for text, objects in split(tagged, tag).items():
                rest = [{name: value for name, value in each.items() if name != tag} for each in objects]
                made = infer(rest, self._declared, place).schema
                required = [tag, *made.get("required", ())]
                yield made | {"required": required, "properties": {tag: {"const": text}} | made.get("properties", {})}
            self.remarks.append((at, "is the tag of a new alternative. Its value is in the schema"))
        else:
            yield infer(values, self._declared, place).schema
            self.remarks.append(
                (at, f"has a new value that occurs in too few messages. To put it into the schema, add --enum {at}")
            )


class _Undeclared:
    """Collects the fields that no schema names, with their values; a message may hold what is not declared."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.found: dict[tuple[Position, str], tuple[str, list[Any]]] = {}

    def look(self, value: Any, position: Position, place: str) -> None:
        if not position:
            return
        if isinstance(value, list):
            for item in value:
                self.look(item, self.shapes.shape(position).items, f"{place}/*")
        elif isinstance(value, dict):
            shape, position = self._of(value, position)
            declared = {field.name: field.position for field in shape.fields}
            for name, child in value.items():
                if name in declared:
                    self.look(child, declared[name], f"{place}/{escape(name)}")
                elif shape.additional is not None:
                    self.look(child, shape.additional, f"{place}/*")
                else:
                    self.found.setdefault((position, name), (f"{place}/{escape(name)}", []))[1].append(child)

    def _of(self, value: dict[str, Any], position: Position) -> tuple[Shape, Position]:
        """The shape of an object; of alternatives, the one that its tag names."""
        shape = self.shapes.shape(position)
        for _, branch in shape.branches:
            for each in self.shapes.shape(branch).fields:
                if each.name == shape.tag and value.get(shape.tag) in self.shapes.shape(each.position).text:
                    return self.shapes.shape(branch), branch
        return shape, position


def _meant(error: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """The errors behind one: of alternatives, those of the alternative that is meant, if one is."""
    depth = len(error.instance_path)
    branches = [branch for branch in getattr(error.kind, "context", None) or () if branch]
    tags: list[set[object]] = [
        {str(each.instance_path) for each in branch if _is_tag(each, depth)} for branch in branches
    ]
    meant = [
        branch
        for branch, wrong in zip(branches, tags, strict=True)
        if not wrong - set.intersection(*tags)
        and not any(each.kind.name == "const" for each in branch if _is_tag(each, depth))
        and not any(len(each.instance_path) == depth and each.kind.name in _OTHER_VALUES for each in branch)
    ]
    if meant:
        for each in min(meant, key=len):
            yield from _meant(each)
    else:
        yield error


_OTHER_VALUES = ("const", "enum", "type", "falseSchema")


def _is_tag(error: jsonschema_rs.ValidationError, depth: int) -> bool:
    """Whether an alternative is refused for the text of a field: if not all are, that is not the one that is meant."""
    return len(error.instance_path) == depth + 1 and error.kind.name in ("const", "enum")


def _tag_of(alternatives: Sequence[Any]) -> str:
    """Return the required field whose constant distinguishes the alternatives for objects, or ""."""
    objects = [each for each in alternatives if isinstance(each, dict) and each.get("type") == "object"]
    tags = [
        [
            name
            for name, schema in each.get("properties", {}).items()
            if isinstance(schema, dict) and isinstance(schema.get("const"), str) and name in each.get("required", ())
        ]
        for each in objects
    ]
    return next((name for name in tags[0] if all(name in each for each in tags)), "") if tags else ""


def _loosen_bound(node: dict[str, Any], keyword: str, values: Sequence[Any]) -> None:
    lowest, highest = min(values), max(values)
    if keyword == "minimum" and lowest >= -SAFE:
        node[keyword] = 0 if lowest >= 0 else -SAFE
    elif keyword == "maximum" and highest <= SAFE:
        node[keyword] = SAFE
    else:
        del node[keyword]


def _at(document: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        document = document[step]
    return document


def _resolved(document: Any, steps: Sequence[str | int]) -> Path | None:
    """A validator's path with keys as they are: it has numbers for keys like "0", and leaves out empty ones."""
    path: list[str | int] = []
    for step in steps:
        while isinstance(document, dict) and str(step) not in document and "" in document:
            path.append("")
            document = document[""]
        path.append(str(step) if isinstance(document, dict) else step)
        try:
            document = document[path[-1]]
        except (LookupError, TypeError):
            return None
    return tuple(path)


def _steps(document: Any, pointer: str) -> Path:
    """A JSON pointer as steps, an array's as numbers."""
    path: list[str | int] = []
    for step in pointer.split("/")[1:]:
        name: str | int = unescape(step)
        path.append(int(name) if isinstance(document, list) else name)
        document = document[path[-1]]
    return tuple(path)
