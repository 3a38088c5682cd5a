"""What each character of a text may become, and how many of a text vary."""

from __future__ import annotations

import re

MAX_VARIED_CHARACTERS, MIN_VARIED_CHARACTERS = 12, 4
"""At most so many characters of a text vary, and at least so many behind a number or an address in it."""
MIN_LONG_LENGTH = 20
MAX_SHORT_WORD, MAX_VARIED_OF_LONG_WORD, MIN_VARIED_OF_DIGEST = 11, 8, 6
"""A longer word varies less, and a digest still less: else scanners for secrets take it for a random one."""

LOWER, _UPPER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LATIN_LOWER, _LATIN_UPPER = "àáâãäåæçèéêëìíîïñòóôõöøùúûü", "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜ"
_KANA = "".join(map(chr, range(0x3042, 0x3082)))
_FACES = "".join(map(chr, range(0x1F600, 0x1F640)))
_ULID_LENGTH = 26
_FIRST_WIDE, _FIRST_ASTRAL = 0x2E80, 0x10000

_HEXADECIMAL = re.compile(r"(?=[^0-9]*[0-9])[0-9a-f-]{8,}|(?=[^0-9]*[0-9])[0-9A-F-]{8,}")
_ULID = re.compile(r"(?=[0-9]*[A-Z])[0-7][0-9A-HJKMNP-TV-Z]{25}")


class _Fillers(dict[int, str]):
    """What every character of a long text's rest becomes."""

    def __init__(self, lower: str, upper: str, digit: str) -> None:
        super().__init__(str.maketrans(dict.fromkeys(DIGITS, digit)))
        self._letters = (lower, upper)

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        alphabet = _alphabet(letter, *self._letters)
        made = self[code] = alphabet[:1] or letter
        return made


_LEADING = DIGITS[1:]
_PLAIN = _Fillers("x", "X", "1")
_HEXADECIMALS = _Fillers("a", "A", "1")
_ULIDS = str.maketrans(dict.fromkeys(_CROCKFORD, "0"))
_SIGNS = re.compile("[^0-9A-Za-z\\s\u0080-\U0010ffff]")


def fillers_of(text: str) -> dict[int, str] | dict[int, int]:
    """Return what the characters of a long text become behind those that vary."""
    return _ULIDS if _ULID.fullmatch(text) else _HEXADECIMALS if _HEXADECIMAL.fullmatch(text) else _PLAIN


def max_varied(text: str) -> int:
    """Return how many characters of a text may vary."""
    size = len(text)
    if size <= MAX_SHORT_WORD and not (size > MAX_VARIED_OF_LONG_WORD and _is_digest(text)):
        return MAX_VARIED_CHARACTERS
    if _is_digest(text):
        return max(MIN_VARIED_OF_DIGEST, min(MAX_VARIED_OF_LONG_WORD, size // 2))
    return (
        MAX_VARIED_CHARACTERS if max(map(len, text.split()), default=0) <= MAX_SHORT_WORD else MAX_VARIED_OF_LONG_WORD
    )


def _is_digest(text: str) -> bool:
    return not text.isdigit() and _HEXADECIMAL.fullmatch(text) is not None


def alphabets_of(text: str, most: int = MAX_VARIED_CHARACTERS) -> list[str]:
    """Return what each character may become, "" where it stays. The list ends where so many vary."""
    if len(text) == _ULID_LENGTH and _ULID.fullmatch(text):
        return [DIGITS[:8], *[_CROCKFORD] * (most - 1)][: len(text)]
    hexadecimal = _HEXADECIMAL.fullmatch(text)
    lower, upper = ("abcdef", "ABCDEF") if hexadecimal else (LOWER, _UPPER)
    noisy = len(_SIGNS.findall(text)) * 2 > len(text) + 2  # mostly signs: then they are the text
    made: list[str] = []
    before, varied = "", 0
    for letter in text:
        if "0" <= letter <= "9":  # a number's first digit stays zero, or another one
            alphabet = DIGITS if "0" <= before <= "9" else _LEADING if letter != "0" else ""
        else:
            alphabet = _alphabet(letter, lower, upper) or (LOWER if noisy and not letter.isspace() else "")
        made.append(alphabet)
        before = letter
        varied += alphabet != "" or (letter in "-_" and len(text) >= MIN_LONG_LENGTH)
        if varied == most and not noisy:
            break
    return made


def _alphabet(letter: str, lower: str, upper: str) -> str:
    if "a" <= letter <= "z":
        return lower
    if "A" <= letter <= "Z":
        return upper
    if letter.isascii():
        return ""
    if ord(letter) >= _FIRST_ASTRAL:
        return _FACES
    if ord(letter) >= _FIRST_WIDE:
        return _KANA
    return _LATIN_UPPER if letter.isupper() else _LATIN_LOWER
