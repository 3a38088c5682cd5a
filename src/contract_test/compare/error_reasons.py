"""What a validator's errors say of a change: the place of a schema that rejects a message, and the rule behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from contract_test.compare import keyword_rules
from contract_test.compare.differences import Change
from contract_test.compare.incompatibility_rules import RULES
from contract_test.data.verdict import ABSENT, Incompatibility
from contract_test.schema.walk import escape


def reason_for(rule: str, writer_pointer: str, reader_pointer: str, before: Any, after: Any) -> Incompatibility:
    """Return one incompatibility, with its sentence."""
    change = keyword_rules.change(before, after)
    sentence = f"{RULES[rule].explanation[:-1]}: {change}." if change else RULES[rule].explanation
    return Incompatibility(rule, writer_pointer, reader_pointer, before, after, sentence)


def pointer_of(error: Any) -> str:
    """Return the place in the schema that an error is about."""
    return "".join("/" + escape(str(token)) for token in error.schema_path)


def inside(pointer: str, around: str) -> bool:
    """Return whether a place is another one, or inside it."""
    return pointer == around or pointer.startswith(f"{around}/")


def are_near(one: str, other: str) -> bool:
    """Return whether one of two places is inside the other."""
    return inside(one, other) or inside(other, one)


def matches_several(error: Any) -> bool:
    """Return whether an error says that several alternatives match."""
    return isinstance(error.kind, jsonschema_rs.ValidationErrorKind.OneOfMultipleValid)


def by_error(error: Any, change: Change, reader: Any) -> tuple[str, Any, Any, str]:
    """Return what a change means by an error of the reader's validator: rule, before, after, reader's pointer."""
    path = tuple(error.schema_path)
    keyword = next((str(token) for token in reversed(path) if isinstance(token, str)), "")
    theirs, pointer = _value_at(reader, path), pointer_of(error)
    if change.rule == "property-constrained":
        ours = change.writer_schema.get(keyword, ABSENT) if isinstance(change.writer_schema, dict) else ABSENT
        if ours is ABSENT:
            return change.rule, change.before, change.after, change.reader_pointer
        return *keyword_rules.named(keyword, ours, theirs, change.writer_schema), pointer
    if error.kind.name == "falseSchema":
        return "nothing-accepted", change.before, theirs, pointer
    rule, before, after = keyword_rules.named(keyword, ABSENT, theirs, ABSENT)
    if change.after is ABSENT or not inside(pointer, change.reader_pointer):
        return rule, change.before, change.after, change.reader_pointer
    return rule, before, _missing(error) or after, pointer


def _missing(error: Any) -> str | None:
    name = getattr(error.kind, "property", None)
    return name if isinstance(name, str) else None


def from_errors(errors: list[Any], writer: Any, reader: Any) -> Iterator[Incompatibility]:
    """Yield reasons from a validator's errors about the witness: less precise, and always there."""
    for error in errors:
        path = tuple(error.schema_path)
        keyword = next((str(token) for token in reversed(path) if isinstance(token, str)), "")
        ours = _value_at(writer, path)
        theirs = _value_at(reader, path)
        rule, before, after = "nothing-accepted", ours, theirs  # a schema `false`, whatever name it stands under
        if error.kind.name != "falseSchema":
            rule, before, after = keyword_rules.named(keyword, ours, theirs, writer)
        if matches_several(error):
            rule = "alternatives-overlap"
        pointer = pointer_of(error)
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
