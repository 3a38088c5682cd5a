"""Stand-ins: pseudonyms that the schema accepts just as it accepted the values that they replace."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain, count
from math import ceil, floor, isfinite
from typing import Any

from contract_test.compare.automata import Automaton, Words
from contract_test.scrub.applied_schemas import is_number
from contract_test.scrub.pseudonyms import Masks, Pseudonyms
from contract_test.scrub.sensitivity_rules import Rule, View, automaton_of, list_in
from envelopes import _json
from envelopes._exact import ExactFloat
from envelopes.types import freeze, plain

_SALTS = 4
MAX_SEARCHED_LENGTH = 64
MIN_MORE_LETTERS = 6
_LONGER, _SEARCHED = 3, 50
_LARGEST_DOUBLE = Fraction(sys.float_info.max)


class TakenNames(Container[str]):
    """The names that a renamed field must not get. `full` are the lengths of which there may be no others."""

    def __init__(self, *names: Container[str]) -> None:
        self._names = names
        self.full: set[int] = set()

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in self._names)


class StandIns:
    """Makes stand-ins for texts, numbers and names. `masks` masks JSON that a text contains."""

    def __init__(self, pseudonyms: Pseudonyms, masks: Masks) -> None:
        self._pseudonyms, self._masks = pseudonyms, masks

    def value(self, value: Any, read: Any, view: View, salt: int) -> Any:
        """Return a value in place of a text, a number or a boolean that may not stay. Another salt gives another value.

        `read` is the value as validators take it.
        """
        rule = view.rule
        checks = [(validator, validator.is_valid(read)) for validator in rule.validators]
        if isinstance(value, bool):  # the same one for both: of a boolean, a pseudonym would hide nothing
            return not all(validator.is_valid(False) == valid for validator, valid in checks)  # noqa: FBT003 - the value
        is_text = isinstance(value, str)
        candidates = self._texts(value, rule, rule.patterns, salt) if is_text else self._numbers(value, view, salt)
        if is_text and rule.of_birth:
            candidates = chain((self._pseudonyms.future_day(value, salt + more) for more in range(_SALTS)), candidates)
        first = None
        for candidate in candidates:
            first = candidate if first is None else first
            validated = as_read(candidate) if isinstance(candidate, ExactFloat) else candidate
            if validated == read or not all(validator.is_valid(validated) == valid for validator, valid in checks):
                continue
            if is_text or candidate not in view.harmless_numbers or value in view.harmless_numbers:
                return candidate
        return value if is_text and value in rule.declared_texts else first

    def name(self, name: str, rule: Rule, taken: TakenNames, salt: int) -> str:
        """Return a name in place of one that may not stay: if possible, one that the same subschemas accept."""
        checks = [(validator, validator.is_valid(name)) for validator in rule.name_validators]
        salts = 1 if len(name) in taken.full else _SALTS
        for candidate in self._texts(name, rule.names, rule.name_patterns, salt, salts):
            if candidate not in taken and all(validator.is_valid(candidate) == valid for validator, valid in checks):
                return candidate
        taken.full.add(len(name))
        for candidate in self._longer_texts(name, rule.name_patterns, salt):
            if candidate not in taken and all(validator.is_valid(candidate) == valid for validator, valid in checks):
                return candidate
        salted = (self._pseudonyms.text(name, salt + more) for more in range(salts))
        longer = (self._pseudonyms.longer(name, salt + more) for more in count())
        return next(each for each in chain(salted, longer) if each not in taken)

    def _longer_texts(self, text: str, patterns: list[str], salt: int) -> Iterator[str]:
        for automaton in _automata(patterns, text):
            repeated = (
                text[:place] + text[place] * MIN_MORE_LETTERS + text[place:] for place in reversed(range(len(text)))
            )
            more = next((each for each in repeated if automaton.matches(each)), None)
            if more is not None:
                yield from (self._pseudonyms.along(automaton, more, salt + each) for each in range(_SALTS))

    def _texts(self, text: str, rule: Rule, patterns: list[str], salt: int, salts: int = _SALTS) -> Iterator[str]:
        pseudonyms = self._pseudonyms
        if text in rule.declared_texts:
            yield from self._from(sorted(rule.declared_texts), text, salt)
        nested = pseudonyms.nested(text, self._masks)
        if nested is not None:
            yield nested
        yield from (pseudonyms.text(text, salt + more) for more in range(salts))
        yield from pseudonyms.mails(text, salt)
        yield from pseudonyms.short_addresses(text, salt)
        automata = _automata(patterns, text)
        yield from (pseudonyms.along(each, text, salt + more) for more in range(salts) for each in automata)
        given = [each for schema in rule.schemas for each in list_in(schema, "examples") if isinstance(each, str)]
        yield from self._from(given, text, salt)
        if automata:
            yield from self._from(_words(tuple(automata), len(text)), text, salt)

    def _from(self, texts: list[str], text: str, salt: int) -> list[str]:
        start = self._pseudonyms.choice(text, len(texts), salt) if texts else 0
        return texts[start:] + texts[:start]

    def _numbers(self, value: float | Decimal, view: View, salt: int) -> Iterator[Any]:
        pseudonyms = self._pseudonyms
        yield from (pseudonyms.number(value, salt + more) for more in range(_SALTS))
        if not isfinite(value):
            return
        exact = Decimal(str(value)).normalize()
        places, size = min(0, int(exact.as_tuple().exponent)), 10 ** (max(exact.adjusted(), 0) + 1)
        step, low, high = Fraction(1, 10**-places), Fraction(-size if exact < 0 else 0), Fraction(size)
        for schema in view.schemas:
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


def _automata(patterns: list[str], text: str) -> list[Automaton]:
    """Return the automata of the patterns that a text matches, unless it is long."""
    if len(text) > MAX_SEARCHED_LENGTH:
        return []
    return [known for known in map(automaton_of, patterns) if known and known.matches(text)]


@lru_cache(maxsize=512)
def _words(automata: tuple[Automaton, ...], length: int) -> list[str]:
    """Return some texts of about a length that all patterns match."""
    return Words(list(automata), []).find(length, length + _LONGER, _SEARCHED)[0]


def as_read(value: Any) -> Any:
    """Return a value as validators take it: without how its numbers were written."""
    try:
        text = _json.dumps(value, plain)
    except TypeError:  # a number that is too long to be written as it is
        text = _json.dumps(freeze(value), plain)
    return _json.loads(text)
