"""What the messages showed at each place: counted message by message, so that any number of them fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract_test.infer.evidence import Masked, kind_of, possible_formats
from contract_test.infer.tags import NO_PLAN, NO_TAG, Plan

MAX_DEPTH = 32
MAX_TEXTS = 64
MAX_NAMES = 2_000
"""From so many names on, an object whose values are alike is a map, and its names are only counted."""

KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")


class Place:
    """One place in the messages, and what was seen there. `messages` counts messages, and `kinds` counts values."""

    __slots__ = (
        "branches", "children", "formats", "high", "items", "kinds", "last", "low", "masked", "messages", "new_at",
        "object_messages", "rest", "rest_names", "tag", "texts",
    )  # fmt: skip

    def __init__(self) -> None:
        self.messages = self.object_messages = 0
        self.last = -1
        self.kinds: dict[str, int] = {}
        self.low = self.high = 0
        self.texts: dict[str, int] = {}
        self.new_at = 0
        self.formats: tuple[str, ...] | None = None
        self.masked = False
        self.children: dict[str, Place] = {}
        self.items: Place | None = None
        self.rest: Place | None = None
        self.rest_names: int = 0
        self.tag = NO_TAG
        self.branches: dict[str, Place] = {}

    def add(self, value: Any, message: int, plan: Plan = NO_PLAN, depth: int = 0) -> None:
        """Count one value of the message with this number."""
        fresh = self.last != message
        if fresh:
            self.last = message
            self.messages += 1
        kind = kind_of(value)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "object":
            self.object_messages += fresh
            if depth < MAX_DEPTH:
                self._add_object(value, message, plan, depth)
        elif kind == "array":
            if value and depth < MAX_DEPTH:
                if self.items is None:
                    self.items = Place()
                items, inner = self.items, plan.inside_of("*")
                for item in value:
                    items.add(item, message, inner, depth + 1)
        elif kind == "string":
            self._add_text(value)
        elif kind == "integer":
            if self.kinds[kind] == 1:
                self.low = self.high = value
            elif value < self.low:
                self.low = value
            elif value > self.high:
                self.high = value

    def _add_object(self, value: dict[str, Any], message: int, plan: Plan, depth: int) -> None:
        if plan.tag:
            self.tag = plan.tag
            text = plan.text_of(value)
            branch = self.branches.get(text)
            if branch is None:
                branch = self.branches[text] = Place()
            branch.add(value, message, plan.branch(text), depth)
            return
        children = self.children
        for name, child in value.items():
            place = children.get(name)
            if place is None:
                if self.rest is not None:
                    self.rest_names += 1
                    self.rest.add(child, message, plan.inside_of("*"), depth + 1)
                    continue
                place = children[name] = Place()
                if len(children) == MAX_NAMES and self._are_alike():
                    place.add(child, message, plan.inside_of(name), depth + 1)
                    self._collapse()
                    continue
            place.add(child, message, plan.inside_of(name), depth + 1)

    def _are_alike(self) -> bool:
        kinds = {loose_kind(kind) for each in self.children.values() for kind in each.kinds}
        return len(kinds - {"null"}) <= 1

    def _collapse(self) -> None:
        """Keep the names that half of the objects have as fields, and merge the other places into one."""
        objects = self.kinds["object"]
        rest = Place()
        for name, each in list(self.children.items()):
            if objects == 1 or sum(each.kinds.values()) * 2 <= objects:
                rest.merge(self.children.pop(name))
                self.rest_names += 1
        self.rest = rest if self.rest_names else None

    def _add_text(self, text: str) -> None:
        if isinstance(text, Masked):
            self.masked = True
        texts = self.texts
        if text in texts:
            texts[text] += 1
            return
        self.new_at = self.kinds["string"]
        if len(texts) < MAX_TEXTS:
            texts[text] = 1
        if self.formats != ():
            self.formats = possible_formats(text, self.formats)

    def merge(self, other: Place) -> None:
        """Add what was seen at another place and inside it, as if all had been seen at this one.

        Alternatives stay apart if both places have them by the same tag, or one of them has no objects.
        """
        mixed = "object" in self.kinds and "object" in other.kinds and self.tag != other.tag
        self.merge_own(other)
        branches = {} if mixed else other.branches
        if mixed:
            apart, self.branches, self.tag = [*self.branches.values(), *other.branches.values()], {}, NO_TAG
            for branch in apart:
                self._merge_inside(branch)
        for text, branch in branches.items():
            self.branches.setdefault(text, Place()).merge(branch)
        self._merge_inside(other)

    def _merge_inside(self, other: Place) -> None:
        for name, place in other.children.items():
            self.children.setdefault(name, Place()).merge(place)
        for slot in ("items", "rest"):
            theirs_in = getattr(other, slot)
            if theirs_in is not None:
                if getattr(self, slot) is None:
                    setattr(self, slot, Place())
                getattr(self, slot).merge(theirs_in)

    def merge_own(self, other: Place) -> None:
        """Add what was seen at another place, without what is inside it."""
        before = self.kinds.get("integer")
        if "integer" in other.kinds:
            self.low = min(self.low, other.low) if before else other.low
            self.high = max(self.high, other.high) if before else other.high
        if "string" in other.kinds:
            self._merge_texts(other)
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.messages = max(self.messages, other.messages)
        self.object_messages = max(self.object_messages, other.object_messages)
        self.last = max(self.last, other.last)
        self.tag = self.tag or other.tag
        self.rest_names += other.rest_names

    def _merge_texts(self, other: Place) -> None:
        self.masked |= other.masked
        strings = self.kinds.get("string", 0)
        if not strings:
            self.formats = other.formats
        elif self.formats is not None and other.formats is not None:
            self.formats = tuple(each for each in self.formats if each in other.formats)
        if other.texts.keys() - self.texts.keys():
            self.new_at = strings + other.new_at
        for text, count in other.texts.items():
            if text in self.texts or len(self.texts) < MAX_TEXTS:
                self.texts[text] = self.texts.get(text, 0) + count

    @property
    def values(self) -> int:
        """The number of values."""
        return sum(self.kinds.values())

    @property
    def kind_set(self) -> frozenset[str]:
        """The JSON types other than null, with `number` for both kinds of numbers."""
        return frozenset(loose_kind(kind) for kind in self.kinds if kind != "null")


def loose_kind(kind: str) -> str:
    """Return a JSON type, with `number` for integers."""
    return "number" if kind == "integer" else kind


def walk(place: Place, pointer: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Place]]:
    """Yield every place with the steps to it; `*` for items and other names, and the text of a tag after `=`."""
    yield pointer, place
    for name, child in place.children.items():
        yield from walk(child, (*pointer, name))
    for text, branch in place.branches.items():
        yield from walk(branch, (*pointer, f"={text}"))
    for each in (place.items, place.rest):
        if each is not None:
            yield from walk(each, (*pointer, "*"))
