"""Scrubbing rules: what a contract says about the values at one position, and so which of them may stay.

The rules of a contract are compiled once, as `ContractRules`. They know nothing of pseudonyms or of the messages that
are scrubbed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import jsonschema_rs

from contract_test.compare.automata import Automaton, Words, automaton
from contract_test.compare.regexes import UnsupportedRegexError
from contract_test.data.contract import Contract
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import MAYBE, Position, Source
from contract_test.schema.walk import References
from contract_test.scrub.applied_schemas import Application, Applied, AppliedSchemas, dict_in
from envelopes.validation import CompiledSchema, compile_schema

MAX_WORDS_OF_PATTERN = 20
MAX_AUTOMATON_STATES = 1000
_REPEATS = frozenset("*+{.")
_OF_BIRTH = re.compile(
    "birth|born|dob(?![a-z])|bday|geburt|geboren|geboort|naiss|nacim|nascim|nascit|fodel|födel|født|fødsel|fodsel"
    "|syntym|urodz|narozen|doğum|dogum"
)
"""Parts of the names of fields whose days identify somebody, in a dozen languages."""
_ASSERTIONS = frozenset((
    "$ref", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if",
))  # fmt: skip
MAX_KNOWN = 10_000
Key = tuple[Position, tuple[Applied, ...], bool]


class ContractRules:
    """The rules of one contract, read from its schema once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.references = References(contract.resources, contract.uri)
        self.shapes = Shapes(self.references)
        self.application = Application(contract.resources, self.references, self._validator_at)
        self._rules: dict[Key, Rule] = {}
        self._validators: dict[str, CompiledSchema | None] = {}

    @cached_property
    def message(self) -> Rule:
        """The rule for a whole message."""
        root = self.references.root
        return self.rule((Source(root),), (Applied(root),))

    @cached_property
    def undescribed(self) -> Rule:
        """The rule for a value that the contract does not describe."""
        return self.rule((), ())

    @cached_property
    def validator(self) -> CompiledSchema:
        """The whole contract, compiled."""
        return compile_schema(self._contract.resources, f"{self._contract.uri}#")

    def rule(self, position: Position, applied: tuple[Applied, ...], *, of_birth: bool = False) -> Rule:
        """Return the rule for the values at a position, to which some schemas apply."""
        key = (position, applied, of_birth)
        known = self._rules.get(key)
        if known is None:
            if len(self._rules) >= MAX_KNOWN:
                self._rules.clear()
            known = self._rules[key] = Rule(self, position, applied, of_birth=of_birth)
        return known

    def validators(self, sources: Iterable[Source]) -> list[CompiledSchema]:
        """Return the compiled schemas of some sources, without those that cannot be compiled alone."""
        found = map(self._validator_at, {source.node.location for source in sources})
        return [validator for validator in found if validator is not None]

    def _validator_at(self, location: str) -> CompiledSchema | None:
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self._contract.resources, location)
            except ValueError:
                self._validators[location] = None
        return self._validators[location]


