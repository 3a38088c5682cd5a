"""Addresses as people write them, and as they may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit

from contract_test.data.errors import CatalogError

MIN_SECRET_LENGTH = 3
_HOSTS = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:,(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?)*")
_DATABASE = re.compile(r"/?\d*")
_VIRTUAL_HOST = re.compile(r"/?[\w.%~-]*")


def without_password(url: str) -> str:
    """Return the URL as it may be shown: no user, no password, no query.

    Only its scheme where these cannot be distinguished.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    if scheme == "unix":
        return f"unix://{rest.partition('?')[0].rpartition('@')[2]}"
    hosts = re.split(r"[/?#]", rest, maxsplit=1)[0]
    shown = hosts.rpartition("@")[2]
    behind = re.split(r"[?#]", rest[len(hosts) :], maxsplit=1)[0]
    path = _VIRTUAL_HOST if scheme in ("amqp", "amqps") else _DATABASE
    if "@" in rest[len(hosts) :] or not _HOSTS.fullmatch(shown) or not path.fullmatch(behind):
        return f"{scheme}://…"
    return f"{scheme}://{shown}{behind}"


@dataclass(frozen=True)
class Address:
    """A server's URL, taken apart. Its text never shows a credential."""

    scheme: str
    hosts: tuple[str, ...]
    user: str | None
    password: str | None
    options: Mapping[str, str]
    shown: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL. Raises CatalogError without any part of it that could be a password."""
        shown = without_password(url)
        try:
            parts = urlsplit(url)
            user, _, password = parts.netloc.rpartition("@")[0].partition(":")
            hosts = tuple(parts.netloc.rpartition("@")[2].split(","))
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise unreadable(shown) from None
        if shown.endswith("…"):
            raise unreadable(shown)
        return cls(parts.scheme, hosts, unquote(user) or None, unquote(password) or None, options, shown)

    @cached_property
    def _secrets(self) -> list[str]:
        named = [value for name, value in self.options.items() if re.search("user|pass|secret|token", name)]
        given = [each for each in (self.user, self.password, *named) if each and len(each) >= MIN_SECRET_LENGTH]
        return sorted(given, key=len, reverse=True)

    def hide(self, text: object, *more: str | None) -> str:
        """Return a client's own words, without the credentials that it was given."""
        shown = str(text)
        for secret in (*self._secrets, *filter(None, more)):
            shown = shown.replace(secret, "***")
        return shown

    def __repr__(self) -> str:
        return f"Address({self.shown})"


def unreadable(shown: str) -> CatalogError:
    """Return the error for a URL that cannot be taken apart."""
    advice = "Write SCHEME://USER:PASSWORD@HOST:PORT/…, with %XX for each of / ? # @ in the user's name or password."
    return CatalogError("not a URL that can be read", place=shown, advice=advice)
