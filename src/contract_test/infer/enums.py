"""When a field is an enum: the rules for its name and its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from contract_test.infer.evidence import LONG_NUMBER, MIN_VALUES, Masked

MAX_CODES = 20
MIN_PER_CODE = 3
MAX_CODE_LENGTH = 40
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*([_.:/-][A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_CODE_FIELDS = frozenset((
    "action", "category", "channel", "class", "event", "kind", "level", "method", "mode", "op", "operation", "phase",
    "platform", "plan", "priority", "reaction", "reason", "result", "role", "severity", "stage", "state", "status",
    "tier", "type", "unit", "variant", "visibility",
))  # fmt: skip
"""Names of fields that hold codes. Any other field becomes an enum only if the user asks for it."""


def are_codes(texts: Sequence[str]) -> bool:
    """Return True if strings look like codes: few, each seen several times, short, without long numbers."""
    counts = Counter(texts)
    return (
        len(counts) <= MAX_CODES
        and min(counts.values()) >= MIN_PER_CODE
        and not any(isinstance(text, Masked) for text in texts)
        and all(_is_code(text) for text in counts)
    )


def _is_code(text: str) -> bool:
    return len(text) <= MAX_CODE_LENGTH and _CODE.fullmatch(text) is not None and not LONG_NUMBER.search(text)


def is_settled(texts: Sequence[str]) -> bool:
    """Return True if there are many strings and the second half has none that the first half lacks."""
    half = len(texts) // 2
    return len(texts) >= MIN_VALUES and set(texts[half:]) <= set(texts[:half])


def is_code_field(place: str) -> bool:
    """Return True if the name at the end of a JSON pointer is one that fields with codes usually have."""
    words = _WORD.findall(place.rpartition("/")[2])
    return bool(words) and words[-1].lower() in _CODE_FIELDS