class Rule:
    """What the contract says about the values at one position.

    `schemas` are all subschemas that may apply to such a value. Which ones do apply depends on the value: see `view`.
    """

    def __init__(
        self, rules: ContractRules, position: Position, applied: tuple[Applied, ...], *, of_birth: bool
    ) -> None:
        self._rules, self._applied, self.of_birth = rules, applied, of_birth
        self._sources = rules.shapes.sources(position)
        self.schemas = [source.node.schema for source in self._sources]
        self._shape = rules.shapes.shape(position)
        in_place, depends = rules.application.everywhere(applied)
        self._always = None if depends else View(self, in_place)
        self._views: dict[tuple[Applied, ...], View] = {}

    def view(self, value: Any) -> View:
        """Return the rule for one value, as validators take it: by the schemas that apply to it."""
        if self._always is not None:
            return self._always
        applied = self._rules.application.to(value, self._applied)
        known = self._views.get(applied)
        if known is None:
            if len(self._views) >= MAX_KNOWN:
                self._views.clear()
            known = self._views[applied] = View(self, applied)
        return known

    # Positions inside

    @property
    def has_alternatives(self) -> bool:
        """True if a tag decides which fields are declared."""
        return bool(self._branches)

    @property
    def items(self) -> Position:
        """The position of the items of an array."""
        return self._shape.items

    def fields(self, value: dict[str, Any]) -> dict[str, Position]:
        """Return the positions of an object's declared fields. Among alternatives, its tag decides."""
        if not self._branches:
            return self._named
        for texts, fields in self._branches:
            tag = value.get(self._shape.tag)
            if isinstance(tag, str) and tag in texts:
                return fields
        return {}

    @cached_property
    def _named(self) -> dict[str, Position]:
        return _fields(self._shape)

    @cached_property
    def _branches(self) -> list[tuple[frozenset[str], dict[str, Position]]]:
        shapes, found = self._rules.shapes, []
        for _, branch in self._shape.branches:
            fields = _fields(shapes.shape(branch))
            tags = [source.node.schema for source in shapes.sources(fields[self._shape.tag])]
            found.append((declared_texts(tags), fields))
        return found

    def position_of(self, name: str, declared: Position | None) -> Position:
        """Return the position of a field; `declared` is what `fields` has for the name."""
        matching = tuple(source for validator, source in self._by_name_pattern if validator.is_valid(name))
        if declared is None:
            return matching or self._additional
        return (*declared, *(each for each in matching if each not in declared)) if matching else declared

    def inside(self, position: Position, applied: tuple[Applied, ...], name: str | None = None) -> Rule:
        """Return the rule for a field, or for an item if there is no name."""
        of_birth = self.of_birth if name is None else _OF_BIRTH.search(name.lower()) is not None
        return self._rules.rule(position, applied, of_birth=of_birth)

    @cached_property
    def _by_name_pattern(self) -> list[tuple[jsonschema_rs.Validator, Source]]:
        inside = self._rules.references.inside
        return [
            (jsonschema_rs.validator_for({"pattern": pattern}),
             Source(inside(source.node, "patternProperties", pattern), MAYBE))
            for source in self._sources
            for pattern in dict_in(source.node.schema, "patternProperties")
        ]  # fmt: skip

    @cached_property
    def _additional(self) -> Position:
        inside = self._rules.references.inside
        return tuple(
            Source(inside(source.node, keyword), MAYBE)
            for source in self._sources
            for keyword in ("additionalProperties", "unevaluatedProperties")
            if isinstance(source.node.schema.get(keyword), dict)
        )

    # Names of fields

    @cached_property
    def names(self) -> Rule:
        """The rule for the names of fields: `propertyNames`."""
        return self._rules.rule(self._names, tuple(Applied(source.node) for source in self._names))

    @cached_property
    def _names(self) -> Position:
        inside = self._rules.references.inside
        return tuple(
            Source(inside(source.node, "propertyNames"))
            for source in self._sources
            if isinstance(source.node.schema.get("propertyNames"), dict)
        )

    @cached_property
    def name_patterns(self) -> list[str]:
        """The patterns of `patternProperties`."""
        return [pattern for schema in self.schemas for pattern in dict_in(schema, "patternProperties")]

    @cached_property
    def name_validators(self) -> list[CompiledSchema | jsonschema_rs.Validator]:
        """What a name is checked against: name patterns and `propertyNames`."""
        return [*(validator for validator, _ in self._by_name_pattern), *self._rules.validators(self._names)]

    def keeps_name(self, name: str) -> bool:
        """Return True if the schema allows the name of an undeclared field to stay."""
        view = self.names.view(name)
        return view.keeps(name, view.sensitivity) or name in self._declared_names

    @cached_property
    def _declared_names(self) -> frozenset[str]:
        return frozenset(words_of(self.name_patterns))

    # Values

    @cached_property
    def patterns(self) -> list[str]:
        """The patterns of the values."""
        return [schema["pattern"] for schema in self.schemas if isinstance(schema.get("pattern"), str)]

    @cached_property
    def validators(self) -> list[CompiledSchema]:
        """The subschemas that assert something about the value, compiled."""
        return self._rules.validators(
            source for source in self._sources if not _ASSERTIONS.isdisjoint(source.node.schema)
        )

    @cached_property
    def declared_texts(self) -> frozenset[str]:
        """The texts that the contract itself contains here, whether they apply to a value or not."""
        return declared_texts(self.schemas)


