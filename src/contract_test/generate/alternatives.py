"""What a schema allows at one position, as alternatives: in each of them a fixed list of schemas holds for the value.

`allOf`, `$ref` and the keywords beside them add schemas to an alternative; `anyOf`, `oneOf` and a conditional on a
constant split it. The alternatives together are never narrower than the schema. What they leave out (`not`, other
conditionals, patterns, counts) is checked by the compiled validator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from contract_test.generate.hints import Hint, always, branch_hints, conditional_hints, dependent_hints
from contract_test.schema.keywords import telling_keywords
from contract_test.schema.sources import ALL_TYPES, dict_in, dict_of, list_of, own_types, types_of
from contract_test.schema.walk import Node, References
from envelopes.validation import ASSERTED_FORMATS

Conjunction = tuple[Node, ...]
"""Schemas that all hold for a value; without any, the value may be anything."""
Position = tuple[Conjunction, ...]
"""What is known about a value: one of these conjunctions holds. Without any, no value is valid."""

ANYTHING: Position = ((),)
MAX_ALTERNATIVES = 4096
"""How many alternatives are told apart at one position; beyond them a keyword that would split further is left out."""
MAX_COMBINATIONS = 256
"""How many there may be where several keywords list alternatives, so that each is combined with each."""
MAX_PATH = 400
"""How many schemas are followed for one alternative."""

_STRUCTURE = frozenset(("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else"))
_ABOUT_VALUES = frozenset((
    "type", "const", "enum", "format", "properties", "patternProperties", "additionalProperties", "items",
    "prefixItems", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "x-python-type",
    "$dynamicRef", "$recursiveRef", *_STRUCTURE,
))  # fmt: skip
"""Keywords that bring a type. A branch with none of them only restricts, such as `{"required": ["a"]}`."""


@dataclass(frozen=True)
class Composed(Node):
    """A schema that no file holds: it says in other words what several keywords say together."""

    aside: bool = False
    """Whether it only tells alternatives apart, and makes no class of its own."""


def is_aside(node: Node) -> bool:
    """Return whether a schema only tells alternatives apart."""
    return isinstance(node, Composed) and node.aside


@dataclass(frozen=True)
class Alternative:
    """One alternative: the schemas that say something, every schema passed on the way, and the JSON types left."""

    nodes: Conjunction = ()
    path: tuple[Node, ...] = ()
    types: frozenset[str] = ALL_TYPES
    hints: tuple[Hint, ...] = ()
    """Schemas that hold for some values only. They name fields, and tell nothing else of open objects."""
    cut: bool = False
    """Whether a keyword was left out because there are too many alternatives."""

    @cached_property
    def places(self) -> frozenset[str]:
        """Where the schemas stand that say something."""
        return frozenset(node.location for node in self.nodes)


@dataclass(frozen=True)
class _Open:
    """An alternative that is still being read."""

    found: Alternative
    pending: tuple[Node, ...]
    common: int = 0
    """How many schemas at the end of `pending` hold for other alternatives, too."""


class Reader:
    """Reads the alternatives of positions in the schemas of one contract."""

    def __init__(self, references: References, kept: frozenset[str] = frozenset()) -> None:
        """Read with `references`; `kept` are the locations of schemas whose objects keep undeclared fields."""
        self.references, self.kept = references, kept
        self._known: dict[Position, tuple[Alternative, ...]] = {}

    def alternatives(self, position: Position) -> tuple[Alternative, ...]:
        """Return what may hold for a value, each alternative once; those that no value satisfies are left out."""
        known = self._known.get(position)
        if known is None:
            found: dict[tuple[frozenset[str], frozenset[str]], Alternative] = {}
            for conjunction in position:
                for each in self._split(conjunction):
                    found.setdefault((each.places, each.types), each)
            known = self._known[position] = tuple(found.values())
        return known

    def _split(self, conjunction: Conjunction) -> Iterator[Alternative]:
        pending = [_Open(Alternative(), conjunction)]
        count = 1
        while pending:
            current = pending.pop(0)
            if not current.pending:
                yield current.found
                continue
            node, rest = current.pending[0], current.pending[1:]
            combines = len(rest) < current.common
            rooms = MAX_ALTERNATIVES - count, MAX_COMBINATIONS - count
            branches = list(self._read(replace(current, pending=rest), node, rooms[combines], rooms[True]))
            if combines:  # what such a schema refers to holds for the other alternatives, too
                branches = [replace(each, common=len(each.pending)) for each in branches]
            count += len(branches) - 1
            pending[:0] = branches

    def _read(self, current: _Open, node: Node, room: int, to_combine: int) -> Iterator[_Open]:
        """Yield what becomes of an alternative once a schema holds, too: nothing if no value is left.

        There is room for that many more alternatives, and for fewer where two of its keywords list some.
        """
        schema, found = node.schema, current.found
        if schema is False:
            return
        passed = any(other.location == node.location for other in found.path)
        if not isinstance(schema, dict) or passed or len(found.path) > MAX_PATH:
            yield current
            return
        alone = self.references.alone(node)
        types = found.types if alone else found.types & own_types(schema)
        if schema.get("not") == {"type": "string"} and not alone:
            types -= {"string"}
        if not types:
            return
        says = [] if alone else [word for word in telling_keywords(schema) if word not in _STRUCTURE]
        if "x-python-type" in schema and not alone:
            says.append("x-python-type")
        dynamic = None if alone else self.references.dynamic_target(node)
        if dynamic is not None:
            says = [word for word in says if word not in ("$dynamicRef", "$recursiveRef")]
        nodes, hints = found.nodes, found.hints
        if not alone:
            hints = (*hints, *self._hints(node))
        if says:
            nodes = (*nodes, node)
        read = replace(found, nodes=nodes, path=(*found.path, node), types=types, hints=hints)
        current = replace(current, found=read, pending=(*always(self.references, node), *current.pending))
        forks = [] if alone else list(self._forks(node))
        yield from self._fork(current, forks, room, to_combine)

    def _fork(self, current: _Open, forks: list[list[Conjunction]], room: int, to_combine: int) -> Iterator[_Open]:
        opened = [current]
        for branches in forks:
            most = room if len(opened) == 1 else to_combine
            if len(opened) * len(branches) > max(most, 1):
                opened = [replace(each, found=replace(each.found, cut=True)) for each in opened]
                continue
            common = len(current.pending) if len(branches) > 1 else current.common
            opened = [
                replace(each, pending=(*branch, *each.pending), common=max(each.common, common))
                for each in opened
                for branch in branches
            ]
        yield from opened

    def target(self, node: Node) -> Node | None:
        """Return what a schema's `$ref` leads to."""
        reference = dict_of(node.schema).get("$ref")
        return self.references.follow(node, reference) if isinstance(reference, str) else None

    def _forks(self, node: Node) -> Iterator[list[Conjunction]]:
        for keyword in ("anyOf", "oneOf"):
            branches = [
                self.references.inside(node, keyword, place) for place in range(len(list_of(node.schema, keyword)))
            ]
            scalars = _only_scalars(branches)
            if scalars is not None:
                yield [(Composed({"enum": scalars}, node.base, f"{node.location}/{keyword}"),)]
            elif branches and not all(_only_restricts(branch.schema) for branch in branches):
                several = keyword == "oneOf" and sum(map(self._may_be_object, branches)) > 1
                demands = [self._only_demand(branch) if several else None for branch in branches]
                yield [
                    (branch, *(_beside(each, branch, own=each is demands[place]) for each in demands if each))
                    for place, branch in enumerate(branches)
                ]
        yield from self._conditional(node)

    def _may_be_object(self, branch: Node) -> bool:
        target = self._end(branch) or branch
        types = target.schema.get("type", "object") if isinstance(target.schema, dict) else "object"
        return "object" in (types if isinstance(types, list) else [types])

    def _only_demand(self, branch: Node) -> Node | None:
        """Return what a branch refers to if it accepts every object with a text in one field, as references do."""
        target = self._end(branch)
        if target is None:
            return None
        schema = target.schema
        names, properties = list_of(schema, "required"), dict_in(schema, "properties")
        if len(names) != 1 or set(telling_keywords(schema)) != {"type", "required", "properties"}:
            return None
        if schema["type"] != "object" or list(properties) != names:
            return None
        field = self._end(self.references.inside(target, "properties", names[0]))
        words = set(telling_keywords(field.schema)) if field else set()
        if field is None or not {"type"} <= words <= {"type", "format"} or field.schema["type"] != "string":
            return None
        return None if field.schema.get("format") in ASSERTED_FORMATS else target

    def _end(self, node: Node) -> Node | None:
        """Return where references lead that nothing stands beside."""
        for _ in range(MAX_PATH):
            if not isinstance(node.schema, dict) or "$ref" not in node.schema:
                return node if isinstance(node.schema, dict) else None
            target = self.target(node)
            if target is None or not (self.references.alone(node) or telling_keywords(node.schema) == ["$ref"]):
                return None
            node = target
        return None

    def _conditional(self, node: Node) -> Iterator[list[Conjunction]]:
        """Recognize `if` on a field: one alternative where it holds, and one for all other values."""
        sides = _sides(node.schema)
        if sides is None:
            return
        inside = self.references.inside
        branches = []
        for keyword, holds in zip(("then", "else"), sides, strict=True):
            aside = "required" in holds or False in holds["properties"].values()
            composed = Composed(holds, node.base, f"{node.location}/if/{keyword}", aside)
            tag = () if keyword == "else" or aside else (inside(node, "if"),)
            branches.append((*(tag or (composed,)), *((inside(node, keyword),) if keyword in node.schema else ())))
        yield branches

    def _hints(self, node: Node) -> Iterator[Hint]:
        if _sides(node.schema) is None:
            yield from conditional_hints(self.references, node)
        for keyword in ("anyOf", "oneOf"):
            if all(map(_only_restricts, list_of(node.schema, keyword))):
                yield from branch_hints(self.references, node, keyword)
        yield from dependent_hints(self.references, node)

    def chain(self, position: Position) -> list[Node]:
        """Return the schemas that annotate every value at a position, nearest first."""
        if len(position) != 1:
            return []
        found: list[Node] = []
        pending = list(position[0])
        while pending and len(found) < MAX_PATH:
            node = pending.pop(0)
            if not isinstance(node.schema, dict) or any(other.location == node.location for other in found):
                continue
            if not self.references.alone(node) or len(node.schema) == 1:
                found.append(node)
            pending += always(self.references, node)
        return found


