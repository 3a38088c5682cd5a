"""Which alternative of one schema belongs to which of another: by its tag, its text, its name, or its likeness."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from contract_test.compare.values import identity

_ENOUGH = 0.3
Tags = dict[str, frozenset[Hashable]]
Matches = list[tuple[int | None, int | None]]


def constants(schema: Any) -> dict[str, list[Any]]:
    """Return the properties of a schema that hold listed values only, with these."""
    members = schema.get("properties", {}) if isinstance(schema, dict) else {}
    found = {}
    for name, member in members.items():
        if isinstance(member, dict) and "const" in member:
            found[name] = [member["const"]]
        elif isinstance(member, dict) and isinstance(member.get("enum"), list):
            found[name] = member["enum"]
    return found


def tag_of(schema: Any) -> dict[str, str]:
    """Return the properties of an alternative that hold one text only."""
    return {
        name: values[0] for name, values in constants(schema).items() if len(values) == 1 and isinstance(values[0], str)
    }


def told(tag: dict[str, str]) -> str:
    """Return a tag as people read it: `kind: "mail"`."""
    return ", ".join(f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in tag.items())


def match(written: Sequence[Any], read: Sequence[Any], followed: tuple[Callable[[Any], Any], ...]) -> Matches:
    """Return the pairs of alternatives that belong together, and those that belong to none, by their positions.

    `followed` gives what a reference of the one and of the other list stands for.
    """
    ours, theirs = ([follow(each) for each in side] for follow, side in zip(followed, (written, read), strict=True))
    tags = _tags(ours), _tags(theirs)
    left, free = list(range(len(ours))), list(range(len(theirs)))
    pairs: Matches = []

    def take(belong: Callable[[int, int], bool]) -> None:
        for one in list(left):
            other = next((other for other in free if belong(one, other)), None)
            if other is not None:
                pairs.append((one, other))
                left.remove(one)
                free.remove(other)

    keys = [identity(each) for each in ours], [identity(each) for each in theirs]
    refs = [_ref(each) for each in written], [_ref(each) for each in read]
    take(lambda one, other: keys[0][one] == keys[1][other])
    take(lambda one, other: _share_a_tag(tags[0][one], tags[1][other]))

    def untagged(one: int, other: int) -> bool:
        return not _differ(tags[0][one], tags[1][other])

    take(lambda one, other: refs[0][one] is not None and refs[0][one] == refs[1][other] and untagged(one, other))
    alike = sorted(
        ((likeness(ours[one], theirs[other]), -abs(one - other), one, other) for one in left for other in free),
        reverse=True,
    )
    for score, _, one, other in alike:
        if score > _ENOUGH and one in left and other in free and untagged(one, other):
            pairs.append((one, other))
            left.remove(one)
            free.remove(other)
    if len(left) == len(free) == 1 and untagged(left[0], free[0]) and likeness(ours[left[0]], theirs[free[0]]) >= 0:
        pairs.append((left.pop(), free.pop()))
    return [*sorted(pairs, key=str), *((one, None) for one in left), *((None, other) for other in free)]


def _ref(schema: Any) -> str | None:
    ref = schema.get("$ref") if isinstance(schema, dict) else None
    return ref if isinstance(ref, str) else None


def _tags(schemas: Sequence[Any]) -> list[Tags]:
    """What tells alternatives apart: properties of listed values, no value of which two of them share."""
    listed = [constants(schema) for schema in schemas]
    names = {name for each in listed for name in each}
    telling = set()
    for name in names:
        sets = [frozenset(map(identity, each[name])) for each in listed if name in each]
        if len(sets) > 1 and sum(map(len, sets)) == len(frozenset().union(*sets)):
            telling.add(name)
    return [
        {name: frozenset(map(identity, values)) for name, values in each.items() if name in telling} for each in listed
    ]


def _share_a_tag(one: Tags, other: Tags) -> bool:
    names = one.keys() & other.keys()
    return bool(names) and all(one[name] & other[name] for name in names)


def _differ(one: Tags, other: Tags) -> bool:
    return any(not one[name] & other[name] for name in one.keys() & other.keys())


def likeness(one: Any, other: Any) -> float:
    """Return how much two schemas look alike: below 0 if no value can be in both, 1 if they have the same members."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return 0 if isinstance(one, bool) and isinstance(other, bool) else -1
    types = _types(one), _types(other)
    if types[0] and types[1] and not types[0] & types[1]:
        return -1
    names = set(one.get("properties", ())), set(other.get("properties", ()))
    if names[0] or names[1]:
        return len(names[0] & names[1]) / len(names[0] | names[1])
    keywords = set(one) & set(other)
    same = sum(identity(one[name]) == identity(other[name]) for name in keywords)
    return same / max(len(set(one) | set(other)), 1)


def _types(schema: dict[str, Any]) -> set[str]:
    if "type" in schema:
        named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {"number" if name == "integer" else name for name in named}
    return {"object"} if "properties" in schema else set()