class View(AppliedSchemas):
    """The rule for one value."""

    def __init__(self, rule: Rule, applied: tuple[Applied, ...]) -> None:
        super().__init__(rule._rules.references, applied)  # noqa: SLF001 - of the same module
        self.rule = rule
        self._fields: dict[str, Rule] = {}
        self._items: dict[tuple[Applied, ...], Rule] = {}

    def item(self, index: int) -> Rule:
        """Return the rule for an item of an array."""
        applied = self.to_item(index)
        known = self._items.get(applied)
        if known is None:
            known = self._items[applied] = self.rule.inside(self.rule.items, applied)
        return known

    def field(self, name: str, declared: dict[str, Position]) -> Rule:
        """Return the rule for a field of an object. `declared` are the positions of its declared fields."""
        position = declared.get(name)
        if position is None or self.rule.has_alternatives:
            return self._of_field(name, position)
        known = self._fields.get(name)
        if known is None:
            known = self._fields[name] = self._of_field(name, position)
        return known

    def _of_field(self, name: str, declared: Position | None) -> Rule:
        return self.rule.inside(self.rule.position_of(name, declared), self.to_field(name), name)

    @cached_property
    def declared_texts(self) -> frozenset[str]:
        """The texts that the contract itself contains: enums, constants, and patterns with few words."""
        return declared_texts(self.schemas)

    def keeps(self, value: Any, sensitivity: str) -> bool:
        """Return True if a text, a number or a boolean may stay. `sensitivity` is the word that applies, or ""."""
        if sensitivity:
            return sensitivity == "public"
        if isinstance(value, bool):
            return True
        if isinstance(value, str):
            if not value or value in self.declared_texts:
                return True
            return not self.rule.of_birth and self.is_time(value)
        return self.is_harmless(value)


def _fields(shape: Shape) -> dict[str, Position]:
    return {field.name: field.position for field in shape.fields}


def declared_texts(schemas: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Return the texts that schemas contain themselves: enums, constants, and patterns with few words."""
    known = list(schemas)
    declared = [text for schema in known for text in (*list_in(schema, "enum"), schema.get("const"))]
    patterns = [schema["pattern"] for schema in known if isinstance(schema.get("pattern"), str)]
    return frozenset(text for text in (*declared, *words_of(patterns)) if isinstance(text, str))


def words_of(patterns: Iterable[str]) -> Iterator[str]:
    """Yield the words of every pattern that has only a few. A pattern that repeats something has more."""
    for known in filter(None, map(automaton_of, (pattern for pattern in patterns if _REPEATS.isdisjoint(pattern)))):
        found, complete = Words([known], []).find(0, None, MAX_WORDS_OF_PATTERN)
        if complete:
            yield from found


def automaton_of(pattern: str) -> Automaton | None:
    """Return the automaton of a pattern. Return None if the pattern is not supported or too large."""
    try:
        known = automaton(pattern)
    except (UnsupportedRegexError, RecursionError):
        return None
    return known if len(known.free) <= MAX_AUTOMATON_STATES else None


def list_in(schema: dict[str, Any], keyword: str) -> list[Any]:
    """Return a keyword's array. Return an empty one if it has none."""
    value = schema.get(keyword)
    return value if isinstance(value, list) else []
