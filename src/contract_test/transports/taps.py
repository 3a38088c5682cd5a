"""The taps by the URL's scheme: one row each. What is no URL is a file, or `-` for stdin."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from contract_test.data.contract import Channel
from contract_test.data.errors import CatalogError
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.amqp_exchange import read_exchange
from contract_test.transports.json_lines import read_lines
from contract_test.transports.kafka_topic import read_topic
from contract_test.transports.redis_client import matching_keys
from contract_test.transports.redis_list import read_list
from contract_test.transports.redis_stream import read_stream
from contract_test.transports.urls import without_password
from envelopes import plugins

_REDIS = ("redis-list", "redis-stream")

Tap = Callable[[str, str, Reading], Iterator[Tapped | None]]

TAPS: dict[tuple[str, str], Tap] = {
    (scheme, protocol): read
    for scheme in ("redis", "rediss", "unix")
    for protocol, read in (("redis-list", read_list), ("redis-stream", read_stream))
} | {("kafka", "kafka"): read_topic, ("amqp", "amqp"): read_exchange, ("amqps", "amqp"): read_exchange}


class Transport(Protocol):
    """What an entry point in the group `contract_test.transports` is, such as a module. Its name is the protocol."""

    SCHEMES: tuple[str, ...]
    """The schemes of the URLs that it reads."""

    def read(self, url: str, address: str, reading: Reading) -> Iterator[Tapped | None]:
        """Yield the messages, and None while there is nothing new. Remove none. Raises UnreachableError."""
        ...


_PLUGINS: plugins.Plugins[Transport] = plugins.Plugins(
    plugins.TRANSPORTS, ("SCHEMES", "read"), {}, {protocol for _, protocol in TAPS}
)


def protocol_of(scheme: str) -> str | None:
    """Return the protocol of the installed transport that reads URLs with a scheme. Raises CatalogError."""
    installed = plugins.names_of(plugins.TRANSPORTS)
    return next((name for name in installed if scheme in _transport(name).SCHEMES), None)


def _transport(protocol: str) -> Transport:
    """Return the transport of an installed package. Raises CatalogError if it cannot be used, and KeyError."""
    try:
        return _PLUGINS[protocol]
    except plugins.PluginError as error:
        raise CatalogError(error.problem, place=f"protocol {protocol}", advice=error.advice) from None


SCHEMES = tuple(dict.fromkeys(scheme for scheme, _ in TAPS))


def tap(url: str, channel: Channel, reading: Reading | None = None) -> Generator[Tapped | None]:
    """Read what stands on a channel; None stands for "nothing new just now".

    Raises CatalogError where the URL cannot carry the channel's protocol, and what the source itself raises.
    """
    reading = reading or Reading()
    scheme = scheme_of(url)
    if scheme is None:
        return bounded(read_lines(url, reading), reading)
    read = TAPS.get((scheme, channel.protocol))
    known_here = [known for known, protocol in TAPS if protocol == channel.protocol]
    if not known_here and channel.protocol in plugins.names_of(plugins.TRANSPORTS):
        transport = _transport(channel.protocol)
        known_here = list(transport.SCHEMES)
        read = transport.read if scheme in transport.SCHEMES else None
    if read is None:
        accepted = ", ".join(f"{known}://" for known in known_here)
        raise CatalogError(
            f"channel {channel.name} has the protocol {channel.protocol}",
            place=without_password(url),
            advice=f"Name {accepted}{', ' if accepted else ''}a file, or - for stdin.",
        )
    if channel.protocol == "amqp":
        _refuse_what_an_exchange_lacks(url, reading)
        reading.routing_keys = channel.routing_keys
    if channel.is_pattern and channel.protocol in _REDIS:
        keys = matching_keys(url, channel.address, channel.protocol.removeprefix("redis-"), reading.left_out)
        return bounded(_of_every_key(read, url, keys, reading), reading)
    return bounded(read(url, channel.address, reading), reading)


def _refuse_what_an_exchange_lacks(url: str, reading: Reading) -> None:
    """Raise CatalogError if messages of the past are asked for, or if the reading would have no end by itself."""
    problem = ""
    if reading.since is not None:
        problem, advice = "an exchange keeps no messages, so --since has no meaning", "Leave --since out."
    elif not reading.follow and reading.limit is None and reading.seconds is None:
        problem = "an exchange keeps no messages: what comes from now on is read"
        advice = "Say for how long: --duration 10m, --limit 1000, or --follow until Ctrl-C."
    if problem:
        raise CatalogError(problem, place=without_password(url), advice=advice)


def _of_every_key(read: Tap, url: str, keys: Sequence[str], reading: Reading) -> Iterator[Tapped | None]:
    """Yield the messages of several keys, one key after the other; while following, what comes to each in turn."""
    taps = [_of_one_key(read, url, key, reading) for key in keys]
    if not reading.follow:
        for each in taps:
            yield from each
        return
    while True:
        for each in taps:
            for message in each:
                yield message
                if message is None:
                    break


def _of_one_key(read: Tap, url: str, key: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield the messages of one key of several; its marks bear its name."""
    marks = {"": reading.marks[key]} if key in reading.marks else {}
    for message in read(url, key, replace(reading, marks=marks)):
        if message is None or message.mark is None:
            yield message
        else:
            yield replace(message, mark=(key, message.mark[1]))


def keeps_times(url: str, channel: Channel) -> bool:
    """Return whether the source itself knows when its messages came; others give all that they have."""
    return scheme_of(url) is not None and channel.protocol in ("kafka", "redis-stream")


def scheme_of(url: str) -> str | None:
    """Return `redis` for `redis://…`; None for a file and for `-`."""
    scheme, mark, _ = url.partition("://")
    return scheme.lower() if mark else None


def bounded(messages: Iterator[Tapped | None], reading: Reading) -> Generator[Tapped | None]:
    """End where the reading says so."""
    started = time.monotonic()
    count = size = 0
    for message in messages:
        yield message
        if message is not None:
            count, size = count + 1, size + len(message.wire)
        if (
            (reading.limit is not None and count >= reading.limit)
            or (reading.max_bytes is not None and size >= reading.max_bytes)
            or (reading.seconds is not None and time.monotonic() - started >= reading.seconds)
        ):
            return