def _beside(demand: Node, branch: Node, *, own: bool) -> Composed:
    """Return what a `oneOf` asks of its branches if one of them accepts every object with a text in some field.

    Others never have such a text. The branch itself keeps all fields, because another one might accept fewer of them.
    """
    if own:
        return Composed({"minProperties": 0}, demand.base, f"{demand.location}/minProperties")
    schema = {"properties": {demand.schema["required"][0]: {"not": {"type": "string"}}}}
    return Composed(schema, branch.base, f"{branch.location}/not", aside=True)


def values_of(nodes: Sequence[Node]) -> list[Any] | None:
    """Return the only values that schemas let through, or None where they list none."""
    values: list[Any] | None = None
    for node in nodes:
        schema = dict_of(node.schema)
        for listed in ([schema["const"]] if "const" in schema else None, schema.get("enum")):
            if isinstance(listed, list):
                values = listed if values is None else [value for value in values if among(value, listed)]
    if values is None:
        return None
    negated = [dict_of(dict_of(node.schema).get("not")) for node in nodes]
    excluded = [each for schema in negated if telling_keywords(schema) == ["enum"] for each in list_of(schema, "enum")]
    return [value for value in values if not among(value, excluded)]


def same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: `1` and `1.0` are, `1` and `true` are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(value, other[name]) for name, value in one.items())
    return bool(one == other)


