"""Pseudonyms: what stands in for a text or a number that may not be kept.

Keyed by BLAKE2b (RFC 7693), in one direction: the same text is the same pseudonym wherever it stands, and nothing turns
a pseudonym back into the text. Length, kinds of characters and formats stay. By its form nobody takes a pseudonym for
the real thing: addresses end in `.test` (RFC 2606), phone numbers begin with 999, network addresses are reserved ones
(RFC 1112, RFC 3849), and of a long text only the first characters vary, the rest is one letter again and again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import cycle
from typing import Any

from contract_test.compare.automata import Automaton, State
from contract_test.scrub.alphabets import (
    DIGITS,
    LOWER,
    MAX_VARIED_CHARACTERS,
    MIN_LONG_LENGTH,
    MIN_VARIED_CHARACTERS,
    alphabets_of,
    fillers_of,
    max_varied,
)
from envelopes import _json
from envelopes._exact import ExactFloat

Masks = Callable[[Any], Any]
"""Masks everything in a parsed JSON value."""

MAX_TRIES = 8
MAX_ORDERED = 20_000
"""Of so few texts of one form no two get the same pseudonym: their hashes put them into an order, and the pseudonym of
each is the next one. Of more, two seldom get the same."""
MIN_PHONE_DIGITS, MIN_CARD_DIGITS = 6, 12
YEARS_INTO_THE_FUTURE = 80
MIN_LARGE_DIGITS = 9
"""Numbers from here on begin with 1: so they are seldom above a maximum that allowed as many digits."""
_BARE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_YEAR = re.compile("(?<![0-9])(?:19[0-9]{2}|20[0-2][0-9])(?=-)")
_ONLY_ZEROS = re.compile(r"\.0+")
_SOCIAL_SECURITY = re.compile("[0-9]{3}-[0-9]{2}-[0-9]{4}")
MAX_NESTED_LENGTH = 100_000
_CODED_JSON = frozenset(("ey", "ew", "W1", "W2", "W3", "Ww", "Wy", "Wz"))
"""How base64 of an object begins, by what follows `{`, and of an array, by the type of its first item."""
MAX_KNOWN, MAX_KNOWN_LENGTH = 50_000, 1_000
_PREFIXES_DEEP = 3


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{16,}|[A-Za-z0-9_-]{16,})={0,2}")
_TOKEN_OF_PARTS = re.compile(
    r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{6,}+(?:[.:][A-Za-z0-9_-]{4,}+){0,3}[.:][A-Za-z0-9_-]{20,}+"
)
_NO_PARTS = str.maketrans(".:", "~~")
_SCHEMES = frozenset((
    "http", "https", "ws", "wss", "ftp", "redis", "rediss", "kafka", "postgres", "postgresql", "mysql", "amqp", "amqps",
    "mongodb", "s3", "file",
))  # fmt: skip
_PIECES = re.compile(
    r"(?P<url>\b[A-Za-z][a-z0-9+.-]{1,20}://[^\s\"'<>\\]+)"
    r"|(?P<mail>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]+)"
    r"|(?P<uuid>(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![0-9A-Za-z]))"
    r"|(?P<ip>(?<![0-9.])[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.]))"
    r"|(?P<time>(?<![0-9])(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)?|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)(?![0-9]))"
    r"|(?P<iban>\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2}(?: ?[A-Z0-9]{3}|(?: ?[A-Z0-9]{4}){1,5}(?: ?[A-Z0-9]{1,3})?)\b)"
    r"|(?P<number>(?<![A-Za-z0-9])[+(]{0,2}[0-9][0-9 ()./-]{5,30}[0-9](?![A-Za-z0-9]))"
)  # fmt: skip


class Pseudonyms:
    """Makes pseudonyms under one key. `prefixes` are the contracts' own words before an id, such as `m-`: they stay."""

    def __init__(self, key: bytes, prefixes: Iterable[str] = ()) -> None:
        key = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=32)
        self._prefixes = tuple(sorted(prefixes, key=len, reverse=True))
        self._known: dict[tuple[str, int], str] = {}
        self._orders: dict[int, tuple[array[int], array[int]]] = {}

    def text(self, text: str, salt: int = 0) -> str:
        """Return the stand-in for a text. Another `salt` gives another one, where the first cannot be used."""
        known = self._known.get((text, salt))
        if known is None:
            known = self._text(text, salt)
            if len(text) > MIN_LONG_LENGTH and _TOKEN_OF_PARTS.search(known):
                known = _TOKEN_OF_PARTS.sub(lambda found: found[0].translate(_NO_PARTS), known)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            if len(text) <= MAX_KNOWN_LENGTH:
                self._known[text, salt] = known
        return known

    def future_day(self, text: str, salt: int = 0) -> str:
        """Return the stand-in for a text with days in it that are in the future: nobody is born then."""
        return _YEAR.sub(lambda year: str(int(year[0]) + YEARS_INTO_THE_FUTURE), self.text(text, salt))

    def longer(self, text: str, salt: int = 0) -> str:
        """Return a stand-in that is longer than the text, for when all of its length are taken."""
        return self.text(text) + self._letters(f"longer {text}", MIN_VARIED_CHARACTERS, salt)

    def number(self, value: Any, salt: int = 0) -> Any:
        """Return the stand-in for a number: of the same sign, type and number of digits, and whole if it is whole.

        Of a number that no double holds, it is one that no double holds either.
        """
        beyond = isinstance(value, ExactFloat) and not 0 < abs(value) < math.inf
        mantissa, mark, exponent = (value.text if beyond else str(value)).upper().partition("E")
        whole, dot, fraction = mantissa.partition(".")
        made = (
            f"{self._number(whole, salt)}{dot}{fraction}"
            if _ONLY_ZEROS.fullmatch(dot + fraction)
            else self._number(mantissa, salt)
        )
        if beyond:
            return ExactFloat.of(made + mark + exponent)
        if not isinstance(value, float):
            return (int if isinstance(value, int) else Decimal)(made + mark + exponent)
        number = float(made + mark + exponent)
        return number if math.isfinite(number) else float(f"{made}E{int(exponent) - 1}")

    def along(self, automaton: Automaton, text: str, salt: int = 0) -> str:
        """Return the stand-in for a text that a pattern accepts.

        Every character leads where the one did that stood there.
        """
        alphabets, states = [], automaton.start
        for letter, alphabet in zip(text, alphabets_of(text, len(text)), strict=True):
            same, states = _equivalents(automaton, states, letter, alphabet)
            alphabets.append(same)
        for more in range(MAX_TRIES):
            made = self._varied(text, alphabets, salt + more * MAX_TRIES)
            if not (made.isdigit() and len(made) >= MIN_CARD_DIGITS and _adds_up(list(map(int, made)))):
                break
        return made

    def _varied(self, text: str, alphabets: list[str], salt: int) -> str:
        if math.prod(map(len, filter(None, alphabets))) <= MAX_ORDERED:
            return self._ordered(text, alphabets, salt)
        stream, made, varied = cycle(self._digest(text, salt)), [], 0
        for letter, same in zip(text, alphabets, strict=True):
            made.append(same[next(stream) % len(same) if varied < MAX_VARIED_CHARACTERS else -1] if same else letter)
            varied += len(same) > 1
        return "".join(made)

    def mails(self, text: str, salt: int) -> Iterator[str]:
        """Yield mail addresses that nobody has (RFC 2606), under the top-level domain of a mail address."""
        local, mark, domain = text.partition("@")
        top = domain.rpartition(".")[2]
        if mark and top in ("com", "net", "org"):
            yield f"{self._letters(text, len(local), salt)}@example.{top}"

    def short_addresses(self, text: str, salt: int) -> Iterator[str]:
        """Yield network addresses that nobody has (0.0.0.0/8, RFC 1122) and that are no longer than a text of one."""
        if (found := _PIECES.fullmatch(text)) and found.lastgroup == "ip":
            digits = zip(self._digest(text, salt), text.split(".")[1:], strict=False)
            yield ".".join(["0", *(str(digit % 10 ** len(part)) for digit, part in digits)])

    def choice(self, text: str, count: int, salt: int = 0) -> int:
        """Return a number below `count` that stands for a text."""
        return int.from_bytes(self._digest(f"choice {text}", salt), "big") % count

    def nested(self, text: str, masks: Masks) -> str | None:
        """Return the stand-in for a text that is JSON, or base64 of JSON, with everything in it masked; else None."""
        if len(text) > MAX_NESTED_LENGTH:
            return None
        if text[:1] in "{[" and text[-1:] in "}]":
            try:
                return _json.dumps(masks(_json.loads(text.encode()))).decode()
            except (ValueError, TypeError, RecursionError):
                return None
        if text[:2] in _CODED_JSON and _BASE64.fullmatch(text):
            url_safe = "-" in text or "_" in text
            try:
                raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if url_safe else None)
                inner = self.nested(raw.decode(), masks)
            except (ValueError, binascii.Error):
                return None
            if inner is not None:
                coded = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(inner.encode()).decode()
                return coded if len(text) % 4 == 0 else coded.rstrip("=")
        return None

    def _text(self, text: str, salt: int) -> str:
        kept = ""
        for _ in range(_PREFIXES_DEEP):
            if not text.startswith(self._prefixes):
                break
            prefix = next(each for each in self._prefixes if text.startswith(each))
            kept, text = kept + prefix, text[len(prefix) :]
        if text.count(":") > 1 and _is_ip6(text):
            groups = self._digest(text, salt).hex()
            return f"{kept}2001:db8:" + ":".join(groups[at : at + 4] for at in range(0, 24, 4))
        pieces = list(_PIECES.finditer(text))
        if not pieces:
            return kept + self._plain(text, salt)
        made, end, most = [kept], 0, max_varied(text)
        whole = (
            text if len(text) <= MAX_KNOWN_LENGTH else self._digest(text, salt).hex()
        )  # of many pieces, each is hashed
        for found in pieces:
            between, kind = text[end : found.start()], found.lastgroup or ""
            made += (self._between(between, whole, most, salt), getattr(self, f"_{kind}")(found[0], salt))
            most -= len(between) + (len(found[0]) if kind in ("number", "iban") else 0)
            end = found.end()
        made.append(self._between(text[end:], whole, most, salt))
        return "".join(made)

    def _between(self, text: str, whole: str, most: int, salt: int) -> str:
        """Return the stand-in for what is between recognized pieces of a whole text.

        It depends on the whole text, or on the digest of a long one.
        """
        alphabets = alphabets_of(text, max(most, MIN_VARIED_CHARACTERS))
        return self._scattered(text, alphabets, self._digest(f"{text} in {whole}", salt))

    def _url(self, text: str, salt: int) -> str:
        scheme, _, rest = text.partition("://")
        cut = next((place for place, letter in enumerate(rest) if letter in "/?#"), len(rest))
        authority, path = rest[:cut], rest[cut:]
        if scheme not in _SCHEMES:
            scheme = self._plain(scheme.replace("+", "a").replace(".", "a"), salt)
        path = re.sub("%[0-9A-Fa-f]{2}", "%20", path).replace("@", ".").replace(":", ".")
        return f"{scheme}://{self._host(authority, salt) if authority else ''}{self._plain(path, salt)}"

    def _host(self, text: str, salt: int) -> str:
        return self._letters(text, len(text) - len(".test"), salt) + ".test"

    def _mail(self, text: str, salt: int) -> str:
        local, _, domain = text.partition("@")
        name = self._host(domain, salt)
        return f"{self._letters(text, len(local) + len(domain) - len(name), salt)}@{name}"

    def _uuid(self, text: str, salt: int) -> str:
        """Twelve digits vary. The rest is zeros, which no generator makes, but its version and variant (RFC 9562)."""
        made = self._digest(text.lower(), salt).hex()[:12]
        made = f"{made[:8]}-{made[8:]}-{text[14]}000-{text[19]}000-000000000000"
        return made.upper() if text.upper() == text else made.lower()

    def _ip(self, text: str, salt: int) -> str:
        first, *others = self._digest(text, salt)[:4]
        return ".".join(map(str, (240 + first % 16, *others)))

    def _time(self, text: str, salt: int) -> str:
        digest = self._digest(text, salt)
        day = f"{1970 + digest[0] % 60}-{digest[1] % 12 + 1:02}-{digest[2] % 28 + 1:02}" if "-" in text[:5] else ""
        clock = f"{digest[3] % 24:02}:{digest[4] % 60:02}:{digest[5] % 60:02}"
        rest = text[len(day) :]
        if not rest:
            return day
        mark, rest = (rest[0], rest[1:]) if day else ("", rest)
        digits = 8 if rest[5:6] == ":" else 5
        return f"{day}{mark}{clock[:digits]}{re.sub(r'[.][0-9]+', lambda part: _zeros(part[0]), rest[digits:])}"

    def _iban(self, text: str, salt: int) -> str:
        made = self._plain(text, salt)
        groups = re.sub(" [0-9]", " 9", made[4:])  # no group is where a phone number or a card begins
        return f"{made[:2]}00{groups}"  # check digits that no account has (ISO 13616)

    def _number(self, text: str, salt: int) -> str:
        """Digits as people group them: a phone number, a card, an account."""
        made = list(self._plain(text, salt))
        if _SOCIAL_SECURITY.fullmatch(text):
            return "9" + "".join(made[1:])  # nobody has a number that begins with 9
        places = [place for place, letter in enumerate(made) if letter in DIGITS]
        while len(places) > 1 and text[places[0]] == "0":
            del places[0]
        if len(places) >= MIN_PHONE_DIGITS and not _BARE.fullmatch(text):
            for place in places[:3]:
                made[place] = "9"
            return "".join(made)
        if len(places) >= MIN_LARGE_DIGITS and text.find(".", 0, places[MIN_LARGE_DIGITS - 1]) < 0:
            made[places[0]] = "1"
        if len(places) >= MIN_CARD_DIGITS and _adds_up([int(made[place]) for place in places]):
            made[places[-1]] = str((int(made[places[-1]]) + 1) % 10)
        return "".join(made)

    def _plain(self, text: str, salt: int) -> str:
        """Letters for letters, digits for digits; the rest stays."""
        alphabets = alphabets_of(text, max_varied(text))
        varied = text[: len(alphabets)]
        if len(varied) == len(text):
            size = math.prod(map(len, filter(None, alphabets)))
            own = all(letter in alphabet for letter, alphabet in zip(text, alphabets, strict=True) if alphabet)
            if size <= MAX_ORDERED and own:
                return self._ordered(text, alphabets, salt)
        return self._scattered(text, alphabets, self._digest(text, salt))

    @staticmethod
    def _scattered(text: str, alphabets: list[str], digest: bytes) -> str:
        """Return other letters for the first ones of a text, as a digest says, and one letter again and again after."""
        stream, varied = cycle(digest), text[: len(alphabets)]
        made = [
            alphabet[next(stream) % len(alphabet)] if alphabet else letter
            for letter, alphabet in zip(varied, alphabets, strict=True)
        ]
        return "".join(made) + text[len(varied) :].translate(fillers_of(text))

    def _ordered(self, text: str, alphabets: list[str], salt: int) -> str:
        """Return another text of the same alphabets: the next one, in the order of the hashes of all of them."""
        size = math.prod(map(len, filter(None, alphabets)))
        if size == 1:
            return text
        index = 0
        for letter, alphabet in zip(text, alphabets, strict=True):
            if alphabet:
                index = index * len(alphabet) + alphabet.index(letter)
        order, ranks = self._order(size)
        index = order[(ranks[index] + 1 + salt) % size]
        made = []
        for letter, alphabet in zip(reversed(text), reversed(alphabets), strict=True):
            if alphabet:
                index, place = divmod(index, len(alphabet))
                made.append(alphabet[place])
            else:
                made.append(letter)
        return "".join(reversed(made))

    def _order(self, size: int) -> tuple[array[int], array[int]]:
        known = self._orders.get(size)
        if known is None:
            order = array(
                "H", sorted(range(size), key=[self._digest(f"{size} {each}", 0) for each in range(size)].__getitem__)
            )
            ranks = array("H", bytes(2 * size))
            for rank, each in enumerate(order):
                ranks[each] = rank
            known = self._orders[size] = order, ranks
        return known

    def _letters(self, text: str, count: int, salt: int) -> str:
        digest = self._digest(text, salt)
        varied = "".join(LOWER[number % 26] for number in digest[: max(1, min(count, MAX_VARIED_CHARACTERS))])
        return varied + "x" * (count - MAX_VARIED_CHARACTERS)

    def _digest(self, text: str, salt: int) -> bytes:
        state = self._keyed.copy()
        state.update(f"{salt} {text}".encode(errors="surrogatepass"))
        return state.digest()


@lru_cache(maxsize=16_384)
def _equivalents(automaton: Automaton, states: State, letter: str, alphabet: str) -> tuple[str, State]:
    """Return the letters of an alphabet that lead where a letter does, itself among them, and where that is."""
    after = automaton.step(states, ord(letter))
    same = "".join(each for each in alphabet if automaton.step(states, ord(each)) == after)
    return (same if letter in same or not same else same + letter), after


def _adds_up(digits: list[int]) -> bool:
    """Whether the digits pass the check that payment cards carry (ISO/IEC 7812-1, annex B)."""
    doubled = [digit if place % 2 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(digits[-2::-1])]  # noqa: PLR2004
    return (sum(doubled) + digits[-1]) % 10 == 0


def _zeros(text: str) -> str:
    return text[0] + "0" * (len(text) - 1)


def _is_ip6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6  # noqa: PLR2004 - IPv6
    except ValueError:
        return False
