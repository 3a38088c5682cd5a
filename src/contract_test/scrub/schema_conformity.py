"""Stand-ins: pseudonyms that the schema accepts just as it accepted the values that they replace."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import chain, count
from math import ceil, floor
from typing import Any

from contract_test.compare.automata import Words
from contract_test.scrub.pseudonyms import Masks, Pseudonyms
from contract_test.scrub.sensitivity_rules import Rule, automaton_of, is_number, list_in
from envelopes import _json
from envelopes.types import freeze, plain

_SALTS = 4
MAX_SEARCHED_LENGTH = 64
_LONGER, _SEARCHED = 3, 50
_LARGEST_DOUBLE = Fraction(sys.float_info.max)


class StandIns:
    """Makes stand-ins for texts, numbers and names. `masks` masks JSON that a text contains."""

    def __init__(self, pseudonyms: Pseudonyms, masks: Masks) -> None:
        self._pseudonyms, self._masks = pseudonyms, masks

    def value(self, value: Any, rule: Rule, salt: int) -> Any:
        """Return a value in place of a text or a number that may not stay. Another salt gives another value."""
        candidates = (
            self._texts(value, rule, rule.patterns, salt)
            if isinstance(value, str)
            else self._numbers(value, rule, salt)
        )
        first = None
        read = value if isinstance(value, str) else as_read(value)
        checks = [(validator, validator.is_valid(read)) for validator in rule.validators]
        for candidate in candidates:
            first = candidate if first is None else first
            if candidate != value and all(validator.is_valid(candidate) == valid for validator, valid in checks):
                return candidate
        return value if isinstance(value, str) and value in rule.declared_texts else first

    def name(self, name: str, rule: Rule, taken: Container[str], salt: int) -> str:
        """Return a name in place of one that may not stay: if possible, one that the same subschemas accept."""
        checks = [(validator, validator.is_valid(name)) for validator in rule.name_validators]
        for candidate in self._texts(name, rule.names, rule.name_patterns, salt):
            if candidate not in taken and all(validator.is_valid(candidate) == valid for validator, valid in checks):
                return candidate
        salted = (self._pseudonyms.text(name, salt + more) for more in range(_SALTS))
        longer = (self._pseudonyms.text(name, salt) + "x" * more for more in count(1))  # if all of its length are taken
        return next(each for each in chain(salted, longer) if each not in taken)

    def _texts(self, text: str, rule: Rule, patterns: list[str], salt: int) -> Iterator[str]:
        pseudonyms = self._pseudonyms
        if text in rule.declared_texts:
            yield from self._from(sorted(rule.declared_texts), text, salt)
        nested = pseudonyms.nested(text, self._masks)
        if nested is not None:
            yield nested
        yield from (pseudonyms.text(text, salt + more) for more in range(_SALTS))
        yield from pseudonyms.mails(text, salt)
        automata = [] if len(text) > MAX_SEARCHED_LENGTH else [each for each in map(automaton_of, patterns) if each]
        automata = [known for known in automata if known.matches(text)]
        yield from (pseudonyms.along(each, text, salt) for each in automata)
        given = [each for schema in rule.schemas for each in list_in(schema, "examples") if isinstance(each, str)]
        yield from self._from(given, text, salt)
        if automata:
            yield from self._from(Words(automata, []).find(len(text), len(text) + _LONGER, _SEARCHED)[0], text, salt)

    def _from(self, texts: list[str], text: str, salt: int) -> list[str]:
        start = self._pseudonyms.choice(text, len(texts), salt) if texts else 0
        return texts[start:] + texts[:start]

    def _numbers(self, value: float | Decimal, rule: Rule, salt: int) -> Iterator[Any]:
        pseudonyms = self._pseudonyms
        yield from (pseudonyms.number(value, salt + more) for more in range(_SALTS))
        exact = Decimal(str(value))
        places, size = min(0, int(exact.as_tuple().exponent)), 10 ** (max(exact.adjusted(), 0) + 1)
        step, low, high = Fraction(1, 10**-places), Fraction(-size if exact < 0 else 0), Fraction(size)
        for schema in rule.schemas:
            lows, highs = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
            low = max([low, *(Fraction(str(schema[word])) for word in lows if is_number(schema.get(word)))])
            high = min([high, *(Fraction(str(schema[word])) for word in highs if is_number(schema.get(word)))])
            if is_number(schema.get("multipleOf")):
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


def as_read(value: Any) -> Any:
    """Return a value as validators take it: without how its numbers were written."""
    try:
        text = _json.dumps(value, plain)
    except TypeError:  # a number that is too long to be written as it is
        text = _json.dumps(freeze(value), plain)
    return _json.loads(text)
