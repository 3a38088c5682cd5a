"""The taps by the URL's scheme: one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from contract_test.data.contract import Channel
from contract_test.data.errors import CatalogError
from contract_test.data.interaction import Tapped
from contract_test.transports.kafka_topic import read_topic
from contract_test.transports.redis_list import read_list
from contract_test.transports.urls import without_password

Tap = Callable[[str, str, int], Iterator[Tapped]]

TAPS: dict[tuple[str, str], Tap] = {
    ("redis", "redis-list"): read_list,
    ("rediss", "redis-list"): read_list,
    ("kafka", "kafka"): read_topic,
}


def tap(url: str, channel: Channel, limit: int) -> Iterator[Tapped]:
    """Read what stands on a channel. Raises CatalogError where the URL cannot carry the channel's protocol."""
    scheme = urlsplit(url).scheme
    read = TAPS.get((scheme, channel.protocol))
    if read is None:
        accepted = ", ".join(f"{known}:// for {protocol}" for known, protocol in TAPS)
        raise CatalogError(
            f"channel {channel.name} is a {channel.protocol}", place=without_password(url), advice=f"Known: {accepted}."
        )
    return read(url, channel.address, limit)
