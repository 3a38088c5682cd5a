"""Exact JSON: bytes ⇄ plain Python values, losing no digit on the way.

orjson reads and writes everything that a double or a 64-bit integer holds. A text with longer
numbers is read once more by the standard library, and such numbers become `ExactInt` and
`ExactFloat`, which remember how they were written (RFC 8259, section 6, sets no limit).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

MAX_DIGITS = 4000
MAX_DEPTH = 200
OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_UTC_Z
_LONG_RUN = b":" + b"0" * 16
_TINY = re.compile(b"e:000")
_find_tiny = _TINY.search  # twice as fast as `in`
_KINDS = dict.fromkeys(b"0123456789.", "0") | dict.fromkeys(b"eE", "e") | dict.fromkeys(b":,[- \t\r\n", ":")
_RUNS = "".join(_KINDS.get(byte, " ") for byte in range(256)).encode()
"""Makes all digits alike, and all that can be before a number, so that each look at a text is one search.

A quotation mark is never before a number, so a text of digits alone is no long number.
"""
_find_before_number = re.compile(rb'(?:(?:^|")[ \t\r\n]*:|^|[,\[])[ \t\r\n]*-?\Z').search
_WINDOW = 32
_LONG_NUMBER = re.compile(rb"[0-9.]{16,}(?:[eE][+-]?[0-9]+)?|[0-9.]+[eE]-[0-9]{3,}")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class JsonError(ValueError):
    """Bytes that are not one JSON text; the message says where."""


def loads(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON text (RFC 8259). Numbers that no double or 64-bit integer holds come as int or Decimal.

    Raises JsonError for anything else, NaN, lone surrogates, numbers of more than 4,000 digits and what is nested
    deeper than `max_depth` included.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            raise JsonError(f"nested deeper than {max_depth} levels") from None
        if "infinity" not in error.msg:
            text = error.msg.split(": line")[0]
            raise JsonError(f"{text} at line {error.lineno} column {error.colno}") from None
        value = _loads_exactly(raw)
    else:
        runs = raw.translate(_RUNS)  # two cheap looks instead of one at every number (`in` costs more than `count`)
        is_alone = type(value) is not dict and type(value) is not list  # then nothing is before it
        if (runs.count(_LONG_RUN) or _find_tiny(runs) or is_alone) and _loses_digits(raw, runs):
            value = _loads_exactly(raw)
        if len(raw) <= 2 * max_depth:  # each level has two brackets
            return value
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets > max_depth and _is_deeper(value, max_depth, brackets):
        raise JsonError(f"nested deeper than {max_depth} levels")
    return value


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Write one JSON text. Raises TypeError for what JSON does not have."""
    return orjson.dumps(value, default, OPTIONS)


def number_survives(text: str) -> bool:
    """Return True if a double holds exactly the number that this literal with a fraction or an exponent names."""
    number = float(text)
    return number - number == 0 and Decimal(repr(number)) == Decimal(text)


def has_long_number(value: Any) -> bool:
    """Return True if a parsed JSON value has a number that neither a double nor an integer of 64 bits holds."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
        elif isinstance(each, Decimal):
            return True
    return False


def indented(text: bytes, indent: int) -> bytes:
    """Return a JSON text with one line for each value, and every number as it was."""
    levels, made, quoted, escaped = 0, bytearray(), False, False
    for place, byte in enumerate(text):
        letter = chr(byte)
        if quoted:
            made.append(byte)
            quoted = escaped or letter != '"'
            escaped = not escaped and letter == "\\"
            continue
        quoted = letter == '"'
        empty = letter in "}]" and text[place - 1 : place] in (b"{", b"[")
        levels += (letter in "{[") - (letter in "}]")
        line = b"\n" + b" " * (indent * levels)
        if letter in "}]" and not empty:
            made += line
        made.append(byte)
        if letter == "," or (letter in "{[" and text[place + 1 : place + 2] not in (b"}", b"]")):
            made += line
        elif letter == ":":
            made += b" "
    return bytes(made)


def ascii_only(text: bytes) -> bytes:
    """Return a JSON text with escapes for everything that is not ASCII. Only strings can hold such letters."""
    return "".join(letter if letter.isascii() else json.dumps(letter)[1:-1] for letter in text.decode()).encode()


def _is_deeper(value: Any, levels: int, brackets: int) -> bool:
    """Return True if a value is nested deeper than so many levels. Each array and object has an opening bracket."""
    level = [value] if isinstance(value, (dict, list)) else []
    depth = len(level)
    while level and depth <= levels:
        brackets -= len(level)
        if depth + brackets <= levels:  # those that are left do not suffice
            return False
        children = (each.values() if type(each) is dict else each for each in level)
        level = [child for each in children for child in each if type(child) is dict or type(child) is list]
        depth += 1
    return bool(level)


def _loses_digits(raw: bytes, runs: bytes) -> bool:
    """Return True if a number outside strings has digits that a double or an integer of 64 bits does not hold."""
    if not raw[:1].isdigit() and not _may_lose_digits(raw, runs):
        return False
    for match in _LONG_NUMBER.finditer(_STRING.sub(b'""', raw)):
        text = match[0].decode()
        if text.isdigit():
            if len(text) > 18:  # noqa: PLR2004 - every integer of 18 digits fits in 64 bits
                return True
        else:
            try:
                if not number_survives(text):
                    return True
            except ArithmeticError:  # an exponent beyond what Decimal counts with
                return True
    return False


def _may_lose_digits(raw: bytes, runs: bytes) -> bool:
    """Return True if a long number may be outside strings. It looks at the few bytes before each one that is found.

    In strings, most long digits and UUIDs such as `…-123e-4567-…` follow what is never before a number.
    """
    place = runs.find(_LONG_RUN)
    while place >= 0:
        if _may_begin_number(raw, place + 1):
            return True
        place = runs.find(_LONG_RUN, place + 1)
    for match in _TINY.finditer(runs):
        end = match.start()
        before = runs[max(0, end - _WINDOW) : end]  # more digits than that were found above
        digits = len(before) - len(before.rstrip(b"0"))
        if 0 < digits < _WINDOW and _may_begin_number(raw, end - digits):
            return True
    return False


def _may_begin_number(raw: bytes, start: int) -> bool:
    return _find_before_number(raw[max(0, start - _WINDOW) : start]) is not None


def _loads_exactly(raw: bytes) -> Any:
    def parse_int(text: str) -> int:
        if len(text) > MAX_DIGITS:
            raise JsonError(f"a number of {len(text)} digits; at most {MAX_DIGITS} are read")
        return int(text)

    def parse_float(text: str) -> float | Decimal:
        if len(text) > MAX_DIGITS:
            raise JsonError(f"a number of {len(text)} digits; at most {MAX_DIGITS} are read")
        try:
            exact = Decimal(text)
        except ArithmeticError:  # an exponent beyond what Decimal counts with
            raise JsonError(f"a number of more than {MAX_DIGITS} digits") from None
        if abs(exact.adjusted()) > MAX_DIGITS:
            raise JsonError(f"a number of more than {MAX_DIGITS} digits")
        return float(text) if number_survives(text) else exact

    def refuse(text: str) -> None:
        raise JsonError(f"{text} is not JSON")

    try:
        text = raw.decode()
        value = json.loads(text, parse_int=parse_int, parse_float=parse_float, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeError:
        raise JsonError("not valid UTF-8, or a lone surrogate") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise JsonError(str(error)) from None
    return value
