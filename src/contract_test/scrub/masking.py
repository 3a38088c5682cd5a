"""Masking of personal data and secrets in a message before it is kept; a valid message stays valid.

Denied unless the contract allows it. A text is kept where `x-sensitivity` is `public`, or where the contract itself
says it: an enum, a constant, one of a pattern's few words, a time. A number is kept unless it can identify somebody:
seven significant digits, or a field named like an id, a phone or a place. A field's name is kept where some contract
declares it. Everything else becomes a pseudonym that the schema accepts as it accepted what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import jsonschema_rs

from contract_test.data.contract import Contract
from contract_test.schema.walk import draft_of, escape, subschemas
from contract_test.scrub.pseudonyms import Pseudonyms
from contract_test.scrub.sensitivity import Rule, Rules, as_read
from envelopes.validation import CompiledSchema, compile_schema

_ROUNDS = 12
_PREFIX = re.compile(r"\^((?=.{0,19}[A-Za-z])(?:[A-Za-z0-9_:-]|\\[.:_-]){0,19}(?:[-_:]|\\[.:_-]))(?![?*{+])")


def words_of(contract: Contract) -> Iterator[str]:
    """Yield the names of fields that a contract says, anywhere in it."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            yield from properties if isinstance(properties := node.get("properties"), dict) else ()
            required = node.get("required")
            yield from (name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


def prefixes_of(contract: Contract) -> Iterator[str]:
    """Yield what a contract's patterns put before an id: `^m-[0-9a-z]+$` says `m-`."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            found = _PREFIX.match(node["pattern"]) if isinstance(node.get("pattern"), str) else None
            if found:
                yield found[1].replace("\\", "")


class DataScrubber:
    """Scrubs the data of one contract's messages. `words` are the names of fields that stay."""

    def __init__(self, contract: Contract, pseudonyms: Pseudonyms, words: frozenset[str]) -> None:
        self._contract, self._words = contract, words
        self._rules = Rules(contract, pseudonyms, self.scrub_unknown)

    def scrub(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Return the scrubbed data of a valid message, and the JSON pointers in it that were masked.

        Where no pseudonyms keep the message valid, what is returned is scrubbed and not valid.
        """
        salts: dict[str, int] = {}
        for _ in range(_ROUNDS):
            masking = _Masking(self._words, salts)
            made = masking.value(value, self._rules.of_message, "", "")
            broken = [_pointer(error) for error in self._validator.iter_errors(as_read(made))]
            if not broken:
                break
            for before in masking.doubtful(broken):
                salts[before] = salts.get(before, 0) + 1
        return made, tuple(sorted(masking.masked))

    def mask(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Return any JSON value scrubbed, valid or not, and the JSON pointers in it that were masked."""
        masking = _Masking(self._words, {})
        return masking.value(value, self._rules.of_message, "", ""), tuple(sorted(masking.masked))

    def scrub_unknown(self, value: Any) -> Any:
        """Return a JSON value scrubbed of which the contract says nothing."""
        return _Masking(self._words, {}).value(value, self._rules.of_nothing, "", "")

    @cached_property
    def _validator(self) -> CompiledSchema:
        return compile_schema(self._contract.resources, f"{self._contract.uri}#")


class _Masking:
    """One pass over one message. `masked` and `renamed` are pointers into the new data, with those into the old."""

    def __init__(self, words: frozenset[str], salts: dict[str, int]) -> None:
        self._words, self._salts = words, salts
        self.masked: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self._made: dict[str, Any] = {}

    def value(self, value: Any, rule: Rule, pointer: str, before: str, said: str = "") -> Any:
        said = rule.said or said
        if isinstance(value, (dict, list)):
            if said != "masked" and rule.says(value):
                return value
            if isinstance(value, dict):
                return self._object(value, rule, pointer, before, said)
            return [
                self.value(child, rule.item, f"{pointer}/{place}", f"{before}/{place}", said)
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
            step = escape(name)
            was = f"{before}/{step}"
            new = name
            if (
                name
                and name not in fields
                and name not in self._words
                and said != "public"
                and not rule.keeps_name(name)
            ):
                taken = {*fields, *value, *made, *self._words}
                new = next(rule.renames(name, taken, self._salts.get(was, 0)))
                step = escape(new)
                self.masked[pointer], self.renamed[f"{pointer}/{step}"] = before, was
            inner = fields[name] if name in fields else rule.other(name)
            made[new] = self.value(child, inner, f"{pointer}/{step}", was, said)
        return made


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    return "".join(f"/{escape(str(step))}" for step in error.instance_path)
