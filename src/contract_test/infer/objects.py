"""Names in many objects: fixed fields, or keys of a map."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contract_test.infer.evidence import MIN_VALUES, DeclaredFields, is_odd_name, is_personal_name
from contract_test.infer.profile import Place
from contract_test.schema.walk import escape

MIN_KEYS = 12
MIN_ODD_KEYS = 2
MAX_KEY_SHARE = 0.5
MIN_NEW_SHARE = 0.25
MAX_KNOWN_SHARE = 0.3
MIN_COMMON_SHARE = 0.5

_PATTERNS = (
    (r".@.", "@"),
    (r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([Tt ].*)?)?", "^[0-9]{4}-[0-9]{2}"),
    (r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "^[0-9a-fA-F]{8}-"),
    (r"[+(]?[0-9][0-9 ().:/-]*", "^[+(]?[0-9][0-9 ().:/-]*$"),
    (r"[0-9a-fA-F]{8,}", "^[0-9a-fA-F]{8,}$"),
    (r"[A-Za-z]+[ _.:/-]?[0-9][0-9 _.:/-]*", "^[A-Za-z]+[ _.:/-]?[0-9][0-9 _.:/-]*$"),
    (r"[\w+/=.-]{20,}", "^[A-Za-z0-9_+/=.-]{20,}$"),
    (r"(?s).{65,}", "^[\\s\\S]{65,}$"),
)
_LAST_PATTERNS = ("[0-9]{3}", "[0-9]", "^[^A-Za-z0-9_]", "[^A-Za-z0-9_]", "")
_DIGITS = re.compile("[0-9]+")
_FORMS = tuple((re.compile(form), pattern) for form, pattern in _PATTERNS)


@dataclass(frozen=True)
class Names:
    """The names in some objects: `fields` by their first appearance, and `keys`: data. `why` says what tells a map.

    `patterns` are the forms of names that look like data in an object that is no map, with all names of
    this form: fields, too, if no pattern tells them apart.
    """

    fields: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    why: str = ""
    patterns: Mapping[str, tuple[str, ...]] | None = None


def names_of(place: Place, pointer: str, declared: DeclaredFields, known: Collection[str], *, capitals: bool) -> Names:
    """Split the names at a place into fields and keys of a map.

    `known` are the names of fields elsewhere in the messages. `capitals` is True if fields begin with a capital letter.
    """
    counts = {name: child.values for name, child in place.children.items()}
    total = place.kinds.get("object", 0)
    named = {name for name in counts if f"{pointer}/{escape(name)}" in declared.fields}
    if pointer in declared.maps:
        return Names(tuple(named), frozenset(counts) - named, "you named it with --map")
    if place.rest is not None:
        fields = tuple(name for name in counts if not looks_like_data_at(name, counts[name], total) or name in named)
        return Names(fields, frozenset(counts) - set(fields), f"it has more than {place.rest_names} different names")
    personal = {name for name in counts if is_personal_name(name)} - named
    if pointer in declared.objects:
        return _patterned(counts, personal)
    odd = {name for name in counts if is_odd_name(name) and counts[name] < max(total, 2)} - named - personal
    titled = {name for name in counts if name[:1].isupper() and not capitals and counts[name] < max(total, 2)} - named
    data = personal | odd
    if _is_map_of(place, data, counts) or (
        len(titled) >= MIN_ODD_KEYS and titled == counts.keys() and total > 0 and _alike(place, titled) and pointer
        and total <= len(titled)
    ):  # fmt: skip
        fields = tuple(name for name in counts if name not in personal | odd | titled)
        return Names(fields, frozenset(counts) - set(fields), "its keys look like data")
    if pointer and not named and _are_numbered(counts, total) and _alike(place, counts):
        return Names((), frozenset(counts), "its keys differ from object to object, and look like ids")
    rest = {name: count for name, count in counts.items() if name not in data}
    rare = {name for name, count in rest.items() if count < MAX_KEY_SHARE * total or total == 1} - named
    if pointer and total > 1 and _is_open(rare, counts) and _alike(place, rare) and not _are_fields(rare, known):
        fields = tuple(name for name in counts if name not in rare | data)
        return Names(fields, frozenset(rare | data), f"it has {len(rare)} different keys in {total} objects")
    return _patterned(counts, data)


def _are_numbered(counts: Mapping[str, int], total: int) -> bool:
    """Return True if names differ from object to object, and in hardly more than their numbers, as `u1` and `u2` do."""
    forms = {_DIGITS.sub("9", name) for name in counts}
    return (
        len(counts) > 1
        and len(forms) * 2 <= len(counts)
        and all(_DIGITS.search(name) and count < total for name, count in counts.items())
    )


def may_be_keys(place: Place, names: Names) -> bool:
    """Return True if the names of fields could also be keys of a map: each in some objects only, with values alike."""
    total = place.kinds.get("object", 0)
    is_optional = all(place.children[name].values < total for name in names.fields)
    return (
        len(names.fields) > 1 and not names.keys and total < MIN_VALUES and is_optional and _alike(place, names.fields)
    )


def looks_like_data_at(name: str, count: int, total: int) -> bool:
    """Return True if a name that this many of all objects have is or may be data."""
    return is_personal_name(name) or (is_odd_name(name) and count < total)


def _patterned(counts: Mapping[str, int], data: Collection[str]) -> Names:
    """Describe names that look like data in an object that is no map by their form."""
    fields = tuple(name for name in counts if name not in data)
    patterns = {
        pattern: tuple(name for name in counts if re.search(pattern, name))
        for pattern in sorted({pattern_of(name, fields) for name in data})
    }
    return Names(fields, frozenset(data), patterns=patterns)


def pattern_of(name: str, fields: Collection[str]) -> str:
    """Return a pattern for names of the same form as one that looks like data. No part of the name is in it.

    It matches none of the fields of the same object, if there is such a pattern.
    """
    found = [pattern for form, pattern in _FORMS if form.fullmatch(name) or (pattern == "@" and form.search(name))]
    found += [pattern for pattern in _LAST_PATTERNS if re.search(pattern, name)]
    return next((pattern for pattern in found if not matches_any(pattern, fields)), found[0])


def matches_any(pattern: str, names: Collection[str]) -> bool:
    """Return True if a pattern matches one of some names."""
    return any(re.search(pattern, name) for name in names)


def _is_map_of(place: Place, data: Collection[str], counts: Mapping[str, int]) -> bool:
    """Return True if most names look like data, and their values are alike."""
    return bool(data) and len(data) * 2 > len(counts) and _alike(place, data)


def _is_open(rare: Collection[str], counts: Mapping[str, int]) -> bool:
    """Return True if many names occur, and many of them once: then the next object probably has another one.

    By Good and Turing, the share of names that were seen once estimates how often a new one comes.
    """
    seen = sum(counts[name] for name in rare)
    once = sum(counts[name] == 1 for name in rare)
    return len(rare) >= MIN_KEYS and once >= MIN_NEW_SHARE * seen


def _are_fields(names: Collection[str], known: Collection[str]) -> bool:
    """Return True if many of the names are names of fields in other objects."""
    return sum(name in known for name in names) > MAX_KNOWN_SHARE * len(names)


def _alike(place: Place, names: Collection[str]) -> bool:
    """Return True if the values of these names are of one kind; objects also have to share half of their fields."""
    children = [place.children[name] for name in names]
    kinds = {kind for each in children for kind in each.kind_set}
    if kinds != {"object"}:
        return len(kinds) <= 1
    every = {name for each in children for name in each.children}
    common = sum(len(each.children) for each in children)
    return common >= MIN_COMMON_SHARE * len(every) * len(children)
