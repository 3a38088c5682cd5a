"""Why a reader rejects what a writer may send: named, at a place in both schemas.

It explains a verdict, it never makes one.
Keyword by keyword the reader is asked what the writer, at the same place, may break; where both sides have
a subschema there, the question goes down into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contract_test.data.verdict import ABSENT, Incompatibility
from contract_test.schema.compare import keyword_rules
from contract_test.schema.compare.compiler import Compiler
from contract_test.schema.compare.documents import Place, UnusableSchemaError
from contract_test.schema.compare.nodes import Node, Property
from contract_test.schema.compare.rules import RULES
from contract_test.schema.compare.solver import OutOfTimeError, Solver

_MAX_REASONS = 50
_MAX_DEPTH = 24
# keywords that only speak together with their neighbours
_TOGETHER = {
    "additionalProperties": ("properties", "patternProperties"),
    "if": ("then", "else"),
    "items": ("prefixItems",),
    "additionalItems": ("items",),
    "contains": ("minContains", "maxContains"),
    "minimum": ("exclusiveMinimum",),
    "maximum": ("exclusiveMaximum",),
}
_NO_ASSERTION = frozenset({"then", "else", "minContains", "maxContains"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A subschema of one side: where it is, and the place that its references are relative to."""

    schema: Any
    pointer: str
    place: Place

    def at(self, *path: str | int) -> str:
        """The pointer to something inside."""
        tokens = (str(token).replace("~", "~0").replace("/", "~1") for token in path)
        return self.pointer + "".join("/" + token for token in tokens)

    def inside(self, *path: str | int) -> Spot | None:
        """The subschema at a path, None where there is none."""
        value = _value_at(self.schema, path)
        return Spot(value, self.at(*path), self.place) if isinstance(value, (dict, bool)) else None


