"""Variations: legal messages that nobody recorded, derived from those that were. Few, and the same ones every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contract_test.replay.variations.edits import Edit, edited, located, value_at
from contract_test.replay.variations.limits import limits
from contract_test.replay.variations.samples import Samples
from contract_test.schema.fields import FieldPlace, Fields, State
from contract_test.schema.sources import Position
from contract_test.schema.walk import escape

UNKNOWN_FIELD = "field_of_tomorrow"
_NOT_NULL = {"not": {"type": "null"}}
_UNKNOWN_VALUE = {"added": ["later", None, 1.5], "by": {"a": "newer version"}}


@dataclass(frozen=True)
class Variation:
    """A message with some changes. `newer`: it is sent as a version that nobody knows yet."""

    base: int
    name: str
    edits: tuple[Edit, ...]
    newer: bool = False

    def applied(self, data: Any) -> Any:
        """Return the changed copy of the message that it is a variation of."""
        for edit in self.edits:
            data = edited(data, edit)
        return data


class Variations:
    """Derives variations from `bases`, recorded messages; `is_valid` is the contract's own validator."""

    def __init__(self, fields: Fields, bases: Sequence[Any], is_valid: Callable[[Any], bool]) -> None:
        self._fields, self._bases, self._is_valid = fields, bases, is_valid
        self._samples = Samples(fields)
        self._shown = [fields.shown(base) for base in bases]
        self._recorded: frozenset[State] = frozenset().union(*self._shown)

    def all(self) -> Iterator[Variation]:
        """Yield every variation: each is valid, but for unknown fields, which an open reader takes."""
        if not self._bases:
            return
        base = self._most_telling(range(len(self._bases)))
        full = self._filled(base)
        message = Variation(base, "", full).applied(self._bases[base])
        yield from self._around(base, full, "", "")
        yield from self._unknown(base, full, message)
        for place, pointer, value in self._places(message):
            shape = self._fields.shapes.shape(place.position)
            here = self._fields.chosen(value, shape)[0] if isinstance(value, dict) else ""
            for name, branch in shape.branches:
                if name != here:
                    yield from self._in_branch(base, place, pointer, name, branch)

    def _most_telling(self, among: Iterable[int]) -> int:
        return max(among, key=lambda index: (len(self._shown[index]), -index))

    def _in_branch(
        self, base: int, place: FieldPlace, pointer: str, name: str, branch: Position
    ) -> Iterator[Variation]:
        """Variations inside another alternative than the one that stands there: a recorded one, or one made for it."""
        recorded = [index for index, shown in enumerate(self._shown) if (place.pointer, f"branch {name}") in shown]
        before: tuple[Edit, ...] = ()
        if recorded:
            base = self._most_telling(recorded)
            shape = self._fields.shapes.shape(place.position)
            data = self._bases[base]
            pointer = next(
                each
                for each in located(data, place.pointer)
                if self._fields.chosen(value_at(data, each), shape)[0] == name
            )
        else:
            before = tuple(Edit(pointer, f"branch {name}", (value,)) for value in self._samples.of(branch, 1))
        data = Variation(base, "", before).applied(self._bases[base])
        if (recorded or before) and self._is_valid(data):
            yield from self._around(base, self._filled(base, before, pointer), pointer, f" of {name}")

    def _around(self, base: int, full: tuple[Edit, ...], inside: str, suffix: str) -> Iterator[Variation]:
        """Every variation of what stands at a pointer, in a message with all that `full` fills in."""
        if full:
            yield Variation(base, f"every field{suffix}", full)
        message = Variation(base, "", full).applied(self._bases[base])
        for edit in self._absences(message):
            if edit.pointer.startswith(f"{inside}/"):
                yield from self._packed(base, full, str(edit), [edit])
        for name, edits in self._kinds(message):
            below = [edit for edit in edits if not inside or edit.pointer.startswith(f"{inside}/")]
            yield from self._packed(base, full, f"{name}{suffix}", below)

    def _kinds(self, message: Any) -> Iterator[tuple[str, list[Edit]]]:
        yield "null", list(self._states(message, "null"))
        yield "value", list(self._states(message, "value "))
        yield "type", list(self._states(message, "type "))
        yield "branch", list(self._states(message, "branch "))
        yield from limits(self._places(message), self._fields, self._samples).items()

    def _filled(self, base: int, before: tuple[Edit, ...] = (), inside: str = "") -> tuple[Edit, ...]:
        """What a recorded message lacks, at a pointer, of all that it could hold; a null is a lack, too."""
        data, edits = Variation(base, "", before).applied(self._bases[base]), list(before)
        for place in self._fields.places:
            for parent in located(data, place.parent):
                here = value_at(data, parent)
                step = escape(place.name) if place.name is not None else "0" if isinstance(here, list) else "key"
                lacks = (
                    here.get(place.name) is None
                    if place.name is not None and isinstance(here, dict)
                    else here in ([], {})
                )
                if not lacks or not isinstance(here, dict | list) or not f"{parent}/".startswith(f"{inside}/"):
                    continue
                for value in (*self._samples.of(place.position, 2, **_NOT_NULL), None):
                    edit = Edit(f"{parent}/{step}", "present", (value,))
                    changed = edited(data, edit)
                    if changed != data and self._is_valid(changed) and self._declares(changed, data):
                        data = changed
                        edits.append(edit)
                        break
        return tuple(edits)

    def _declares(self, changed: Any, data: Any) -> bool:
        """Whether a change added no field that only another alternative has."""
        return len(self._fields.undeclared(changed)) <= len(self._fields.undeclared(data))

    def _places(self, message: Any) -> Iterator[tuple[FieldPlace, str, Any]]:
        """Every field with the first place where it stands in a message, and what stands there."""
        root = FieldPlace("", self._fields.root, required=True, parent="")
        for place in (root, *self._fields.places):
            pointer = next(iter(located(message, place.pointer)), None)
            if pointer is not None:
                yield place, pointer, value_at(message, pointer)

    def _absences(self, message: Any) -> Iterator[Edit]:
        for place, pointer, _ in self._places(message):
            if place.name is not None and not place.required and (place.pointer, "absent") not in self._recorded:
                yield Edit(pointer, "absent")

    def _states(self, message: Any, kind: str) -> Iterator[Edit]:
        for place, pointer, _ in self._places(message):
            for where, state in self._fields.states:
                if where == place.pointer and state.startswith(kind) and (where, state) not in self._recorded:
                    value = self._showing(place, state)
                    if value:
                        yield Edit(pointer, state, value)

    def _showing(self, place: FieldPlace, state: str) -> tuple[Any, ...]:
        kind, _, rest = state.partition(" ")
        if kind == "null":
            return (None,)
        if kind == "value":
            return (json.loads(rest),)
        if kind == "type":
            return tuple(self._samples.of(place.position, 1, type=rest))
        shape = self._fields.shapes.shape(place.position)
        branches = dict(shape.branches)
        if rest in branches:
            return tuple(self._samples.of(branches[rest], 1))
        location = dict(self._fields.branches(place.position)).get(rest)
        return tuple(self._samples.of(place.position, 1, **{"$ref": location})) if location else ()

    def _packed(self, base: int, full: tuple[Edit, ...], name: str, edits: Iterable[Edit]) -> Iterator[Variation]:
        """As few messages as hold every change: those that touch each other, or break the contract together, apart."""
        waiting, number = list(edits), 0
        while waiting:
            data = Variation(base, "", full).applied(self._bases[base])
            taken: list[Edit] = []
            left: list[Edit] = []
            for edit in waiting:
                apart = all(not _touch(edit.pointer, other.pointer) for other in taken)
                changed = edited(data, edit) if apart else None
                if apart and self._is_valid(changed):
                    data = changed
                    taken.append(edit)
                elif taken:
                    left.append(edit)
            if taken:
                number += 1
                yield Variation(base, name if number == 1 else f"{name} {number}", (*_needed(full, taken), *taken))
            waiting = left

    def _unknown(self, base: int, full: tuple[Edit, ...], message: Any) -> Iterator[Variation]:
        edits = []
        for place, pointer, value in self._places(message):
            shape = self._fields.shapes.shape(place.position)
            closed = any(
                schema.get(word) is False
                for schema in self._fields.schemas(place.position)
                for word in ("additionalProperties", "unevaluatedProperties")
            )
            if isinstance(value, dict) and shape.additional is None and not closed:
                edits.append(Edit(f"{pointer}/{UNKNOWN_FIELD}", "unknown", (_UNKNOWN_VALUE,)))
        yield from self._packed(base, full, "unknown fields", edits)
        at_root = [edit for edit in edits if edit.pointer == f"/{UNKNOWN_FIELD}"]
        yield Variation(base, "next version", tuple(at_root), newer=True)


def _touch(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _needed(full: Iterable[Edit], taken: Sequence[Edit]) -> list[Edit]:
    """Of what was filled in, what the changes stand on."""
    return [each for each in full if any(edit.pointer.startswith(f"{each.pointer}/") for edit in taken)]
