"""Secrets of more than fifty kinds to plant, and a search for them that knows every one."""

import base64
import json
import string
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = LOWER + UPPER + DIGITS
HEXADECIMAL, BASE32, BASE64 = "0123456789abcdef", UPPER + "234567", ALNUM + "+/"
MIN_TRACE = 9


class Planted(NamedTuple):
    """One secret: `text` as it stands in a message, `core` the part of it that is nobody else's."""

    kind: str
    core: str
    text: str

    @property
    def number(self) -> int | float | None:
        """The secret as a number, for kinds that are numbers."""
        return json.loads(self.text) if self.kind in NUMBERS else None

    def traces(self) -> Iterator[bytes]:
        """What gives the secret away: any nine characters of it, also in other forms, and all of it coded."""
        core = self.core
        digits = "".join(filter(str.isdigit, core))
        long = digits if sum(map(str.isalpha, core)) < 3 else core
        size = min(len(long), 11) if long.isdigit() else MIN_TRACE  # pseudonyms have digits, too
        parts = {long[at : at + size] for at in range(max(1, len(long) - size + 1))}
        for part in parts:
            for form in {part, part.lower(), part.upper(), quote(part, safe=""), json.dumps(part)[1:-1], part[::-1]}:
                yield form.encode()
        for whole in (self.text.encode(), core.encode()):
            yield whole.hex().encode()
            for shift in range(3):  # base64 says the same in three ways, by where it begins
                coded = base64.b64encode(b" " * shift + whole)
                yield coded[4 if shift else 0 : -4]


