"""What many objects have in common: fixed fields, a map's keys, or alternatives that one field tells apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from contract_test.infer.evidence import (
    LEAST_EACH,
    MOST_CODES,
    are_codes,
    is_odd_name,
    is_personal_name,
    kind_of,
    looks_like_data,
)

_RARE = 0.25
_SELDOM = 0.6
_MANY_NAMES = 8
_MANY_AT_THE_ROOT = 20
_ALIKE = 0.5
_RARELY = 0.01

Objects = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Names:
    """The names in some objects: `fields` by their first appearance, those in every object, and `keys`: data.

    `odd` are names that look like data in objects that are no map: they stay out of the schema.
    """

    fields: tuple[str, ...]
    required: tuple[str, ...]
    keys: frozenset[str]
    odd: frozenset[str] = frozenset()


def names_of(objects: Objects, *, root: bool, is_map: bool, capitals: bool) -> Names:
    """Split names into fields and the keys of a map.

    `capitals` says that this message's fields begin with a capital; where they do not, a name that does is odd.
    """
    counts = Counter(name for each in objects for name in each)
    total = len(objects)
    if is_map:
        return Names((), (), frozenset(counts))
    keys = {
        name
        for name, count in counts.items()
        if is_personal_name(name)
        or ((is_odd_name(name) or (name[:1].isupper() and not capitals)) and (count < total or total < LEAST_EACH))
    }
    rest = {name: count for name, count in counts.items() if name not in keys}
    odd = frozenset[str]()
    if root and rest and len(keys) < _MANY_AT_THE_ROOT and all(map(looks_like_data, keys)):
        odd, keys = frozenset(keys), set()
    seldom = bool(rest) and total > 1 and max(rest.values()) <= _SELDOM * total
    if seldom and len(rest) >= (_MANY_AT_THE_ROOT if root else 2) and _alike(objects, rest):
        keys |= rest.keys()
    rare = {name for name, count in rest.items() if count < _RARE * total}
    if len(rare) >= (_MANY_AT_THE_ROOT if root else _MANY_NAMES) and _alike(objects, rare):
        keys |= rare
    fields = tuple(name for name in counts if name not in keys | odd)
    return Names(fields, tuple(name for name in fields if counts[name] == total), frozenset(keys), odd)


def _alike(objects: Objects, names: Any) -> bool:
    """Whether what stands under these names is of one kind; objects also have to share half of their fields."""
    values = [value for each in objects for name, value in each.items() if name in names and value is not None]
    kinds = {_type(value) for value in values}
    if kinds != {"object"}:
        return len(kinds) <= 1
    every = {name for value in values for name in value}
    return sum(len(value) for value in values) >= _ALIKE * len(every) * len(values)


def discriminator(objects: Objects, is_tag: Callable[[str], bool]) -> str | None:
    """Return the field whose text tells which other fields there are, if that is evident.

    `is_tag` says whether a field's texts may get into a schema. Evident means: among the objects of each text some
    field is always there or never, or of another type, and with texts dealt at random that would be rare.
    """
    fields = _presence(objects)
    varying = {path for path, share in fields.items() if share < 1}
    best, most = None, 0
    for name in objects[0] if varying else ():
        texts = [each.get(name) for each in objects]
        if not is_tag(name) or not all(isinstance(text, str) for text in texts):
            continue
        groups = split(objects, name)
        if 1 < len(groups) <= MOST_CODES and are_codes([text for text in texts if isinstance(text, str)]):
            shares = [_presence(group) for group in groups.values()]
            told = [path for path in varying if all(each.get(path, 1) == 1 for each in shares)]
            told = [path for path in told if _chance(fields[path], groups.values()) < _RARELY]
            if len(told) > most:
                best, most = name, len(told)
    return best


def _chance(share: float, groups: Iterable[Objects]) -> float:
    """How probable it is that in every group all objects or none have what this share of all objects has."""
    return prod(share ** len(group) + (1 - share) ** len(group) for group in groups)


def split(objects: Objects, tag: str) -> dict[str, list[dict[str, Any]]]:
    """Return the objects by the text in their field `tag`."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in objects:
        groups.setdefault(each[tag], []).append(each)
    return groups


def _presence(objects: Objects) -> dict[tuple[str, ...], float]:
    """The fields, and the fields of fields, with the share of the objects that have them, all of one type."""
    kinds: dict[tuple[str, ...], Counter[str]] = {}
    for each in objects:
        for path, value in _paths(each):
            kinds.setdefault(path, Counter())[_type(value)] += 1
    shares = {}
    for path, counts in kinds.items():
        null = counts.pop("null", 0)
        shares[path] = (max(counts.values(), default=0) + null) / len(objects)
    return shares


def _paths(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in value.items():
        yield (name,), child
        if isinstance(child, dict):
            yield from (((name, inner), grandchild) for inner, grandchild in child.items())


def _type(value: Any) -> str:
    kind = kind_of(value)
    return "number" if kind == "integer" else kind