class Explainer:
    """Explains one comparison, with the solver that decided it."""

    def __init__(self, solver: Solver, writer: Compiler, reader: Compiler) -> None:
        self.solver = solver
        self.writer = writer
        self.reader = reader
        self.found: dict[tuple[str, str, str], Incompatibility] = {}
        self._visited: set[tuple[int, int]] = set()
        self._added = 0

    def reasons(self) -> list[Incompatibility]:
        """Every reason that the two structures show, the reader's keywords in the order of its schema."""
        with suppress(OutOfTimeError, UnusableSchemaError, RecursionError):
            self._explain(
                Spot(self.writer.document.schema, "", self.writer.document.place),
                Spot(self.reader.document.schema, "", self.reader.document.place),
                0,
            )
        return list(self.found.values())

    def _explain(self, writer: Spot, reader: Spot, depth: int) -> bool:
        """Explain one pair of subschemas; return whether any reason was found."""
        if depth > _MAX_DEPTH or len(self.found) >= _MAX_REASONS:
            return False
        writer, reader = self._followed(writer, self.writer), self._followed(reader, self.reader)
        pair = (id(writer.schema), id(reader.schema))
        if isinstance(reader.schema, dict) and pair in self._visited:
            return True
        self._visited.add(pair)
        before = self._added
        if reader.schema is False:
            self._add("nothing-accepted", writer, reader, (), (), writer.schema, False)  # noqa: FBT003
            return True
        if not isinstance(reader.schema, dict):
            return False
        state = self.writer.location(writer.schema, writer.place)
        for keyword, value in reader.schema.items():
            if keyword in _NO_ASSERTION or keyword not in reader.place.dialect.keywords:
                continue
            if keyword in ("properties", "patternProperties", "allOf", "$ref"):
                self._explain_each(keyword, state, writer, reader, depth)
            elif self._may_break(state, self._alone(keyword, reader)):
                self._explain_keyword(keyword, value, state, (writer, reader), depth)
        return self._added > before

    def _followed(self, spot: Spot, compiler: Compiler) -> Spot:
        """A subschema that only refers to another one, as that one."""
        for _ in range(_MAX_DEPTH):
            schema = spot.schema
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return spot
            if not spot.place.dialect.ref_stands_alone and schema.keys() & spot.place.dialect.keywords != {"$ref"}:
                return spot
            target = compiler.document.target(schema["$ref"], spot.place)
            local = schema["$ref"].startswith(("#/", "#")) and spot.place.resolver is None
            spot = Spot(target.schema, unquote(schema["$ref"][1:]) if local else spot.at("$ref"), target.place)
        return spot

    def _alone(self, keyword: str, spot: Spot) -> Node:
        """One keyword of a reader by itself, with the neighbours that it needs."""
        wanted = {keyword, *_TOGETHER.get(keyword, ())}
        if keyword.startswith("unevaluated"):
            wanted |= set(spot.schema)
        fragment = {name: value for name, value in spot.schema.items() if name in wanted}
        if keyword == "additionalProperties":
            fragment |= {name: dict.fromkeys(fragment[name], True) for name in _TOGETHER[keyword] if name in fragment}
        return self.reader.location(fragment, spot.place)

    def _may_break(self, writer: Node, asked: Node) -> bool:
        return not self.solver.solve([(writer, True), (asked, False)]).is_empty

    def _explain_each(self, keyword: str, state: Node, writer: Spot, reader: Spot, depth: int) -> None:
        """Keywords that hold one subschema for each of several things."""
        if keyword == "$ref":
            target = self.reader.document.target(reader.schema["$ref"], reader.place)
            inner = Spot(target.schema, reader.at("$ref"), target.place)
            if self._may_break(state, self.reader.location(target.schema, target.place)):
                self._explain(writer, inner, depth + 1)
            return
        parts = reader.schema[keyword]
        for name in range(len(parts)) if isinstance(parts, list) else parts:
            theirs = reader.inside(keyword, name)
            if theirs is None:
                continue
            node = self.reader.location(theirs.schema, theirs.place)
            if keyword == "allOf":
                if self._may_break(state, node):
                    self._explain(writer, theirs, depth + 1)
                continue
            asked = (
                self.reader.pool.make(Property, name, node)
                if keyword == "properties"
                else self.reader.location({keyword: {name: theirs.schema}}, theirs.place)
            )
            if not self._may_break(state, asked):
                continue
            ours = writer.inside(keyword, name)
            if ours is not None and self._explain(ours, theirs, depth + 1):
                continue
            rule = "property-constrained" if keyword == "properties" else "pattern-properties-changed"
            before = ABSENT if ours is None else ours.schema
            self._add(rule, writer, reader, (keyword, name), (keyword, name), before, theirs.schema)

    def _explain_keyword(self, keyword: str, value: Any, state: Node, spots: tuple[Spot, Spot], depth: int) -> None:
        writer, reader = spots
        if keyword == "required":
            for name in value:
                if self._may_break(state, self.reader.location({"required": [name]}, reader.place)):
                    self._add(
                        "required-property-added",
                        writer,
                        reader,
                        ("properties", name),
                        ("required",),
                        ABSENT,
                        name,
                    )
            return
        if keyword in ("items", "additionalProperties", "prefixItems") and self._explain_inside(
            keyword, value, writer, reader, depth
        ):
            return
        ours = writer.schema.get(keyword, ABSENT) if isinstance(writer.schema, dict) else ABSENT
        rule, before, after = keyword_rules.named(keyword, ours, value, writer.schema)
        if keyword == "oneOf" and not self._may_break(state, self.reader.location({"anyOf": value}, reader.place)):
            rule = "alternatives-overlap"
        path = (keyword,) if ours is not ABSENT else ()
        self._add(rule, writer, reader, path, (keyword,), before, after)

    def _explain_inside(self, keyword: str, value: Any, writer: Spot, reader: Spot, depth: int) -> bool:
        paths: list[tuple[str | int, ...]] = (
            [(keyword, at) for at in range(len(value))] if isinstance(value, list) else [(keyword,)]
        )
        explained = False
        for path in paths:
            ours, theirs = writer.inside(*path), reader.inside(*path)
            if ours is None or theirs is None or theirs.schema is False:
                continue
            if self._may_break(
                self.writer.location(ours.schema, ours.place),
                self.reader.location(theirs.schema, theirs.place),
            ):
                explained = self._explain(ours, theirs, depth + 1) or explained
        return explained

    def _add(
        self, rule: str, writer: Spot, reader: Spot, writer_path: tuple[str | int, ...],
        reader_path: tuple[str | int, ...], before: Any, after: Any,
    ) -> None:  # fmt: skip
        self._added += 1
        there = writer.at(*writer_path) if _value_at(writer.schema, writer_path) is not ABSENT else writer.pointer
        reason = reason_for(rule, there, reader.at(*reader_path), before, after)
        self.found.setdefault((rule, reason.writer_pointer, repr(reason.reader_pointer) + repr(after)), reason)


def reason_for(rule: str, writer_pointer: str, reader_pointer: str, before: Any, after: Any) -> Incompatibility:
    """One incompatibility, with its sentence."""
    change = keyword_rules.change(before, after)
    sentence = f"{RULES[rule].explanation[:-1]}: {change}." if change else RULES[rule].explanation
    return Incompatibility(rule, writer_pointer, reader_pointer, before, after, sentence)


def from_errors(errors: list[Any], writer: Any, reader: Any) -> Iterator[Incompatibility]:
    """Reasons from a validator's errors about the witness: less precise, and always there."""
    for error in errors:
        path = tuple(error.schema_path)
        keyword = next((str(token) for token in reversed(path) if isinstance(token, str)), "")
        ours = _value_at(writer, path)
        theirs = _value_at(reader, path)
        rule, before, after = keyword_rules.named(keyword, ours, theirs, writer)
        pointer = "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)
        yield reason_for(rule, pointer if ours is not ABSENT else "", pointer, before, after)


def _value_at(schema: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path, `ABSENT` where nothing does."""
    for token in path:
        named = isinstance(schema, dict) and token in schema
        counted = isinstance(schema, list) and isinstance(token, int) and token < len(schema)
        if not (named or counted):
            return ABSENT
        schema = schema[token]
    return schema