class _Kinds:
    """Each function returns a secret in three parts: what comes before its core, the core, and what comes after."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def some(self, length: int, letters: str = ALNUM) -> str:
        return "".join(self._random.choice(letters) for _ in range(length))

    def number(self, length: int) -> str:
        return self._random.choice("123456789") + self.some(length - 1, DIGITS)

    def card(self, begin: str, length: int) -> str:
        body = begin + self.some(length - 1 - len(begin), DIGITS)
        doubled = [int(digit) * 2 if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(body))]
        return body + str(-sum(sum(divmod(each, 10)) for each in doubled) % 10)

    @staticmethod
    def grouped(digits: str) -> str:
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))

    def account(self) -> str:
        body = self.some(18, DIGITS)
        return f"DE{98 - int(body + '131400') % 97:02}{body}"

    def coded(self, value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def uuid(self) -> str:
        return "-".join(self.some(size, HEXADECIMAL) for size in (8, 4, 4, 4, 12))

    def born(self) -> str:
        return str(date(1930, 1, 1) + timedelta(days=self._random.randrange(28_000)))

    def word(self, length: int) -> str:
        return self.some(length, LOWER)

    def key_block(self, kind: str) -> tuple[str, str, str]:
        lines = "\n".join(self.some(64, BASE64) for _ in range(3))
        return f"-----BEGIN {kind}-----\nMII", lines, f"\n-----END {kind}-----"

    def texts(self) -> dict[str, Callable[[], tuple[str, str, str]]]:
        some, number, word = self.some, self.number, self.word
        return {
            "cloud key": lambda: ("AKIA", some(16, BASE32), ""),
            "cloud secret": lambda: ("aws_secret_access_key = ", some(40, BASE64), ""),
            "forge token": lambda: ("ghp_", some(36), ""),
            "forge app token": lambda: ("ghs_", some(36), ""),
            "forge fine-grained token": lambda: ("github_pat_", some(22) + "_" + some(59), ""),
            "second forge token": lambda: ("glpat-", some(20), ""),
            "chat token": lambda: ("xoxb-", f"{number(12)}-{number(12)}-{some(24)}", ""),
            "chat user token": lambda: ("xoxp-", f"{number(12)}-{number(12)}-{number(12)}-{some(32, HEXADECIMAL)}", ""),
            "chat webhook": lambda: (
                "https://hooks.slack.com/services/", f"T{some(10, UPPER)}/B{some(10, UPPER)}/{some(24)}", ""),
            "bot token": lambda: ("", f"{number(10)}:AA{some(33)}", ""),
            "chat bot token": lambda: ("", f"M{some(23)}.{some(6)}.{some(27)}", ""),
            "payment key": lambda: ("sk_live_", some(24), ""),
            "restricted payment key": lambda: ("rk_live_", some(24), ""),
            "till token": lambda: ("sq0atp-", some(22), ""),
            "shop token": lambda: ("shpat_", some(32, HEXADECIMAL), ""),
            "telephony key": lambda: ("SK", some(32, HEXADECIMAL), ""),
            "mailing key": lambda: ("SG.", f"{some(22)}.{some(43)}", ""),
            "mail service key": lambda: ("key-", some(32, HEXADECIMAL), ""),
            "newsletter key": lambda: ("", some(32, HEXADECIMAL), "-us11"),
            "map key": lambda: ("AIza", some(35), ""),
            "access token": lambda: ("ya29.", some(60), ""),
            "storage key": lambda: ("AccountKey=", some(86, BASE64), "=="),
            "package token": lambda: ("npm_", some(36), ""),
            "index token": lambda: ("pypi-AgEIcHlwaS5vcmc", some(70), ""),
            "image token": lambda: ("dckr_pat_", some(27), ""),
            "host token": lambda: ("dop_v1_", some(64, HEXADECIMAL), ""),
            "model key": lambda: ("sk-", f"{some(20)}T3BlbkFJ{some(20)}", ""),
            "hub token": lambda: ("hf_", some(34, LOWER + UPPER), ""),
            "workspace token": lambda: ("dapi", some(32, HEXADECIMAL), ""),
            "issue tracker key": lambda: ("lin_api_", some(40), ""),
            "api client key": lambda: ("PMAK-", f"{some(24, HEXADECIMAL)}-{some(34, HEXADECIMAL)}", ""),
            "jwt": lambda: (f"{self.coded({'alg': 'HS256', 'typ': 'JWT'})}.", f"{self.coded({'sub': some(20)})}.{some(43)}", ""),
            "private key": lambda: self.key_block("RSA PRIVATE KEY"),
            "login key": lambda: self.key_block("OPENSSH PRIVATE KEY"),
            "curve key": lambda: self.key_block("EC PRIVATE KEY"),
            "password": lambda: ("password=", some(14, ALNUM + "!%$?"), ""),
            "bearer": lambda: ("Authorization: Bearer ", some(40), ""),
            "basic": lambda: ("Authorization: Basic ", some(28, ALNUM), ""),
            "session": lambda: ("Cookie: session=", some(32), "; Path=/"),
            "credentials": lambda: ("postgres://", f"{word(9)}:{some(12)}", "@db.internal/people"),
            "store credentials": lambda: ("mongodb+srv://app:", some(16), "@store.internal/"),
            "queue credentials": lambda: ("amqp://app:", some(16), "@queue.internal:5672/"),
            "one-time seed": lambda: ("otpauth://totp/App:me?secret=", some(32, BASE32), "&issuer=App"),
            "hexadecimal key": lambda: ("", some(40, HEXADECIMAL), ""),
            "long hexadecimal key": lambda: ("", some(64, HEXADECIMAL), ""),
            "base64 key": lambda: ("", some(43, BASE64), "="),
            "base32 key": lambda: ("", some(32, BASE32), ""),
            "session id": lambda: ("", self.uuid(), ""),
            "wallet key": lambda: ("0x", some(64, HEXADECIMAL), ""),
            "mail": lambda: ("", f"{word(9)}.{word(8)}", "@gmail.com"),
            "phone": lambda: ("", f"+49 15{number(1)} {number(8)}", ""),
            "national phone": lambda: ("", f"0{number(3)} {number(7)}", ""),
            "card": lambda: ("", self.card("4", 16), ""),
            "grouped card": lambda: ("", self.grouped(self.card("52", 16)), ""),
            "account": lambda: ("", self.account(), ""),
            "social security": lambda: ("", f"5{some(2, DIGITS)}-{number(2)}-{number(4)}", ""),
            "passport": lambda: ("P<UTO", f"{some(9, UPPER)}<<{some(9, UPPER)}", "<<<<<<<<"),
            "birth": lambda: (f"{word(8).title()}, born ", f"{self.born()} in {word(9).title()}", ""),
            "machine": lambda: ("", ":".join(some(2, HEXADECIMAL) for _ in range(6)), ""),
            "name and street": lambda: ("", f"{word(9).title()} {word(11).title()}weg {number(2)}", ""),
            "diagnosis": lambda: ("has had ", f"{word(10)} since {word(9)}", ""),
        }  # fmt: skip

    def numbers(self) -> dict[str, Callable[[], str]]:
        return {
            "card number": lambda: self.card("4", 16),
            "second card number": lambda: self.card("37", 15),
            "phone number": lambda: "49151" + self.number(9),
            "customer number": lambda: self.number(11),
            "personal number": lambda: self.number(12),
            "device number": lambda: self.card("35", 15),
            "account number": lambda: self.number(13),
            "latitude": lambda: f"{self.number(2)}.{self.number(9)}1",
            "salary": lambda: f"{self.number(9)}.{self.number(2)}1",
        }


NUMBERS = tuple(_Kinds(Random()).numbers())
KINDS = (*_Kinds(Random()).texts(), *NUMBERS)


def secrets(count: int, seed: int) -> list[Planted]:
    """Return so many secrets, of every kind in turn."""
    kinds = _Kinds(Random(seed))
    texts, numbers = kinds.texts(), kinds.numbers()
    made = []
    for place in range(count):
        kind = KINDS[place % len(KINDS)]
        before, core, after = ("", numbers[kind](), "") if kind in numbers else texts[kind]()
        made.append(Planted(kind, core, before + core + after))
    return made


def found(planted: list[Planted], content: bytes) -> list[str]:
    """The kinds of the secrets that some bytes give away, with the trace."""
    folded = content.replace(b" ", b"").replace(b"-", b"")
    begins = {text[at : at + MIN_TRACE] for text in (content, folded) for at in range(len(text))}
    return [
        f"{each.kind}: {trace!r}"
        for each in planted
        for trace in each.traces()
        if len(trace) >= MIN_TRACE
        and trace[:MIN_TRACE] in begins
        and (trace in content or (trace.isdigit() and trace in folded))
    ]


def files_below(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()
