"""How options are read. No error quotes what was given: it may be a password."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn
from urllib.parse import urlsplit

from .redis_client import check_url

_HOST = r"(\[[\w:.%]*\]|[^\s:@/?#,\[\]]*)(:\d+)?"
_URL = re.compile(rf"[a-z][a-z0-9+]*://([^\s:@/?#]*(:[^\s:@/?#]*)?@)?{_HOST}(,{_HOST})*([/?#][^\s@]*)?")
"""A URL in which it is clear where the password ends: others might be taken for a host that an error names."""
_QUOTING = re.compile(
    r"(unrecognized arguments|ignored explicit argument|invalid choice|invalid \w+ value).*", re.DOTALL
)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong with an option without quoting its value."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        super().error(_QUOTING.sub(r"\1", message))


def url(check: Callable[[str], object], example: str) -> Callable[[str], str]:
    """Return a function that reads a URL which `check` does not raise ValueError for."""

    def read(text: str) -> str:
        try:
            if _URL.fullmatch(text):
                check(text)
                return text
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(
            f"not a URL such as {example}. In a password, write %40 for @, %3A for : and %2F for /"
        )

    return read


redis_url = url(check_url, "redis://user:password@host:6379/0")
database_url = url(str, "postgresql+psycopg://user:password@host:5432/database")


def store(text: str) -> str:
    """Read the path of an SQLite file, or the URL of a database."""
    return database_url(text) if ":" in text else text


def addresses(text: str) -> str:
    """Read addresses of servers."""
    try:
        _ = [urlsplit(f"//{each.rpartition('://')[2]}").port for each in text.split(",")]  # raises for others
    except ValueError:
        raise argparse.ArgumentTypeError("not host:port[,host:port]") from None
    if "@" in text:
        raise argparse.ArgumentTypeError("an address has no password: use -X sasl.username and -X sasl.password")
    return text


def count(text: str) -> int:
    """Read an integer of at least 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def window(text: str) -> timedelta:
    """Read a number of seconds above 0, of at most a thousand years."""
    if not 0 < (seconds := float(text)) < 1000 * 365 * 86400:
        raise ValueError
    return timedelta(seconds=seconds)


def command(text: str) -> str:
    """Read the name of a command."""
    if text not in COMMANDS:
        raise argparse.ArgumentTypeError(f"not one of {', '.join(COMMANDS)}")
    return text


COMMANDS = ("replay", "trending")


def setting(text: str) -> tuple[str, str]:
    """Take `NAME=VALUE` apart."""
    name, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError("not NAME=VALUE")
    if reason := RESERVED_SETTINGS.get(name) or RESERVED_SETTINGS.get(text):
        raise argparse.ArgumentTypeError(f"{name} cannot be given: {reason}")
    return name, value


RESERVED_SETTINGS = {
    **dict.fromkeys(("bootstrap.servers", "metadata.broker.list"), "use --kafka"),
    **dict.fromkeys(("enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "auto.offset.reset"),
                    "the offsets are in the store"),
    "group.id": "the groups are named feed and trending",
    "group.protocol=consumer": "it has not been tried",
    "enable.partition.eof": "replay needs it",
    **dict.fromkeys(("enable.idempotence", "transactional.id"), "dead letters are written with idempotence"),
    **dict.fromkeys(("error_cb", "stats_cb", "throttle_cb", "oauth_cb", "on_commit", "on_delivery", "logger"),
                    "it is a function"),
}  # fmt: skip
