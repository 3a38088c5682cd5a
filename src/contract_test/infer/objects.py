"""Properties that many objects have in common: fixed fields, the keys of a map, or alternatives with a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from contract_test.infer.enums import MAX_CODES, MIN_PER_CODE, are_codes
from contract_test.infer.evidence import is_odd_name, is_personal_name, kind_of, looks_like_data

RARE_SHARE = 0.25
SELDOM_SHARE = 0.6
MAX_FIELD_NAMES = 8
MAX_ROOT_FIELD_NAMES = 20
MIN_COMMON_SHARE = 0.5
MAX_CHANCE = 0.01

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
    """Split names into fields and keys of a map.

    `capitals` is True if the fields of this message begin with a capital letter. Otherwise such a name is odd.
    """
    counts = Counter(name for each in objects for name in each)
    total = len(objects)
    if is_map:
        return Names((), (), frozenset(counts))
    keys = {
        name
        for name, count in counts.items()
        if is_personal_name(name)
        or ((is_odd_name(name) or (name[:1].isupper() and not capitals)) and (count < total or total < MIN_PER_CODE))
    }
    rest = {name: count for name, count in counts.items() if name not in keys}
    odd = frozenset[str]()
    if root and rest and len(keys) < MAX_ROOT_FIELD_NAMES and all(map(looks_like_data, keys)):
        odd, keys = frozenset(keys), set()
    seldom = bool(rest) and total > 1 and max(rest.values()) <= SELDOM_SHARE * total
    if seldom and len(rest) >= (MAX_ROOT_FIELD_NAMES if root else 2) and _alike(objects, rest):
        keys |= rest.keys()
    rare = {name for name, count in rest.items() if count < RARE_SHARE * total}
    if len(rare) >= (MAX_ROOT_FIELD_NAMES if root else MAX_FIELD_NAMES) and _alike(objects, rare):
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
    return sum(len(value) for value in values) >= MIN_COMMON_SHARE * len(every) * len(values)


def discriminator(objects: Objects, is_tag: Callable[[str], bool]) -> str | None:
    """Return the field whose value determines which other fields there are, if that is evident.

    `is_tag` returns True if the values of a field may get into a schema. It is evident if some field is always or never
    present among the objects of each value, and that would be rare with values assigned at random.
    """
    fields = _presence(objects)
    varying = {path for path, share in fields.items() if share < 1}
    best, most = None, 0
    for name in objects[0] if varying else ():
        texts = [each.get(name) for each in objects]
        if not is_tag(name) or not all(isinstance(text, str) for text in texts):
            continue
        groups = split(objects, name)
        if 1 < len(groups) <= MAX_CODES and are_codes([text for text in texts if isinstance(text, str)]):
            shares = [_presence(group) for group in groups.values()]
            explained = [path for path in varying if all(each.get(path, 1) == 1 for each in shares)]
            explained = [path for path in explained if _chance(fields[path], groups.values()) < MAX_CHANCE]
            if len(explained) > most:
                best, most = name, len(explained)
    return best


def _chance(share: float, groups: Iterable[Objects]) -> float:
    """Return how probable it is that in each group all objects or none have a field that this share of all has."""
    return prod(share ** len(group) + (1 - share) ** len(group) for group in groups)


def split(objects: Objects, tag: str) -> dict[str, list[dict[str, Any]]]:
    """Group objects by the value of their field `tag`."""
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
