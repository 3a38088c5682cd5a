"""How the objects of an alternative look: which fields they have, and what they hold under other names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import jsonschema_rs

from contract_test.generate.alternatives import (
    ANYTHING,
    Alternative,
    Conjunction,
    Position,
    Reader,
    among,
    is_aside,
    values_of,
)
from contract_test.generate.hints import MAX_HINTS, HintGroup, hint_groups
from contract_test.generate.shapes import ELSEWHERE
from contract_test.schema.keywords import telling_keywords
from contract_test.schema.sources import ALL_TYPES, dict_in, dict_of, list_of, own_types
from contract_test.schema.walk import Node

MAX_RULES = 32
"""How many combinations of rules for undeclared names are told apart."""


@dataclass(frozen=True)
class Others:
    """What an object holds under names that no keyword lists, by the patterns of these names.

    `typed` has a type, and `free` may be any JSON; where there is only one of them, it is `typed`. Patterns that are
    empty stand for all other names, and None for no names.
    """

    typed: Position | None = None
    patterns: tuple[str, ...] = ()
    free: tuple[str, ...] | None = None

    @property
    def all(self) -> Position | None:
        """What is known about the value of any such name."""
        return ANYTHING if self.free is not None or (self.typed and self.patterns) else self.typed

    @property
    def names(self) -> tuple[str, ...]:
        """The patterns of all such names; empty for every name."""
        every = self.free == () or (self.typed is not None and not self.patterns)
        return () if every else (*self.patterns, *(self.free or ()))

    def under(self, name: str) -> Position | None:
        """Return what is known about the value under a name, or None if it is not one of them."""
        groups = [(self.patterns, self.typed), (self.free, ANYTHING)]
        for patterns, position in sorted(groups, key=lambda group: not group[0]):
            if patterns is not None and position is not None and (not patterns or _any_matches(patterns, name)):
                return position
        return None


@dataclass(frozen=True)
class ObjectShape:
    """The named fields of an object, and what it may hold under other names."""

    fields: dict[str, Position]
    required: frozenset[str]
    others: Others = Others()
    """Empty where the contract says nothing about other names."""
    closed: bool = False
    """Whether no other name is allowed."""
    never: frozenset[str] = frozenset()
    """Names that no such object has."""
    cut: bool = False
    """Whether there are fields that nothing here names, because there are too many alternatives."""

    def may_have(self, name: str) -> bool:
        """Return whether such an object may have a field."""
        if name in self.fields or name in self.never:
            return name in self.fields
        return not self.closed or self.others.under(name) is not None


def object_shape(reader: Reader, alternative: Alternative) -> ObjectShape:
    """Return how the objects of one alternative look."""
    inside = reader.references.inside
    fields: dict[str, list[Node]] = {}
    required: set[str] = set()
    names: list[str] = []
    for node in sorted(alternative.nodes, key=is_aside):
        for name, schema in dict_in(node.schema, "properties").items():
            if not is_aside(node) or schema is False or name in fields:
                fields.setdefault(name, []).append(inside(node, "properties", name))
        required.update(name for name in list_of(node.schema, "required") if isinstance(name, str))
        names += [*_mentioned(node.schema), *(name for each in _patterns(node) for name in listed_names(each))]
    groups = hint_groups(reader.references, alternative.hints)
    known = len(groups) < MAX_HINTS and _only_described(reader, alternative)
    groups = [
        each for each in groups if not any(_never_holds(reader, fields, required, node) for node in each.conditions)
    ]
    hints = [node for group in groups for node in group.nodes]
    for node in hints:
        names += [*dict_in(node.schema, "properties"), *_mentioned(node.schema)]
    hinted: dict[str, Position] = {}
    for name in names:
        if name not in fields:
            fields[name] = [each for node in alternative.nodes for each in _ruled(reader, node, name)]
            if known and not fields[name]:
                hinted[name] = tuple(_described(reader, groups, name)) or ANYTHING
    others, closed = _others(reader, alternative, hints, named=bool(fields))
    cut = alternative.cut and not closed and others == Others()
    if cut:
        others = Others(ANYTHING)
    found: dict[str, Position] = {name: (tuple(nodes),) for name, nodes in fields.items()} | hinted
    excluded = {name for node in alternative.nodes if is_aside(node) for name in dict_in(node.schema, "properties")}
    never = frozenset(
        name
        for name, position in found.items()
        if all(any(node.schema is False for node in nodes) for nodes in position)
        or (name in excluded and not reader.alternatives(position))
    )
    shown = {name: position for name, position in found.items() if name not in never}
    return ObjectShape(shown, frozenset(required), others, closed, never, cut)


def is_impossible(reader: Reader, shape: ObjectShape) -> bool:
    """Return whether no object can look like this: a required field has no valid value."""
    return any(name not in shape.fields or _empty(reader, shape.fields[name]) for name in shape.required)


def _empty(reader: Reader, position: Position) -> bool:
    return all(values_of(each.nodes) == [] for each in reader.alternatives(position))


def _never_holds(reader: Reader, fields: dict[str, list[Node]], required: set[str], condition: Node) -> bool:
    """Return whether an `if` is for no object, or asks for constants that a field which must be there cannot have."""
    negated = dict_of(condition.schema.get("not"))
    if "object" not in own_types(condition.schema) or (
        telling_keywords(negated) == ["type"] and "object" in own_types(negated)
    ):
        return True
    for name in dict_in(condition.schema, "properties"):
        values = values_of((reader.references.inside(condition, "properties", name),))
        if values is None or name not in fields or name not in required.union(list_of(condition.schema, "required")):
            continue
        own = [values_of(each.nodes) for each in reader.alternatives((tuple(fields[name]),))]
        if not any(each is None or any(among(value, values) for value in each) for each in own):
            return True
    return False


def _only_described(reader: Reader, alternative: Alternative) -> bool:
    """Return whether an object has no fields but those that a schema describes which holds for it."""
    if alternative.cut:
        return False
    closed = False
    for node in alternative.path:
        if not isinstance(node.schema, dict):
            continue
        closed = closed or node.schema.get("unevaluatedProperties") is False
        dynamic = "$dynamicRef" in node.schema or "$recursiveRef" in node.schema
        opens = node.schema.get("unevaluatedProperties", False) is not False
        if opens or (dynamic and reader.references.dynamic_target(node) is None):
            return False
    return closed


def _described(reader: Reader, groups: list[HintGroup], name: str) -> Iterator[Conjunction]:
    """Yield what hints say about a name, without those inside another one that says something about it."""
    described = {
        group: tuple(each for node in group.nodes for each in _says_of(reader, node, name)) for group in groups
    }
    for group, nodes in described.items():
        outer = group.outer
        while outer is not None and not described.get(outer):
            outer = outer.outer
        if nodes and outer is None:
            yield nodes


def _says_of(reader: Reader, node: Node, name: str) -> Iterator[Node]:
    if name in dict_in(node.schema, "properties"):
        yield reader.references.inside(node, "properties", name)
    else:
        yield from _ruled(reader, node, name)


def _ruled(reader: Reader, node: Node, name: str) -> Iterator[Node]:
    """Yield what one schema says about a name that it does not list."""
    inside = reader.references.inside
    patterns = [each for each in _patterns(node) if matches(each, name)]
    yield from (inside(node, "patternProperties", each) for each in patterns)
    if not patterns and "additionalProperties" in node.schema:
        yield inside(node, "additionalProperties")


@dataclass(frozen=True)
class _Rule:
    """What one schema says about undeclared names. It is `whole` if it says something about all of them."""

    others: Others
    whole: bool
    closed: bool = False


def _others(reader: Reader, alternative: Alternative, hints: list[Node], *, named: bool) -> tuple[Others, bool]:
    rules = [rule for node in alternative.nodes for rule in [_rule(reader, node)] if rule is not None]
    for node in hints:
        rule = _rule(reader, node)
        if rule is not None and rule.others != Others():
            rules.append(_Rule(Others(ANYTHING, rule.others.names), whole=not rule.others.names))
    counted = any(not _COUNTING.isdisjoint(node.schema) for node in alternative.nodes) or any(
        node.location in reader.kept for node in alternative.path
    )
    whole = [rule for rule in rules if rule.whole]
    closed = any(rule.closed for rule in whole)
    if any(rule.closed and rule.others == Others() for rule in whole):
        return Others(), True
    telling = [rule for rule in whole if rule.others != Others(ANYTHING)]
    if len(telling) == 1:
        return telling[0].others, closed
    if telling:
        return Others(_combined([rule.others.all or ANYTHING for rule in telling])), closed
    if whole or (counted and not rules):
        return Others(ANYTHING), closed
    if rules:
        return _together([rule.others for rule in rules], counted=counted), False
    return (Others() if named else Others(ANYTHING)), False


def _combined(positions: list[Position]) -> Position:
    combined: list[Conjunction] = []
    for picked in product(*positions[:MAX_RULES]):
        combined.append(tuple(dict.fromkeys(node for conjunction in picked for node in conjunction)))
        if len(combined) > MAX_RULES:
            return ANYTHING
    return ANYTHING if () in combined else tuple(combined)


def _together(parts: list[Others], *, counted: bool) -> Others:
    """Return what several patterns say. All other names count, too, if an object is judged by their number."""
    typed = dict.fromkeys(each for part in parts if part.typed != ANYTHING for each in part.typed or ())
    patterns = [each for part in parts if part.typed not in (None, ANYTHING) for each in part.patterns]
    free = [each for part in parts for each in (part.patterns if part.typed == ANYTHING else part.free or ())]
    if counted:
        free = []
    anything = free or counted
    if not typed:
        return Others(ANYTHING, tuple(dict.fromkeys(free)))
    return Others(tuple(typed), tuple(dict.fromkeys(patterns)), tuple(dict.fromkeys(free)) if anything else None)


def _rule(reader: Reader, node: Node) -> _Rule | None:
    """Return what one schema says about undeclared names, or None for nothing."""
    schema, inside = node.schema, reader.references.inside
    patterns = {each: inside(node, "patternProperties", each) for each in _patterns(node) if not listed_names(each)}
    every = tuple(each for name, each in patterns.items() if name in _EVERY_NAME)
    if every:
        return _Rule(Others((every,)), whole=True)
    typed = {name: each for name, each in patterns.items() if not _is_anything(reader, each)}
    free = tuple(name for name in patterns if name not in typed)
    rest = "additionalProperties"
    if rest not in schema and ELSEWHERE.isdisjoint(schema):
        rest = "unevaluatedProperties"
    of_patterns = tuple((each,) for each in typed.values())
    if rest not in schema:
        if not patterns:
            return (
                _Rule(Others(ANYTHING), whole=True) if schema.get("unevaluatedProperties", False) is not False else None
            )
        return _Rule(_split(of_patterns, tuple(typed), free or None), whole=False)
    if schema[rest] is False:
        return _Rule(_split(of_patterns, tuple(typed), free or None), whole=True, closed=True)
    child = inside(node, rest)
    if _is_anything(reader, child):
        return _Rule(_split(of_patterns, tuple(typed), ()), whole=True)
    return _Rule(_split((*of_patterns, (child,)), (), free or None), whole=True)


def _split(typed: Position, patterns: tuple[str, ...], free: tuple[str, ...] | None) -> Others:
    if typed:
        return Others(typed, patterns, free)
    return Others() if free is None else Others(ANYTHING, free)


def _is_anything(reader: Reader, node: Node) -> bool:
    return any(map(says_nothing, reader.alternatives(((node,),))))


def says_nothing(alternative: Alternative) -> bool:
    """Return whether any value will do."""
    return alternative.types == ALL_TYPES and not alternative.hints and not any(map(says, alternative.nodes))


def says(node: Node) -> list[str]:
    """Return the keywords of a schema that ask something of a value; `additionalProperties: true` asks nothing."""
    return [word for word in telling_keywords(node.schema) if node.schema[word] is not True and node.schema[word] != {}]


def _patterns(node: Node) -> list[str]:
    return list(dict_in(node.schema, "patternProperties"))


def listed_names(pattern: str) -> list[str]:
    """Return the only names that a pattern such as `^(a|b)$` matches, or nothing if it is of another kind."""
    found = _LISTED.fullmatch(pattern)
    return [re.sub(r"\\(.)", r"\1", each) for each in (found["several"] or found["one"]).split("|")] if found else []


_LISTED = re.compile(r"\^(?:\((?:\?:)?(?P<several>(?:\w|-|\\[^\w\s]|\|)+)\)|(?P<one>(?:\w|-|\\[^\w\s])+))\$", re.ASCII)


@cache
def _validator(pattern: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}, offline=True)


def _any_matches(patterns: Iterable[str], name: str) -> bool:
    return any(matches(each, name) for each in patterns)


def matches(pattern: str, name: str) -> bool:
    """Return whether a pattern matches a name, as the contract's validator matches them."""
    return bool(_validator(pattern).is_valid(name))


def _mentioned(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the names that a schema asks for without describing them."""
    names: list[Any] = [*list_of(schema, "required")]
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        for name, needed in dict_in(schema, keyword).items():
            names.extend((name, *needed) if isinstance(needed, list) else (name,))
    return (name for name in names if isinstance(name, str))


_COUNTING = frozenset(("minProperties", "propertyNames"))
"""Keywords that say something about fields that no keyword names: such fields are not undeclared."""
_EVERY_NAME = frozenset(("", ".*", "^", "$", "^.*", ".*$"))
"""Patterns that every name matches. A dot matches no line break, so `^.*$` is none of them."""
