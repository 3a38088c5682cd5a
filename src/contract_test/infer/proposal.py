"""Values in, a schema out: every one of them is valid under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract_test.infer.enums import MAX_CODES, MIN_PER_CODE, are_codes, is_code_field, is_settled
from contract_test.infer.evidence import MIN_VALUES, DeclaredFields, format_of, is_personal_name, kind_of
from contract_test.infer.objects import discriminator, names_of, split
from contract_test.schema.walk import escape

SAFE = 2**53 - 1
MAX_INFERRED_DEPTH = 32
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")


@dataclass(frozen=True)
class Proposal:
    """A schema, with remarks that users should read before they publish it: `(JSON pointer, sentence)`."""

    schema: dict[str, Any]
    remarks: tuple[tuple[str, str], ...] = ()


def infer(values: Sequence[Any], declared: DeclaredFields | None = None, place: str = "") -> Proposal:
    """Describe parsed JSON values: types, required fields, formats, enums, maps and alternatives.

    `place` is where they stand in their message, as a JSON pointer with `*` for items and keys of maps.
    """
    inference = _Inference(declared or DeclaredFields(), values)
    schema = inference.schema(values, place)
    return Proposal(schema, tuple(dict.fromkeys(inference.remarks)))


class _Inference:
    def __init__(self, declared: DeclaredFields, values: Sequence[Any]) -> None:
        self._declared = declared
        roots = [name for value in values if isinstance(value, dict) for name in value]
        self._capitals = sum(name[:1].isupper() for name in roots) * 2 > len(roots)
        self.remarks: list[tuple[str, str]] = []

    def schema(self, values: Sequence[Any], place: str, depth: int = 0) -> dict[str, Any]:
        by_kind: dict[str, list[Any]] = {}
        for value in values:
            by_kind.setdefault(kind_of(value), []).append(value)
        if depth == MAX_INFERRED_DEPTH:
            return _typed(by_kind)
        objects = by_kind.get("object", [])
        tag = None
        if objects and place not in self._declared.maps:
            tag = discriminator(objects, lambda name: self._may_show(f"{place}/{escape(name)}"))
        if tag is not None:
            return self._alternatives(by_kind, tag, place, depth)
        return _typed(by_kind) | self._details(by_kind, place, depth)

    def _details(self, by_kind: dict[str, list[Any]], place: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if "object" in by_kind:
            made |= self._object(by_kind["object"], place, depth)
        if "array" in by_kind:
            items = [item for value in by_kind["array"] for item in value]
            made |= {"items": self.schema(items, f"{place}/*", depth + 1)} if items else {}
        if "string" in by_kind:
            made |= self._text(by_kind["string"], place, nullable="null" in by_kind, alone=by_kind.keys() <= _TEXT)
        if "integer" in by_kind and "number" not in by_kind:
            made |= _bounds(by_kind["integer"])
        return made

    def _object(
        self, objects: list[dict[str, Any]], place: str, depth: int, among: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Describe objects. Where they are an alternative `among` others, similar scalars share a description."""
        names = names_of(objects, root=not place, is_map=place in self._declared.maps, capitals=self._capitals)
        made: dict[str, Any] = {}
        if names.required:
            made["required"] = list(names.required)
        for name in names.fields:
            values = [each[name] for each in objects if name in each]
            wider = [each[name] for each in among or () if name in each]
            if _scalar(values) and _kinds(values) == _kinds(wider):
                values = wider
            made.setdefault("properties", {})[name] = self.schema(values, f"{place}/{escape(name)}", depth + 1)
        if names.odd:
            self.remarks.append((place, "has fields whose names look like data. They are not declared"))
        if names.keys:
            rest = [value for each in objects for name, value in each.items() if name in names.keys]
            made["additionalProperties"] = self.schema(rest, f"{place}/*", depth + 1)
            self.remarks.append((place, "is a map: its keys differ from message to message, or look like data"))
        return made

    def _alternatives(self, by_kind: dict[str, list[Any]], tag: str, place: str, depth: int) -> dict[str, Any]:
        branches: list[dict[str, Any]] = []
        groups = split(by_kind["object"], tag)
        for text, objects in groups.items():
            explained = self._object(_without(tag, objects), place, depth, among=by_kind["object"])
            explained["required"] = [tag, *explained.get("required", ())]
            explained["properties"] = {tag: {"const": text}} | explained.get("properties", {})
            branches.append({"type": "object"} | explained)
        others = {kind: values for kind, values in by_kind.items() if kind != "object"}
        if others:
            branches.append(_typed(others) | self._details(others, place, depth))
        self.remarks.append(
            (f"{place}/{escape(tag)}", f"is the tag of {len(groups)} alternatives. Its values are in the schema")
        )
        return {"oneOf": branches}

    def _text(self, texts: list[str], place: str, *, nullable: bool, alone: bool) -> dict[str, Any]:
        form = format_of(texts)
        if form is not None:
            return {"format": form}
        if not alone or not are_codes(texts):
            if place in self._declared.enums:
                self.remarks.append(
                    (
                        place,
                        f"is not an enum, which takes {MIN_PER_CODE} of each value, and at most {MAX_CODES}",
                    )
                )
            return {}
        distinct = sorted({str(text) for text in texts})
        if len(distinct) == 1:
            return {}
        if place in self._declared.enums:
            self.remarks.append((place, f"is an enum of {len(distinct)} values, which are in the schema"))
            return {"enum": [*distinct, None] if nullable else distinct}
        if is_settled(texts):
            self.remarks.append((place, f"has only {len(distinct)} values. If it is an enum, add --enum {place}"))
        return {}

    def _may_show(self, place: str) -> bool:
        return place in self._declared.enums or (
            is_code_field(place) and not is_personal_name(place.rpartition("/")[2])
        )


_TEXT = frozenset(("string", "null"))


def _kinds(values: Sequence[Any]) -> frozenset[str]:
    return frozenset(map(kind_of, values))


def _scalar(values: Sequence[Any]) -> bool:
    return _kinds(values).isdisjoint(("object", "array"))


def _without(tag: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != tag} for each in objects]


def _typed(by_kind: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in _KINDS if kind in by_kind and not (kind == "integer" and "number" in by_kind)]
    return {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}


def _bounds(values: list[int]) -> dict[str, int]:
    """What every reader can hold; from zero where many values show that there are no others."""
    made = {}
    low, high = min(values), max(values)
    if low >= -SAFE:
        made["minimum"] = 0 if low >= 0 and len(values) >= MIN_VALUES else -SAFE
    if high <= SAFE:
        made["maximum"] = SAFE
    return made
