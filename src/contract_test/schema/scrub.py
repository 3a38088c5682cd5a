"""Scrubbing: what may name a person leaves a message before it is kept, and the message stays valid.

Denied unless the contract allows it. A text is kept where `x-sensitivity` is `public`, or where the contract itself
says it: an enum, a constant, one of a pattern's few words, a time. A number is kept unless it can single somebody out:
seven significant digits, or a field named like an id, a phone or a place. A field's name is kept where some contract
declares it. Everything else becomes a pseudonym that the schema accepts as it accepted what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from itertools import count
from typing import Any

import jsonschema_rs

from contract_test.data.contract import Contract
from contract_test.schema.compare.automata import Automaton, Words, automaton
from contract_test.schema.compare.regexes import UnsupportedRegexError
from contract_test.schema.pseudonyms import Pseudonyms, type_of
from contract_test.schema.shape import Position, Shapes, Source
from contract_test.schema.walk import References, draft_of, escape, subschemas
from envelopes import compile_schema

ANNOTATION = "x-sensitivity"
_ROUNDS = 12
_SALTS = 4
_FEW_WORDS = 20
_LONGEST_SEARCHED, _LONGER, _SEARCHED = 64, 3, 50
_LARGEST_AUTOMATON = 1000
_REPEATS = frozenset("*+{.")
_IDENTIFYING_DIGITS = 7
_TIMES = {
    "date-time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9:.]{2,40}([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    "duration": re.compile(r"P[0-9YMWDTHS]{2,40}"),
}
_PREFIX = re.compile(r"\^((?=.{0,19}[A-Za-z])(?:[A-Za-z0-9_:-]|\\[.:_-]){0,19}(?:[-_:]|\\[.:_-]))(?![?*{+])")
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
_JUDGING = frozenset((
    "$ref", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if",
))  # fmt: skip


def words_of(contract: Contract) -> Iterator[str]:
    """The names of fields that a contract says, anywhere in it."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            yield from _dict(node, "properties")
            yield from (name for name in _list(node, "required") if isinstance(name, str))


def prefixes_of(contract: Contract) -> Iterator[str]:
    """What a contract's patterns put before an id: `^m-[0-9a-z]+$` says `m-`."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            found = _PREFIX.match(node["pattern"]) if isinstance(node.get("pattern"), str) else None
            if found:
                yield found[1].replace("\\", "")


class Plan:
    """How one contract's messages are scrubbed; read from its schema once. `words` are the field names that stay."""

    def __init__(self, contract: Contract, pseudonyms: Pseudonyms, words: frozenset[str]) -> None:
        self._contract, self.pseudonyms, self.words = contract, pseudonyms, words
        self.references = References(contract.resources, contract.uri)
        self.shapes = Shapes(self.references)
        self._rules: dict[tuple[Position, str], Rule] = {}
        self._validators: dict[str, jsonschema_rs.Validator | None] = {}

    def scrub(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Scrub the data of a valid message: the new data, and the JSON pointers in it that were masked.

        Where no stand-in keeps the message valid, what comes back is scrubbed and not valid.
        """
        salts: dict[str, int] = {}
        for _ in range(_ROUNDS):
            walk = _Walk(self, salts)
            made = walk.value(value, self.root, "", "", "")
            broken = [_pointer(error) for error in self._validator.iter_errors(made)]
            if not broken:
                break
            for before in walk.doubtful(broken):
                salts[before] = salts.get(before, 0) + 1
        return made, tuple(sorted(walk.masked))

    def mask(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Scrub any JSON value, valid or not."""
        walk = _Walk(self, {})
        return walk.value(value, self.root, "", "", ""), tuple(sorted(walk.masked))

    @cached_property
    def root(self) -> Position:
        """The position of the message itself."""
        return (Source(self.references.root, certain=True),)

    def rule(self, position: Position, name: str) -> Rule:
        """What holds for the values at a position; `name` is the field's."""
        known = self._rules.get((position, name))
        if known is None:
            known = self._rules[position, name] = Rule(self, position, name)
        return known

    def validator(self, location: str) -> jsonschema_rs.Validator | None:
        """The compiled schema at a location; None where it cannot stand alone."""
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self._contract.resources, location)
            except ValueError:
                self._validators[location] = None
        return self._validators[location]

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        return compile_schema(self._contract.resources, f"{self._contract.uri}#")


