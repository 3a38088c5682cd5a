"""Places of the same shape, seen as one: what becomes a definition of its own, and recursion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from contract_test.infer.profile import Place, walk
from contract_test.schema.names import class_identifier, unused

MIN_FIELDS = 3
MIN_RECURSIVE_FIELDS = 1
MIN_COMMON_SHARE = 0.75
MAX_PLACES = 20_000
MAX_GROUPS = 400

_SCALARS = frozenset(("string", "number", "boolean"))

Steps = tuple[str, ...]


class Views:
    """The places of a profile, grouped: places in one group are described together."""

    def __init__(self, root: Place, *, definitions: bool = True) -> None:
        self._group: dict[int, int] = {}
        self._members: dict[int, list[Place]] = {}
        self._steps: dict[int, list[Steps]] = {}
        self._inside: dict[int, dict[str, Place]] = {}
        self.definitions = definitions
        places = list(walk(root))
        for steps, place in places:
            self._group[id(place)] = id(place)
            self._members[id(place)] = [place]
            self._steps[id(place)] = [steps]
            self._inside[id(place)] = dict(_edges(place))
        self.names: dict[int, str] = {}
        for _, place in places:
            self._share_scalars(list(place.branches.values()))
        if definitions and len(places) <= MAX_PLACES:
            self._find_repeated(places, root)

    def group(self, place: Place) -> int:
        """Return the group of a place."""
        found = self._group[id(place)]
        while found != self._group[found]:
            self._group[found] = self._group[self._group[found]]
            found = self._group[found]
        return found

    def register(self, place: Place, group: int) -> None:
        """Let a place that stands for several of a group belong to it, too."""
        self._group[id(place)] = group

    def members(self, group: int) -> list[Place]:
        """Return the places of a group."""
        return self._members[group]

    def inside(self, group: int) -> dict[str, Place]:
        """Return one place for each step into the places of a group: `/name`, `=text` of a tag, `[]` or `*`."""
        return self._inside[group]

    def steps(self, group: int) -> list[Steps]:
        """Return where the places of a group are."""
        return self._steps[group]

    def rename(self, taken: set[str]) -> None:
        """Give the definitions other names than those that are taken."""
        for group, name in self.names.items():
            self.names[group] = unused(name, taken)
            taken.add(self.names[group])

    def _share_scalars(self, branches: list[Place]) -> None:
        """Describe a field of several alternatives together if it has values of one scalar type in all of them."""
        first: dict[str, Place] = {}
        for branch in branches:
            for name, child in branch.children.items():
                other = first.setdefault(name, child)
                if other is not child and _SCALARS >= child.kind_set == other.kind_set:
                    self._unite(child, other)

    def _find_repeated(self, places: list[tuple[Steps, Place]], root: Place) -> None:
        found: list[tuple[frozenset[str], Place, Steps]] = []
        objects = [
            (steps, place, frozenset(place.children))
            for steps, place in places
            if place.children and place is not root and place.rest is None and not place.branches
        ]
        for steps, place, names in sorted(objects, key=lambda each: -len(each[2])):
            if len(names) < MIN_FIELDS:
                continue
            same = next((each for each in found if _alike(place, names, each[1], each[0])), None)
            if same is not None:
                self._unite(place, same[1])
            elif len(found) < MAX_GROUPS:
                found.append((names, place, steps))
        self._find_recursion(places)
        self._name()

    def _find_recursion(self, places: list[tuple[Steps, Place]]) -> None:
        by_steps = dict(places)
        for steps, place in places:
            if not place.children or place.branches:
                continue
            for end in range(len(steps) - 1, 0, -1):
                above = by_steps.get(steps[:end])
                if (
                    above is not None
                    and above.children
                    and steps[end] in (*above.children, "*")
                    and _alike(place, frozenset(place.children), above, frozenset(above.children))
                ):
                    self._unite(place, above)
                    break

    def _unite(self, first: Place, second: Place) -> None:
        """Put two places into one group, and with them what is inside them under the same names."""
        pending = [(first, second)]
        while pending:
            one, other = (self.group(each) for each in pending.pop())
            if one == other:
                continue
            if len(self._inside[one]) > len(self._inside[other]):
                one, other = other, one
            for edge, child in self._inside.pop(one).items():
                known = self._inside[other].setdefault(edge, child)
                if known is not child:
                    pending.append((child, known))
            self._group[one] = other
            self._members[other] += self._members.pop(one)
            self._steps[other] += self._steps.pop(one)

    def _name(self) -> None:
        """Choose the groups that are definitions: those which stand in several other groups, or in themselves."""
        owners: dict[int, set[tuple[int, str]]] = {}
        for group, inside in self._inside.items():
            for edge, child in inside.items():
                owners.setdefault(self.group(child), set()).add((group, edge))
        taken: set[str] = set()
        for group, places in sorted(self._members.items(), key=lambda each: min(self._steps[each[0]])):
            has_fields = any(len(each.children) >= MIN_RECURSIVE_FIELDS for each in places)
            if has_fields and len(places) > 1 and (len(owners.get(group, ())) > 1 or self._is_recursive(group)):
                name = unused(_name_of(self._steps[group]), taken)
                taken.add(name)
                self.names[group] = name

    def _is_recursive(self, group: int) -> bool:
        pending, met = [group], {group}
        while pending:
            for child in self._inside[pending.pop()].values():
                inner = self.group(child)
                if inner == group:
                    return True
                if inner not in met:
                    met.add(inner)
                    pending.append(inner)
        return False


def _edges(place: Place) -> Iterator[tuple[str, Place]]:
    for name, child in place.children.items():
        yield f"/{name}", child
    for text, branch in place.branches.items():
        yield f"={text}", branch
    if place.items is not None:
        yield "[]", place.items
    if place.rest is not None:
        yield "*", place.rest


def _alike(one: Place, names: frozenset[str], other: Place, others: frozenset[str]) -> bool:
    """Return True if two objects have most of their fields in common, and no field that is of another type."""
    common = names & others
    return (
        len(common) >= MIN_COMMON_SHARE * len(names | others)
        and all(_compatible(one.children[name], other.children[name]) for name in common)
        and (one.kind_set == other.kind_set)
    )


def _compatible(one: Place, other: Place) -> bool:
    kinds, others = one.kind_set, other.kind_set
    return not kinds or not others or not kinds.isdisjoint(others)


def _name_of(steps: list[Steps]) -> str:
    """Return a class's name for a group of places: the one that most of their fields have, or the shortest."""
    words = Counter(_last_name(each) for each in steps)
    word = min(words, key=lambda each: (-words[each], len(each), each))
    name = class_identifier(re.sub("([a-z0-9])([A-Z])", r"\1 \2", word).replace("_", " ").replace("-", " "))
    return name if name and name.isascii() else "Item"


def _last_name(steps: Steps) -> str:
    names = [each for each in steps if each != "*" and not each.startswith("=")]
    plural = bool(steps) and steps[-1] == "*"
    word = names[-1] if names else "item"
    if plural and len(word) > 3 and word.endswith("s") and not word.endswith("ss"):  # noqa: PLR2004 - no word is shorter
        word = f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
    return word
