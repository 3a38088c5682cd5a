"""When the texts of a field are an enum."""

from __future__ import annotations

import re
from collections.abc import Mapping

from contract_test.infer.evidence import LONG_NUMBER

MAX_CODES = 20
MIN_PER_CODE = 3
MAX_CODE_LENGTH = 40
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*([_.:/-][A-Za-z0-9]+)*")


def are_codes(counts: Mapping[str, int], *, masked: bool) -> bool:
    """Return True if strings look like codes: few, each seen several times, short, without long numbers."""
    return (
        0 < len(counts) <= MAX_CODES
        and not masked
        and min(counts.values()) >= MIN_PER_CODE
        and all(_is_code(text) for text in counts)
    )


def _is_code(text: str) -> bool:
    return len(text) <= MAX_CODE_LENGTH and _CODE.fullmatch(text) is not None and not LONG_NUMBER.search(text)