class Rule:
    """What the contract says of the values at one position."""

    def __init__(self, plan: Plan, position: Position, name: str) -> None:
        self._plan = plan
        self._sources = plan.shapes.sources(position)
        shape = plan.shapes.shape(position)
        self._schemas = [source.node.schema for source in self._sources]
        said = [schema[ANNOTATION] for schema in self._schemas if isinstance(schema.get(ANNOTATION), str)]
        self.said = "" if not said else "public" if all(word == "public" for word in said) else "masked"
        words = [word.lower() for word in _NAME_WORDS.findall(name)]
        self._telling = not _TELLING.isdisjoint(words)
        self._of_time = not _OF_TIME.isdisjoint(words)
        self.items = shape.items
        self._branches = [self._fields(branch) for _, branch in shape.branches]
        self._tag = shape.tag
        self._named = {field.name: field.position for field in shape.fields}

    def fields(self, value: dict[str, Any]) -> dict[str, Position]:
        """The declared fields of an object, by name; of alternatives, those of the one that its tag names."""
        if not self._branches:
            return self._named
        for fields in self._branches:
            if value.get(self._tag) in self._plan.rule(fields[self._tag], self._tag).own_texts:
                return fields
        return {}

    def _fields(self, branch: Position) -> dict[str, Position]:
        return {field.name: field.position for field in self._plan.shapes.shape(branch).fields}

    def other(self, name: str) -> Position:
        """The position of a field that is not declared by name."""
        matching = [source for judge, source in self._described if judge.is_valid(name)]
        return tuple(matching or self._rest)

    def renames(self, name: str, taken: Container[str], salt: int) -> Iterator[str]:
        """Names in place of one that may not stay: first those that the same parts of the schema accept."""
        judges = [judge for judge, _ in self._described] + [
            judge for judge in map(self._plan.validator, {each.node.location for each in self._names}) if judge
        ]
        judged = [(judge, judge.is_valid(name)) for judge in judges]
        patterns = [pattern for schema in self._schemas for pattern in _dict(schema, "patternProperties")]
        for candidate in self._plan.rule(self._names, "").texts(name, salt, patterns):
            if candidate not in taken and all(judge.is_valid(candidate) == valid for judge, valid in judged):
                yield candidate
        pseudonyms = self._plan.pseudonyms
        yield from (each for more in count(salt) if (each := pseudonyms.text(name, more)) not in taken)

    def keeps_name(self, name: str) -> bool:
        """Whether the schema of names says that a name may stay."""
        names = self._plan.rule(self._names, "")
        return names.keeps(name, names.said) or name in self._own_names

    @cached_property
    def _own_names(self) -> frozenset[str]:
        return frozenset(
            _few_words(pattern for schema in self._schemas for pattern in _dict(schema, "patternProperties"))
        )

    @cached_property
    def _names(self) -> Position:
        inside = self._plan.references.inside
        return tuple(
            Source(inside(source.node, "propertyNames"), certain=True)
            for source in self._sources
            if isinstance(source.node.schema.get("propertyNames"), dict)
        )

    @cached_property
    def _described(self) -> list[tuple[jsonschema_rs.Validator, Source]]:
        """The rules for fields whose name matches a pattern."""
        inside = self._plan.references.inside
        return [
            (jsonschema_rs.validator_for({"pattern": pattern}),
             Source(inside(source.node, "patternProperties", pattern), certain=False))
            for source in self._sources
            for pattern in _dict(source.node.schema, "patternProperties")
        ]  # fmt: skip

    @cached_property
    def _rest(self) -> Position:
        """The rules for every other field."""
        inside = self._plan.references.inside
        return tuple(
            Source(inside(source.node, keyword), certain=False)
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
        """Whether the contract itself says this object or array."""
        return isinstance(value, dict | list) and value in self._own_composites

    @cached_property
    def _own_composites(self) -> list[Any]:
        said = [value for schema in self._schemas for value in (*_list(schema, "enum"), schema.get("const"))]
        return [value for value in said if isinstance(value, dict | list)]

    @cached_property
    def _patterns(self) -> list[str]:
        return [schema["pattern"] for schema in self._schemas if isinstance(schema.get("pattern"), str)]

    def keeps(self, value: Any, said: str) -> bool:
        """Whether a text or a number may stay as it is."""
        if said:
            return said == "public"
        if isinstance(value, str):
            if not value or value in self.own_texts:
                return True
            forms = [_TIMES.get(schema.get("format", "")) for schema in self._schemas]
            return not self._telling and any(form is not None and form.fullmatch(value) for form in forms)
        digits = str(abs(value)).upper().partition("E")[0].replace(".", "").strip("0")
        if not digits or any(value == bound for schema in self._schemas for bound in _constants(schema)):
            return True
        return not self._telling and (self._of_time or len(digits) < _IDENTIFYING_DIGITS)

    def stand_in(self, value: Any, salt: int) -> Any:
        """A value that the same parts of the schema accept."""
        candidates = self.texts(value, salt, self._patterns) if isinstance(value, str) else self._numbers(value, salt)
        first = None
        judged = [(judge, judge.is_valid(value)) for judge in self._judges]
        for candidate in candidates:
            first = candidate if first is None else first
            if candidate != value and all(judge.is_valid(candidate) == valid for judge, valid in judged):
                return candidate
        return value if isinstance(value, str) and value in self.own_texts else first

    @cached_property
    def _judges(self) -> list[jsonschema_rs.Validator]:
        judging = [source for source in self._sources if not _JUDGING.isdisjoint(source.node.schema)]
        return [judge for judge in map(self._plan.validator, {each.node.location for each in judging}) if judge]

    def texts(self, text: str, salt: int, patterns: list[str]) -> Iterator[str]:
        """Stand-ins for a text, the usual one first."""
        pseudonyms = self._plan.pseudonyms
        if text in self.own_texts:
            yield from self._from(sorted(self.own_texts), text, salt)
        nested = pseudonyms.nested(text, lambda inner: _Walk(self._plan, {}).value(inner, (), "", "", ""))
        if nested is not None:
            yield nested
        yield pseudonyms.text(text, salt)
        automata = [] if len(text) > _LONGEST_SEARCHED else [known for known in map(_automaton, patterns) if known]
        automata = [known for known in automata if known.matches(text)]
        yield from (pseudonyms.along(each, text, salt) for each in automata)
        yield from (pseudonyms.text(text, salt + more) for more in range(1, _SALTS))
        given = [each for schema in self._schemas for each in _list(schema, "examples") if isinstance(each, str)]
        yield from self._from(given, text, salt)
        if automata:
            yield from self._from(Words(automata, []).find(len(text), len(text) + _LONGER, _SEARCHED)[0], text, salt)

    def _from(self, texts: list[str], text: str, salt: int) -> list[str]:
        start = self._plan.pseudonyms.choice(text, len(texts), salt) if texts else 0
        return texts[start:] + texts[:start]

    def _numbers(self, value: float | Decimal, salt: int) -> Iterator[Any]:
        pseudonyms = self._plan.pseudonyms
        yield from (pseudonyms.number(value, salt + more) for more in range(_SALTS))
        exact = Decimal(str(value))
        step = Decimal((0, (1,), min(0, int(exact.as_tuple().exponent))))
        low, high = -(10 ** (exact.adjusted() + 1)) if exact < 0 else 0, 10 ** (exact.adjusted() + 1)
        for schema in self._schemas:
            lows, highs = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
            low = max([low, *(Decimal(str(schema[word])) for word in lows if _is_number(schema.get(word)))])
            high = min([high, *(Decimal(str(schema[word])) for word in highs if _is_number(schema.get(word)))])
            if _is_number(schema.get("multipleOf")):
                step = Decimal(str(schema["multipleOf"]))
        first, last = int((low / step).to_integral_value(ROUND_CEILING)), int(high // step)
        if first <= last:
            for more in range(_SALTS * 2):
                place = first + pseudonyms.choice(str(value), last - first + 1, salt + more)
                yield type_of(value)(place * step)


class _Walk:
    """One pass over one message. `masked` and `renamed` are pointers into the new data, with those into the old."""

    def __init__(self, plan: Plan, salts: dict[str, int]) -> None:
        self._plan, self._salts = plan, salts
        self.masked: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self._made: dict[str, Any] = {}

    def value(self, value: Any, position: Position, name: str, pointer: str, before: str, said: str = "") -> Any:
        rule = self._plan.rule(position, name)
        said = rule.said or said
        if said != "masked" and rule.says(value):
            return value
        if isinstance(value, dict):
            return self._object(value, rule, pointer, before, said)
        if isinstance(value, list):
            return [
                self.value(child, rule.items, name, f"{pointer}/{place}", f"{before}/{place}", said)
                for place, child in enumerate(value)
            ]
        if value is None or isinstance(value, bool) or rule.keeps(value, said):
            return value
        self.masked[pointer] = before
        made = self._made[pointer] = rule.stand_in(value, self._salts.get(before, 0))
        return made

    def doubtful(self, broken: list[str]) -> list[str]:
        """The pointers into the old data where another stand-in may mend what is broken in the new.

        Where two values got the same stand-in, it is one of these; else everything below the violations.
        """
        below = {
            pointer: before
            for pointer, before in (*self.masked.items(), *self.renamed.items())
            if any(f"{pointer}/".startswith(f"{each}/") for each in broken)
        }
        taken: set[str] = set()
        doubled = []
        for pointer, before in below.items():
            made = repr(self._made.get(pointer, pointer))
            if made in taken:
                doubled.append(before)
            taken.add(made)
        return doubled or list(below.values())

    def _object(self, value: dict[str, Any], rule: Rule, pointer: str, before: str, said: str) -> dict[str, Any]:
        fields = rule.fields(value)
        made: dict[str, Any] = {}
        for name, child in value.items():
            was = f"{before}/{escape(name)}"
            new = name
            if (
                name
                and name not in fields
                and name not in self._plan.words
                and said != "public"
                and not rule.keeps_name(name)
            ):
                taken = {*fields, *value, *made, *self._plan.words}
                new = next(rule.renames(name, taken, self._salts.get(was, 0)))
                self.masked[pointer], self.renamed[f"{pointer}/{escape(new)}"] = before, was
            position = fields[name] if name in fields else rule.other(name)
            made[new] = self.value(child, position, name, f"{pointer}/{escape(new)}", was, said)
        return made


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
    return known if len(known.free) <= _LARGEST_AUTOMATON else None


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    return "".join(f"/{escape(str(step))}" for step in error.instance_path)


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
