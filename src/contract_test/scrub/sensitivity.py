"""Sensitivity: what a contract says of the values at one place: which may stay, and what stands in for the others."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import chain, count
from math import ceil, floor
from typing import Any, NamedTuple

import jsonschema_rs

from contract_test.compare.automata import Automaton, Words, automaton
from contract_test.compare.regexes import UnsupportedRegexError
from contract_test.data.contract import Contract
from contract_test.schema.shape import Shape, Shapes
from contract_test.schema.sources import MAYBE, Position, Source
from contract_test.schema.walk import References
from contract_test.scrub.pseudonyms import Pseudonyms
from envelopes import _json
from envelopes.types import freeze, plain
from envelopes.validation import CompiledSchema, compile_schema

ANNOTATION = "x-sensitivity"
_SALTS = 4
_FEW_WORDS = 20
MAX_SEARCHED_LENGTH, _LONGER, _SEARCHED = 64, 3, 50
MAX_AUTOMATON_STATES = 1000
_REPEATS = frozenset("*+{.")
_IDENTIFYING_DIGITS = 7
_TIMES = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9:.]{2,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "duration": re.compile(r"P[0-9YMWDTHS]{2,40}"),
}
_NAME_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_TELLING = frozenset((
    "id", "ids", "phone", "tel", "telephone", "mobile", "msisdn", "fax", "ssn", "iban", "card", "account", "birth",
    "birthday", "birthdate", "dob", "born", "lat", "latitude", "lon", "lng", "longitude", "zip", "zipcode", "postal",
    "postcode", "ip", "imei", "imsi", "pin", "otp", "cvv", "cvc", "passcode", "password", "secret", "token",
))  # fmt: skip
"""Words in the name of a field whose numbers and days single somebody out, however short."""
_OF_TIME = frozenset((
    "at", "on", "time", "timestamp", "date", "ts", "since", "until", "expires", "expiry", "created", "updated", "epoch",
))  # fmt: skip
_ASSERTIONS = frozenset((
    "$ref", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if",
))  # fmt: skip
_LARGEST_DOUBLE = Fraction(sys.float_info.max)


class Name(NamedTuple):
    """What a field's name tells of its values."""

    telling: bool
    of_time: bool

    @classmethod
    @lru_cache(maxsize=4096)
    def of(cls, text: str) -> Name:
        """Look at the words in a name."""
        words = [word.lower() for word in _NAME_WORDS.findall(text)]
        return cls(not _TELLING.isdisjoint(words), not _OF_TIME.isdisjoint(words))


class Rules:
    """The rules of one contract, each compiled once. `scrub_value` scrubs a JSON value that stands inside a text."""

    def __init__(self, contract: Contract, pseudonyms: Pseudonyms, scrub_value: Callable[[Any], Any]) -> None:
        self._contract, self.pseudonyms, self.scrub_value = contract, pseudonyms, scrub_value
        self.references = References(contract.resources, contract.uri)
        self.shapes = Shapes(self.references)
        self._known: dict[tuple[Position, Name], Rule] = {}
        self._validators: dict[str, CompiledSchema | None] = {}

    @cached_property
    def of_message(self) -> Rule:
        """The rule for the message itself."""
        return self.rule_at((Source(self.references.root),), "")

    @cached_property
    def of_nothing(self) -> Rule:
        """The rule for a value of which the contract says nothing."""
        return self.rule_at((), "")

    def rule_at(self, position: Position, name: str) -> Rule:
        """Return the rule for the values at a position; `name` is their field's."""
        return self.for_name(position, Name.of(name))

    def for_name(self, position: Position, name: Name) -> Rule:
        """Return the rule for the values at a position, given what their field's name tells."""
        known = self._known.get((position, name))
        if known is None:
            known = self._known[position, name] = Rule(self, position, name)
        return known

    def validator(self, location: str) -> CompiledSchema | None:
        """Return the compiled schema at a location; None where it cannot stand alone."""
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self._contract.resources, location)
            except ValueError:
                self._validators[location] = None
        return self._validators[location]


