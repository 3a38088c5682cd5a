"""Limits: the smallest and the largest that a contract allows of each field, and texts that are awkward to handle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contract_test.replay.variations.edits import Edit
from contract_test.replay.variations.samples import Samples
from contract_test.schema.fields import FieldPlace, Fields

_SAFE = 2**53 - 1
MAX_ITEMS = 100
_UNICODE = ("naïve 漢字 \N{ROCKET} e\u0301 \u05d0\u202e\u0000", "Zoë \N{ROCKET}\u202e", "ß\N{ROCKET}", "é", "É")
_TIMES = {
    "lowest": ("1970-01-01T00:00:00Z", "1970-01-01", "00:00:00Z"),
    "highest": ("9999-12-31T23:59:59.999999999Z", "9999-12-31", "23:59:60Z", "23:59:59.999Z"),
    "unicode": ("2024-02-29T23:59:59.123456-12:00", "2024-02-29", "12:00:00+14:00"),
}


def limits(places: Iterable[tuple[FieldPlace, str, Any]], fields: Fields, samples: Samples) -> dict[str, list[Edit]]:
    """Return changes by kind: `lowest`, `highest`, `unicode`, `empty`, `long`.

    Of each field the outermost value there is.
    """
    made: dict[str, list[Edit]] = {kind: [] for kind in _KINDS}
    for place, pointer, value in places:
        if fields.choices(place.position) or fields.keyword(place.position, "const") is not None:
            continue
        for kind, candidates in _KINDS.items():
            for candidate in candidates(kind, place, value, fields, samples):
                if candidate != value and samples.allows(place.position, candidate):
                    made[kind].append(Edit(pointer, kind, (candidate,)))
                    break
    return made


Candidates = Callable[[str, FieldPlace, Any, Fields, Samples], Iterator[Any]]


def _outermost(kind: str, place: FieldPlace, value: Any, fields: Fields, samples: Samples) -> Iterator[Any]:
    if isinstance(value, bool):
        yield kind == "highest"
    elif isinstance(value, int | float):
        yield from _numbers(kind, place, value, fields, samples)
    elif isinstance(value, str):
        yield from _TIMES[kind] if fields.keyword(place.position, "format") else ()
        text = samples.shortest(place.position) if kind == "lowest" else samples.longest(place.position)
        yield from () if text is None else (text,)


def _numbers(kind: str, place: FieldPlace, value: float, fields: Fields, samples: Samples) -> Iterator[Any]:
    low = kind == "lowest"
    bound = fields.keyword(place.position, "minimum" if low else "maximum")
    open_bound = fields.keyword(place.position, "exclusiveMinimum" if low else "exclusiveMaximum")
    whole = isinstance(value, int)
    if bound is not None:
        yield bound
        yield from samples.of(place.position, 1, **({"maximum": bound + 1} if low else {"minimum": bound - 1}))
    if open_bound is not None:
        step = 1 if whole else 1e-6 * max(1, abs(open_bound))
        yield open_bound + (step if low else -step)
    if bound is None and open_bound is None:
        yield from (-_SAFE, -1, 0) if low else (_SAFE,)


def _unicode(_kind: str, place: FieldPlace, value: Any, fields: Fields, _samples: Samples) -> Iterator[Any]:
    if isinstance(value, str):
        yield from _TIMES["unicode"] if fields.keyword(place.position, "format") else _UNICODE


def _empty(_kind: str, _place: FieldPlace, value: Any, _fields: Fields, _samples: Samples) -> Iterator[Any]:
    if isinstance(value, list):
        yield []
    elif isinstance(value, dict) and _place.pointer:
        yield {}


def _long(_kind: str, place: FieldPlace, value: Any, fields: Fields, samples: Samples) -> Iterator[Any]:
    if isinstance(value, list):
        most = fields.keyword(place.position, "maxItems")
        count = min(most if isinstance(most, int) else MAX_ITEMS, MAX_ITEMS)
        if value:
            yield (value * count)[:count]
        yield from samples.of(place.position, 1, minItems=min(count, 8))
    elif isinstance(value, dict) and fields.shapes.shape(place.position).additional is not None and value:
        most = fields.keyword(place.position, "maxProperties")
        count = min(most if isinstance(most, int) else MAX_ITEMS, MAX_ITEMS)
        member = next(iter(value.values()))
        yield value | {f"key{number}": member for number in range(count - len(value))}


_KINDS: dict[str, Candidates] = {
    "lowest": _outermost,
    "highest": _outermost,
    "unicode": _unicode,
    "empty": _empty,
    "long": _long,
}
