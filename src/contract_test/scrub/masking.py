"""Masking: replaces personal data in a message by pseudonyms, so that the message stays valid.

Values are masked unless the contract allows them to stay. A text or a number stays if `x-sensitivity` is `public`, or
if the contract itself contains it: an enum value, a constant, a bound, one of a pattern's few words, one of the few
numbers of a range. A text that the contract calls a time stays, too. A field's name stays if some contract declares it.
Everything else becomes a pseudonym. The schema accepts it as it accepted the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from contract_test.data.contract import Contract
from contract_test.schema.walk import draft_of, escape, subschemas
from contract_test.scrub.pseudonyms import Pseudonyms
from contract_test.scrub.schema_conformity import StandIns, TakenNames, as_read
from contract_test.scrub.sensitivity_rules import ContractRules, Rule, View

MAX_ROUNDS, MAX_ERRORS = 12, 1000
_PREFIX = re.compile(r"\^((?=.{0,19}[A-Za-z])(?:[A-Za-z0-9_:-]|\\[.:_-]){0,19}(?:[-_:]|\\[.:_-]))(?![?*{+])")


def prefixes_of(contract: Contract) -> Iterator[str]:
    """Yield what a contract's patterns put before an id, such as `m-` for `^m-[0-9a-z]+$`."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            found = _PREFIX.match(node["pattern"]) if isinstance(node.get("pattern"), str) else None
            if found:
                yield found[1].replace("\\", "")


class DataScrubber:
    """Masks the messages of one contract.

    `words` are the names of fields that stay. `kept` are JSON pointers to values that the catalog itself contains.
    """

    def __init__(
        self, contract: Contract, pseudonyms: Pseudonyms, words: frozenset[str], kept: frozenset[str] = frozenset()
    ) -> None:
        self.rules = ContractRules(contract)
        self.stand_ins = StandIns(pseudonyms, self.scrub_unknown)
        self.words, self.kept = words, kept

    def scrub(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Mask the data of a valid message. Return the new data, and the JSON pointers in it that were masked.

        If the new data is not valid, the values that may be the reason get other stand-ins, a few times. Data that is
        still not valid then is returned all the same: it is masked.
        """
        salts: dict[str, int] = {}
        validator, read = self.rules.validator, as_read(value)
        for _ in range(MAX_ROUNDS):
            walk = _Walk(self, salts)
            made = walk.value(value, read, self.rules.message, "", "")
            now = as_read(made)
            if validator.is_valid(now):
                break
            broken = {_pointer(error) for error in islice(validator.iter_errors(now), MAX_ERRORS)}
            for before in walk.doubtful(broken):
                salts[before] = salts.get(before, 0) + 1
        return made, tuple(sorted(walk.masked))

    def mask(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Mask any JSON value, valid or not. Return as `scrub` does."""
        walk = _Walk(self, {})
        return walk.value(value, as_read(value), self.rules.message, "", ""), tuple(sorted(walk.masked))

    def scrub_unknown(self, value: Any) -> Any:
        """Mask a JSON value that the contract does not describe."""
        return _Walk(self, {}).value(value, value, self.rules.undescribed, "", "")


class _Walk:
    """One pass over one message. `masked` and `renamed` map pointers into the new data to those into the old."""

    def __init__(self, scrubber: DataScrubber, salts: dict[str, int]) -> None:
        self._scrubber, self._salts = scrubber, salts
        self.masked: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self._made: dict[str, Any] = {}

    def value(self, value: Any, read: Any, rule: Rule, pointer: str, before: str, sensitivity: str = "") -> Any:
        """Return a value in which everything is masked that may not stay.

        `read` is the value as validators take it. `sensitivity` is inherited from above.
        """
        if value is None:
            return None
        view = rule.view(read)
        sensitivity = view.sensitivity or sensitivity
        if isinstance(value, (dict, list)):
            if sensitivity != "masked" and view.declares(value):
                return value
            if isinstance(value, dict):
                return self._object(value, read, view, pointer, before, sensitivity)
            return [
                self.value(child, inner, view.item(index), f"{pointer}/{index}", f"{before}/{index}", sensitivity)
                for index, (child, inner) in enumerate(zip(value, read, strict=True))
            ]
        if before in self._scrubber.kept or view.keeps(value, sensitivity):
            return value
        self.masked[pointer] = before
        made = self._made[pointer] = self._scrubber.stand_ins.value(value, read, view, self._salts.get(before, 0))
        return made

    def doubtful(self, broken: set[str]) -> list[str]:
        """Return the pointers into the old data where another stand-in may repair what is broken in the new.

        If two values got the same stand-in, it is one of these. Else it is everything below the violations.
        """
        below = {
            pointer: before
            for pointer, before in (*self.masked.items(), *self.renamed.items())
            if not broken.isdisjoint(_prefixes(pointer))
        }
        taken: set[str] = set()
        doubled = []
        for pointer, before in below.items():
            made = repr(self._made.get(pointer, pointer))
            if made in taken:
                doubled.append(before)
            taken.add(made)
        return doubled or list(below.values())

    def _object(
        self, value: dict[str, Any], read: dict[str, Any], view: View, pointer: str, before: str, sensitivity: str
    ) -> dict[str, Any]:
        rule, words = view.rule, self._scrubber.words
        fields = rule.fields(value)
        made: dict[str, Any] = {}
        taken = TakenNames(fields, value, made, words)
        for name, child in value.items():
            step = escape(name)
            old = f"{before}/{step}"
            new = name
            stays = not name or name in fields or name in words or sensitivity == "public" or rule.keeps_name(name)
            if not stays:
                new = self._scrubber.stand_ins.name(name, rule, taken, self._salts.get(old, 0))
                step = escape(new)
                self.masked[pointer], self.renamed[f"{pointer}/{step}"] = before, old
            inner = view.field(name, fields)
            made[new] = self.value(child, read[name], inner, f"{pointer}/{step}", old, sensitivity)
        return made


def _prefixes(pointer: str) -> Iterator[str]:
    """Yield a JSON pointer, and those of everything around it."""
    yield pointer
    while pointer:
        pointer = pointer.rpartition("/")[0]
        yield pointer


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    return "".join(f"/{escape(str(step))}" for step in error.instance_path)
