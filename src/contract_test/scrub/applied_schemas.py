"""The schemas that apply to one value, and whether they allow it to stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

import jsonschema_rs

from contract_test.schema.walk import Node, References, draft_of, subschemas
from envelopes._exact import ExactFloat
from envelopes._json import number_survives
from envelopes.validation import CompiledSchema

ANNOTATION = "x-sensitivity"
SENSITIVITIES = ("public", "personal", "pseudonym", "secret")
"""The values of the annotation. Any other is masked as `personal` is, and lint finds it."""
MAX_HARMLESS_VALUES = 1000
"""A number says little if its schema allows so few."""
_TIMES = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9:.]{2,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "duration": re.compile(r"P[0-9YMWDTHS]{2,40}"),
}
_ALL_WHOLE = 2**53
_DYNAMIC = {"$dynamicRef": "$dynamicAnchor", "$recursiveRef": "$recursiveAnchor"}


class Applied(NamedTuple):
    """A schema that applies to a value: always, or as a part of an alternative."""

    node: Node
    alternative: str = ""
    """The location of the alternative; "" for always."""


class Application:
    """Finds which schemas of a contract apply to a value. `validator_at` compiles the schema at a location."""

    def __init__(
        self,
        resources: Mapping[str, Any],
        references: References,
        validator_at: Callable[[str], CompiledSchema | None],
    ) -> None:
        self._resources, self._references, self._validator_at = resources, references, validator_at

    def everywhere(self, applied: tuple[Applied, ...]) -> tuple[tuple[Applied, ...], bool]:
        """Return all schemas that may apply to the same value as these, and True if that depends on the value."""
        return self._expand(applied, lambda _: True, None)

    def to(self, value: Any, applied: tuple[Applied, ...]) -> tuple[Applied, ...]:
        """Return these schemas, and all that they apply to this value.

        If no alternative accepts the value, all of them are taken to apply.
        """
        return self._expand(applied, lambda node: self._accepts(node, value), value)[0]

    def _accepts(self, node: Node, value: Any) -> bool:
        validator = self._validator_at(node.location)
        return validator is None or validator.is_valid(value)

    def _expand(
        self, applied: tuple[Applied, ...], accepts: Callable[[Node], bool], value: Any
    ) -> tuple[tuple[Applied, ...], bool]:
        inside, depends = self._references.inside, False
        found: dict[Applied, None] = {}
        pending = list(reversed(applied))
        while pending:
            each = pending.pop()
            node, alternative = each
            schema = node.schema
            if not isinstance(schema, dict) or each in found:
                continue
            found[each] = None
            if isinstance(schema.get("$ref"), str):
                target = self._references.follow(node, schema["$ref"])
                pending += [] if target is None else [Applied(target, alternative)]
                if self._references.alone(node):
                    continue
            pending += (Applied(target, target.location) for target in self._dynamic_targets(node))
            pending += (Applied(child, alternative) for child in self._list(node, "allOf"))
            for keyword in ("anyOf", "oneOf"):
                branches = self._list(node, keyword)
                depends = depends or bool(branches)
                pending += (Applied(child, child.location) for child in [*filter(accepts, branches)] or branches)
            if isinstance(schema.get("if"), dict | bool):
                depends = True
                condition = inside(node, "if")
                holds = accepts(condition)
                words = ["if", "then"] if holds else ["else"]
                words = ["if", "then", "else"] if value is None else words
                pending += (Applied(inside(node, word), condition.location) for word in words if word in schema)
            for keyword in ("dependentSchemas", "dependencies"):
                names = dict_in(schema, keyword)
                depends = depends or bool(names)
                children = [inside(node, keyword, each) for each in names if value is None or each in dict_of(value)]
                pending += (Applied(child, child.location) for child in children)
        return tuple(found), depends

    def _list(self, node: Node, keyword: str) -> list[Node]:
        value = node.schema.get(keyword)
        return (
            [self._references.inside(node, keyword, place) for place in range(len(value))]
            if isinstance(value, list)
            else []
        )

    def _dynamic_targets(self, node: Node) -> Iterator[Node]:
        """Yield every schema that a dynamic reference may lead to. Which one it is depends on where it is read from."""
        for keyword, anchor in _DYNAMIC.items():
            reference = node.schema.get(keyword)
            if not isinstance(reference, str):
                continue
            static = self._references.follow(node, reference)
            if static is not None:
                yield static
            for other in self._anchored[anchor]:
                if other.schema[anchor] in (True, reference.rpartition("#")[2]):
                    yield other

    @cached_property
    def _anchored(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {anchor: [] for anchor in _DYNAMIC.values()}
        for uri, resource in self._resources.items():
            for pointer, node, base in subschemas(resource, uri, draft_of(resource)):
                for anchor, nodes in found.items():
                    if anchor in node:
                        nodes.append(Node(node, base, self._references.inside_document(uri, pointer)))
        return found


class AppliedSchemas:
    """What some schemas say of one value. `sensitivity` is "public", "masked", or "" if they do not say."""

    def __init__(self, references: References, applied: tuple[Applied, ...]) -> None:
        self._references, self.applied = references, applied
        self.schemas = [each.node.schema for each in applied]
        self.sensitivity = self._word()

    def _word(self) -> str:
        """The strictest word counts. Of alternatives, what only some say to be public is not public."""
        words: dict[str, set[str]] = {each.alternative: set() for each in self.applied}
        for each in self.applied:
            if ANNOTATION in each.node.schema:
                words[each.alternative].add(str(each.node.schema[ANNOTATION]))
        if set().union(*words.values()) - {"public"}:
            return "masked"
        always = words.pop("", set())
        return "public" if always or (words and all(words.values())) else ""

    # The schemas that apply to what is inside

    def to_field(self, name: str) -> tuple[Applied, ...]:
        """Return the schemas that apply to a field of an object."""
        found: list[Applied] = []
        for each in self.applied:
            steps: list[tuple[str, ...]] = (
                [("properties", name)] if name in dict_in(each.node.schema, "properties") else []
            )
            steps += (
                ("patternProperties", pattern)
                for pattern in dict_in(each.node.schema, "patternProperties")
                if _name_pattern(pattern).is_valid(name)
            )
            if not steps and "additionalProperties" in each.node.schema:
                steps = [("additionalProperties",)]
            found += (each._replace(node=self._references.inside(each.node, *path)) for path in steps)
        return tuple(found) or self._inside("unevaluatedProperties")

    def to_item(self, index: int) -> tuple[Applied, ...]:
        """Return the schemas that apply to an item of an array."""
        found: list[Applied] = []
        for each in self.applied:
            schema = each.node.schema
            first, rest = (
                ("items", "additionalItems") if isinstance(schema.get("items"), list) else ("prefixItems", "items")
            )
            listed = schema.get(first)
            if isinstance(listed, list) and index < len(listed):
                found.append(each._replace(node=self._references.inside(each.node, first, index)))
            elif rest in schema:
                found.append(each._replace(node=self._references.inside(each.node, rest)))
            if "contains" in schema:
                child = self._references.inside(each.node, "contains")
                found.append(Applied(child, child.location))
        return tuple(found) or self._inside("unevaluatedItems")

    def _inside(self, keyword: str) -> tuple[Applied, ...]:
        having = (each for each in self.applied if keyword in each.node.schema)
        return tuple(each._replace(node=self._references.inside(each.node, keyword)) for each in having)

    # The value itself

    def declares(self, value: Any) -> bool:
        """Return True if the contract itself contains this object or array, as an enum value or constant."""
        return value in self._declared_composites

    @cached_property
    def _declared(self) -> list[Any]:
        return [value for schema in self.schemas for value in _constants(schema)]

    @cached_property
    def _declared_composites(self) -> list[Any]:
        return [value for value in self._declared if isinstance(value, dict | list)]

    def is_time(self, text: str) -> bool:
        """Return True for a text that a schema calls a time by its format, and that is one."""
        return any(form.fullmatch(text) for form in self._times)

    @cached_property
    def _times(self) -> list[re.Pattern[str]]:
        formats = [schema.get("format") for schema in self.schemas]
        return [_TIMES[each] for each in formats if isinstance(each, str) and each in _TIMES]

    def is_harmless(self, value: float | Decimal) -> bool:
        """Return True for a number that the contract itself contains, and for one of a few that it allows."""
        if isinstance(value, ExactFloat) and not number_survives(value.text):
            return False  # it has digits that the double has not: nobody declared these
        if value == 0 or value in self.harmless_numbers:
            return True
        is_whole = not -_ALL_WHOLE < value < _ALL_WHOLE or value == int(value)
        return self._few_whole if is_whole else self._few

    @cached_property
    def harmless_numbers(self) -> list[Any]:
        """The numbers that the contract itself contains, its bounds included."""
        bounds = (schema.get(word) for schema in self.schemas for word in ("minimum", "maximum"))
        return [value for value in (*self._declared, *bounds) if is_number(value)]

    @cached_property
    def _few(self) -> bool:
        return self._allow_few(whole=False)

    @cached_property
    def _few_whole(self) -> bool:
        return self._allow_few(whole=True)

    def _allow_few(self, *, whole: bool) -> bool:
        """Return True if there are few valid numbers: always, or in every alternative that applies."""
        always = [each.node.schema for each in self.applied if not each.alternative]
        if _count_numbers(always, whole=whole) <= MAX_HARMLESS_VALUES:
            return True
        others: dict[str, list[dict[str, Any]]] = {}
        for each in self.applied:
            if each.alternative:
                others.setdefault(each.alternative, [*always]).append(each.node.schema)
        return bool(others) and all(
            _count_numbers(schemas, whole=whole) <= MAX_HARMLESS_VALUES for schemas in others.values()
        )


def _count_numbers(schemas: list[dict[str, Any]], *, whole: bool) -> float:
    """Return how many numbers the bounds of schemas allow; infinity if there is no end of them."""
    steps = [step for schema in schemas if (step := _fraction(schema, "multipleOf"))]
    if whole and any("integer" in _types(schema) and "number" not in _types(schema) for schema in schemas):
        steps.append(Fraction(1))
    if not steps:
        return float("inf")
    step = max(steps)
    lows = [ceil(low / step) for schema in schemas if (low := _fraction(schema, "minimum")) is not None]
    lows += [floor(low / step) + 1 for schema in schemas if (low := _fraction(schema, "exclusiveMinimum")) is not None]
    highs = [floor(high / step) for schema in schemas if (high := _fraction(schema, "maximum")) is not None]
    highs += [
        ceil(high / step) - 1 for schema in schemas if (high := _fraction(schema, "exclusiveMaximum")) is not None
    ]
    return min(highs) - max(lows) + 1 if lows and highs else float("inf")


def _fraction(schema: dict[str, Any], keyword: str) -> Fraction | None:
    value = schema.get(keyword)
    return Fraction(str(value)) if is_number(value) else None


@lru_cache(maxsize=512)
def _name_pattern(pattern: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"pattern": pattern})


def _types(schema: dict[str, Any]) -> list[Any]:
    declared = schema.get("type")
    return declared if isinstance(declared, list) else [declared]


def _constants(schema: dict[str, Any]) -> Iterator[Any]:
    values = schema.get("enum")
    yield from values if isinstance(values, list) else ()
    if "const" in schema:
        yield schema["const"]


def dict_of(value: Any) -> dict[str, Any]:
    """Return a value that is an object; of any other an empty one."""
    return value if isinstance(value, dict) else {}


def dict_in(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    """Return a keyword's object. Return an empty one if it has none."""
    return dict_of(schema.get(keyword))


def is_number(value: Any) -> bool:
    """Return True for a JSON number."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
