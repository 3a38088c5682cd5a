"""The values of absent fields: defaults that the types of fields can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contract_test.generate import plan as p
from contract_test.generate.alternatives import Conjunction, Position, Reader, same_json
from contract_test.generate.drafts import Choice, Draft
from contract_test.generate.plan import RUNTIME, Default, Named, Type
from envelopes import generated
from envelopes.validation import compile_schema


class Defaults:
    """Finds the default of each field of a module."""

    def __init__(
        self,
        reader: Reader,
        resources: Mapping[str, Any],
        drafts: Sequence[Draft],
        named: Sequence[Named],
        choices: Sequence[Choice],
    ) -> None:
        self._reader, self._resources = reader, resources
        self._drafts = {draft.key: draft for draft in drafts}
        self._named = {each.key: each.type for each in named}
        self._choices = {each.key: each for each in choices}

    def of(self, position: Position, type_: Type) -> Default | None:
        """Return the default of a field if its type can hold it, and if all alternatives agree on it."""
        found = [self._written(conjunction) for conjunction in position]
        first = found[0] if found else None
        if first is None or not all(each is not None and same_json(each, first) for each in found):
            return None
        (value,) = first
        if _is_plain(value, p.resolved(type_, self._named)):
            return Default(value, plain=True)
        return Default(value, plain=False) if value is not None and self._holds(value, type_, position) else None

    def _written(self, conjunction: Conjunction) -> list[Any] | None:
        """Return the default of the nearest schema that has one, in a list of one."""
        chain = self._reader.chain((conjunction,))
        return next(([node.schema["default"]] for node in chain if "default" in node.schema), None)

    def _holds(self, value: Any, type_: Type, position: Position) -> bool:
        has_class = any("$ref" in each for each in p.resolved(type_, self._named))
        return self._fits(value, type_) and (not has_class or self._is_valid(value, position))

    def _fits(self, value: Any, type_: Type) -> bool:
        """Return whether a field of a type can be read from a JSON value."""
        if "anyOf" in type_:
            return any(self._fits(value, each) for each in type_["anyOf"])
        if "$ref" in type_:
            return self._fits_named(value, str(type_["$ref"]).rpartition("/")[2])
        if "enum" in type_:
            return any(same_json(value, each) for each in type_["enum"])
        if "customTypePath" in type_:
            return _is_read(value, str(type_["customTypePath"]).removeprefix(f"{RUNTIME}."))
        if type_ in (p.TEXT, p.NOTHING):
            return isinstance(value, str) if type_ == p.TEXT else value is None
        if type_["type"] == "object":
            return isinstance(value, dict) and all(
                self._fits(each, type_["additionalProperties"]) for each in value.values()
            )
        if not isinstance(value, list):
            return False
        if "prefixItems" in type_:
            items = type_["prefixItems"]
            return len(value) == len(items) and all(map(self._fits, value, items))
        return all(self._fits(each, type_["items"]) for each in value)

    def _fits_named(self, value: Any, key: str) -> bool:
        choice = self._choices.get(key)
        if choice is not None and choice.tag is None:
            if not isinstance(value, dict):
                return False
            forms = zip(choice.drafts, choice.forms, strict=True)
            first = next((draft for draft, each in forms if any(form.fits(value) for form in each)), None)
            return first is not None and self._fits_class(value, first)
        if key in self._named:
            return self._fits(value, self._named[key])
        return isinstance(value, dict) and self._fits_class(value, self._drafts[key])

    def _fits_class(self, value: dict[str, Any], draft: Draft) -> bool:
        others = [each for name, each in value.items() if name not in draft.types]
        return (
            draft.shape.required <= value.keys()
            and all(self._fits(value[name], type_) for name, type_ in draft.types.items() if name in value)
            and (draft.typed is None or all(self._fits(each, draft.typed) for each in others))
        )

    def _is_valid(self, value: Any, position: Position) -> bool:
        """Return whether an object in a default satisfies its own contract: a value object always does."""
        for node in (node for conjunction in position for node in conjunction):
            try:
                if not compile_schema(self._resources, node.location).is_valid(value):
                    return False
            except (LookupError, ValueError):  # a schema that was composed here stands in no file
                continue
        return True


def _is_plain(value: Any, members: Sequence[Type]) -> bool:
    """Return whether Python source can hold a value of one of some types as it is."""
    if value is None:
        return any(each in (p.NOTHING, p.JSON, p.NOT_AN_OBJECT) for each in members)
    if any(type(value) is type(each) and value == each for member in members for each in member.get("enum", ())):
        return True
    if isinstance(value, bool):
        return _has(members, "Boolean")
    if isinstance(value, int):
        return abs(value) < 2**63 and _has(members, "Integer", "Number")
    if isinstance(value, float):
        return value - value == 0 and _has(members, "Number")
    return isinstance(value, str) and (p.TEXT in members or _has(members))


def _has(members: Sequence[Type], *names: str) -> bool:
    return any(p.runtime_type(name) in members for name in (*names, "Json", "NotAnObject"))


def _is_read(value: Any, name: str) -> bool:
    """Return whether a type of `envelopes.generated` can be read from a JSON value."""
    try:
        _adapter(name).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(generated, name))