def among(value: Any, values: list[Any]) -> bool:
    """Return whether a JSON value is one of a list."""
    return any(same_json(value, other) for other in values)


def _only_restricts(schema: Any) -> bool:
    return isinstance(schema, dict) and _ABOUT_VALUES.isdisjoint(schema)


def _only_scalars(branches: list[Node]) -> list[Any] | None:
    """Return the values of branches that are nothing but constants, as `oneOf` with a title for each value has them."""
    found: list[Any] = []
    for branch in branches:
        words = set(telling_keywords(branch.schema)) - {"type"}
        values = values_of((branch,))
        if values is None or not words <= {"const", "enum"} or "x-python-type" in branch.schema:
            return None
        types = own_types(branch.schema)
        found += [value for value in values if types_of(value) & types]
    return found or None


def _sides(schema: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return what an `if` on a field means for `then` and for `else`: constants, or that the field is there."""
    condition = schema.get("if")
    tag = _tag_of_condition(condition)
    if tag is not None:
        return {"properties": {tag[0]: {"enum": tag[1]}}}, {"properties": {tag[0]: {"not": {"enum": tag[1]}}}}
    if not isinstance(condition, dict):
        return None
    negated = set(condition) == {"not"} and isinstance(condition["not"], dict)
    inner = condition["not"] if negated else condition
    names = list_of(inner, "required")
    branches = [schema[word] for word in ("then", "else") if word in schema]
    if (
        len(names) != 1
        or not set(telling_keywords(inner)) <= {"required", "type"}
        or any(map(_only_restricts, branches))
    ):
        return None
    if inner.get("type", "object") != "object" or not set(dict_in(schema, "properties")) <= set(names):
        return None
    if not negated and len(branches) == 1:
        return None
    sides = {"required": names}, {"properties": {names[0]: False}}
    return sides[::-1] if negated else sides


def _tag_of_condition(condition: Any) -> tuple[str, list[Any]] | None:
    """Return the field and the values that an `if` asks for, if it asks nothing else."""
    if not isinstance(condition, dict):
        return None
    properties = dict_in(condition, "properties")
    if len(properties) != 1 or not set(telling_keywords(condition)) <= {"properties", "required", "type"}:
        return None
    ((name, schema),) = properties.items()
    if not isinstance(schema, dict) or not set(telling_keywords(schema)) <= {"const", "enum", "type"}:
        return None
    if not set(list_of(condition, "required")) <= {name} or condition.get("type", "object") != "object":
        return None
    values = values_of((Node(schema, "", ""),))
    return (name, values) if values else None
