"""Sets of characters as sorted runs of code points; surrogates are no characters."""

from __future__ import annotations

from collections.abc import Iterable

CharSet = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


def char_set(runs: Iterable[tuple[int, int]]) -> CharSet:
    """Sort and merge runs, both ends included, and cut the surrogates out."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(runs)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _without_surrogates(runs: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    first, last = _SURROGATES
    for low, high in runs:
        if high < first or low > last:
            yield low, high
            continue
        if low < first:
            yield low, first - 1
        if high > last:
            yield last + 1, high


def union(one: CharSet, other: CharSet) -> CharSet:
    """Return the characters of either."""
    return char_set((*one, *other))


def complement(chars: CharSet) -> CharSet:
    """Return every other character."""
    runs, start = [], 0
    for low, high in chars:
        if start < low:
            runs.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        runs.append((start, LAST))
    return char_set(runs)


def size(chars: CharSet) -> int:
    """Return how many characters there are."""
    return sum(high - low + 1 for low, high in chars)


DIGITS = char_set([(48, 57)])
WORD = char_set([(48, 57), (65, 90), (95, 95), (97, 122)])
LINE_ENDS = char_set([(10, 10), (13, 13), (0x2028, 0x2029)])
# ECMA-262 12.2 WhiteSpace and 12.3 LineTerminator
SPACES = char_set([
    (9, 13), (32, 32), (160, 160), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
])  # fmt: skip
EVERYTHING = char_set([(0, LAST)])
