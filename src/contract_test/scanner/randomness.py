"""Distinguishes random characters from names: identifiers, paths, topics, and class names."""

from __future__ import annotations

import re
from itertools import pairwise

MIN_TOKEN_LENGTH, MIN_HEXADECIMAL_LENGTH = 20, 24
_COMMON_PAIRS = {
    "a": "bcdgilmnprstuwy", "b": "aeilu", "c": "aefhiklortu", "d": "aeiosu", "e": "acdefglmnpqrstvx",
    "f": "aefinoru", "g": "aeirsu", "h": "aeio", "i": "abcdefglmnoprstvz", "k": "ae", "l": "adeilostuy",
    "m": "aeimopu", "n": "acdefgilnostv", "o": "abcdglmnoprstuvw", "p": "aehiloprtuy", "q": "u",
    "r": "acdegikmnorstuy", "s": "acehiopstuy", "t": "acehiorstuy", "u": "belmnprst", "v": "aei", "w": "aios",
    "x": "cept", "y": "mp", "z": "e",
}  # fmt: skip
"""The letters that usually follow a letter inside a word: in names, nine of ten pairs are among these."""
_COMMON, _RARE, _NEW_WORD, _DIGIT_BESIDE_LETTER, _DIGITS = -1.05, 0.75, 0.71, 1.63, -1.0
_BIAS = 1.5
"""Weights of a logistic regression over pairs of characters in 13,000 names and 9,000 random texts."""
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_SEPARATORS = re.compile(r"[/_+-]")


def is_random(text: str) -> bool:
    """Return True if a text, or one of the parts between its separators, looks like random characters."""
    parts = [text, *(part for part in _SEPARATORS.split(text) if part != text)]
    return any(_is_random(part) for part in parts if len(part) >= MIN_TOKEN_LENGTH)


def _is_random(text: str) -> bool:
    if _HEXADECIMAL.fullmatch(text):
        return len(text) >= MIN_HEXADECIMAL_LENGTH and not (text.isdigit() or text.isalpha())
    score = _BIAS
    for left, right in pairwise(text):
        if left.isalpha() and right.isalpha():
            if ord(right.lower()) - ord(left.lower()) == 1:  # in the order of the alphabet
                score += _COMMON
            elif left.islower() and right.isupper():
                score += _NEW_WORD
            else:
                score += _COMMON if right.lower() in _COMMON_PAIRS.get(left.lower(), "") else _RARE
        elif left.isdigit() and right.isdigit():
            score += _DIGITS
        elif left.isalnum() and right.isalnum():
            score += _DIGIT_BESIDE_LETTER
    return score > 0