class Rule:
    """What the contract says of the values at one position."""

    def __init__(self, rules: Rules, position: Position, name: Name) -> None:
        self._rules = rules
        self._sources = rules.shapes.sources(position)
        self._schemas = [source.node.schema for source in self._sources]
        said = [schema[ANNOTATION] for schema in self._schemas if isinstance(schema.get(ANNOTATION), str)]
        self.said = "" if not said else "public" if all(word == "public" for word in said) else "masked"
        self._name, self._shape = name, rules.shapes.shape(position)

    @cached_property
    def item(self) -> Rule:
        """What holds for the items of an array."""
        return self._rules.for_name(self._shape.items, self._name)

    def fields(self, value: dict[str, Any]) -> dict[str, Rule]:
        """Return the declared fields of an object, by name; of alternatives, those of the one that its tag names."""
        if not self._branches:
            return self._named
        for fields in self._branches:
            if value.get(self._shape.tag) in fields[self._shape.tag].own_texts:
                return fields
        return {}

    @cached_property
    def _named(self) -> dict[str, Rule]:
        return self._fields(self._shape)

    @cached_property
    def _branches(self) -> list[dict[str, Rule]]:
        return [self._fields(self._rules.shapes.shape(branch)) for _, branch in self._shape.branches]

    def _fields(self, shape: Shape) -> dict[str, Rule]:
        return {field.name: self._rules.rule_at(field.position, field.name) for field in shape.fields}

    def other(self, name: str) -> Rule:
        """Return what holds for a field that is not declared by name."""
        matching = [source for judge, source in self._described if judge.is_valid(name)]
        return self._rules.rule_at(tuple(matching or self._rest), name)

    def renames(self, name: str, taken: Container[str], salt: int) -> Iterator[str]:
        """Yield names in place of one that may not stay: first those that the same parts of the schema accept."""
        validators = [judge for judge, _ in self._described] + [
            judge for judge in map(self._rules.validator, {each.node.location for each in self._names}) if judge
        ]
        judged = [(judge, judge.is_valid(name)) for judge in validators]
        patterns = [pattern for schema in self._schemas for pattern in _dict(schema, "patternProperties")]
        for candidate in self._rules.rule_at(self._names, "").texts(name, salt, patterns):
            if candidate not in taken and all(judge.is_valid(candidate) == valid for judge, valid in judged):
                yield candidate
        pseudonyms = self._rules.pseudonyms
        salted = (pseudonyms.text(name, salt + more) for more in range(_SALTS))
        longer = (pseudonyms.text(name, salt) + "x" * more for more in count(1))  # where all of its length are taken
        yield from (each for each in chain(salted, longer) if each not in taken)

    def keeps_name(self, name: str) -> bool:
        """Return whether the schema of names says that a name may stay."""
        names = self._rules.rule_at(self._names, "")
        return names.keeps(name, names.said) or name in self._own_names

    @cached_property
    def _own_names(self) -> frozenset[str]:
        return frozenset(
            _few_words(pattern for schema in self._schemas for pattern in _dict(schema, "patternProperties"))
        )

    @cached_property
    def _names(self) -> Position:
        inside = self._rules.references.inside
        return tuple(
            Source(inside(source.node, "propertyNames"))
            for source in self._sources
            if isinstance(source.node.schema.get("propertyNames"), dict)
        )

    @cached_property
    def _described(self) -> list[tuple[jsonschema_rs.Validator, Source]]:
        """The rules for fields whose name matches a pattern."""
        inside = self._rules.references.inside
        return [
            (jsonschema_rs.validator_for({"pattern": pattern}),
             Source(inside(source.node, "patternProperties", pattern), MAYBE))
            for source in self._sources
            for pattern in _dict(source.node.schema, "patternProperties")
        ]  # fmt: skip

    @cached_property
    def _rest(self) -> Position:
        """The rules for every other field."""
        inside = self._rules.references.inside
        return tuple(
            Source(inside(source.node, keyword), MAYBE)
            for source in self._sources
            for keyword in ("additionalProperties", "unevaluatedProperties")
            if isinstance(source.node.schema.get(keyword), dict)
        )

    @cached_property
    def own_texts(self) -> frozenset[str]:
        """The texts that the contract itself says: enums, constants, and a pattern's few words."""
        said = [text for schema in self._schemas for text in (*_list(schema, "enum"), schema.get("const"))]
        return frozenset(text for text in (*said, *_few_words(self._patterns)) if isinstance(text, str))

    def says(self, value: Any) -> bool:
        """Return whether the contract itself says this object or array."""
        return isinstance(value, dict | list) and value in self._own_composites

    @cached_property
    def _own_composites(self) -> list[Any]:
        said = [value for schema in self._schemas for value in (*_list(schema, "enum"), schema.get("const"))]
        return [value for value in said if isinstance(value, dict | list)]

    @cached_property
    def _patterns(self) -> list[str]:
        return [schema["pattern"] for schema in self._schemas if isinstance(schema.get("pattern"), str)]

    def keeps(self, value: Any, said: str) -> bool:
        """Return whether a text or a number may stay as it is."""
        if said:
            return said == "public"
        if isinstance(value, str):
            if not value or value in self.own_texts:
                return True
            forms = [_TIMES.get(schema.get("format", "")) for schema in self._schemas]
            return not self._name.telling and any(form is not None and form.fullmatch(value) for form in forms)
        digits = str(abs(value)).upper().partition("E")[0].replace(".", "").strip("0")
        if not digits or any(value == bound for schema in self._schemas for bound in _constants(schema)):
            return True
        return not self._name.telling and (self._name.of_time or len(digits) < _IDENTIFYING_DIGITS)

    def stand_in(self, value: Any, salt: int) -> Any:
        """Return a value that the same parts of the schema accept."""
        candidates = self.texts(value, salt, self._patterns) if isinstance(value, str) else self._numbers(value, salt)
        first = None
        read = value if isinstance(value, str) else as_read(value)
        judged = [(judge, judge.is_valid(read)) for judge in self._validators]
        for candidate in candidates:
            first = candidate if first is None else first
            if candidate != value and all(judge.is_valid(candidate) == valid for judge, valid in judged):
                return candidate
        return value if isinstance(value, str) and value in self.own_texts else first

    @cached_property
    def _validators(self) -> list[CompiledSchema]:
        judging = [source for source in self._sources if not _ASSERTIONS.isdisjoint(source.node.schema)]
        return [judge for judge in map(self._rules.validator, {each.node.location for each in judging}) if judge]

    def texts(self, text: str, salt: int, patterns: list[str]) -> Iterator[str]:
        """Yield stand-ins for a text, the usual one first."""
        pseudonyms = self._rules.pseudonyms
        if text in self.own_texts:
            yield from self._from(sorted(self.own_texts), text, salt)
        nested = pseudonyms.nested(text, self._rules.scrub_value)
        if nested is not None:
            yield nested
        yield pseudonyms.text(text, salt)
        automata = [] if len(text) > MAX_SEARCHED_LENGTH else [known for known in map(_automaton, patterns) if known]
        automata = [known for known in automata if known.matches(text)]
        yield from (pseudonyms.along(each, text, salt) for each in automata)
        yield from (pseudonyms.text(text, salt + more) for more in range(1, _SALTS))
        given = [each for schema in self._schemas for each in _list(schema, "examples") if isinstance(each, str)]
        yield from self._from(given, text, salt)
        if automata:
            yield from self._from(Words(automata, []).find(len(text), len(text) + _LONGER, _SEARCHED)[0], text, salt)

    def _from(self, texts: list[str], text: str, salt: int) -> list[str]:
        start = self._rules.pseudonyms.choice(text, len(texts), salt) if texts else 0
        return texts[start:] + texts[:start]

    def _numbers(self, value: float | Decimal, salt: int) -> Iterator[Any]:
        pseudonyms = self._rules.pseudonyms
        yield from (pseudonyms.number(value, salt + more) for more in range(_SALTS))
        exact = Decimal(str(value))
        places, size = min(0, int(exact.as_tuple().exponent)), 10 ** (max(exact.adjusted(), 0) + 1)
        step, low, high = Fraction(1, 10**-places), Fraction(-size if exact < 0 else 0), Fraction(size)
        for schema in self._schemas:
            lows, highs = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
            low = max([low, *(Fraction(str(schema[word])) for word in lows if _is_number(schema.get(word)))])
            high = min([high, *(Fraction(str(schema[word])) for word in highs if _is_number(schema.get(word)))])
            if _is_number(schema.get("multipleOf")):
                step = Fraction(str(schema["multipleOf"]))
        first, last = ceil(low / step), floor(high / step)
        for more in range(_SALTS * 2 if first <= last else 0):
            made = (first + pseudonyms.choice(str(value), last - first + 1, salt + more)) * step
            if isinstance(value, Decimal):
                yield Decimal(made.numerator) / Decimal(made.denominator)
            elif isinstance(value, int):
                yield int(made)
            elif abs(made) < _LARGEST_DOUBLE:
                yield float(made)


def _few_words(patterns: Iterable[str]) -> Iterator[str]:
    """The words of every pattern that has only a few; one that repeats something has more."""
    for known in filter(None, map(_automaton, (pattern for pattern in patterns if _REPEATS.isdisjoint(pattern)))):
        found, complete = Words([known], []).find(0, None, _FEW_WORDS)
        if complete:
            yield from found


def _automaton(pattern: str) -> Automaton | None:
    try:
        known = automaton(pattern)
    except (UnsupportedRegexError, RecursionError):
        return None
    return known if len(known.free) <= MAX_AUTOMATON_STATES else None


def _constants(schema: dict[str, Any]) -> list[Any]:
    """The numbers that the contract itself says, its bounds included."""
    said = [*_list(schema, "enum"), schema.get("const"), schema.get("minimum"), schema.get("maximum")]
    return [value for value in said if _is_number(value)]


def _list(schema: dict[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _dict(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def as_read(value: Any) -> Any:
    """Return a value as validators take it: without how its numbers were written."""
    try:
        text = _json.dumps(value, plain)
    except TypeError:  # a number that is too long to be written as it is
        text = _json.dumps(freeze(value), plain)
    return _json.loads(text)
