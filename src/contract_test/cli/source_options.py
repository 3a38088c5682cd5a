"""Where messages come from, as options: the same for every command that reads a channel."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from contract_test.data.contract import Catalog, Channel
from contract_test.data.durations import parse_duration
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading, Since
from contract_test.record.time_filter import skip_before
from contract_test.transports.taps import SCHEMES, keeps_times, protocol_of, scheme_of, tap
from contract_test.transports.urls import without_password
from envelopes.codecs import CODECS
from envelopes.plugins import CODECS as CODECS_GROUP
from envelopes.plugins import PluginError, names_of

_SIZE = re.compile(r"([0-9]{1,15})([kMG]?)B?")
_FIRST = datetime.fromtimestamp(0, UTC)  # what servers can be asked for
_AMQP = ("amqp", "amqps")
_ADDRESS_OPTIONS = {"kafka": "--topic", **dict.fromkeys(_AMQP, "--exchange")}
_SIZES = {"": 1, "k": 1000, "M": 10**6, "G": 10**9}


@dataclass(frozen=True)
class SourceOptions:
    """The source as options describe it: a channel by name, or an address and a codec; and how much of it to read."""

    url: str
    channel: str | None
    key: str | None
    topic: str | None
    exchange: str | None
    routing_keys: tuple[str, ...]
    codec: str | None
    reading: Reading

    @property
    def address(self) -> str | None:
        """The address that an option names, for a channel that is not in the catalog."""
        return self.exchange or self.topic or self.key

    def channel_of(self, catalog: Catalog) -> Channel:
        """Return the channel; one of its own making where no contract describes it. Raises CatalogError, UsageError."""
        if self.channel is not None:
            if self.address or self.codec:
                raise click.UsageError(
                    "--channel names all there is to say: leave --key, --topic, --exchange and --codec out."
                )
            if self.channel not in catalog.channels:
                known = ", ".join(catalog.channels) or "none"
                raise CatalogError(
                    f"no channel {self.channel!r}", place=str(catalog.root / "catalog.toml"), advice=f"Known: {known}."
                )
            channel = catalog.channels[self.channel]
            self.reading.left_out = frozenset(
                each.address
                for each in catalog.channels.values()
                if each.protocol == channel.protocol and not each.is_pattern
            )
            return channel
        scheme = scheme_of(self.url)
        address = self.address if scheme else self.address or self.url
        if address is None or self.codec is None:
            wanted = _ADDRESS_OPTIONS.get(scheme or "", "--key")
            raise click.UsageError(f"Name --channel NAME, or {wanted} and --codec for one that no contract describes.")
        protocol = self.protocol
        for channel in catalog.channels.values():
            if (channel.address, channel.codec, channel.protocol) == (address, self.codec, protocol):
                return channel
        return Channel(address, protocol, address, self.codec, routing_keys=self.routing_keys)

    @property
    def protocol(self) -> str:
        """The protocol at an address of its own making; a key in Redis is asked what it is."""
        scheme = scheme_of(self.url)
        if scheme == "kafka" or (scheme is None and self.topic is not None):
            return "kafka"
        if scheme in _AMQP or (scheme is None and self.exchange is not None):
            return "amqp"
        if scheme is not None and scheme not in SCHEMES:
            return protocol_of(scheme) or scheme
        if scheme is None or self.key is None:
            return "redis-list"
        from contract_test.transports.redis_client import is_stream

        return "redis-stream" if is_stream(self.url, self.key) else "redis-list"


class _Codec(click.Choice[str]):
    """One of the built-in codecs, or the name of an installed one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in names_of(CODECS_GROUP):
            return super().convert(value, param, ctx)
        try:
            CODECS[value]
        except PluginError as error:
            self.fail(str(error), param, ctx)
        return value


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument URL and the options of a source, as one `source: SourceOptions`."""

    @click.argument("url")
    @click.option("--channel", "channel", metavar="NAME", help="The channel in the catalog: its address and codec.")
    @click.option("--key", metavar="KEY", help="For a channel that is not in the catalog: the Redis key …")
    @click.option("--topic", metavar="TOPIC", help="… or the Kafka topic …")
    @click.option("--exchange", metavar="NAME", help="… or the RabbitMQ exchange …")
    @click.option(
        "--routing-key", "routing_keys", multiple=True, metavar="KEY", help="… with the messages to read there …"
    )
    @click.option("--codec", type=_Codec(list(CODECS)), help="… and how its messages are written.")
    @click.option(
        "--since",
        metavar="TIME",
        help="1h, 2d, 2026-03-01T12:00Z, earliest or latest; else where the last run stopped, or the earliest.",
    )
    @click.option("--limit", type=click.IntRange(1), metavar="N", help="Read at most so many messages.")
    @click.option("--duration", metavar="TIME", help="Read for at most so long: 30s, 10m, 1h.")
    @click.option("--max-bytes", metavar="SIZE", help="Read at most so much: 500k, 20M, 1G.")
    @click.option("--follow", is_flag=True, help="Go on with what comes; end with Ctrl-C, --limit or --duration.")
    @click.option(
        "--rate", type=click.IntRange(1), default=10_000, show_default=True, help="Ask a server for so many a second."
    )
    @wraps(command)
    def with_source(
        *,
        url: str,
        channel: str | None,
        key: str | None,
        topic: str | None,
        exchange: str | None,
        routing_keys: tuple[str, ...],
        codec: str | None,
        since: str | None,
        limit: int | None,
        duration: str | None,
        max_bytes: str | None,
        follow: bool,
        rate: int,
        **others: Any,
    ) -> Any:
        seconds = None if duration is None else age(duration, "--duration").total_seconds()
        if seconds == 0:
            raise click.BadParameter("in no time nothing is read.", param_hint="--duration")
        reading = Reading(_since(since), follow, rate, limit, seconds, _size(max_bytes))
        source = SourceOptions(url, channel, key, topic, exchange, routing_keys, codec, reading)
        _refuse_what_does_not_apply(source)
        return command(source=source, **others)

    return with_source


def messages_of(
    source: SourceOptions, channel: Channel, time_of: Callable[[Tapped], datetime | None]
) -> Generator[Tapped | None]:
    """Yield what stands on the channel; where the source keeps no times, `--since` goes by those of the messages."""
    messages, since = tap(source.url, channel, source.reading), source.reading.since
    if isinstance(since, datetime) and not keeps_times(source.url, channel):
        return skip_before(messages, since, time_of)
    return messages


def nothing_read(source: SourceOptions, place: str, outcome: str) -> NothingFoundError:
    """Return the error for a run without a single message: that is never a success."""
    reading = source.reading
    if source.url == "-":
        return NothingFoundError(f"no line came in on stdin: {outcome}", place="-", advice="Write a message a line.")
    if isinstance(reading.since, datetime):
        problem = f"no message since {reading.since.isoformat(' ', 'seconds')}"
        return NothingFoundError(f"{problem}: {outcome}", place=place, advice="Begin earlier, such as with --since 7d.")
    if reading.since == "latest":
        problem = f"nothing came while it was read: {outcome}"
        return NothingFoundError(problem, place=place, advice="Wait for messages with --follow, or leave --since out.")
    advice = "Check the name; or run it while messages wait there: --follow waits for them."
    return NothingFoundError(f"the channel is empty: {outcome}", place=place, advice=advice)


def existing_or_empty(contracts: Path, source: SourceOptions) -> Catalog:
    """Return the catalog; an empty one where none is there and the source is described by options.

    Raises CatalogError.
    """
    from contract_test.files.catalog import load_catalog

    if source.channel is None and not any(contracts.glob("*/v*.json")):
        return Catalog(contracts, {}, {})
    return load_catalog(contracts)


def age(text: str, option: str) -> timedelta:
    """Return `90s`, `10m`, `1h`, `2d`. Raises BadParameter."""
    found = parse_duration(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a time such as 90s, 10m, 1h or 2d.", param_hint=option)
    return found


def _refuse_what_does_not_apply(source: SourceOptions) -> None:
    if source.exchange is None and source.routing_keys:
        raise click.UsageError("--routing-key goes with --exchange: a channel of the catalog has its own routing_keys.")
    if source.exchange is not None and not source.routing_keys:
        raise click.UsageError(
            "Name the messages to read with --routing-key: a pattern such as order.# for a topic exchange, the key "
            "itself for a direct one, # for a fanout exchange."
        )
    scheme = scheme_of(source.url)
    if scheme is None:
        return
    if scheme not in SCHEMES and protocol_of(scheme) is None:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        advice = f"Known are {known}, a file, and - for stdin."
        raise CatalogError(
            "messages cannot be read from such a server", place=without_password(source.url), advice=advice
        )
    wanted = _ADDRESS_OPTIONS.get(scheme, "--key")
    given = {"--key": source.key, "--topic": source.topic, "--exchange": source.exchange}
    for option, value in given.items():
        if value is not None and option != wanted:
            raise click.UsageError(f"{option} does not go with {scheme}://: write {wanted}.")


def _since(text: str | None) -> Since:
    if text in (None, "earliest", "latest"):
        return text  # type: ignore[return-value] # one of the literals
    back = parse_duration(text)
    try:
        found = datetime.now(UTC) - back if back else datetime.fromisoformat(text)
        found = found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError):
        advice = "Write 1h, 2d, an ISO 8601 time such as 2026-03-01T12:00Z, earliest or latest."
        raise click.BadParameter(f"{text!r} is not a time. {advice}", param_hint="--since") from None
    if found < _FIRST:
        raise click.BadParameter(f"{text!r} lies before 1970: write earliest.", param_hint="--since")
    return found


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(f"{text!r} is not a size such as 500k, 20M or 1G.", param_hint="--max-bytes")
    return int(match[1]) * _SIZES[match[2]]
