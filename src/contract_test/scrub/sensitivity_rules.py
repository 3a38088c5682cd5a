"""Scrubbing rules: what a contract says about the values at one position, and so which of them may stay.

The rules of a contract are compiled once, as `ContractRules`. They know nothing of pseudonyms or of the messages that
are scrubbed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import jsonschema_rs

from contract_test.compare.automata import Automaton, Words, automaton
from contract_test.compare.regexes import UnsupportedRegexError
from contract_test.data.contract import Contract
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import MAYBE, Position, Source
from contract_test.schema.walk import References
from envelopes.validation import CompiledSchema, compile_schema

ANNOTATION = "x-sensitivity"
MAX_WORDS_OF_PATTERN = 20
MAX_AUTOMATON_STATES = 1000
_REPEATS = frozenset("*+{.")
_IDENTIFYING_DIGITS = 7
_TIMES = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9:.]{2,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "duration": re.compile(r"P[0-9YMWDTHS]{2,40}"),
}
_NAME_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IDENTIFYING = frozenset((
    "id", "ids", "phone", "tel", "telephone", "mobile", "msisdn", "fax", "ssn", "iban", "card", "account", "birth",
    "birthday", "birthdate", "dob", "born", "lat", "latitude", "lon", "lng", "longitude", "zip", "zipcode", "postal",
    "postcode", "ip", "imei", "imsi", "pin", "otp", "cvv", "cvc", "passcode", "password", "secret", "token",
    "userid", "customerid", "personid", "accountid", "phonenumber", "cardnumber", "accountnumber", "pincode",
))  # fmt: skip
"""Words in the name of a field whose numbers and days single somebody out, however short."""
_OF_TIME = frozenset((
    "at", "on", "time", "timestamp", "date", "ts", "since", "until", "expires", "expiry", "created", "updated", "epoch",
))  # fmt: skip
_ASSERTIONS = frozenset((
    "$ref", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if",
))  # fmt: skip


class Name(NamedTuple):
    """What a field's name tells about its values."""

    identifying: bool
    of_time: bool

    @classmethod
    @lru_cache(maxsize=4096)
    def of(cls, text: str) -> Name:
        """Return what the words in a name tell."""
        words = [word.lower() for word in _NAME_WORDS.findall(text)]
        singular = [word.removesuffix("s") for word in words]  # an array has the name of what is in it
        return cls(not _IDENTIFYING.isdisjoint((*words, *singular)), not _OF_TIME.isdisjoint(words))


class ContractRules:
    """The rules of one contract, read from its schema once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.references = References(contract.resources, contract.uri)
        self.shapes = Shapes(self.references)
        self._rules: dict[tuple[Position, Name], Rule] = {}
        self._validators: dict[str, CompiledSchema | None] = {}

    @cached_property
    def message(self) -> Rule:
        """The rule for a whole message."""
        return self.rule((Source(self.references.root),), "")

    @cached_property
    def undescribed(self) -> Rule:
        """The rule for a value that the contract does not describe."""
        return self.rule((), "")

    @cached_property
    def validator(self) -> CompiledSchema:
        """The whole contract, compiled."""
        return compile_schema(self._contract.resources, f"{self._contract.uri}#")

    def rule(self, position: Position, name: str | Name) -> Rule:
        """Return the rule for the values at a position. `name` is the field's name, or what it tells."""
        name = Name.of(name) if isinstance(name, str) else name
        known = self._rules.get((position, name))
        if known is None:
            known = self._rules[position, name] = Rule(self, position, name)
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

    `sensitivity` is "public", "masked", or "" if the contract does not say. `schemas` are the subschemas that apply.
    """

    def __init__(self, rules: ContractRules, position: Position, name: Name) -> None:
        self._rules = rules
        self._sources = rules.shapes.sources(position)
        self.schemas = [source.node.schema for source in self._sources]
        words = [schema[ANNOTATION] for schema in self.schemas if isinstance(schema.get(ANNOTATION), str)]
        self.sensitivity = "" if not words else "public" if all(word == "public" for word in words) else "masked"
        self._name, self._shape = name, rules.shapes.shape(position)

    # Where the rules for the values inside are

    @cached_property
    def item(self) -> Rule:
        """The rule for the items of an array."""
        return self._rules.rule(self._shape.items, self._name)

    def fields(self, value: dict[str, Any]) -> dict[str, Rule]:
        """Return the rules for an object's declared fields. Among alternatives, its tag decides."""
        if not self._branches:
            return self._named
        for fields in self._branches:
            if value.get(self._shape.tag) in fields[self._shape.tag].declared_texts:
                return fields
        return {}

    @cached_property
    def _named(self) -> dict[str, Rule]:
        return self._fields(self._shape)

    @cached_property
    def _branches(self) -> list[dict[str, Rule]]:
        return [self._fields(self._rules.shapes.shape(branch)) for _, branch in self._shape.branches]

    def _fields(self, shape: Shape) -> dict[str, Rule]:
        return {field.name: self._rules.rule(field.position, field.name) for field in shape.fields}

    def undeclared_field(self, name: str) -> Rule:
        """Return the rule for a field that is not declared by name."""
        matching = [source for validator, source in self._by_name_pattern if validator.is_valid(name)]
        return self._rules.rule(tuple(matching or self._additional), name)

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
        return self._rules.rule(self._names, "")

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
        return self.names.keeps(name, self.names.sensitivity) or name in self._declared_names

    @cached_property
    def _declared_names(self) -> frozenset[str]:
        return frozenset(_words_of(self.name_patterns))

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
        """The texts that the contract itself contains: enums, constants, and patterns with few words."""
        declared = [text for schema in self.schemas for text in (*list_in(schema, "enum"), schema.get("const"))]
        return frozenset(text for text in (*declared, *_words_of(self.patterns)) if isinstance(text, str))

    def declares(self, value: Any) -> bool:
        """Return True if the contract itself contains this object or array, as an enum value or constant."""
        return isinstance(value, dict | list) and value in self._declared_composites

    @cached_property
    def _declared_composites(self) -> list[Any]:
        declared = [value for schema in self.schemas for value in (*list_in(schema, "enum"), schema.get("const"))]
        return [value for value in declared if isinstance(value, dict | list)]

    def keeps(self, value: Any, sensitivity: str) -> bool:
        """Return True if a text or a number may stay. `sensitivity` is the word that applies here, or ""."""
        if sensitivity:
            return sensitivity == "public"
        if isinstance(value, str):
            if not value or value in self.declared_texts:
                return True
            forms = [_TIMES.get(schema.get("format", "")) for schema in self.schemas]
            return not self._name.identifying and any(form is not None and form.fullmatch(value) for form in forms)
        digits = str(abs(value)).upper().partition("E")[0].replace(".", "").strip("0")
        if not digits or any(value == bound for schema in self.schemas for bound in _constants(schema)):
            return True
        return not self._name.identifying and (self._name.of_time or len(digits) < _IDENTIFYING_DIGITS)


def _words_of(patterns: Iterable[str]) -> Iterator[str]:
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


def _constants(schema: dict[str, Any]) -> list[Any]:
    """Return the numbers that the contract itself contains, its bounds included."""
    declared = [*list_in(schema, "enum"), schema.get("const"), schema.get("minimum"), schema.get("maximum")]
    return [value for value in declared if is_number(value)]


def list_in(schema: dict[str, Any], keyword: str) -> list[Any]:
    """Return a keyword's array. Return an empty one if it has none."""
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def dict_in(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    """Return a keyword's object. Return an empty one if it has none."""
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}


def is_number(value: Any) -> bool:
    """Return True for a JSON number."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
