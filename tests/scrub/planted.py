"""Secrets of fifteen kinds to plant, and a search for them that knows every one."""

import base64
import json
import string
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

ALNUM = string.ascii_letters + string.digits


class Planted:
    """One secret: `text` as it stands in a message, `core` the part of it that is nobody else's."""

    def __init__(self, kind: str, core: str, text: str) -> None:
        self.kind, self.core, self.text = kind, core, text

    def traces(self) -> Iterator[bytes]:
        """What gives the secret away: any nine characters of it, also in other forms, and all of it coded."""
        core = self.core
        digits = "".join(filter(str.isdigit, core))
        long = digits if sum(map(str.isalpha, core)) < 3 else core
        parts = {long[at : at + 9] for at in range(max(1, len(long) - 8))}
        for part in parts:
            for form in {part, part.lower(), part.upper(), quote(part, safe=""), json.dumps(part)[1:-1], part[::-1]}:
                yield form.encode()
        for whole in (self.text.encode(), core.encode()):
            yield whole.hex().encode()
            for shift in range(3):  # base64 says the same in three ways, by where it begins
                coded = base64.b64encode(b" " * shift + whole)
                yield coded[4 if shift else 0 : -4]


def secrets(count: int, seed: int) -> list[Planted]:
    random = Random(seed)

    def some(length: int, letters: str = ALNUM) -> str:
        return "".join(random.choice(letters) for _ in range(length))

    def digits(length: int) -> str:
        return random.choice("123456789") + some(length - 1, string.digits)

    def card() -> str:
        body = "4" + some(14, string.digits)
        odd = sum(sum(divmod(int(digit) * 2, 10)) for digit in body[::2])
        return body + str(-(odd + sum(int(digit) for digit in body[1::2])) % 10)

    def account() -> str:
        body = some(18, string.digits)
        return f"DE{98 - int(body + '131400') % 97:02}{body}"

    def jwt() -> str:
        head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
        return f"{head}.{some(30)}.{some(43)}"

    kinds = {
        "cloud key": lambda: "AKIA" + some(16, string.ascii_uppercase + "234567"),
        "forge token": lambda: "ghp_" + some(36),
        "chat token": lambda: f"xoxb-{digits(12)}-{some(24)}",
        "payment key": lambda: "sk_live_" + some(24),
        "jwt": jwt,
        "private key": lambda: f"-----BEGIN PRIVATE KEY-----\n{some(64)}\n{some(64)}\n-----END PRIVATE KEY-----",
        "password": lambda: "password=" + some(14, ALNUM + "!%$?"),
        "bearer": lambda: "Bearer " + some(40),
        "credentials": lambda: f"postgres://{some(9, string.ascii_lowercase)}:{some(12)}@db.internal/people",
        "mail": lambda: f"{some(9, string.ascii_lowercase)}.{some(8, string.ascii_lowercase)}@gmail.com",
        "phone": lambda: f"+49 15{digits(1)} {digits(8)}",
        "card": card,
        "account": account,
        "hexadecimal key": lambda: some(40, "0123456789abcdef"),
        "name and street": lambda: (
            f"{some(9, string.ascii_lowercase).title()} {some(11, string.ascii_lowercase).title()}weg {digits(2)}"
        ),
    }
    cores = {"cloud key": slice(4, None), "forge token": slice(4, None), "payment key": slice(8, None), "password": slice(9, None), "bearer": slice(7, None), "jwt": slice(21, None), "mail": slice(0, -10),
             "private key": slice(28, 156), "credentials": slice(11, -19), "chat token": slice(5, None)}  # fmt: skip
    made = []
    for number in range(count):
        kind = list(kinds)[number % len(kinds)]
        text = kinds[kind]()
        made.append(Planted(kind, text[cores.get(kind, slice(None))], text))
    return made


def found(planted: list[Planted], content: bytes) -> list[str]:
    """The kinds of the secrets that some bytes give away, with the trace."""
    folded = content.replace(b" ", b"").replace(b"-", b"")
    return [
        f"{each.kind}: {trace!r}"
        for each in planted
        for trace in each.traces()
        if len(trace) >= 9 and (trace in content or (trace.isdigit() and trace in folded))
    ]


def files_below(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()
