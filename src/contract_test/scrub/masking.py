"""Scrubbing: what may name a person leaves a message before it is kept, and the message stays valid.

Denied unless the contract allows it. A text is kept where `x-sensitivity` is `public`, or where the contract itself
says it: an enum, a constant, one of a pattern's few words, a time. A number is kept unless it can single somebody out:
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
from contract_test.schema.shape import Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References, draft_of, escape, subschemas
from contract_test.scrub.pseudonyms import Pseudonyms
from contract_test.scrub.sensitivity import Name, Rule, as_read
from envelopes.validation import CompiledSchema, compile_schema

_ROUNDS = 12
_PREFIX = re.compile(r"\^((?=.{0,19}[A-Za-z])(?:[A-Za-z0-9_:-]|\\[.:_-]){0,19}(?:[-_:]|\\[.:_-]))(?![?*{+])")


def words_of(contract: Contract) -> Iterator[str]:
    """The names of fields that a contract says, anywhere in it."""
    for uri, resource in contract.resources.items():
        for _, node, _ in subschemas(resource, uri, draft_of(resource)):
            yield from properties if isinstance(properties := node.get("properties"), dict) else ()
            required = node.get("required")
            yield from (name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


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
        self._rules: dict[tuple[Position, Name], Rule] = {}
        self._validators: dict[str, CompiledSchema | None] = {}

    def scrub(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Scrub the data of a valid message: the new data, and the JSON pointers in it that were masked.

        Where no stand-in keeps the message valid, what comes back is scrubbed and not valid.
        """
        salts: dict[str, int] = {}
        for _ in range(_ROUNDS):
            walk = _Walk(self, salts)
            made = walk.value(value, self.rule(self.root, ""), "", "")
            broken = [_pointer(error) for error in self._validator.iter_errors(as_read(made))]
            if not broken:
                break
            for before in walk.doubtful(broken):
                salts[before] = salts.get(before, 0) + 1
        return made, tuple(sorted(walk.masked))

    def mask(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Scrub any JSON value, valid or not."""
        walk = _Walk(self, {})
        return walk.value(value, self.rule(self.root, ""), "", ""), tuple(sorted(walk.masked))

    def anything(self, value: Any) -> Any:
        """Scrub a JSON value of which the contract says nothing."""
        return _Walk(self, {}).value(value, self.rule((), ""), "", "")

    @cached_property
    def root(self) -> Position:
        """The position of the message itself."""
        return (Source(self.references.root),)

    def rule(self, position: Position, name: str) -> Rule:
        """What holds for the values at a position; `name` is the field's."""
        return self.named_rule(position, Name.of(name))

    def named_rule(self, position: Position, name: Name) -> Rule:
        """What holds for the values at a position, given what their field's name tells."""
        known = self._rules.get((position, name))
        if known is None:
            known = self._rules[position, name] = Rule(self, position, name)
        return known

    def validator(self, location: str) -> CompiledSchema | None:
        """The compiled schema at a location; None where it cannot stand alone."""
        if location not in self._validators:
            try:
                self._validators[location] = compile_schema(self._contract.resources, location)
            except ValueError:
                self._validators[location] = None
        return self._validators[location]

    @cached_property
    def _validator(self) -> CompiledSchema:
        return compile_schema(self._contract.resources, f"{self._contract.uri}#")


class _Walk:
    """One pass over one message. `masked` and `renamed` are pointers into the new data, with those into the old."""

    def __init__(self, plan: Plan, salts: dict[str, int]) -> None:
        self._plan, self._salts = plan, salts
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
                and name not in self._plan.words
                and said != "public"
                and not rule.keeps_name(name)
            ):
                taken = {*fields, *value, *made, *self._plan.words}
                new = next(rule.renames(name, taken, self._salts.get(was, 0)))
                step = escape(new)
                self.masked[pointer], self.renamed[f"{pointer}/{step}"] = before, was
            inner = fields[name] if name in fields else rule.other(name)
            made[new] = self.value(child, inner, f"{pointer}/{step}", was, said)
        return made


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    return "".join(f"/{escape(str(step))}" for step in error.instance_path)
