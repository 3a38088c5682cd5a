"""Regular expressions as ECMA-262 defines them for JSON Schema: text in, a syntax tree out.

Only what describes a regular language is read. Back-references, look-around inside a pattern, word
boundaries and inline flags raise `UnsupportedRegexError`; the caller then proves nothing from that pattern.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from contract_test.compare.charsets import (
    DIGITS,
    LAST,
    LINE_ENDS,
    SPACES,
    WORD,
    CharSet,
    char_set,
    complement,
    union,
)

_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_SETS = {"d": DIGITS, "w": WORD, "s": SPACES}
_SYNTAX = frozenset("^$\\.*+?()[]{}|/-")
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_MAX_REPEAT = 2000


class UnsupportedRegexError(ValueError):
    """The pattern is outside the regular subset."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Edge:
    """The start of the string, or its end."""

    start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after another; the empty sequence is the empty string."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """From `low` to `high` times; `high` None is without end."""

    part: Regex
    low: int
    high: int | None


Regex = Chars | Edge | Sequence | Choice | Repeat


@lru_cache(maxsize=4096)
def parse(text: str, *, strict_dot: bool = False) -> Regex:
    """Read a pattern.

    `strict_dot` reads "." as ECMA-262 does (no line separator at all), otherwise as the validators do (no line feed).
    """
    if "(?=" in text or "(?!" in text or "(?<=" in text or "(?<!" in text:
        raise UnsupportedRegexError("look-around")
    parser = _Parser(text, strict_dot=strict_dot)
    tree = parser.choice()
    if parser.at < len(text):
        raise UnsupportedRegexError(f"unexpected {text[parser.at]!r}")
    return tree


def has_dot(text: str) -> bool:
    """Return whether a pattern may hold a bare ".", on which engines differ."""
    return "." in text.replace("\\.", "")


# PropertyValueAliases.txt of Unicode, general categories
_LONG_NAMES = {
    "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Nonspacing_Mark": "Mn", "Number": "N",
    "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P",
    "punct": "P", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Separator": "Z",
    "Space_Separator": "Zs" }  # fmt: skip


@lru_cache(maxsize=64)
def _category(name: str) -> CharSet:
    """The code points of a Unicode general category, such as `Lu` or `L`, or `Letter` in full."""
    name = _LONG_NAMES.get(name, name)
    if not 1 <= len(name) <= 2 or not any(  # noqa: PLR2004 - categories have one letter or two
        unicodedata.category(chr(code)).startswith(name) for code in range(0x3000)
    ):
        raise UnsupportedRegexError(f"the character property {name!r}")
    runs: list[tuple[int, int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(name):
            if runs and runs[-1][1] == code - 1:
                runs[-1] = (runs[-1][0], code)
            else:
                runs.append((code, code))
    return char_set(runs)


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, text: str, *, strict_dot: bool) -> None:
        self.text = text
        self.at = 0
        self.dot = complement(LINE_ENDS if strict_dot else char_set([(10, 10)]))

    def peek(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def take(self, token: str) -> bool:
        if self.peek(token):
            self.at += len(token)
            return True
        return False

    def next(self) -> str:
        if self.at >= len(self.text):
            raise UnsupportedRegexError("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def choice(self) -> Regex:
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Regex:
        parts: list[Regex] = []
        while self.at < len(self.text) and not self.peek("|") and not self.peek(")"):
            parts.append(self.quantified())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def quantified(self) -> Regex:
        atom = self.atom()
        bounds = self.bounds()
        if bounds is None:
            return atom
        if isinstance(atom, Edge):
            raise UnsupportedRegexError("a repeated anchor")
        self.take("?")  # lazy or greedy is the same language
        if self.bounds() is not None:
            raise UnsupportedRegexError("a repeated quantifier")
        return Repeat(atom, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for token, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(token):
                return bounds
        if not self.peek("{"):
            return None
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if end < 0 or not (low.isascii() and low.isdigit()) or (high and not (high.isascii() and high.isdigit())):
            raise UnsupportedRegexError("a brace that is no quantifier")
        self.at = end + 1
        least = int(low)
        most = None if comma and not high else int(high or low)
        if max(least, most or 0) > _MAX_REPEAT or (most is not None and most < least):
            raise UnsupportedRegexError("a repetition too large to follow")
        return least, most

    def atom(self) -> Regex:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return Chars(self.set())
        if char == ".":
            return Chars(self.dot)
        if char in "^$":
            return Edge(start=char == "^")
        if char == "\\":
            return Chars(self.escape())
        if char in "*+?{":
            raise UnsupportedRegexError(f"unexpected {char!r}")
        return Chars(char_set([(ord(char), ord(char))]))

    def group(self) -> Regex:
        if self.take("?:"):
            pass
        elif self.peek("?<"):
            self.at = self.text.index(">", self.at) + 1 if ">" in self.text[self.at :] else len(self.text)
        elif self.peek("?"):
            raise UnsupportedRegexError("a group with flags")
        inner = self.choice()
        if not self.take(")"):
            raise UnsupportedRegexError("an open group")
        return inner

    def escape(self, *, in_set: bool = False) -> CharSet:
        char = self.next()
        if char in _SETS:
            return _SETS[char]
        if char.lower() in _SETS:
            return complement(_SETS[char.lower()])
        if char in "pP":
            return self.property_set(negated=char == "P")
        if char == "0" and self.at < len(self.text) and self.text[self.at].isdigit():
            raise UnsupportedRegexError("an octal escape")
        code = self.code_of(char, in_set=in_set)
        return char_set([(code, code)])

    def code_of(self, char: str, *, in_set: bool) -> int:
        if char in _CONTROL:
            return _CONTROL[char]
        if char == "c":
            return ord(self.next()) % 32
        if char == "x":
            return self.hexadecimal(2)
        if char == "u":
            return self.braced() if self.take("{") else self.hexadecimal(4)
        if in_set and char == "b":
            return 8
        if char.isalnum() or (char not in _SYNTAX and not char.isascii()):
            raise UnsupportedRegexError(f"the escape \\{char}")
        return ord(char)

    def braced(self) -> int:
        code = self.hexadecimal(self.text.find("}", self.at) - self.at)
        if not self.take("}") or code > LAST:
            raise UnsupportedRegexError("a broken escape")
        return code

    def hexadecimal(self, digits: int) -> int:
        number = self.text[self.at : self.at + max(digits, 0)]
        if not number or len(number) < digits or not _HEXADECIMAL.issuperset(number):
            raise UnsupportedRegexError("a broken escape")
        self.at += digits
        return int(number, 16)

    def property_set(self, *, negated: bool) -> CharSet:
        if not self.take("{"):
            raise UnsupportedRegexError("a character property without braces")
        end = self.text.find("}", self.at)
        chars = _category(self.text[self.at : end])
        self.at = end + 1
        return complement(chars) if negated else chars

    def set(self) -> CharSet:
        negated = self.take("^")
        chars: CharSet = ()
        while not self.take("]"):
            low = self.set_member()
            if self.peek("-") and not self.peek("-]"):
                self.at += 1
                high = self.set_member()
                if not (_is_one(low) and _is_one(high)) or high[0][0] < low[0][0]:
                    raise UnsupportedRegexError("a range without two ends")
                low = char_set([(low[0][0], high[0][0])])
            chars = union(chars, low)
        return complement(chars) if negated else chars

    def set_member(self) -> CharSet:
        char = self.next()
        if char == "\\":
            return self.escape(in_set=True)
        if char == "[" or self.peek("&&"):
            raise UnsupportedRegexError("a set inside a set")
        return char_set([(ord(char), ord(char))])


def _is_one(chars: CharSet) -> bool:
    return len(chars) == 1 and chars[0][0] == chars[0][1]
